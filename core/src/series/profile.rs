//! Back ends and how much they remember: chosen by type, so that firmware pays for one only.

use super::arith::model::Model;
use super::arith::range::RangeEnds;
use super::back::Back;
use super::bits::BitEnds;
use super::column::{EitherLanes, Lanes};
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

/// Range coder in at most 4096 bytes of state for one column, each way.
#[derive(Clone, Copy, Debug)]
pub struct Large;

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
    EitherLanes<Model<1, 12, 8>, Latest<i32, Near, 8>, Latest<i64, Near, 8>, 8>
);
stream!(Narrow, ArithSmall, RangeEnds, Lanes<i32, Model<1, 12, 8>, Latest<i32, Near, 8>, 8>);
stream!(
    Large,
    ArithLarge,
    RangeEnds,
    EitherLanes<Model<3, 20, 8>, Latest<i32, Model<1, 20, 8>, 32>, Latest<i64, Model<1, 20, 8>, 32>, 16>
);
stream!(Rice, Rice, BitEnds, EitherLanes<Spread, (), (), 1>);
