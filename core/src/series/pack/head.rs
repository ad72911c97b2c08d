//! The head of a group before which nothing changes: what [`Heads`](super::super::heads::Heads) codes bit by bit, in a byte
//! or two at once, for most groups have it.

use super::super::bits::BitWriter;
use super::GROUP;

/// Bits of the first byte: a part of a group, whose length less one follows; stored, where it does not; changed, likewise.
const PART: u8 = 1;
const STORED: u8 = 2;
const CHANGED: u8 = 4;

/// Writes it for a group of so many points.
#[inline(always)]
pub(super) fn write_same(out: &mut BitWriter<'_>, points: usize) {
    match points {
        GROUP => out.bytes(&[0]),
        // Six bits of length fill the first byte up to whether it is stored; whether anything changes is in the next.
        _ => out.bytes(&[PART | (points as u8).wrapping_sub(1) << 1, 0]),
    }
}

/// Reads it at `at`: how many points the group has, and where its head ends; none if it is another head.
#[inline(always)]
pub(super) fn read_same(payload: &[u8], at: usize) -> Option<(usize, usize)> {
    let head = *payload.get(at)?;
    if head & PART == 0 {
        return (head & (STORED | CHANGED) == 0).then_some((GROUP, at + 1));
    }
    let (stored, changed) = (head >> 7, *payload.get(at + 1)? & 1);
    (stored | changed == 0).then_some((1 + usize::from(head >> 1), at + 2))
}

#[cfg(test)]
mod tests {
    use super::super::super::bits::{BitReader, BitState};
    use super::super::super::heads::{Head, Heads};
    use super::super::super::lattice::Front;
    use super::super::super::settings::Column;
    use super::super::super::word::Kind;
    use super::super::GROUP_BITS;
    use super::*;

    const COLUMNS: [Column; 2] = [Column::new(Kind::I32), Column::new(Kind::F64)];

    fn head(points: usize) -> Head<2> {
        Head { points, stored: false, unit: 60, fronts: COLUMNS.map(|column| Front::first(column.kind)) }
    }

    #[test]
    fn it_writes_what_heads_write_and_reads_it_back() {
        let mut heads = Heads::NEW;
        for points in 1..=GROUP {
            let (mut expected, mut found) = ([0xFF; 4], [0xFF; 4]);
            let mut out = BitWriter::new(BitState::at(1), &mut expected);
            let _ = heads.code(&mut out, GROUP_BITS, &COLUMNS, &head(0), &head(points));
            out.align();
            let end = out.state.at;
            let mut out = BitWriter::new(BitState::at(1), &mut found);
            write_same(&mut out, points);
            assert_eq!((out.state.at, found), (end, expected), "{points}");
            assert_eq!(read_same(&found, 1), Some((points, end as usize)));
        }
        for other in [Head { stored: true, ..head(GROUP) }, Head { unit: 61, ..head(7) }] {
            let mut bytes = [0; 16];
            let mut out = BitWriter::new(BitState::at(0), &mut bytes);
            let _ = heads.code(&mut out, GROUP_BITS, &COLUMNS, &head(0), &other);
            out.align();
            assert_eq!(read_same(&bytes, 0), None, "{other:?}");
        }
    }

    #[test]
    fn what_it_reads_is_what_heads_read() {
        let (mut heads, mut same) = (Heads::NEW, 0);
        for bytes in (0..=u16::MAX).step_by(if cfg!(miri) { 251 } else { 1 }).map(u16::to_le_bytes) {
            let mut reader = BitReader::new(BitState::at(0), &bytes);
            let expected = heads.code(&mut reader, GROUP_BITS, &COLUMNS, &head(0), &head(0));
            reader.align();
            if let Some((points, end)) = read_same(&bytes, 0) {
                assert_eq!((expected, reader.state.at as usize), (Some(head(points)), end), "{bytes:?}");
                same += 1;
            }
        }
        assert!(same > 0);
        assert_eq!((read_same(&[], 0), read_same(&[PART], 0)), (None, None));
    }
}
