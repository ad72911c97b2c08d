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
mod rows;

use super::{Progress, Trouble};
pub(in crate::tiff::read) use header::{Picture, find_frame};
use huffman::{Bits, Codes};

/// The most components of a picture.
pub(in crate::tiff::read) const MOST_COMPONENTS: u16 = 4;

/// Bytes of input that are held: blocks are decoded while there are enough for all blocks of a group.
const INPUT_BYTES: usize = 16 << 10;

/// The most bytes of a group of blocks: 10 blocks of 64 coefficients, each with a code of up to 16 bits and a number
/// of up to 15, and each byte with a zero stuffed behind it, with a restart marker; then some.
const GROUP_BYTES: usize = 6 << 10;

/// The longest segment that is read: four tables of codes of two kinds have 2184 bytes.
const SEGMENT_BYTES: usize = 4 << 10;

/// Groups of rows of samples of a component that are held: the eight of a row of blocks and two from before, so that
/// colour can be interpolated over the border.
const GROUPS_HELD: usize = 10;

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

/// Where the samples of a picture lie in one buffer.
#[derive(Clone, Copy, Debug, Default)]
struct Parts {
    /// For each component: where its samples begin, and the bytes of a row of them.
    components: [(usize, usize); MOST_COMPONENTS as usize],
    /// Where its rows that are as wide as the picture begin, one for each component, and their bytes.
    wide: (usize, usize),
    bytes: u64,
}

impl Parts {
    fn of(picture: &Picture) -> Self {
        let mut parts = Self::default();
        let blocks = u64::from(picture.groups_across()) * 8;
        for (component, part) in picture.used().iter().zip(&mut parts.components) {
            let stride = blocks * u64::from(component.sampling.across);
            *part = (parts.bytes as usize, stride as usize);
            parts.bytes += stride * GROUPS_HELD as u64 * u64::from(component.sampling.down);
        }
        let wide = blocks * u64::from(picture.most().across);
        parts.wide = (parts.bytes as usize, wide as usize);
        parts.bytes += wide * picture.count as u64;
        parts
    }
}

/// The tables of a stream.
struct Tables {
    steps: [[u16; 64]; 4],
    dc: [Codes; 4],
    ac: [Codes; 4],
}

