//! A picture larger than the memory there is, through five stages, in an arena of any size that holds one strip.

use embedded_io::{Read, ReadExactError, Write};
use plimsoll_core::budget::Budget;
use plimsoll_core::bytes::{ReadRows, WriteRows};
use plimsoll_core::pipeline::{Chain, Job, RunError, Stage};
use plimsoll_core::shape::{SampleKind, Shape};
use plimsoll_core::transform::blur::Blur;
use plimsoll_core::transform::crop::Crop;
use plimsoll_core::transform::sharpen::sharpen;
use plimsoll_core::transform::shrink::Shrink;
use plimsoll_core::transform::to::{Keep, To};

/// What the camera gives: 300 KiB.
pub const CAMERA: Shape = Shape::new(480, 640, 1, SampleKind::U8);

/// What was done, and in how much memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// The picture that went out.
    pub output: Shape,
    /// Rows read at once: the most that the arena has room for.
    pub strip_rows: u32,
    /// Bytes that the plan states for them.
    pub planned: u64,
    /// The most bytes leased.
    pub peak: usize,
}

/// Why it ended early.
pub type Error<R, W> =
    RunError<ReadExactError<<R as embedded_io::ErrorType>::Error>, <W as embedded_io::ErrorType>::Error>;

/// Crops, sharpens (3 x 3), shrinks to a quarter, blurs and makes floats of the rows that `input` gives.
///
/// # Errors
/// What the streams say, or that the arena has no room for a strip of one row.
pub fn run<R: Read, W: Write>(arena: &mut [u8], input: R, output: W) -> Result<Report, Error<R, W>> {
    let crop = Crop::new(8, 8, 624, 464);
    let sharpen = sharpen::<u8>().map_err(RunError::Stage)?;
    let blur = Blur::<u8>::new(2.5).map_err(RunError::Stage)?;
    let shrink = Shrink::<u8>::new(4);
    let float = To::<u8, f32>::new(Keep::White);
    let stages: [&dyn Stage; 5] = [&crop, &sharpen, &shrink, &blur, &float];
    let chain = Chain::new(&stages, CAMERA).map_err(RunError::Stage)?;

    // The plan is exact, so the largest strip that fits can be known before the first row is read.
    let room = arena.len() as u64;
    let strip_rows = (1..=CAMERA.rows).rev().find(|rows| chain.bytes(*rows) <= room).unwrap_or(1);
    let mut budget = Budget::new(arena);
    let source = ReadRows::new(input, CAMERA);
    let mut job = Job::new(&chain, strip_rows, &mut budget, source, WriteRows::new(output))?;
    job.run()?;
    job.finish()?;
    let peak = budget.stats().peak;
    Ok(Report { output: chain.output_shape(), strip_rows, planned: chain.bytes(strip_rows), peak })
}
