//! All of it in one image: a picture larger than the memory through a transform, what is in its rows into series blocks,
//! and those into a journal on flash.
//!
//! A line camera over a belt: each row that comes out is a point in time, its quarters are the channels.

use crate::frame::CAMERA;
use crate::log::{self, Log};
use core::marker::PhantomData;
use embedded_io::{Read, ReadExactError, Write};
use plimsoll_core::budget::Budget;
use plimsoll_core::bytes::ReadRows;
use plimsoll_core::journal::{Flash, Journal, Policy};
use plimsoll_core::pipeline::{Chain, Job, RunError, Sink, Stage};
use plimsoll_core::series::{TimeUnit, Word};
use plimsoll_core::strip::Strip;
use plimsoll_core::transform::sharpen::sharpen;
use plimsoll_core::transform::shrink::Shrink;

/// Quarters of a row, each of them a column of the series.
pub const COLUMNS: usize = 4;
/// Bytes that the picture's transforms need: what the plan states for strips of one row.
pub const ARENA_BYTES: usize = 6 << 10;
/// Rows of the camera in one that comes out.
pub const SHRINK: u16 = 4;

/// What was done, and in how much memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// Bytes that the plan states for the picture.
    pub planned: u64,
    /// The most bytes leased.
    pub peak: usize,
    /// What is in the journal.
    pub kept: log::Kept,
    /// Rows that were read back after the restart.
    pub read_back: u32,
}

/// Why it ended early: the camera's stream, the picture's memory, the log.
pub type Error<R, W, F> = RunError<ReadExactError<R>, log::Error<W, F>>;

/// Sharpens and shrinks the rows that `input` gives, logs the sum of each quarter of every row on a flash that it formats,
/// then mounts it anew and writes all blocks to `output`.
///
/// # Errors
/// What the streams and the flash say, or that the arena has no room for a strip of one row.
pub fn run<R: Read, W: Write, F: Flash>(
    arena: &mut [u8],
    input: R,
    output: W,
    mut flash: F,
) -> Result<Report, Error<R::Error, W::Error, F::Error>> {
    let mut journal =
        Journal::format(&mut flash, Policy::Keep).map_err(log::Error::Journal).map_err(RunError::Sink)?;
    let (planned, peak, kept) = survey(arena, input, &mut journal)?;
    drop(journal);
    let read_back = log::read_back::<_, _, COLUMNS>(flash, output).map_err(RunError::Sink)?;
    Ok(Report { planned, peak, kept, read_back })
}

/// Everything from the camera to the flash. Its job and its encoder are gone before anything is read back.
#[inline(never)]
fn survey<R: Read, W, F: Flash>(
    arena: &mut [u8],
    input: R,
    journal: &mut Journal<F>,
) -> Result<(u64, usize, log::Kept), Error<R::Error, W, F::Error>> {
    let sharpen = sharpen::<u8>().map_err(RunError::Stage)?;
    let shrink = Shrink::<u8>::new(SHRINK);
    let stages: [&dyn Stage; 2] = [&sharpen, &shrink];
    let chain = Chain::new(&stages, CAMERA).map_err(RunError::Stage)?;
    let mut buffer = [0; log::BLOCK_BYTES];
    let log = Log::new(TimeUnit::Ticks, journal, &mut buffer).map_err(RunError::Sink)?;
    let mut quarters = Quarters { log, output: PhantomData };
    let mut budget = Budget::new(arena);
    let mut job = Job::new(&chain, 1, &mut budget, ReadRows::new(input, CAMERA), &mut quarters)?;
    job.run()?;
    job.finish()?;
    let kept = quarters.log.close().map_err(RunError::Sink)?;
    Ok((chain.bytes(1), budget.stats().peak, kept))
}

/// Rows become points.
struct Quarters<'j, 'b, F: Flash, W> {
    log: Log<'j, 'b, F, COLUMNS>,
    /// Whose error this one's is, too.
    output: PhantomData<W>,
}

impl<F: Flash, W> Sink for Quarters<'_, '_, F, W> {
    type Error = log::Error<W, F::Error>;

    fn write(&mut self, strip: &Strip<'_>) -> Result<(), Self::Error> {
        strip.rows().iter().try_for_each(|row| {
            let pixels = strip.row::<u8>(row);
            let mut quarters = pixels.chunks(pixels.len().div_ceil(COLUMNS).max(1));
            let sums = core::array::from_fn(|_| {
                Word::from(quarters.next().unwrap_or_default().iter().map(|x| i32::from(*x)).sum::<i32>())
            });
            self.log.push(i64::from(row * u32::from(SHRINK)), &sums)
        })
    }
}
