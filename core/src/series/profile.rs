//! Back ends and how much they remember: chosen by type, so that firmware pays for one only.

use super::arith::model::Model;
use super::arith::opinion::ByLength;
use super::arith::range::RangeEnds;
use super::arith::steps::Steps;
use super::back::Back;
use super::bank::Bank;
use super::bits::BitEnds;
use super::column::{EitherLanes, Lanes};
use super::few::Few;
use super::header::Coding;
use super::pack;
use super::pack::read::PackRead;
use super::pack::write::PackWrite;
use super::points::GROUP;
use super::recall::{Latest, Near};
use super::rice::Rice as Spread;
use super::stream::{StreamRead, StreamWrite};

mod sealed {
    pub trait Sealed: super::Back {}
}

/// A back end and the size of its model. Blocks of different ones differ; each block says which one it has.
pub trait Profile: sealed::Sealed {}

/// Range coder in at most 1024 bytes of state for one column, each way.
#[derive(Clone, Copy, Debug)]
pub struct Small;

/// [`Small`] for columns of 32-bit integers only, for cores where 64-bit arithmetic is slow. The blocks are the same.
#[derive(Clone, Copy, Debug)]
pub struct Narrow;

/// Range coder with a few cheap predictors and two or three decisions a value: for small cores, in less than 1024 bytes of
/// state for one column.
#[derive(Clone, Copy, Debug)]
pub struct Lean;

/// Range coder with a larger model: in at most 2048 bytes of state for one column, each way.
#[derive(Clone, Copy, Debug)]
pub struct Large;

/// [`Large`] with a second opinion on each decision: 1 to 2 % fewer bytes in at most 4096 bytes of state for one column, each
/// way, and more work. For hosts.
#[derive(Clone, Copy, Debug)]
pub struct Larger;

/// Golomb-Rice codes: little work and a few hundred bytes of state.
#[derive(Clone, Copy, Debug)]
pub struct Rice;

/// Bit-packing: the fastest, in a few hundred bytes of state.
#[derive(Clone, Copy, Debug)]
pub struct Pack;

impl sealed::Sealed for Pack {}
impl Profile for Pack {}
impl Back for Pack {
    const CODING: Coding = Coding::Pack;
    const GROUP: usize = pack::GROUP;
    type Write<const COLUMNS: usize> = PackWrite<COLUMNS>;
    type Read<const COLUMNS: usize> = PackRead<COLUMNS>;
}

macro_rules! stream {
    ($profile:ty, $coding:ident, $ends:ty, $indices:ty) => {
        impl sealed::Sealed for $profile {}
        impl Profile for $profile {}
        impl Back for $profile {
            const CODING: Coding = Coding::$coding;
            const GROUP: usize = GROUP;
            type Write<const COLUMNS: usize> = StreamWrite<$ends, $indices, COLUMNS>;
            type Read<const COLUMNS: usize> = StreamRead<$ends, $indices, COLUMNS>;
        }
    };
}

stream!(
    Small,
    ArithSmall,
    RangeEnds,
    EitherLanes<Bank<i32, 8>, Bank<i64, 8>, Model<1, 12, 8>, Latest<i32, Near, 8>, Latest<i64, Near, 8>>
);
stream!(
    Narrow,
    ArithSmall,
    RangeEnds,
    Lanes<i32, Bank<i32, 8>, Model<1, 12, 8>, Latest<i32, Near, 8>>
);
stream!(Lean, ArithLean, RangeEnds, EitherLanes<Few<i32>, Few<i64>, Steps<12>, (), ()>);
stream!(
    Larger,
    ArithLarger,
    RangeEnds,
    EitherLanes<
        Bank<i32, 16, 7>,
        Bank<i64, 16, 7>,
        Model<3, 20, 8, ByLength>,
        Latest<i32, Model<1, 20, 8>, 32>,
        Latest<i64, Model<1, 20, 8>, 32>,
    >
);
stream!(
    Large,
    ArithLarge,
    RangeEnds,
    EitherLanes<
        Bank<i32, 16>,
        Bank<i64, 16>,
        Model<3, 20, 8>,
        Latest<i32, Model<1, 20, 8>, 32>,
        Latest<i64, Model<1, 20, 8>, 32>,
    >
);
stream!(Rice, Rice, BitEnds, EitherLanes<Bank<i32, 1>, Bank<i64, 1>, Spread, (), ()>);
