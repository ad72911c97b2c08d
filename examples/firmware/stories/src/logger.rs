//! A data logger: samples into series blocks, blocks into a journal on flash; then, after a restart, all of it back.

use embedded_io::{Read, ReadExactError, Write};
use plimsoll_core::journal::{
    FIRST_BYTES, Flash, From, Journal, JournalError, MAX_PAGE, PAGE_BYTES, Policy, Record,
};
use plimsoll_core::series::{
    Column, Damage, Decoder, Encoder, Kind, Misuse, Pushed, Rice, Settings, TimeUnit, Word,
};

/// Bytes of one sample in the input: its time in milliseconds (i64) and two channels (i32 each), little-endian.
pub const SAMPLE_BYTES: usize = 16;
/// The most bytes of a block, and so of a record: what one page of the journal holds.
pub const BLOCK_BYTES: usize = MAX_PAGE - PAGE_BYTES - FIRST_BYTES;
/// Bytes of the flash that the journal owns here, of its sectors and of its words.
pub const FLASH: [u32; 3] = [6144, 1024, 4];
/// What the journal's records are, in this program's numbering.
const BLOCK: u8 = 1;
const COLUMNS: usize = 2;
/// The back end that takes the least stack: all of this runs in 16 KiB.
type Coding = Rice;

/// What was kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Samples taken.
    pub samples: u32,
    /// Blocks in the journal.
    pub blocks: u32,
    /// Their bytes.
    pub bytes: u32,
    /// Samples that were read back after the restart.
    pub read_back: u32,
}

/// Why it ended early.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Error<R, W, F> {
    /// The sensor.
    Input(ReadExactError<R>),
    /// Who takes the blocks.
    Output(W),
    /// The journal.
    Journal(JournalError<F>),
    /// The encoder was asked for what it cannot do.
    Misuse(Misuse),
    /// A block came back damaged.
    Damage(Damage),
}

type Failure<R, W, F> =
    Error<<R as embedded_io::ErrorType>::Error, <W as embedded_io::ErrorType>::Error, <F as Flash>::Error>;

/// Logs `samples` samples of `input` on a flash that it formats, then mounts it anew and writes all blocks to `output`.
///
/// # Errors
/// By owner; a journal that is full is one.
pub fn run<R: Read, W: Write, F: Flash>(
    samples: u32,
    mut input: R,
    mut output: W,
    mut flash: F,
) -> Result<Report, Failure<R, W, F>> {
    let mut report = Report { samples, ..Report::default() };
    let mut buffer = [0; BLOCK_BYTES];
    let mut journal = Journal::format(&mut flash, Policy::Keep).map_err(Error::Journal)?;
    log(&mut report, &mut input, &mut journal, &mut buffer)?;
    drop(journal);

    // The power goes and comes back.
    let mut journal = Journal::mount(flash, Policy::Keep).map_err(Error::Journal)?;
    let mut records = journal.iterate(From::Sequence(0));
    while let Some(record) = records.next(&mut buffer).map_err(Error::Journal)? {
        report.read_back += count(&record).map_err(Error::Damage)?;
        output.write_all(record.bytes).map_err(Error::Output)?;
    }
    output.flush().map_err(Error::Output)?;
    Ok(report)
}

/// Everything from the sensor to the flash. Its encoder is gone before anything is read back.
#[inline(never)]
fn log<R: Read, W, F: Flash>(
    report: &mut Report,
    input: &mut R,
    journal: &mut Journal<F>,
    buffer: &mut [u8],
) -> Result<(), Error<R::Error, W, F::Error>> {
    let settings = Settings::new(TimeUnit::Milliseconds, [Column::new(Kind::I32); COLUMNS]);
    let mut encoder = Encoder::<Coding, COLUMNS>::try_new(settings, buffer).map_err(Error::Misuse)?;
    let mut times = None;
    for _ in 0..report.samples {
        let (time, values) = sample(input).map_err(Error::Input)?;
        if encoder.push(time, &values).map_err(Error::Misuse)? == Pushed::Full {
            keep(report, journal, &mut times, encoder.seal().ok()).map_err(Error::Journal)?;
            // A block that holds nothing yet takes any point.
            let _ = encoder.push(time, &values).map_err(Error::Misuse)?;
        }
        let (first, _) = times.unwrap_or((time, time));
        times = Some((first, time));
    }
    keep(report, journal, &mut times, encoder.seal().ok()).map_err(Error::Journal)
}

fn keep<F: Flash>(
    report: &mut Report,
    journal: &mut Journal<F>,
    times: &mut Option<(i64, i64)>,
    block: Option<&[u8]>,
) -> Result<(), JournalError<F::Error>> {
    if let (Some(block), Some((first, last))) = (block, times.take()) {
        journal.append(BLOCK, first..=last, block)?;
        report.blocks += 1;
        report.bytes += block.len() as u32;
    }
    Ok(())
}

fn sample<R: Read>(input: &mut R) -> Result<(i64, [Word; COLUMNS]), ReadExactError<R::Error>> {
    let (mut time, mut channels) = ([0; 8], [[0; 4]; COLUMNS]);
    input.read_exact(&mut time)?;
    input.read_exact(channels.as_flattened_mut())?;
    Ok((i64::from_le_bytes(time), channels.map(|bytes| Word::from(i32::from_le_bytes(bytes)))))
}

/// Decodes a block and counts its samples.
#[inline(never)]
fn count(record: &Record<'_>) -> Result<u32, Damage> {
    let mut decoder = Decoder::<Coding, COLUMNS>::try_new(record.bytes)?;
    let (mut values, mut points) = ([Word::default(); COLUMNS], 0);
    while decoder.next_into(&mut values)?.is_some() {
        points += 1;
    }
    Ok(points)
}
