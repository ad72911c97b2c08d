//! Seconds for the receipt: how long stages, sources and sinks were at work.

mod stopwatch;
mod timed;

pub use stopwatch::Stopwatch;
pub use timed::Timed;
