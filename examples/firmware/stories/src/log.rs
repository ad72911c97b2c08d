//! Points into series blocks, blocks into a journal on flash; and after a restart all of it back.

use embedded_io::Write;
use plimsoll_core::journal::{
    FIRST_BYTES, Flash, From, Journal, JournalError, MAX_PAGE, PAGE_BYTES, Policy, Record,
};
use plimsoll_core::series::{
    Column, Damage, Decoder, Encoder, Kind, Misuse, Pushed, Rice, Settings, TimeUnit, Word,
};

/// The most bytes of a block, and so of a record: what one page of the journal holds.
pub const BLOCK_BYTES: usize = MAX_PAGE - PAGE_BYTES - FIRST_BYTES;
/// What the journal's records are, in this program's numbering.
const BLOCK: u8 = 1;
/// The back end that takes the least stack: all of this runs in 16 KiB.
type Coding = Rice;

/// What is in the journal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Blocks.
    pub blocks: u32,
    /// Their bytes.
    pub bytes: u32,
}

/// Why it ended early.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Error<W, F> {
    /// Who takes the blocks that are read back.
    Output(W),
    /// The journal.
    Journal(JournalError<F>),
    /// The encoder was asked for what it cannot do.
    Misuse(Misuse),
    /// A block came back damaged.
    Damage(Damage),
}

/// Points of `COLUMNS` values of 32 bits on their way into a journal.
pub struct Log<'j, 'b, F: Flash, const COLUMNS: usize> {
    encoder: Encoder<'b, Coding, COLUMNS>,
    journal: &'j mut Journal<F>,
    /// The first and the last time since the last block.
    times: Option<(i64, i64)>,
    kept: Kept,
}

impl<'j, 'b, F: Flash, const COLUMNS: usize> Log<'j, 'b, F, COLUMNS> {
    /// An empty log; `buffer` is for one block.
    ///
    /// # Errors
    /// [`Error::Misuse`] if the buffer is too small.
    pub fn new<W>(
        unit: TimeUnit,
        journal: &'j mut Journal<F>,
        buffer: &'b mut [u8],
    ) -> Result<Self, Error<W, F::Error>> {
        let settings = Settings::new(unit, [Column::new(Kind::I32); COLUMNS]);
        let encoder = Encoder::try_new(settings, buffer).map_err(Error::Misuse)?;
        Ok(Self { encoder, journal, times: None, kept: Kept::default() })
    }

    /// Takes a point; a block that is full goes to the journal.
    ///
    /// # Errors
    /// The journal's, and [`Error::Misuse`] of the encoder.
    pub fn push<W>(&mut self, time: i64, values: &[Word; COLUMNS]) -> Result<(), Error<W, F::Error>> {
        if self.encoder.push(time, values).map_err(Error::Misuse)? == Pushed::Full {
            self.seal()?;
            // A block that holds nothing yet takes any point.
            let _ = self.encoder.push(time, values).map_err(Error::Misuse)?;
        }
        let (first, _) = self.times.unwrap_or((time, time));
        self.times = Some((first, time));
        Ok(())
    }

    /// The last block goes to the journal.
    ///
    /// # Errors
    /// The journal's.
    pub fn close<W>(mut self) -> Result<Kept, Error<W, F::Error>> {
        self.seal()?;
        Ok(self.kept)
    }

    fn seal<W>(&mut self) -> Result<(), Error<W, F::Error>> {
        if let (Ok(block), Some((first, last))) = (self.encoder.seal(), self.times.take()) {
            self.journal.append(BLOCK, first..=last, block).map_err(Error::Journal)?;
            self.kept.blocks += 1;
            self.kept.bytes += block.len() as u32;
        }
        Ok(())
    }
}

/// Mounts a flash, decodes every block of its journal and writes it to `output`; how many points they hold.
///
/// # Errors
/// By owner.
pub fn read_back<F: Flash, W: Write, const COLUMNS: usize>(
    flash: F,
    mut output: W,
) -> Result<u32, Error<W::Error, F::Error>> {
    let (mut buffer, mut points) = ([0; BLOCK_BYTES], 0);
    let mut journal = Journal::mount(flash, Policy::Keep).map_err(Error::Journal)?;
    let mut records = journal.iterate(From::Sequence(0));
    while let Some(record) = records.next(&mut buffer).map_err(Error::Journal)? {
        points += count::<COLUMNS>(&record).map_err(Error::Damage)?;
        output.write_all(record.bytes).map_err(Error::Output)?;
    }
    output.flush().map_err(Error::Output)?;
    Ok(points)
}

/// Decodes a block and counts its points.
#[inline(never)]
fn count<const COLUMNS: usize>(record: &Record<'_>) -> Result<u32, Damage> {
    let mut decoder = Decoder::<Coding, COLUMNS>::try_new(record.bytes)?;
    let (mut values, mut points) = ([Word::default(); COLUMNS], 0);
    while decoder.next_into(&mut values)?.is_some() {
        points += 1;
    }
    Ok(points)
}
