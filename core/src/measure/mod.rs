//! What can be said of a picture, or of two: sinks that measure instead of writing. Results do not depend on how the
//! work was cut, for floats too.

mod range;

pub use range::{Range, RangeOf};
