//! Writes PNG through the stream writer of the `png` crate: one stream, so rows come in order through one sink.

use crate::{Compression, FormatError, Output, RowSink, Target, Wanted, Writer};
use ::png::{BitDepth, ColorType, DeflateCompression, Encoder, Filter, StreamWriter};
use plimsoll_core::budget::{Budget, Layout};
use plimsoll_core::pipeline::plan::{Each, Place};
use plimsoll_core::pipeline::{Need, Sink};
use plimsoll_core::shape::{Rows, SampleKind, Shape};
use plimsoll_core::strip::Strip;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

/// Compressed bytes of a chunk, written at once.
const CHUNK_BYTES: usize = 64 << 10;

/// The heap's share beside rows and chunk: what the stream writer takes when it is made (deflate state, its 32 KiB
/// output, header facts). A test counts it.
const DEFLATE_BYTES: u64 = 404 << 10;

/// Effort of Deflate. Measured on 1600 x 1200 RGB of smooth fields, edges and 2 bits of noise, adaptive filters, one
/// core: level 1 makes 3815 kB at 40 MP/s, 2 2433 kB at 27, 3 2340 kB at 24, 4 2291 kB at 14, 6 2273 kB at 9. One
/// filter for all rows saves a fifth of the time and costs 4 percent of size.
const LEVEL: u8 = 3;

/// A file found possible.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    shape: Shape,
    colour: ColorType,
    compressed: bool,
}

impl Settings {
    pub(super) fn new(shape: Shape, wanted: Wanted) -> Result<Self, FormatError> {
        let Shape { rows, cols, bands, kind } = shape;
        let unsupported = |feature: String| Err(FormatError::Unsupported { format: "PNG", feature });
        let usage = |problem: String| Err(FormatError::Usage { format: "PNG", problem });
        if !matches!(kind, SampleKind::U8 | SampleKind::U16) {
            return unsupported(format!("{kind} (u8 and u16 are: `--do to:u8` or `--do to:u16`)"));
        }
        let colour = match bands {
            1 => ColorType::Grayscale,
            2 => ColorType::GrayscaleAlpha,
            3 => ColorType::Rgb,
            4 => ColorType::Rgba,
            _ => return unsupported(format!("{bands} bands (1 to 4 are: `--do bands:0,1,2`)")),
        };
        let most = i32::MAX as u32;
        if rows == 0 || cols == 0 || rows > most || cols > most || shape.image_bytes() > i64::MAX as u64 {
            return usage(format!("{cols} x {rows} pixels: 1 to {most} rows and columns are possible"));
        }
        let compressed = match wanted.compression {
            Compression::Usual | Compression::Deflate => true,
            Compression::None => false,
            Compression::Lzw | Compression::Zstd => {
                return usage("it is compressed with deflate or none, not LZW or Zstandard".to_string());
            }
        };
        if wanted.level.is_some() {
            return usage("its level of compression is fixed".to_string());
        }
        if wanted.tile.is_some() || wanted.file_strip_rows.is_some() || wanted.pyramid.is_some() {
            return usage("it has no tiles or file strips; TIFF has (`-o NAME.tif`)".to_string());
        }
        Ok(Self { shape, colour, compressed })
    }

    /// Bytes of the row in the file's byte order; none where a sample is one byte.
    fn swapped_row_bytes(&self) -> u64 {
        if self.shape.kind == SampleKind::U8 { 0 } else { self.shape.row_bytes() }
    }
}

impl Target for Settings {
    fn describe(&self) -> String {
        let how = if self.compressed { "deflate" } else { "uncompressed" };
        format!("PNG, {} bits, {how}", self.shape.kind.bytes() * 8)
    }

    fn ordered(&self) -> bool {
        true
    }

    fn needs(&self) -> Vec<Need> {
        // The stream writer holds this row, the one before and the filtered one.
        let rows = self.shape.row_bytes().saturating_mul(3);
        let fixed = CHUNK_BYTES as u64 + DEFLATE_BYTES + size_of::<InOrder<'_>>() as u64;
        let mut needs = vec![
            Need::fixed("PNG rows", rows, Each::Job, Place::Heap),
            Need::fixed("PNG deflate state", fixed, Each::Job, Place::Heap),
        ];
        let swapped = self.swapped_row_bytes();
        if swapped > 0 {
            let bytes = Layout::new().with::<u8>(swapped).bytes();
            needs.push(Need::fixed("byte order row", bytes, Each::Job, Place::Arena));
        }
        needs
    }

