//! Core's encoder and decoder for a back end and a number of columns that are known at run time only.
//!
//! One column, which most series have, pays for one; anything wider has the state of eight.

use crate::FormatError;
use plimsoll_core::series::{
    AnyDecoder, Column, Damage, Encoder, Large, MAX_COLUMNS, Misuse, Pack, Pushed, Rice, Settings, Small,
    TimeUnit, Word,
};

/// How points are coded, and how much a reader must remember of each column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Coder {
    /// Range coder, at most 1024 bytes for a column, as on a microcontroller.
    Small,
    /// Range coder, at most 4096 bytes for a column; smallest if blocks have thousands of points.
    #[default]
    Large,
    /// Golomb-Rice codes: no multiplications.
    Rice,
    /// Bit-packing: the fastest.
    Pack,
}

macro_rules! encoders {
    ($($one:ident $many:ident $profile:ident;)*) => {
        /// An encoder of any coder and number of columns.
        #[derive(Debug)]
        pub(super) enum BlockEncoder<'b> {
            $($one(Box<Encoder<'b, $profile, 1>>), $many(Box<Encoder<'b, $profile, MAX_COLUMNS>>),)*
        }

        impl<'b> BlockEncoder<'b> {
            /// Heap bytes of an encoder, without its buffer.
            pub(super) const fn state_bytes(coder: Coder, columns: usize) -> usize {
                match (coder, columns) {
                    $((Coder::$profile, 0 | 1) => size_of::<Encoder<'static, $profile, 1>>(),
                    (Coder::$profile, _) => size_of::<Encoder<'static, $profile, MAX_COLUMNS>>(),)*
                }
            }

            pub(super) fn try_new(
                coder: Coder,
                unit: TimeUnit,
                columns: &[Column],
                block_points: u32,
                ranges: bool,
                buffer: &'b mut [u8],
            ) -> Result<Self, Misuse> {
                Ok(match (coder, columns.len()) {
                    $((Coder::$profile, 0 | 1) => {
                        let settings = settings(unit, columns, block_points, ranges);
                        Self::$one(Box::new(Encoder::try_new(settings, buffer)?))
                    }
                    (Coder::$profile, _) => {
                        let settings = settings(unit, columns, block_points, ranges);
                        Self::$many(Box::new(Encoder::try_new(settings, buffer)?))
                    })*
                })
            }

            pub(super) fn push(&mut self, time: i64, values: &[Word]) -> Result<Pushed, Misuse> {
                match self {
                    $(Self::$one(encoder) => encoder.push(time, values), Self::$many(encoder) => encoder.push(time, values),)*
                }
            }

            pub(super) fn seal(&mut self) -> Option<&[u8]> {
                match self {
                    $(Self::$one(encoder) => encoder.seal(), Self::$many(encoder) => encoder.seal(),)*
                }
            }

            pub(super) fn into_buffer(self) -> &'b mut [u8] {
                match self {
                    $(Self::$one(encoder) => encoder.into_buffer(), Self::$many(encoder) => encoder.into_buffer(),)*
                }
            }
        }
    };
}

encoders! {
    Small1 Small8 Small;
    Large1 Large8 Large;
    Rice1 Rice8 Rice;
    Pack1 Pack8 Pack;
}

fn settings<const COLUMNS: usize>(
    unit: TimeUnit,
    columns: &[Column],
    block_points: u32,
    ranges: bool,
) -> Settings<COLUMNS> {
    let first = columns.first().copied().unwrap_or_default();
    let mut all = [first; COLUMNS];
    all.iter_mut().zip(columns).for_each(|(to, from)| *to = *from);
    let settings = Settings::new(unit, all).block_points(block_points);
    Settings { columns_used: columns.len(), ranges, ..settings }
}

/// The points of a block, one after the other.
#[derive(Debug)]
pub(super) enum BlockPoints<'b> {
    One(Box<AnyDecoder<'b, 1>>),
    Many(Box<AnyDecoder<'b, MAX_COLUMNS>>),
}

impl<'b> BlockPoints<'b> {
    pub(super) fn new(columns: usize, block: &'b [u8]) -> Result<Self, Damage> {
        Ok(match columns {
            1 => Self::One(Box::new(AnyDecoder::try_new(block)?)),
            _ => Self::Many(Box::new(AnyDecoder::try_new(block)?)),
        })
    }

    #[inline]
    pub(super) fn next_into(&mut self, values: &mut [Word]) -> Result<Option<i64>, Damage> {
        match self {
            Self::One(decoder) => decoder.next_into(values),
            Self::Many(decoder) => decoder.next_into(values),
        }
    }
}

/// Settings that core refuses, as what was asked of a file.
pub(super) fn misuse(misuse: Misuse) -> FormatError {
    FormatError::Usage { format: "series", problem: misuse.to_string() }
}
