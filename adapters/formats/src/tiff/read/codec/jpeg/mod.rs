//! Baseline and extended sequential JPEG of 8 bits (ITU-T T.81), a row of blocks at a time.
//!
//! Our own, since rows must stream out of a picture of any height in memory that is known before, and come out with
//! libjpeg's very bits: TIFF's other readers all stand on it. Progressive, lossless and arithmetic-coded pictures are
//! refused by name. In TIFF a picture is a file strip or tile, before which come tables that all of them share
//! (Technical Note 2); its colour is YCbCr only where the page says so.
//!
//! ```text
//! bytes -> input (a few KiB) -> markers: tables, frame | bits -> block -> inverse -> samples of each component
//!                                                            samples -> rows of pixels -> output
//! ```

mod header;
mod huffman;
mod inverse;
mod parts;
mod pixels;
mod rows;
mod tables;

use super::{Progress, Trouble};
pub(in crate::tiff::read) use header::{Picture, find_frame};
use huffman::{Bits, Codes};
use parts::Parts;
use tables::{Coded, Tables};

/// The most components of a picture.
pub(in crate::tiff::read) const MOST_COMPONENTS: u16 = 4;

/// Bytes of input that are held: blocks are decoded while there are enough for all blocks of a group.
const INPUT_BYTES: usize = 16 << 10;

/// The most bytes of a group of blocks: 10 blocks of 64 coefficients, each with a code of up to 16 bits and a number
/// of up to 15, and each byte with a zero stuffed behind it, with a restart marker; then some.
const GROUP_BYTES: usize = 6 << 10;

/// The longest segment that is read: four tables of codes of two kinds have 2184 bytes.
const SEGMENT_BYTES: usize = 4 << 10;

/// What a page's pictures are like: that of its first unit, and what becomes of its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tiff::read) struct Frame {
    picture: Option<Picture>,
    /// YCbCr becomes RGB.
    pub(in crate::tiff::read) to_rgb: bool,
}

impl Frame {
    pub(in crate::tiff::read) fn new(picture: Option<Picture>, to_rgb: bool) -> Self {
        Self { picture, to_rgb }
    }

