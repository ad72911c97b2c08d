//! Core's encoder and decoder for a profile and a number of columns that are known at run time only.
//!
//! One column, which most series have, pays for one; anything wider has the state of eight.

use crate::FormatError;
use plimsoll_core::series::{
    Coding, Column, Damage, Decoder, Encoder, Header, Large, MAX_COLUMNS, Misuse, Pushed, Settings, Small,
    TimeUnit, Word,
};

/// How much encoder and decoder remember.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Memory {
    /// At most 1024 bytes for a column, as on a microcontroller.
    Small,
    /// At most 4096 bytes for a column; smaller blocks if they have thousands of points.
    #[default]
    Large,
}

/// An encoder of any memory and number of columns.
#[derive(Debug)]
pub(super) enum BlockEncoder<'b> {
    Small1(Box<Encoder<'b, Small, 1>>),
    Small8(Box<Encoder<'b, Small, MAX_COLUMNS>>),
    Large1(Box<Encoder<'b, Large, 1>>),
    Large8(Box<Encoder<'b, Large, MAX_COLUMNS>>),
}

macro_rules! each {
    ($self:expr, $encoder:ident => $call:expr) => {
        match $self {
            BlockEncoder::Small1($encoder) => $call,
            BlockEncoder::Small8($encoder) => $call,
            BlockEncoder::Large1($encoder) => $call,
            BlockEncoder::Large8($encoder) => $call,
        }
    };
}

impl<'b> BlockEncoder<'b> {
    /// Heap bytes of an encoder, without its buffer.
    pub(super) const fn state_bytes(memory: Memory, columns: usize) -> usize {
        match (memory, columns) {
            (Memory::Small, 0 | 1) => size_of::<Encoder<'static, Small, 1>>(),
            (Memory::Small, _) => size_of::<Encoder<'static, Small, MAX_COLUMNS>>(),
            (Memory::Large, 0 | 1) => size_of::<Encoder<'static, Large, 1>>(),
            (Memory::Large, _) => size_of::<Encoder<'static, Large, MAX_COLUMNS>>(),
        }
    }

    pub(super) fn try_new(
        memory: Memory,
        unit: TimeUnit,
        columns: &[Column],
        block_points: u32,
        ranges: bool,
        buffer: &'b mut [u8],
    ) -> Result<Self, Misuse> {
        Ok(match (memory, columns.len()) {
            (Memory::Small, 0 | 1) => {
                let settings = settings(unit, columns, block_points, ranges);
                Self::Small1(Box::new(Encoder::try_new(settings, buffer)?))
            }
            (Memory::Small, _) => {
                let settings = settings(unit, columns, block_points, ranges);
                Self::Small8(Box::new(Encoder::try_new(settings, buffer)?))
            }
            (Memory::Large, 0 | 1) => {
                let settings = settings(unit, columns, block_points, ranges);
                Self::Large1(Box::new(Encoder::try_new(settings, buffer)?))
            }
            (Memory::Large, _) => {
                let settings = settings(unit, columns, block_points, ranges);
                Self::Large8(Box::new(Encoder::try_new(settings, buffer)?))
            }
        })
    }

    pub(super) fn push(&mut self, time: i64, values: &[Word]) -> Result<Pushed, Misuse> {
        each!(self, encoder => encoder.push(time, values))
    }

    pub(super) fn seal(&mut self) -> Option<&[u8]> {
        each!(self, encoder => encoder.seal())
    }

    pub(super) fn into_buffer(self) -> &'b mut [u8] {
        each!(self, encoder => encoder.into_buffer())
    }
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

/// The points of a block that was checked, one after the other.
#[derive(Debug)]
pub(super) enum BlockPoints<'b> {
    Small1(Decoder<'b, Small, 1>),
    Small8(Box<Decoder<'b, Small, MAX_COLUMNS>>),
    Large1(Decoder<'b, Large, 1>),
    Large8(Box<Decoder<'b, Large, MAX_COLUMNS>>),
}

impl<'b> BlockPoints<'b> {
    pub(super) fn new(header: &Header, block: &'b [u8]) -> Result<Self, Damage> {
        let truncated = Damage::Truncated { bytes: block.len(), needed: header.block_bytes() };
        let payload =
            block.get(header.header_bytes..header.header_bytes + header.payload_bytes).ok_or(truncated)?;
        Ok(match (header.coding, header.columns) {
            (Coding::ArithSmall, 1) => Self::Small1(Decoder::of(header, payload)?),
            (Coding::ArithSmall, _) => Self::Small8(Box::new(Decoder::of(header, payload)?)),
            (_, 1) => Self::Large1(Decoder::of(header, payload)?),
            (_, _) => Self::Large8(Box::new(Decoder::of(header, payload)?)),
        })
    }

    #[inline]
    pub(super) fn next_into(&mut self, values: &mut [Word]) -> Result<Option<i64>, Damage> {
        match self {
            Self::Small1(decoder) => decoder.next_into(values),
            Self::Small8(decoder) => decoder.next_into(values),
            Self::Large1(decoder) => decoder.next_into(values),
            Self::Large8(decoder) => decoder.next_into(values),
        }
    }
}

/// Settings that core refuses, as what was asked of a file.
pub(super) fn misuse(misuse: Misuse) -> FormatError {
    FormatError::Usage { format: "series", problem: misuse.to_string() }
}
