//! Where tiles, resolutions, sub-bands, precincts and code-blocks lie (ISO/IEC 15444-1, annex B): how many there are.
//!
//! All of them are products of what happens along the two axes, so each axis is counted alone.

use plimsoll_core::shape::Span;

/// `a / 2^bits`, rounded up.
pub(in crate::jp2) const fn ceil_shift(a: u32, bits: u32) -> u32 {
    if bits >= 32 { (a > 0) as u32 } else { ((a as u64 + (1u64 << bits) - 1) >> bits) as u32 }
}

/// How many steps of `2^bits` a span touches.
pub(in crate::jp2) const fn touched(start: u32, end: u32, bits: u32) -> u64 {
    if start >= end {
        0
    } else {
        ceil_shift(end, bits) as u64 - (if bits >= 32 { 0 } else { start >> bits }) as u64
    }
}

/// Where sample positions of a sub-band begin: `(a - 2^(level-1) * high) / 2^level`, rounded up (equation B-15).
pub(in crate::jp2) fn band_edge(a: u32, level: u32, high: bool) -> u32 {
    if level == 0 {
        return a;
    }
    let offset = if high { 1u64 << (level - 1) } else { 0 };
    let (a, step) = (u64::from(a), 1u64 << level);
    // Rounding up what may be below zero gives zero.
    (a.saturating_sub(offset).div_ceil(step)).min(u64::from(u32::MAX)) as u32
}

/// Sizes along one axis, as powers of two.
#[derive(Clone, Copy, Debug)]
pub(in crate::jp2) struct AxisStyle<'a> {
    /// Of a precinct, for each resolution from the smallest on.
    pub(in crate::jp2) precincts: &'a [u8],
    /// Of a code-block.
    pub(in crate::jp2) block: u8,
}

/// The most that any tile has along one axis, for one resolution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::jp2) struct AxisCount {
    /// Precincts.
    pub(in crate::jp2) precincts: u64,
    /// Code-blocks of the low-pass sub-band.
    pub(in crate::jp2) low: u64,
    /// Code-blocks of the high-pass sub-band.
    pub(in crate::jp2) high: u64,
}

/// Counts for each resolution along one axis, the largest over `tiles` (spans in the component's samples).
pub(in crate::jp2) fn count_axis(tiles: impl Iterator<Item = Span>, style: AxisStyle<'_>) -> Vec<AxisCount> {
    let levels = style.precincts.len().saturating_sub(1) as u32;
    let mut counts = vec![AxisCount::default(); style.precincts.len()];
    for tile in tiles {
        for (resolution, (count, precinct)) in counts.iter_mut().zip(style.precincts).enumerate() {
            let resolution = resolution as u32;
            let down = levels - resolution;
            let (start, end) = (ceil_shift(tile.start(), down), ceil_shift(tile.end(), down));
            count.precincts = count.precincts.max(touched(start, end, u32::from(*precinct)));
            // Above the smallest resolution a precinct's part in a sub-band is half as wide.
            let (level, part) = if resolution == 0 {
                (levels, u32::from(*precinct))
            } else {
                (down + 1, u32::from(*precinct).saturating_sub(1))
            };
            let block = u32::from(style.block).min(part);
            let blocks = |high| {
                let edge = |at| band_edge(at, level, high);
                touched(edge(tile.start()), edge(tile.end()), block)
            };
            count.low = count.low.max(blocks(false));
            count.high = count.high.max(if resolution == 0 { 0 } else { blocks(true) });
        }
    }
    counts
}

/// How much there is in one component of a tile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::jp2) struct ComponentCount {
    /// Precincts over all resolutions.
    pub(in crate::jp2) precincts: u64,
    /// Precincts of the resolution that has the most.
    pub(in crate::jp2) most_precincts: u64,
    /// Precincts over all sub-bands: what the codec holds records of.
    pub(in crate::jp2) band_precincts: u64,
    /// Code-blocks.
    pub(in crate::jp2) blocks: u64,
}

impl ComponentCount {
    /// From the counts along the axes.
    pub(in crate::jp2) fn new(across: &[AxisCount], down: &[AxisCount]) -> Self {
        let mut count = Self::default();
        for (resolution, (x, y)) in across.iter().zip(down).enumerate() {
            let precincts = x.precincts.saturating_mul(y.precincts);
            let bands = if resolution == 0 { 1 } else { 3 };
            count.precincts = count.precincts.saturating_add(precincts);
            count.most_precincts = count.most_precincts.max(precincts);
            count.band_precincts = count.band_precincts.saturating_add(precincts.saturating_mul(bands));
            let low = x.low.saturating_mul(y.low);
            let high =
                x.high.saturating_mul(y.low) + x.low.saturating_mul(y.high) + x.high.saturating_mul(y.high);
            count.blocks = count.blocks.saturating_add(if resolution == 0 { low } else { high });
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts code-blocks the slow way: each sample of a sub-band is in one.
    #[test]
    fn blocks_are_counted_as_the_standard_lays_them() {
        for (start, end, levels, precinct, block) in [
            (0, 1024, 5, 15, 6),
            (1024, 2048, 5, 15, 6),
            (1000, 1993, 3, 7, 5),
            (7, 8, 2, 15, 6),
            (96, 160, 5, 8, 6),
        ] {
            let precincts = vec![precinct; levels as usize + 1];
            let style = AxisStyle { precincts: &precincts, block };
            let counts = count_axis([Span::new(start, end)].into_iter(), style);
            for resolution in 0..=levels {
                let level = if resolution == 0 { levels } else { levels - resolution + 1 };
                let part = if resolution == 0 { precinct } else { precinct - 1 };
                let size = 1u32 << block.min(part);
                for high in [false, true] {
                    // Positions u of the sub-band whose place 2^level * u + offset is within the tile.
                    let offset = if high { 1u32 << (level - 1) } else { 0 };
                    let mut blocks: Vec<u32> = (0..end)
                        .filter(|u| (start..end).contains(&((u << level) + offset)))
                        .map(|u| u / size)
                        .collect();
                    blocks.dedup();
                    let count = counts[resolution as usize];
                    match (resolution, high) {
                        (0, true) => {}
                        (_, true) => {
                            assert_eq!(count.high, blocks.len() as u64, "{start}..{end} {resolution}")
                        }
                        (_, false) => {
                            assert_eq!(count.low, blocks.len() as u64, "{start}..{end} {resolution}")
                        }
                    }
                }
            }
        }
    }
}
