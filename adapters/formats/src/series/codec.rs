//! Core's encoder and decoder for a back end and a number of columns that are known at run time only.
//!
//! One column, which most series have, pays for one; anything wider has the state of eight.

use crate::FormatError;
use plimsoll_core::series::{
    AnyDecoder, Column, Damage, Encoder, Larger, Lean, MAX_COLUMNS, Misuse, NeverLonger, Pack, Profile,
    Pushed, Rice, Settings, Small, TimeUnit, Tolerance, Unsealed, Word,
};

/// How points are coded, and how much a reader must remember of each column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Coder {
    /// Range coder, at most 1024 bytes for a column, as on a microcontroller.
    Small,
    /// Range coder, at most 4096 bytes for a column; smallest if blocks have thousands of points.
    #[default]
    Large,
    /// Range coder with less work: the fastest of the three, and for small cores.
    Lean,
    /// Golomb-Rice codes: no multiplications.
    Rice,
    /// Bit-packing: the fastest.
    Pack,
}

/// The caller's buffer: whole for blocks that are written once, in halves for those that are written twice.
#[derive(Debug, Default)]
pub(super) struct Buffers<'b> {
    first: &'b mut [u8],
    second: &'b mut [u8],
}

impl<'b> Buffers<'b> {
    pub(super) fn whole(buffer: &'b mut [u8]) -> Self {
        Self { first: buffer, second: &mut [] }
    }

    fn halves(self) -> Self {
        if !self.second.is_empty() {
            return self;
        }
        let half = self.first.len() / 2;
        let (first, second) = self.first.split_at_mut(half);
        Self { first, second }
    }
}

/// An encoder of any coder and number of columns.
pub(super) trait BlockEncoder<'b>: std::fmt::Debug {
    fn push(&mut self, time: i64, values: &[Word]) -> Result<Pushed, Misuse>;
    fn seal(&mut self) -> Result<&[u8], Unsealed>;
    fn into_buffers(self: Box<Self>) -> Buffers<'b>;
}

/// Writes each block once; what it does not need of the buffers waits.
#[derive(Debug)]
struct Once<'b, P: Profile, const COLUMNS: usize> {
    encoder: Encoder<'b, P, COLUMNS>,
    unused: &'b mut [u8],
}

impl<'b, P: Profile, const COLUMNS: usize> BlockEncoder<'b> for Once<'b, P, COLUMNS> {
    fn push(&mut self, time: i64, values: &[Word]) -> Result<Pushed, Misuse> {
        self.encoder.push(time, values)
    }

    fn seal(&mut self) -> Result<&[u8], Unsealed> {
        self.encoder.seal()
    }

    fn into_buffers(self: Box<Self>) -> Buffers<'b> {
        Buffers { first: self.encoder.into_buffer(), second: self.unused }
    }
}

impl<'b, P: Profile, const COLUMNS: usize> BlockEncoder<'b> for NeverLonger<'b, P, COLUMNS> {
    fn push(&mut self, time: i64, values: &[Word]) -> Result<Pushed, Misuse> {
        self.push(time, values)
    }

    fn seal(&mut self) -> Result<&[u8], Unsealed> {
        self.seal()
    }

    fn into_buffers(self: Box<Self>) -> Buffers<'b> {
        let (first, second) = (*self).into_buffers();
        Buffers { first, second }
    }
}

/// How blocks are to be made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Blocks {
    pub(super) coder: Coder,
    pub(super) unit: TimeUnit,
    pub(super) points: u32,
    pub(super) ranges: bool,
    /// Whether those with a tolerance are never longer than lossless ones.
    pub(super) never_longer: bool,
}

