//! The `arith` back end: an adaptive binary range coder.

pub(crate) mod model;
pub(crate) mod opinion;
pub(crate) mod prob;
pub(crate) mod range;
pub(crate) mod steps;
