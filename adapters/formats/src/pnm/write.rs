//! Writes PGM, PPM, PAM and PFM: the header first, then every row at the place that its number decides.
//!
//! Rows need no order between them, so each worker writes its own band.

use super::Netpbm;
use crate::{Compression, FormatError, Output, RowSink, Target, Wanted, Writer};
use plimsoll_core::budget::Budget;
use plimsoll_core::pipeline::plan::{Each, Place};
use plimsoll_core::pipeline::{Need, Sink};
use plimsoll_core::shape::{Rows, SampleKind, Shape};
use plimsoll_core::strip::Strip;

/// Bytes put into the file's order and written at once, for samples of several bytes.
const SCRATCH_BYTES: usize = 64 << 10;

/// A file found possible: its header and where each row goes.
#[derive(Clone)]
pub(super) struct Layout {
    name: &'static str,
    shape: Shape,
    header: String,
    /// The last row comes first.
    bottom_up: bool,
}

impl Layout {
    pub(super) fn new(family: Netpbm, shape: Shape, wanted: Wanted) -> Result<Self, FormatError> {
        use SampleKind::{F32, U8, U16};
        let format = crate::Format::name(&family);
        let Shape { rows, cols, bands, kind } = shape;
        let usage = |problem: String| Err(FormatError::Usage { format, problem });
        let unsupported = |feature: String| Err(FormatError::Unsupported { format, feature });
        if rows == 0 || cols == 0 || bands == 0 {
            return usage(format!("an image of {shape} has no samples"));
        }
        if !matches!(wanted.compression, Compression::Usual | Compression::None) {
            return usage("it cannot be compressed; PNG or TIFF can (`-o NAME.png`)".to_string());
        }
        if wanted.tile.is_some() || wanted.file_strip_rows.is_some() || wanted.pyramid.is_some() {
            return usage("it has no tiles or file strips; TIFF has (`-o NAME.tif`)".to_string());
        }
        let maxval = if kind == U8 { 255 } else { 65535 };
        let (name, header) = match (family, kind) {
            (Netpbm::Pfm, F32) if matches!(bands, 1 | 3) => {
                let magic = if bands == 1 { "Pf" } else { "PF" };
                ("PFM", format!("{magic}\n{cols} {rows}\n-1.0\n"))
            }
            (Netpbm::Pfm, F32) => {
                return unsupported(format!(
                    "{bands} bands (1 and 3 are: `--do bands:0` or `--do bands:0,1,2`)"
                ));
            }
            (Netpbm::Pfm, other) => return unsupported(format!("{other} (f32 is: `--do to:f32`)")),
            (Netpbm::Pnm, U8 | U16) if bands == 1 => ("PGM", format!("P5\n{cols} {rows}\n{maxval}\n")),
            (Netpbm::Pnm, U8 | U16) if bands == 3 => ("PPM", format!("P6\n{cols} {rows}\n{maxval}\n")),
            (_, U8 | U16) => {
                let tuple = match bands {
                    1 => "TUPLTYPE GRAYSCALE\n",
                    2 => "TUPLTYPE GRAYSCALE_ALPHA\n",
                    3 => "TUPLTYPE RGB\n",
                    4 => "TUPLTYPE RGB_ALPHA\n",
                    _ => "",
                };
                let sizes = format!("WIDTH {cols}\nHEIGHT {rows}\nDEPTH {bands}\nMAXVAL {maxval}\n");
                ("PAM", format!("P7\n{sizes}{tuple}ENDHDR\n"))
            }
            (_, F32) => {
                return unsupported("f32 (u16 is: `--do to:u16`; or write PFM: `-o NAME.pfm`)".to_string());
            }
            (_, other) => return unsupported(format!("{other} (u8 and u16 are: `--do to:u16`)")),
        };
        Ok(Self { name, shape, header, bottom_up: name == "PFM" })
    }

    /// Where row `row` begins.
    fn offset(&self, row: u32) -> u64 {
        let place = if self.bottom_up { self.shape.rows - 1 - row } else { row };
        (self.header.len() as u64).saturating_add(u64::from(place).saturating_mul(self.shape.row_bytes()))
    }

