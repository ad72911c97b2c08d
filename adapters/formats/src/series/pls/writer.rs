//! Writes points into a file: whole blocks, one write each, so that a reader beside sees all but the last, unfinished one.

use super::index::Index;
use super::layout::head;
use super::scan::{Item, Scanner, Seeking};
use crate::FormatError;
use crate::series::codec::{BlockEncoder, Blocks, Buffers, Coder, misuse};
use crate::series::schema::Schema;
use plimsoll_core::bytes::ReadAt;
use plimsoll_core::series::{Column, Header, MAX_POINTS, Pushed, Unsealed, Word};
use std::io::{self, Write};

/// How points become blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlsOptions {
    /// How much the encoder remembers.
    pub coder: Coder,
    /// Points of a block: 1 to 65,536.
    pub block_points: u32,
    /// Whether blocks state the range and sum of each column, in 24 bytes a column.
    pub ranges: bool,
    /// Whether the file gets an index at its end.
    pub index: bool,
    /// Whether blocks with a tolerance never have more bytes than lossless ones: each is written twice then, into one
    /// half of the buffer each, and the shorter one is kept.
    pub never_longer: bool,
}

impl Default for PlsOptions {
    fn default() -> Self {
        Self {
            coder: Coder::Large,
            block_points: 4096.min(MAX_POINTS),
            ranges: false,
            index: true,
            never_longer: true,
        }
    }
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Points.
    pub points: u64,
    /// Blocks.
    pub blocks: u64,
    /// Bytes: heads, blocks and index.
    pub bytes: u64,
}

/// Writes points as blocks into `W`, a file or a pipe. Its memory is the caller's buffer, the encoder's state and the
/// index.
///
/// ```
/// use plimsoll_core::series::{Kind, TimeUnit, Word};
/// use plimsoll_formats::series::{PlsOptions, PlsWriter, Schema, ValueColumn};
/// let schema = Schema::new(TimeUnit::Seconds, vec![ValueColumn::new("temperature", Kind::F64)]);
/// let mut buffer = [0; 4096];
/// let mut writer = PlsWriter::new(Vec::new(), schema, PlsOptions::default(), &mut buffer)?;
/// for minute in 0..1000 {
///     writer.push(1_700_000_000 + 60 * minute, &[Word::from(20.5)])?;
/// }
/// let (file, written) = writer.finish()?;
/// assert_eq!((written.points, written.bytes), (1000, file.len() as u64));
/// assert!(file.len() < 300);
/// # Ok::<(), plimsoll_formats::FormatError>(())
/// ```
#[derive(Debug)]
pub struct PlsWriter<'b, W> {
    out: W,
    /// Taken only while it is replaced.
    encoder: Option<Box<dyn BlockEncoder<'b> + 'b>>,
    schema: Schema,
    options: PlsOptions,
    index: Index,
    /// Where the head in force begins, and where the next byte goes.
    head: u64,
    offset: u64,
    written: Written,
    block_bytes: u64,
}

impl<'b, W: Write> PlsWriter<'b, W> {
    /// The most heap bytes of a writer of so many columns, without the caller's buffer; `never_longer` where there are
    /// tolerances and blocks with them must not have more bytes than lossless ones.
    pub const fn heap_bytes(coder: Coder, columns: usize, never_longer: bool) -> usize {
        Blocks::state_bytes(coder, columns, never_longer)
            + 2 * Index::HEAP_BYTES
            + 2 * super::layout::MOST_HEAD_BYTES
    }

    /// A new file of points of `schema`, whose blocks have at most as many bytes as `buffer` (up to 64 KiB), or as half
    /// of it (see [`PlsOptions::never_longer`]).
    ///
    /// # Errors
    /// [`FormatError::Usage`] for options that contradict themselves; the device's.
    pub fn new(
        out: W,
        schema: Schema,
        options: PlsOptions,
        buffer: &'b mut [u8],
    ) -> Result<Self, FormatError> {
        Self::behind(out, schema, options, buffer, Index::default(), 0)
    }

    /// Goes on behind `offset` bytes of a file that [`resume_at`] looked at; `out` writes there. The head is written
    /// again.
    ///
    /// # Errors
    /// As for [`Self::new`].
    pub fn behind(
        out: W,
        schema: Schema,
        options: PlsOptions,
        buffer: &'b mut [u8],
        index: Index,
        offset: u64,
    ) -> Result<Self, FormatError> {
        let encoder = encoder(&schema, options, Buffers::whole(buffer))?;
        let written = Written::default();
        let encoder = Some(encoder);
        let mut writer =
            Self { out, encoder, schema, options, index, head: offset, offset, written, block_bytes: 0 };
        writer.write_head()?;
        Ok(writer)
    }

    /// The schema in force.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// What was written so far; points that wait for their block are not.
    pub fn written(&self) -> Written {
        self.written
    }

    /// Bytes of the blocks written so far, without heads.
    pub fn block_bytes(&self) -> u64 {
        self.block_bytes
    }

    /// Adds a point. Timestamps may repeat and go back.
    ///
    /// # Errors
    /// [`FormatError::Usage`] for another number of values than columns; the device's.
    pub fn push(&mut self, time: i64, values: &[Word]) -> Result<(), FormatError> {
        loop {
            let encoder = self.encoder.as_mut().expect("it is there between calls");
            match encoder.push(time, values).map_err(misuse)? {
                Pushed::Taken => return Ok(()),
                Pushed::Full => self.seal()?,
            }
        }
    }

