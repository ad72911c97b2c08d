//! How much an encoder or decoder remembers: chosen by type, so that firmware pays for one only.

use super::column::{EitherLanes, Lanes};

mod sealed {
    pub trait Sealed {
        /// Predictors and model of a column.
        #[allow(private_bounds)]
        type Indices: super::super::column::Indices + core::fmt::Debug;
        /// Its code in a block.
        const CODE: u8;
    }
}

pub(crate) use sealed::Sealed;

/// A size of model. Blocks of different models differ; each block says which one it has.
pub trait Profile: Sealed + Copy + core::fmt::Debug {}

/// At most 1024 bytes of state for one column, each way.
#[derive(Clone, Copy, Debug)]
pub struct Small;

/// [`Small`] for columns of 32-bit integers only, for cores where 64-bit arithmetic is slow. The blocks are the same.
#[derive(Clone, Copy, Debug)]
pub struct Narrow;

/// At most 4096 bytes of state for one column, each way.
#[derive(Clone, Copy, Debug)]
pub struct Large;

impl Sealed for Small {
    type Indices = EitherLanes<8, 1>;
    const CODE: u8 = 0;
}

impl Sealed for Narrow {
    type Indices = Lanes<i32, 8, 1>;
    const CODE: u8 = 0;
}

impl Sealed for Large {
    type Indices = EitherLanes<16, 3>;
    const CODE: u8 = 1;
}

impl Profile for Small {}
impl Profile for Narrow {}
impl Profile for Large {}