    fn scratch_bytes(&self) -> usize {
        if self.shape.kind == SampleKind::U8 { 0 } else { SCRATCH_BYTES }
    }
}

impl Target for Layout {
    fn describe(&self) -> String {
        format!("{}, {} bits, uncompressed", self.name, self.shape.kind.bytes() * 8)
    }

    fn ordered(&self) -> bool {
        false
    }

    fn needs(&self) -> Vec<Need> {
        let (writer, sink) = (size_of::<File>() + self.header.len(), size_of::<Band<'_>>());
        let scratch = self.scratch_bytes();
        let mut needs = vec![
            Need::fixed("PNM writer", writer as u64, Each::Job, Place::Heap),
            Need::fixed("PNM sink", sink as u64, Each::Worker, Place::Heap),
        ];
        if scratch > 0 {
            needs.push(Need::fixed("byte order scratch", scratch as u64, Each::Worker, Place::Arena));
        }
        needs
    }

    fn file_bytes(&self) -> u64 {
        (self.header.len() as u64).saturating_add(self.shape.image_bytes())
    }

    fn create(&self, output: Output) -> Result<Box<dyn Writer>, FormatError> {
        output.write_at(0, self.header.as_bytes()).map_err(|error| FormatError::write(0, error))?;
        Ok(Box::new(File { layout: self.clone(), output }))
    }
}

/// A file whose header is written.
struct File {
    layout: Layout,
    output: Output,
}

impl Writer for File {
    fn sink<'a>(&'a self, _rows: Rows, budget: &mut Budget<'a>) -> Result<RowSink<'a>, FormatError> {
        let scratch = budget.lease("byte order scratch", self.layout.scratch_bytes())?;
        Ok(Box::new(Band { file: self, scratch }))
    }

    fn finish(self: Box<Self>) -> Result<(), FormatError> {
        Ok(())
    }
}

/// Writes the rows of one worker.
struct Band<'a> {
    file: &'a File,
    scratch: &'a mut [u8],
}

impl Band<'_> {
    /// Writes samples that lie together in the file, in its byte order.
    fn put(&mut self, mut offset: u64, samples: &[u8]) -> Result<(), FormatError> {
        let kind = self.file.layout.shape.kind;
        let output = &self.file.output;
        if kind == SampleKind::U8 {
            return output.write_at(offset, samples).map_err(|error| FormatError::write(offset, error));
        }
        for part in samples.chunks(self.scratch.len().max(1)) {
            let stored = &mut self.scratch[..part.len()];
            stored.copy_from_slice(part);
            match kind {
                SampleKind::U16 => {
                    for word in stored.as_chunks_mut::<2>().0 {
                        *word = u16::from_ne_bytes(*word).to_be_bytes();
                    }
                }
                _ => {
                    for float in stored.as_chunks_mut::<4>().0 {
                        *float = u32::from_ne_bytes(*float).to_le_bytes();
                    }
                }
            }
            output.write_at(offset, stored).map_err(|error| FormatError::write(offset, error))?;
            offset += part.len() as u64;
        }
        Ok(())
    }
}

impl Sink for Band<'_> {
    type Error = FormatError;

    fn write(&mut self, strip: &Strip<'_>) -> Result<(), FormatError> {
        let layout = &self.file.layout;
        let rows = strip.rows();
        if strip.image() != layout.shape || strip.cols() != layout.shape.all_cols() {
            let problem = format!("rows of {} for a file of {}", strip.image(), layout.shape);
            return Err(FormatError::Usage { format: layout.name, problem });
        }
        if layout.bottom_up {
            for row in rows.iter() {
                self.put(self.file.layout.offset(row), strip.row_bytes(row))?;
            }
            return Ok(());
        }
        let mut offset = layout.offset(rows.start());
        for part in strip.parts() {
            if !part.is_empty() {
                self.put(offset, part)?;
                offset += part.len() as u64;
            }
        }
        Ok(())
    }
}
