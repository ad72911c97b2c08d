//! A decoder for blocks of every back end, for hosts; firmware names the one it has.

use super::decoder::Decoder;
use super::error::Damage;
use super::header::{Coding, Header};
use super::profile::{Large, Larger, Lean, Pack, Rice, Small};
use super::word::Word;

/// Reads the points of one block, however it is coded.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)] // Without a heap there is nowhere else for them.
pub enum AnyDecoder<'b, const COLUMNS: usize> {
    /// Of [`Small`] and [`Narrow`](super::Narrow).
    Small(Decoder<'b, Small, COLUMNS>),
    /// Of [`Larger`].
    Larger(Decoder<'b, Larger, COLUMNS>),
    /// Of [`Large`].
    Large(Decoder<'b, Large, COLUMNS>),
    /// Of [`Rice`].
    Rice(Decoder<'b, Rice, COLUMNS>),
    /// Of [`Pack`].
    Pack(Decoder<'b, Pack, COLUMNS>),
    /// Of [`Lean`].
    Lean(Decoder<'b, Lean, COLUMNS>),
}

impl<'b, const COLUMNS: usize> AnyDecoder<'b, COLUMNS> {
    /// Checks the block at the start of `bytes`; more may follow it.
    ///
    /// # Errors
    /// [`Damage`] where the block is not whole, not sound, or has more columns than there is room for.
    pub fn try_new(bytes: &'b [u8]) -> Result<Self, Damage> {
        let (header, payload) = Header::check(bytes)?;
        Ok(match header.coding {
            Coding::ArithSmall => AnyDecoder::Small(Decoder::of(&header, payload)?),
            Coding::ArithLarger => AnyDecoder::Larger(Decoder::of(&header, payload)?),
            Coding::ArithLarge => AnyDecoder::Large(Decoder::of(&header, payload)?),
            Coding::Pack => AnyDecoder::Pack(Decoder::of(&header, payload)?),
            Coding::Rice => AnyDecoder::Rice(Decoder::of(&header, payload)?),
            Coding::ArithLean => AnyDecoder::Lean(Decoder::of(&header, payload)?),
        })
    }

    /// Points that are still to come.
    pub fn left(&self) -> u32 {
        match self {
            AnyDecoder::Small(decoder) => decoder.left(),
            AnyDecoder::Larger(decoder) => decoder.left(),
            AnyDecoder::Large(decoder) => decoder.left(),
            AnyDecoder::Rice(decoder) => decoder.left(),
            AnyDecoder::Pack(decoder) => decoder.left(),
            AnyDecoder::Lean(decoder) => decoder.left(),
        }
    }

    /// The next point, as [`Decoder::next_into`] gives it.
    ///
    /// # Errors
    /// As there.
    pub fn next_into(&mut self, values: &mut [Word]) -> Result<Option<i64>, Damage> {
        match self {
            AnyDecoder::Small(decoder) => decoder.next_into(values),
            AnyDecoder::Larger(decoder) => decoder.next_into(values),
            AnyDecoder::Large(decoder) => decoder.next_into(values),
            AnyDecoder::Rice(decoder) => decoder.next_into(values),
            AnyDecoder::Pack(decoder) => decoder.next_into(values),
            AnyDecoder::Lean(decoder) => decoder.next_into(values),
        }
    }

    /// The next points, as [`Decoder::decode_into`] gives them.
    ///
    /// # Errors
    /// As there.
    pub fn decode_into(&mut self, times: &mut [i64], values: &mut [Word]) -> Result<usize, Damage> {
        match self {
            AnyDecoder::Small(decoder) => decoder.decode_into(times, values),
            AnyDecoder::Larger(decoder) => decoder.decode_into(times, values),
            AnyDecoder::Large(decoder) => decoder.decode_into(times, values),
            AnyDecoder::Rice(decoder) => decoder.decode_into(times, values),
            AnyDecoder::Pack(decoder) => decoder.decode_into(times, values),
            AnyDecoder::Lean(decoder) => decoder.decode_into(times, values),
        }
    }
}
