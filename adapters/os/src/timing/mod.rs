//! Seconds for the receipt: how long stages, sources and sinks were at work. And what a thread took of its processor.

mod processor;
mod stopwatch;
mod timed;

pub use processor::processor_time;
pub use stopwatch::Stopwatch;
pub use timed::Timed;
