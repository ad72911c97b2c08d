//! Tag trees (ISO/IEC 15444-1, B.10.2): numbers of a grid, of which each is told no more than is asked for.

use super::bits::Bits;

/// What a number is until it is known: the codec's own.
const UNKNOWN: u16 = 999;

/// The most levels: a grid of 2^31 leaves a side has 32.
const MOST_LEVELS: usize = 32;

#[derive(Clone, Copy, Debug)]
struct Node {
    value: u16,
    /// The value is this at least.
    low: u16,
}

/// The tree over a grid.
#[derive(Debug)]
pub(super) struct TagTree {
    nodes: Vec<Node>,
    size: [u32; 2],
}

impl TagTree {
    /// A tree of which nothing is known, over `size` columns and rows.
    pub(super) fn new(size: [u32; 2]) -> Self {
        let nodes = levels(size).map(|[cols, rows]| cols as usize * rows as usize).sum();
        Self { nodes: vec![Node { value: UNKNOWN, low: 0 }; nodes], size }
    }

    /// Whether the number at `col` and `row` is below `threshold`, as far as `bits` say.
    pub(super) fn is_below(&mut self, [col, row]: [u32; 2], threshold: u16, bits: &mut Bits<'_>) -> bool {
        let mut path = [0usize; MOST_LEVELS];
        let (mut start, mut depth) = (0, 0);
        for ([cols, rows], (place, up)) in levels(self.size).zip(path.iter_mut().zip(0u32..)) {
            *place = start + (row >> up) as usize * cols as usize + (col >> up) as usize;
            start += cols as usize * rows as usize;
            depth += 1;
        }
        let (mut low, mut value) = (0, 0);
        for place in path.iter().take(depth).rev() {
            let Some(node) = self.nodes.get_mut(*place) else { return false };
            low = node.low.max(low);
            while low < threshold && low < node.value {
                if bits.bit() {
                    node.value = low;
                } else {
                    low += 1;
                }
            }
            node.low = low;
            value = node.value;
        }
        value < threshold
    }
}

/// Sizes of the levels, from the leaves up to the one node.
fn levels(size: [u32; 2]) -> impl Iterator<Item = [u32; 2]> {
    std::iter::successors(Some(size), |size| {
        (*size != [1, 1]).then(|| size.map(|side| side.div_ceil(2).max(1)))
    })
    .take(if size.contains(&0) { 0 } else { MOST_LEVELS })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the standard's figure B.13: numbers 1, 3, 2 begin a row of a 6 x 3 grid; coded 01111, 001, 101.
    #[test]
    fn the_standards_example_is_read() {
        let bytes = [0b0111_1001, 0b1010_0000];
        let mut bits = Bits::new(&bytes);
        let mut tree = TagTree::new([6, 3]);
        let mut value = |col: u32| {
            (1..).find(|threshold| tree.is_below([col, 0], *threshold, &mut bits)).map(|above| above - 1)
        };
        assert_eq!([value(0), value(1), value(2)], [Some(1), Some(3), Some(2)]);
    }
}
