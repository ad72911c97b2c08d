//! What can be said of a picture, or of two: sinks that measure instead of writing, and the SSIM stage. Results do not
//! depend on how the work was cut, for floats too.
//!
//! [`Statistics`] measures one picture. Two are compared as one image that a [`Group`](crate::pipeline::Group) makes of
//! them, first one's bands, then the other's: [`Difference`] takes it as it is, [`Ssim`] makes a map of similarity of
//! it, whose mean [`Statistics`] finds. [`Tap`] shows the rows of a source to a sink on their way into a chain, so that
//! all of this takes one pass.

mod compare;
mod exact_sum;
mod histogram;
mod int256;
mod measured;
mod moments;
mod range;
mod ssim;
mod statistics;
mod tap;
mod totals;

pub use compare::{Difference, Distance};
pub use measured::Measured;
pub use range::{Range, RangeOf};
pub use ssim::{Ssim, SsimWindow};
pub use statistics::{Statistics, Summary};
pub use tap::{Tap, TapError};
pub use totals::Amount;

#[cfg(test)]
mod tests;
