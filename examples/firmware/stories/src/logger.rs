//! A data logger: samples into series blocks, blocks into a journal on flash; then, after a restart, all of it back.

use crate::log::{self, Log};
use embedded_io::{ErrorType, Read, ReadExactError, Write};
use plimsoll_core::journal::{Flash, Journal, Policy};
use plimsoll_core::series::{TimeUnit, Word};

/// Bytes of one sample in the input: its time in milliseconds (i64) and two channels (i32 each), little-endian.
pub const SAMPLE_BYTES: usize = 16;
/// Bytes of the flash that the journal owns here, of its sectors and of its words.
pub const FLASH: [u32; 3] = [6144, 1024, 4];
const COLUMNS: usize = 2;

/// What was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// Samples taken.
    pub samples: u32,
    /// What is in the journal.
    pub kept: log::Kept,
    /// Samples that were read back after the restart.
    pub read_back: u32,
}

/// Why it ended early.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Error<R, W, F> {
    /// The sensor.
    Input(ReadExactError<R>),
    /// The log, or who takes its blocks.
    Log(log::Error<W, F>),
}

type Failure<R, W, F> = Error<<R as ErrorType>::Error, <W as ErrorType>::Error, <F as Flash>::Error>;

/// Logs `samples` samples of `input` on a flash that it formats, then mounts it anew and writes all blocks to `output`.
///
/// # Errors
/// By owner; a journal that is full is one.
pub fn run<R: Read, W: Write, F: Flash>(
    samples: u32,
    mut input: R,
    output: W,
    mut flash: F,
) -> Result<Report, Failure<R, W, F>> {
    let mut journal =
        Journal::format(&mut flash, Policy::Keep).map_err(log::Error::Journal).map_err(Error::Log)?;
    let kept = take(samples, &mut input, &mut journal)?;
    drop(journal);

    // The power goes and comes back.
    let read_back = log::read_back::<_, _, COLUMNS>(flash, output).map_err(Error::Log)?;
    Ok(Report { samples, kept, read_back })
}

/// Everything from the sensor to the flash. Its encoder is gone before anything is read back.
#[inline(never)]
fn take<R: Read, W, F: Flash>(
    samples: u32,
    input: &mut R,
    journal: &mut Journal<F>,
) -> Result<log::Kept, Error<R::Error, W, F::Error>> {
    let mut buffer = [0; log::BLOCK_BYTES];
    let mut log = Log::<F, COLUMNS>::new(TimeUnit::Milliseconds, journal, &mut buffer).map_err(Error::Log)?;
    for _ in 0..samples {
        let (time, values) = sample(input).map_err(Error::Input)?;
        log.push(time, &values).map_err(Error::Log)?;
    }
    log.close().map_err(Error::Log)
}

fn sample<R: Read>(input: &mut R) -> Result<(i64, [Word; COLUMNS]), ReadExactError<R::Error>> {
    let (mut time, mut channels) = ([0; 8], [[0; 4]; COLUMNS]);
    input.read_exact(&mut time)?;
    input.read_exact(channels.as_flattened_mut())?;
    Ok((i64::from_le_bytes(time), channels.map(|bytes| Word::from(i32::from_le_bytes(bytes)))))
}
