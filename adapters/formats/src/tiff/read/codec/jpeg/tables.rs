//! The tables of a stream, and which of them the blocks of each component use.

use super::huffman::Codes;
use super::{MOST_COMPONENTS, Picture, Trouble};

/// The tables of a stream.
pub(super) struct Tables {
    pub(super) steps: [[u16; 64]; 4],
    pub(super) dc: [Codes; 4],
    pub(super) ac: [Codes; 4],
}

/// What a component's blocks are decoded with.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Coded {
    pub(super) dc_codes: usize,
    pub(super) ac_codes: usize,
    /// The first coefficient of the block before.
    pub(super) dc: i32,
}

/// Tables of codes (T.81 section B.2.4.2).
pub(super) fn read_codes(tables: &mut Tables, mut segment: &[u8]) -> Result<(), Trouble> {
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
pub(super) fn read_steps(tables: &mut Tables, mut segment: &[u8]) -> Result<(), Trouble> {
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
pub(super) fn scan(picture: &Picture, segment: &[u8]) -> Result<[Coded; MOST_COMPONENTS as usize], Trouble> {
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
