//! A binary range coder with carries (G. N. N. Martin, "Range encoding", 1979; byte-wise carry as in Igor Pavlov's LZMA).
//!
//! The state is apart from the bytes, so that an encoder can try a group of points and take it back. Both sides narrow
//! the range by the same steps in the same order.

mod read;
mod write;

use super::super::coder::Ends;
pub(crate) use read::{ReadState, Reader};
pub(crate) use write::{WriteState, Writer};

/// Below this the range is widened by one byte.
const TOP: u32 = 1 << 24;

/// Both ends.
#[derive(Clone, Copy, Debug)]
pub struct RangeEnds;

impl Ends for RangeEnds {
    type WriteState = WriteState;
    type ReadState = ReadState;
    type Writer<'a> = Writer<'a>;
    type Reader<'a> = Reader<'a>;

    fn write_at(at: usize) -> WriteState {
        WriteState::at(at as u32)
    }

    fn end_bound(state: &WriteState) -> usize {
        state.end_bound()
    }

    #[inline(always)]
    fn writer(state: WriteState, out: &mut [u8]) -> Writer<'_> {
        Writer::new(state, out)
    }

    #[inline(always)]
    fn written(writer: &Writer<'_>) -> (WriteState, bool) {
        (writer.state, !writer.overflow)
    }

    fn finish(writer: Writer<'_>, start: usize) -> Option<usize> {
        writer.finish(start)
    }

    fn read(payload: &[u8]) -> ReadState {
        ReadState::new(payload)
    }

    #[inline(always)]
    fn reader(state: ReadState, payload: &[u8]) -> Reader<'_> {
        Reader::new(state, payload)
    }

    #[inline(always)]
    fn read_so_far(reader: &Reader<'_>) -> ReadState {
        reader.state
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::coder::Coder;
    use super::super::prob::Prob;
    use super::*;

    #[test]
    fn small_cores_decide_as_large_ones_do() {
        let mut random = 1_u32;
        let count = if cfg!(miri) { 200 } else { 20_000 };
        let bits: std::vec::Vec<(usize, bool)> = (0..count)
            .map(|_| {
                random = random.wrapping_mul(0x9E37_79B9).wrapping_add(0x7F4A_7C15).rotate_left(11);
                // Probabilities that settle at all kinds of places.
                let context = random as usize % 8;
                (context, (random >> 8) % 4096 < [1, 10, 100, 500, 1000, 2000, 3000, 4090][context])
            })
            .collect();
        let (mut large, mut small) = (std::vec![0; count], std::vec![0; count]);
        let mut writers =
            [Writer::new(WriteState::at(0), &mut large), Writer::new(WriteState::at(0), &mut small)];
        let mut probs = [[Prob::EVEN; 8]; 2];
        for (context, bit) in &bits {
            writers[0].bit(&mut probs[0][*context], *bit);
            writers[1].decide(&mut probs[1][*context], *bit);
        }
        let ends = writers.map(|writer| writer.finish(0).expect("room"));
        assert_eq!((ends[0], &large), (ends[1], &small));

        let state = ReadState::new(&large[..ends[0]]);
        let mut readers = [Reader::new(state, &large[..ends[0]]), Reader::new(state, &large[..ends[0]])];
        let mut probs = [[Prob::EVEN; 8]; 2];
        for (context, bit) in bits {
            assert_eq!(readers[0].bit(&mut probs[0][context], false), bit);
            assert_eq!(readers[1].decide(&mut probs[1][context]), bit);
        }
    }
}
