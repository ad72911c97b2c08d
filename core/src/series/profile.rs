//! Back ends and how much they remember: chosen by type, so that firmware pays for one only.

use super::arith::side::{ArithRead, ArithWrite};
use super::back::Back;
use super::column::{EitherLanes, Lanes};
use super::header::Coding;
use super::pack;
use super::pack::side::{PackRead, PackWrite};
use super::points::GROUP;
use super::recall::Latest;

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

macro_rules! arith {
    ($profile:ty, $coding:ident, $indices:ty) => {
        impl sealed::Sealed for $profile {}
        impl Profile for $profile {}
        impl Back for $profile {
            const CODING: Coding = Coding::$coding;
            const GROUP: usize = GROUP;
            type Write<const COLUMNS: usize> = ArithWrite<$indices, COLUMNS>;
            type Read<const COLUMNS: usize> = ArithRead<$indices, COLUMNS>;
        }
    };
}

arith!(Small, ArithSmall, EitherLanes<(), (), 8, 1>);
arith!(Narrow, ArithSmall, Lanes<i32, (), 8, 1>);
arith!(Large, ArithLarge, EitherLanes<Latest<i32>, Latest<i64>, 16, 3>);