/// What a component's blocks are decoded with.
#[derive(Clone, Copy, Debug, Default)]
struct Coded {
    dc_codes: usize,
    ac_codes: usize,
    /// The first coefficient of the block before.
    dc: i32,
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
            0xc4 => read_codes(&mut self.tables, segment)?,
            0xdb => read_steps(&mut self.tables, segment)?,
            0xdd => {
                let interval = segment.first_chunk().ok_or(Trouble::Damaged)?;
                self.restart = u32::from(u16::from_be_bytes(*interval));
            }
            0xda => {
                self.coded = scan(&self.picture, segment)?;
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

    /// Makes the next row of pixels.
    fn make_row(&mut self) {
        let picture = &self.picture;
        let most = picture.most();
        let (wide_start, wide) = self.parts.wide;
        let (samples, rows_out) = self.samples.split_at_mut(wide_start);
        for (index, component) in picture.used().iter().enumerate() {
            let (start, stride) = self.parts.components[index];
            let (across, down) = (component.sampling.across, component.sampling.down);
            let cols =
                (u64::from(picture.cols) * u64::from(across)).div_ceil(u64::from(most.across)) as usize;
            let rows = (u64::from(picture.rows) * u64::from(down)).div_ceil(u64::from(most.down)) as i64;
            // The first row that is held.
            let first = (i64::from(self.down) * 8 - GROUPS_HELD as i64) * i64::from(down);
            let row = |at: i64| {
                let place = (at.clamp(0, rows - 1) - first).max(0) as usize;
                samples.get(start + place * stride..).and_then(|row| row.get(..cols)).unwrap_or_default()
            };
            let (times_across, times_down) = (usize::from(most.across / across), i64::from(most.down / down));
            let at = i64::from(self.next) / times_down;
            let lower = i64::from(self.next) % times_down == 1;
            let beside = if lower { at + 1 } else { at - 1 };
            let into = rows_out.get_mut(index * wide..(index + 1) * wide).unwrap_or_default();
            match (times_across, times_down) {
                (1, 1) => into[..cols].copy_from_slice(row(at)),
                (2, 1) if cols > 2 => rows::twice_across(row(at), into),
                (2, 2) if cols > 2 => rows::twice_both(row(at), row(beside), into),
                (1, 2) => rows::mixed(row(at), row(beside), if lower { 2 } else { 1 }, into),
                _ => rows::repeated(row(at), times_across, into),
            }
        }
        let bands = usize::from(self.bands);
        match self.frame.to_rgb && bands == 3 {
            true => {
                let (luma, colour) = rows_out.split_at(wide);
                let (cb, cr) = colour.split_at(wide);
                let (pixels, _) = self.row.as_chunks_mut::<3>();
                for (((pixel, y), cb), cr) in pixels.iter_mut().zip(luma).zip(cb).zip(cr) {
                    *pixel = rows::rgb([*y, *cb, *cr]);
                }
            }
            false => {
                for (band, samples) in rows_out.chunks(wide.max(1)).take(bands).enumerate() {
                    for (pixel, sample) in self.row.chunks_exact_mut(bands).zip(samples) {
                        pixel[band] = *sample;
                    }
                }
            }
        }
        self.next += 1;
        self.given = 0;
    }
}

/// Tables of codes (T.81 section B.2.4.2).
fn read_codes(tables: &mut Tables, mut segment: &[u8]) -> Result<(), Trouble> {
    while let Some((place, rest)) = segment.split_first() {
        let all = if place >> 4 == 0 { &mut tables.dc } else { &mut tables.ac };
        let codes =
            all.get_mut(usize::from(place & 15)).filter(|_| place >> 4 <= 1).ok_or(Trouble::Damaged)?;
        let bytes = codes.read(rest)?;
        segment = rest.get(bytes..).unwrap_or_default();
    }
    Ok(())
}

/// Tables of steps, in the order of coefficients (T.81 section B.2.4.1).
fn read_steps(tables: &mut Tables, mut segment: &[u8]) -> Result<(), Trouble> {
    while let Some((place, rest)) = segment.split_first() {
        let steps = tables.steps.get_mut(usize::from(place & 15)).ok_or(Trouble::Damaged)?;
        let width = if place >> 4 == 0 { 1 } else { 2 };
        let (values, after) = rest.split_at_checked(64 * width).ok_or(Trouble::Damaged)?;
        for (step, value) in steps.iter_mut().zip(values.chunks(width)) {
            *step = value.iter().fold(0, |sum, byte| sum << 8 | u16::from(*byte));
        }
        segment = after;
    }
    Ok(())
}

/// The header of the blocks (T.81 section B.2.3): all components at once.
fn scan(picture: &Picture, segment: &[u8]) -> Result<[Coded; MOST_COMPONENTS as usize], Trouble> {
    let (count, rest) = segment.split_first().ok_or(Trouble::Damaged)?;
    if picture.count == 0 {
        return Err(Trouble::Damaged);
    }
    if usize::from(*count) != picture.count {
        return Err(Trouble::Unsupported("JPEG whose components come one after the other"));
    }
    let (entries, _) = rest.as_chunks::<2>();
    let mut coded = [Coded::default(); MOST_COMPONENTS as usize];
    if entries.len() < picture.count {
        return Err(Trouble::Damaged);
    }
    for ((coded, component), [id, codes]) in coded.iter_mut().zip(picture.used()).zip(entries) {
        let (dc_codes, ac_codes) = (usize::from(codes >> 4), usize::from(codes & 15));
        if *id != component.id || dc_codes > 3 || ac_codes > 3 {
            return Err(Trouble::Damaged);
        }
        *coded = Coded { dc_codes, ac_codes, dc: 0 };
    }
    Ok(coded)
}
