//! What packets have said of a precinct's code-blocks so far (ISO/IEC 15444-1, B.10).

use super::super::geometry::{band_edge, touched};
use super::super::style::{ComponentStyle, HIGH_THROUGHPUT};
use super::bits::Bits;
use super::tree::TagTree;
use plimsoll_core::shape::Span;

/// Bits of a code-block's first length (B.10.7.1).
const FIRST_LENGTH_BITS: u8 = 3;

/// The most passes that go over a code-block, however many are there: the codec has no more than 30 bit-planes.
const MOST_PASSES: u32 = 3 * 30 - 2;

/// The same where they are of high throughput: one of each kind.
const MOST_PASSES_OF_SETS: u32 = 3;

/// One code-block.
#[derive(Clone, Copy, Debug, Default)]
struct Block {
    passes: u16,
    /// Bits of a length; 0 before the first packet that has a part of it.
    length_bits: u8,
    /// Passes of the last run of passes that ends on its own, and the most it may have.
    run: [u8; 2],
}

/// The part of a precinct in one sub-band.
#[derive(Debug)]
struct BandPart {
    /// Columns and rows of the part in the sub-band's samples.
    area: [Span; 2],
    /// Code-blocks across.
    across: u32,
    blocks: Vec<Block>,
    included: TagTree,
    planes: TagTree,
}

/// A precinct.
#[derive(Debug)]
pub(super) struct Precinct {
    bands: Vec<BandPart>,
    /// Packets that were seen: one for each layer.
    pub(super) layers: u32,
    /// Side of code-blocks as powers of two.
    block: [u32; 2],
}

/// The codec refuses the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refused;

impl Precinct {
    /// Precinct `at` (column, row, counted from the grid's origin) of resolution `resolution` of a component at `tile`.
    pub(super) fn new(style: &ComponentStyle, resolution: u8, tile: [Span; 2], at: [u32; 2]) -> Self {
        let levels = u32::from(style.levels);
        let level = if resolution == 0 { levels } else { levels - u32::from(resolution) + 1 };
        let part = style.precinct(resolution).map(|bits| bits - u32::from(resolution > 0));
        let block = [0, 1].map(|axis| u32::from(style.block[axis]).min(part[axis]));
        let highs: &[[bool; 2]] =
            if resolution == 0 { &[[false, false]] } else { &[[true, false], [false, true], [true, true]] };
        let bands = highs.iter().filter_map(|high| {
            let area = [0, 1].map(|axis| {
                let edge = |at| band_edge(at, level, high[axis]);
                let band = Span::new(edge(tile[axis].start()), edge(tile[axis].end()));
                let from = u64::from(at[axis]) << part[axis];
                let to = (from + (1 << part[axis])).min(u64::from(u32::MAX));
                band.intersect(Span::new(from.min(to) as u32, to as u32))
            });
            let [across, down] =
                [0, 1].map(|axis| touched(area[axis].start(), area[axis].end(), block[axis]) as u32);
            let some = !area[0].is_empty() && !area[1].is_empty();
            some.then(|| BandPart {
                area,
                across,
                blocks: vec![Block::default(); across as usize * down as usize],
                included: TagTree::new([across, down]),
                planes: TagTree::new([across, down]),
            })
        });
        Self { bands: bands.collect(), layers: 0, block }
    }

    /// Reads the header of the next packet: the bytes of its body, and the samples that its passes go over.
    pub(super) fn packet(&mut self, style_bits: u8, bits: &mut Bits<'_>) -> Result<[u64; 2], Refused> {
        let layer = self.layers;
        self.layers += 1;
        let mut sums = [0u64; 2];
        if !bits.bit() {
            return Ok(sums);
        }
        let threshold = u16::try_from(layer + 1).unwrap_or(u16::MAX);
        for band in &mut self.bands {
            for (index, block) in (0u32..).zip(&mut band.blocks) {
                let place = [index % band.across, index / band.across];
                let fresh = block.length_bits == 0;
                let some = match fresh {
                    true => band.included.is_below(place, threshold, bits),
                    false => bits.bit(),
                };
                if !some {
                    continue;
                }
                if fresh {
                    let below = (0..).find(|planes| band.planes.is_below(place, *planes, bits));
                    below.ok_or(Refused)?;
                    *block = Block::first(style_bits);
                }
                let passes = bits.passes();
                sums[0] = sums[0].saturating_add(block.lengths(passes, style_bits, bits)?);
                let most = if style_bits & HIGH_THROUGHPUT != 0 { MOST_PASSES_OF_SETS } else { MOST_PASSES };
                let more = (u32::from(block.passes) + passes).min(most);
                let samples = [0, 1].map(|axis| {
                    let first = band.area[axis].start() >> self.block[axis];
                    let from = u64::from(first + place[axis]) << self.block[axis];
                    let to = (from + (1 << self.block[axis])).min(u64::from(band.area[axis].end()));
                    to - from.max(u64::from(band.area[axis].start()))
                });
                sums[1] += samples[0] * samples[1] * u64::from(more - u32::from(block.passes));
                block.passes = more as u16;
            }
        }
        Ok(sums)
    }
}

impl Block {
    /// One of which a first part comes.
    fn first(style_bits: u8) -> Self {
        Self { passes: 0, length_bits: FIRST_LENGTH_BITS, run: [0, most_of_run(None, style_bits)] }
    }

    /// Reads the lengths of `passes` more passes, one for each run of them that ends on its own: their sum.
    fn lengths(&mut self, passes: u32, style_bits: u8, bits: &mut Bits<'_>) -> Result<u64, Refused> {
        while bits.bit() {
            self.length_bits = self.length_bits.checked_add(1).filter(|bits| *bits <= 32).ok_or(Refused)?;
        }
        let (mut left, mut sum) = (passes, 0u64);
        while left > 0 {
            let [had, most] = self.run;
            if had == most {
                self.run = [0, most_of_run(Some(most), style_bits)];
                continue;
            }
            let new = left.min(u32::from(most - had));
            let number_bits = u32::from(self.length_bits) + new.ilog2();
            if number_bits > 32 {
                return Err(Refused);
            }
            sum += u64::from(bits.number(number_bits));
            self.run[0] = had + new as u8;
            left -= new;
        }
        Ok(sum)
    }
}

/// The most passes of a run that ends on its own, by the style's bits 0 (bypass) and 2 (each pass) and the run before
/// (table D.9); of high throughput, the first pass does and the others do together.
fn most_of_run(before: Option<u8>, style_bits: u8) -> u8 {
    if style_bits & HIGH_THROUGHPUT != 0 {
        return before.map_or(1, |_| 109);
    }
    match (style_bits & 0b100 != 0, style_bits & 1 != 0, before) {
        (true, _, _) => 1,
        (_, true, None) => 10,
        (_, true, Some(1 | 10)) => 2,
        (_, true, Some(_)) => 1,
        _ => 109,
    }
}