    fn file_bytes(&self) -> u64 {
        // Deflate spends at most 9 bits on a byte; each chunk has a frame of 12 bytes.
        let rows = u64::from(self.shape.rows);
        let stored = self.shape.image_bytes().saturating_add(rows);
        let deflated = stored.saturating_add(stored / 8).saturating_add(1024);
        deflated.saturating_add((deflated / CHUNK_BYTES as u64 + 1) * 12).saturating_add(64)
    }

    fn create(&self, output: Output) -> Result<Box<dyn Writer>, FormatError> {
        Ok(Box::new(File { settings: *self, output }))
    }
}

/// A file to be written: the header is written with the first row, as there is one sink only.
struct File {
    settings: Settings,
    output: Output,
}

impl Writer for File {
    fn sink<'a>(&'a self, _rows: Rows, budget: &mut Budget<'a>) -> Result<RowSink<'a>, FormatError> {
        let settings = self.settings;
        let row_bytes = usize::try_from(settings.swapped_row_bytes()).unwrap_or(usize::MAX);
        let swapped = budget.lease("byte order row", row_bytes)?;
        let failure = Failure::default();
        let append = Append { output: self.output.clone(), at: 0, failure: failure.clone() };
        let mut encoder = Encoder::new(append, settings.shape.cols, settings.shape.rows);
        encoder.set_color(settings.colour);
        let deep = settings.shape.kind == SampleKind::U16;
        encoder.set_depth(if deep { BitDepth::Sixteen } else { BitDepth::Eight });
        if settings.compressed {
            encoder.set_deflate_compression(DeflateCompression::Level(LEVEL));
            encoder.set_filter(Filter::Adaptive);
        } else {
            encoder.set_deflate_compression(DeflateCompression::NoCompression);
            encoder.set_filter(Filter::NoFilter);
        }
        let stream =
            encoder.write_header().and_then(|writer| writer.into_stream_writer_with_size(CHUNK_BYTES));
        let stream = stream.map_err(|error| failure.error(error.into()))?;
        Ok(Box::new(InOrder { settings, stream: Some(stream), swapped, failure }))
    }

    fn finish(self: Box<Self>) -> Result<(), FormatError> {
        Ok(())
    }
}

/// The device's error, kept here because the encoder swallows those that come while it is dropped.
#[derive(Clone, Default)]
struct Failure(Arc<Mutex<Option<(u64, io::Error)>>>);

impl Failure {
    fn keep(&self, offset: u64, error: io::Error) {
        let mut kept = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        kept.get_or_insert((offset, error));
    }

    fn take(&self) -> Option<FormatError> {
        let mut kept = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        kept.take().map(|(offset, error)| FormatError::write(offset, error))
    }

    /// The device's error if there was one, otherwise what the encoder says.
    fn error(&self, encoder: io::Error) -> FormatError {
        self.take().unwrap_or_else(|| FormatError::Usage { format: "PNG", problem: encoder.to_string() })
    }
}

/// Puts bytes behind one another.
struct Append {
    output: Output,
    at: u64,
    failure: Failure,
}

impl Write for Append {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Err(error) = self.output.write_at(self.at, bytes) {
            let kind = error.kind();
            self.failure.keep(self.at, error);
            return Err(kind.into());
        }
        self.at += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Takes the rows in order.
struct InOrder<'a> {
    settings: Settings,
    /// Until it is finished.
    stream: Option<StreamWriter<'static, Append>>,
    swapped: &'a mut [u8],
    failure: Failure,
}

impl Sink for InOrder<'_> {
    type Error = FormatError;

    fn write(&mut self, strip: &Strip<'_>) -> Result<(), FormatError> {
        let shape = self.settings.shape;
        let fits = strip.image() == shape && strip.cols() == shape.all_cols();
        let Some(stream) = self.stream.as_mut().filter(|_| fits) else {
            let problem = format!("rows of {} for a file of {shape}", strip.image());
            return Err(FormatError::Usage { format: "PNG", problem });
        };
        for row in strip.rows().iter() {
            let samples = strip.row_bytes(row);
            let stored = match shape.kind {
                SampleKind::U16 => {
                    for (to, from) in
                        self.swapped.as_chunks_mut::<2>().0.iter_mut().zip(strip.row::<u16>(row))
                    {
                        *to = from.to_be_bytes();
                    }
                    &*self.swapped
                }
                _ => samples,
            };
            stream.write_all(stored).map_err(|error| self.failure.error(error))?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), FormatError> {
        let Some(stream) = self.stream.take() else { return Ok(()) };
        stream.finish().map_err(|error| self.failure.error(error.into()))?;
        // The end of the file is written as the stream goes; its failure is found here only.
        self.failure.take().map_or(Ok(()), Err)
    }
}