impl Blocks {
    /// Heap bytes of an encoder, without its buffers.
    pub(super) const fn state_bytes(coder: Coder, columns: usize, never_longer: bool) -> usize {
        const fn of<P: Profile, const COLUMNS: usize>(never_longer: bool) -> usize {
            match never_longer {
                true => size_of::<NeverLonger<'static, P, COLUMNS>>(),
                false => size_of::<Once<'static, P, COLUMNS>>(),
            }
        }
        match (coder, columns) {
            (Coder::Small, 0 | 1) => of::<Small, 1>(never_longer),
            (Coder::Small, _) => of::<Small, MAX_COLUMNS>(never_longer),
            (Coder::Large, 0 | 1) => of::<Larger, 1>(never_longer),
            (Coder::Large, _) => of::<Larger, MAX_COLUMNS>(never_longer),
            (Coder::Lean, 0 | 1) => of::<Lean, 1>(never_longer),
            (Coder::Lean, _) => of::<Lean, MAX_COLUMNS>(never_longer),
            (Coder::Rice, 0 | 1) => of::<Rice, 1>(never_longer),
            (Coder::Rice, _) => of::<Rice, MAX_COLUMNS>(never_longer),
            (Coder::Pack, 0 | 1) => of::<Pack, 1>(never_longer),
            (Coder::Pack, _) => of::<Pack, MAX_COLUMNS>(never_longer),
        }
    }

    /// An encoder of `columns`, in `buffers`.
    pub(super) fn encoder<'b>(
        self,
        columns: &[Column],
        buffers: Buffers<'b>,
    ) -> Result<Box<dyn BlockEncoder<'b> + 'b>, Misuse> {
        match (self.coder, columns.len()) {
            (Coder::Small, 0 | 1) => self.of::<Small, 1>(columns, buffers),
            (Coder::Small, _) => self.of::<Small, MAX_COLUMNS>(columns, buffers),
            (Coder::Large, 0 | 1) => self.of::<Larger, 1>(columns, buffers),
            (Coder::Large, _) => self.of::<Larger, MAX_COLUMNS>(columns, buffers),
            (Coder::Lean, 0 | 1) => self.of::<Lean, 1>(columns, buffers),
            (Coder::Lean, _) => self.of::<Lean, MAX_COLUMNS>(columns, buffers),
            (Coder::Rice, 0 | 1) => self.of::<Rice, 1>(columns, buffers),
            (Coder::Rice, _) => self.of::<Rice, MAX_COLUMNS>(columns, buffers),
            (Coder::Pack, 0 | 1) => self.of::<Pack, 1>(columns, buffers),
            (Coder::Pack, _) => self.of::<Pack, MAX_COLUMNS>(columns, buffers),
        }
    }

    fn of<'b, P: Profile + 'b, const COLUMNS: usize>(
        self,
        columns: &[Column],
        buffers: Buffers<'b>,
    ) -> Result<Box<dyn BlockEncoder<'b> + 'b>, Misuse> {
        let mut all = [columns.first().copied().unwrap_or_default(); COLUMNS];
        all.iter_mut().zip(columns).for_each(|(to, from)| *to = *from);
        let settings = Settings::new(self.unit, all).block_points(self.points);
        let settings = Settings { columns_used: columns.len(), ranges: self.ranges, ..settings };
        let exact = columns.iter().all(|column| column.tolerance == Tolerance::Lossless);
        if exact || !self.never_longer {
            let Buffers { first, second } = buffers;
            let encoder = Encoder::<P, COLUMNS>::try_new(settings, first)?;
            return Ok(Box::new(Once { encoder, unused: second }));
        }
        let Buffers { first, second } = buffers.halves();
        Ok(Box::new(NeverLonger::<P, COLUMNS>::try_new(settings, first, second)?))
    }
}

/// The points of a block, one after the other.
#[derive(Debug)]
pub(super) enum BlockPoints<'b> {
    One(Box<AnyDecoder<'b, 1>>),
    Many(Box<AnyDecoder<'b, MAX_COLUMNS>>),
}

impl<'b> BlockPoints<'b> {
    /// The most heap bytes: the largest decoder, of as many columns as there may be.
    pub(super) const HEAP_BYTES: usize = size_of::<AnyDecoder<'static, MAX_COLUMNS>>();

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