    /// Points from here on are of `schema`.
    ///
    /// # Errors
    /// As for [`Self::new`].
    pub fn change(&mut self, schema: Schema) -> Result<(), FormatError> {
        self.seal()?;
        if schema != self.schema {
            let buffers = self.encoder.take().expect("it is there between calls").into_buffers();
            self.schema = schema;
            self.encoder = Some(encoder(&self.schema, self.options, buffers)?);
            self.write_head()?;
        }
        Ok(())
    }

    /// Puts a block that was checked, of the schema in force, into the file as it is.
    ///
    /// # Errors
    /// The device's.
    pub fn put_block(&mut self, header: &Header, block: &[u8]) -> Result<(), FormatError> {
        self.seal()?;
        self.index.add(self.offset, self.head, header);
        self.written.blocks += 1;
        self.written.points += u64::from(header.points);
        self.block_bytes += block.len() as u64;
        self.write(block)
    }

    /// Ends the block, and gives it to the writer: what was pushed is in the file then.
    ///
    /// # Errors
    /// The device's.
    pub fn seal(&mut self) -> Result<(), FormatError> {
        let encoder = self.encoder.as_mut().expect("it is there between calls");
        let block = match encoder.seal() {
            Ok(block) => block,
            Err(Unsealed::Empty) => return Ok(()),
            Err(unsealed) => return Err(FormatError::write(self.offset, io::Error::other(unsealed))),
        };
        let header = Header::read(block).expect("the encoder writes sound headers");
        self.out.write_all(block).map_err(|error| FormatError::write(self.offset, error))?;
        self.index.add(self.offset, self.head, &header);
        self.offset += block.len() as u64;
        self.written.bytes += block.len() as u64;
        self.block_bytes += block.len() as u64;
        self.written.blocks += 1;
        self.written.points += u64::from(header.points);
        Ok(())
    }

    /// Ends the file.
    ///
    /// # Errors
    /// The device's.
    pub fn finish(mut self) -> Result<(W, Written), FormatError> {
        self.seal()?;
        if self.options.index && !self.index.entries().is_empty() {
            self.write(&self.index.to_bytes(self.offset))?;
        }
        self.out.flush().map_err(|error| FormatError::write(self.offset, error))?;
        Ok((self.out, self.written))
    }

    fn write_head(&mut self) -> Result<(), FormatError> {
        self.head = self.offset;
        self.write(&head(&self.schema)?)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), FormatError> {
        self.out.write_all(bytes).map_err(|error| FormatError::write(self.offset, error))?;
        self.offset += bytes.len() as u64;
        self.written.bytes += bytes.len() as u64;
        Ok(())
    }
}

fn encoder<'b>(
    schema: &Schema,
    options: PlsOptions,
    buffers: Buffers<'b>,
) -> Result<Box<dyn BlockEncoder<'b> + 'b>, FormatError> {
    let column = |column: &crate::series::ValueColumn| Column::new(column.kind).within(column.tolerance);
    let columns: Vec<Column> = schema.columns.iter().map(column).collect();
    let blocks = Blocks {
        coder: options.coder,
        unit: schema.unit,
        points: options.block_points,
        ranges: options.ranges,
        never_longer: options.never_longer,
    };
    blocks.encoder(&columns, buffers).map_err(misuse)
}

/// Looks where points can be appended to `file`: the length it must be cut to, which is where its index begins if it
/// has one and its end otherwise (a damaged tail stays; readers pass over it); the schema in force there; and the
/// index, from its blocks' headers if need be.
///
/// # Errors
/// [`FormatError::Malformed`] if it is no series; the device's.
pub fn resume_at<R: ReadAt<Error = io::Error>>(file: &R) -> Result<(u64, Schema, Index), FormatError> {
    let found = Index::find(file).map_err(|error| FormatError::read(file.len(), error))?;
    let (mut index, end, first) = match found {
        Some((index, end)) => {
            let last = index.entries().last().map(|entry| (entry.head, entry.offset));
            (Some(index), end, last)
        }
        None => (None, file.len(), None),
    };
    let mut scanner = Scanner::new(Seeking::new(file));
    let (mut schema, mut head) = (None, 0);
    let mut made = Index::default();
    if let Some((at, offset)) = first
        && scanner.seek(at)
        && let Some(Item::Schema(found)) = scanner.next_item(|_| false)?
    {
        schema = Some(found);
        scanner.seek(offset);
    } else {
        index = None;
        scanner.seek(0);
    }
    while scanner.offset() < end {
        match scanner.next_item(|_| false)? {
            Some(Item::Schema(found)) => {
                let offset = scanner.given_offset();
                (schema, head) = (Some(found), offset);
            }
            Some(Item::Skipped(header)) => made.add(scanner.given_offset(), head, &header),
            Some(_) => {}
            None => break,
        }
    }
    match schema {
        Some(schema) => Ok((end, schema, index.unwrap_or(made))),
        None => Err(FormatError::Malformed {
            format: "series",
            problem: "there is no head: this is no series file".to_owned(),
            offset: None,
        }),
    }
}