    /// Bytes for the samples of a picture like it, `cols` columns wide.
    fn sample_bytes(self, cols: u32, bands: u16) -> u64 {
        let picture = Picture { cols, ..self.picture.unwrap_or_default() };
        match picture.count {
            // None was found, and none will be decoded.
            0 => u64::from(bands),
            _ => Parts::of(&picture).bytes,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Between segments.
    Markers,
    /// In a segment that is passed over: so many bytes of it are left.
    Pass(usize),
    /// In the blocks.
    Blocks,
    /// All rows are there.
    Ended,
}

/// A decoder.
pub(in crate::tiff::read) struct Jpeg {
    frame: Frame,
    cols: u32,
    bands: u16,
    input: Box<[u8]>,
    /// The part of the input that is not yet used.
    at: usize,
    filled: usize,
    tables: Box<Tables>,
    phase: Phase,
    picture: Picture,
    parts: Parts,
    coded: [Coded; MOST_COMPONENTS as usize],
    bits: Bits,
    /// Groups of blocks between restart markers, none if zero; those left before the next, and its number.
    restart: u32,
    until_restart: u32,
    restarts: u8,
    /// The row of groups that is decoded, and how many of its groups are.
    down: u32,
    across: u32,
    samples: Box<[u8]>,
    /// The row of pixels that is made next, and the first that cannot yet be made.
    next: u32,
    ready: u32,
    row: Box<[u8]>,
    given: usize,
}

impl Jpeg {
    pub(super) fn new(frame: Frame, cols: u32, bands: u16) -> Self {
        let zeros = |bytes: u64| vec![0; usize::try_from(bytes).unwrap_or(usize::MAX)].into_boxed_slice();
        let row = zeros(u64::from(cols) * u64::from(bands));
        Self {
            frame,
            cols,
            bands,
            input: zeros(INPUT_BYTES as u64),
            at: 0,
            filled: 0,
            tables: Box::new(Tables {
                steps: [[0; 64]; 4],
                dc: [const { Codes::EMPTY }; 4],
                ac: [const { Codes::EMPTY }; 4],
            }),
            phase: Phase::Markers,
            picture: Picture::default(),
            parts: Parts::default(),
            coded: Default::default(),
            bits: Bits::default(),
            restart: 0,
            until_restart: 0,
            restarts: 0,
            down: 0,
            across: 0,
            samples: zeros(frame.sample_bytes(cols, bands)),
            next: 0,
            ready: 0,
            given: row.len(),
            row,
        }
    }

    /// Bytes of its buffers, its tables and itself, all taken when it is made.
    pub(super) fn heap_bytes(frame: Frame, cols: u32, bands: u16) -> u64 {
        let fixed = (INPUT_BYTES + size_of::<Tables>() + size_of::<Self>()) as u64;
        let row = u64::from(cols) * u64::from(bands);
        fixed.saturating_add(row).saturating_add(frame.sample_bytes(cols, bands))
    }

    pub(super) fn reset(&mut self) {
        (self.at, self.filled) = (0, 0);
        (self.phase, self.picture) = (Phase::Markers, Picture::default());
        self.tables.dc.iter_mut().chain(&mut self.tables.ac).for_each(Codes::clear);
        (self.restart, self.next, self.ready) = (0, 0, 0);
        self.given = self.row.len();
    }

    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, Trouble> {
        let last = input.is_empty();
        let mut progress = Progress::default();
        while progress.written < output.len() {
            if self.given < self.row.len() {
                let rest = &self.row[self.given..];
                let bytes = rest.len().min(output.len() - progress.written);
                output[progress.written..][..bytes].copy_from_slice(&rest[..bytes]);
                progress.written += bytes;
                self.given += bytes;
                continue;
            }
            if self.next < self.ready {
                self.make_row();
                continue;
            }
            if self.phase == Phase::Ended {
                progress.ended = true;
                break;
            }
            let taken = self.take(&input[progress.read..]);
            progress.read += taken;
            if !self.advance(last)? {
                if progress.read == input.len() {
                    break;
                }
                if taken == 0 {
                    // It holds all it can, and that is not enough.
                    return Err(Trouble::Damaged);
                }
            }
        }
        Ok(progress)
    }

    /// Moves what is left of the input to the front and fills up behind it. Returns how many bytes were taken.
    fn take(&mut self, input: &[u8]) -> usize {
        // Not for a few bytes: what is left would be moved again and again.
        if self.filled - self.at > self.input.len() / 2 || input.is_empty() {
            return 0;
        }
        self.input.copy_within(self.at..self.filled, 0);
        (self.at, self.filled) = (0, self.filled - self.at);
        let bytes = input.len().min(self.input.len() - self.filled);
        self.input[self.filled..][..bytes].copy_from_slice(&input[..bytes]);
        self.filled += bytes;
        bytes
    }

    /// Goes one step on. Returns whether it could; otherwise it needs more input.
    fn advance(&mut self, last: bool) -> Result<bool, Trouble> {
        let held = self.filled - self.at;
        match self.phase {
            Phase::Markers => self.segment(),
            Phase::Pass(0) => {
                self.phase = Phase::Markers;
                Ok(true)
            }
            Phase::Pass(left) => {
                let bytes = left.min(held);
                self.at += bytes;
                self.phase = Phase::Pass(left - bytes);
                Ok(bytes > 0)
            }
            Phase::Blocks if held < GROUP_BYTES && !last => Ok(false),
            Phase::Blocks => {
                self.groups(last)?;
                Ok(true)
            }
            Phase::Ended => Ok(false),
        }
    }

    /// One marker, with its segment.
    fn segment(&mut self) -> Result<bool, Trouble> {
        let held = &self.input[self.at..self.filled];
        let (kind, length) = match held {
            [0xff, 0xff, ..] => {
                self.at += 1;
                return Ok(true);
            }
            // Start, end (of the tables alone), and markers without a segment.
            [0xff, 0xd8 | 0xd9 | 0x01 | 0xd0..=0xd7, ..] => {
                self.at += 2;
                return Ok(true);
            }
            [0xff, kind, high, low, ..] => (*kind, usize::from(u16::from_be_bytes([*high, *low]))),
            [] | [0xff] | [0xff, _] | [0xff, _, _] => return Ok(false),
            _ => return Err(Trouble::Damaged),
        };
        let body = length.checked_sub(2).ok_or(Trouble::Damaged)?;
        if !matches!(kind, 0xc0..=0xcf | 0xda | 0xdb | 0xdd) {
            self.at += 4;
            self.phase = Phase::Pass(body);
            return Ok(true);
        }
        if body > SEGMENT_BYTES {
            return Err(Trouble::Damaged);
        }
        let Some(segment) = held.get(4..4 + body) else { return Ok(false) };
        match kind {
            0xc4 => tables::read_codes(&mut self.tables, segment)?,
            0xdb => tables::read_steps(&mut self.tables, segment)?,
            0xdd => {
                let interval = segment.first_chunk().ok_or(Trouble::Damaged)?;
                self.restart = u32::from(u16::from_be_bytes(*interval));
            }
            0xda => {
                self.coded = tables::scan(&self.picture, segment)?;
                let missing = |coded: &Coded| {
                    self.tables.dc[coded.dc_codes].is_empty() || self.tables.ac[coded.ac_codes].is_empty()
                };
                if self.coded[..self.picture.count].iter().any(missing) {
                    return Err(Trouble::Damaged);
                }
                (self.down, self.across) = (0, 0);
                self.begin_interval();
                self.restarts = 0;
                self.phase = Phase::Blocks;
            }
            0xcc => return Err(Trouble::Unsupported("arithmetic-coded JPEG")),
            0xc8 => return Err(Trouble::Damaged),
            _ => {
                let picture = Picture::read(kind, segment)?;
                self.check(&picture)?;
                (self.picture, self.parts) = (picture, Parts::of(&picture));
            }
        }
        self.at += 4 + body;
        Ok(true)
    }

    /// A frame must be of the page's and need no more than the first unit's.
    fn check(&self, picture: &Picture) -> Result<(), Trouble> {
        if self.picture.count != 0 {
            return Err(Trouble::Unsupported("several JPEG pictures in one strip or tile"));
        }
        if picture.cols != self.cols || picture.count != usize::from(self.bands) {
            return Err(Trouble::Damaged);
        }
        if Parts::of(picture).bytes > self.samples.len() as u64 {
            return Err(Trouble::Unsupported("a JPEG picture whose colour is finer than that of the first"));
        }
        Ok(())
    }

    fn begin_interval(&mut self) {
        self.bits.clear();
        self.until_restart = self.restart;
        self.coded.iter_mut().for_each(|coded| coded.dc = 0);
    }

    /// Decodes groups of blocks while there is input for all of one, at most to the end of their row.
    fn groups(&mut self, last: bool) -> Result<(), Trouble> {
        let groups = self.picture.groups_across();
        if self.across == 0 && self.down > 0 {
            self.keep_border();
        }
        while self.across < groups && (last || self.filled - self.at >= GROUP_BYTES) {
            if self.restart > 0 && self.until_restart == 0 {
                self.pass_restart()?;
            }
            self.group()?;
            self.across += 1;
            self.until_restart = self.until_restart.saturating_sub(1);
        }
        if self.across == groups {
            self.across = 0;
            self.down += 1;
            let most = u32::from(self.picture.most().down);
            let all = self.down * 8 * most >= self.picture.rows;
            // The last rows wait for those below, which they are mixed with.
            self.ready = if all { self.picture.rows } else { (self.down * 8 - 1) * most };
            if all {
                self.phase = Phase::Ended;
            }
        }
        Ok(())
    }

    /// The marker between two intervals.
    fn pass_restart(&mut self) -> Result<(), Trouble> {
        while self.input[self.at..self.filled].starts_with(&[0xff, 0xff]) {
            self.at += 1;
        }
        let marker = [0xff, 0xd0 + self.restarts % 8];
        if !self.input[self.at..self.filled].starts_with(&marker) {
            return Err(Trouble::Damaged);
        }
        self.at += 2;
        self.restarts = self.restarts.wrapping_add(1);
        self.begin_interval();
        Ok(())
    }

    /// One group: for each component as many blocks as it is sampled.
    fn group(&mut self) -> Result<(), Trouble> {
        let input = &self.input[..self.filled];
        let Tables { steps, dc, ac } = &*self.tables;
        for (index, component) in self.picture.used().iter().enumerate() {
            let (start, stride) = self.parts.components[index];
            let coded = &mut self.coded[index];
            let codes = (&dc[coded.dc_codes], &ac[coded.ac_codes]);
            let (across, down) =
                (usize::from(component.sampling.across), usize::from(component.sampling.down));
            for y in 0..down {
                for x in 0..across {
                    let mut block = [0; 64];
                    let steps = &steps[usize::from(component.steps)];
                    let any =
                        self.bits.block((input, &mut self.at), codes, steps, &mut coded.dc, &mut block)?;
                    // The two groups of rows before are in front.
                    let row = 2 * down + 8 * y;
                    let col = 8 * (self.across as usize * across + x);
                    let into = self.samples.get_mut(start + row * stride + col..).ok_or(Trouble::Damaged)?;
                    match any {
                        true => inverse::inverse(&block, into, stride),
                        false => inverse::flat(block[0], into, stride),
                    }
                }
            }
        }
        Ok(())
    }

    /// Keeps the last two groups of rows of each component, before others take their place.
    fn keep_border(&mut self) {
        for (component, (start, stride)) in self.picture.used().iter().zip(self.parts.components) {
            let rows = usize::from(component.sampling.down);
            let from = start + 8 * rows * stride;
            self.samples.copy_within(from..from + 2 * rows * stride, start);
        }
    }
}
