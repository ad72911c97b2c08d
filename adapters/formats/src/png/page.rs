//! The image of a PNG file: what its header says, and its rows.

use super::data::INFLATE_BYTES;
use super::expand::expand;
use super::header::{Colour, Header};
use super::interlace::PASSES;
use super::rows::StoredRows;
use crate::{Bytes, Facts, FormatError, Orientation, Page, Picture, RowSource};
use plimsoll_core::budget::{Budget, Layout};
use plimsoll_core::pipeline::plan::{Each, Place};
use plimsoll_core::pipeline::{Need, Source};
use plimsoll_core::shape::{Region, Shape};
use plimsoll_core::strip::StripMut;
use std::sync::Arc;

/// An opened file, which has one page.
pub(super) struct OnePage {
    inner: Arc<Image>,
}

impl OnePage {
    pub(super) fn open(bytes: Bytes) -> Result<Self, FormatError> {
        let header = Header::read(&bytes)?;
        let shape = header.shape();
        let colour = match header.colour {
            Colour::Palette => "palette",
            _ => match shape.bands {
                1 => "grey",
                2 => "grey+alpha",
                3 => "rgb",
                _ => "rgb+alpha",
            },
        };
        let mut more = vec![("stored bits", header.depth.to_string())];
        if header.key.is_some() {
            more.push(("transparency", "one colour".to_string()));
        }
        if !header.orientation.is_upright() {
            more.push(("orientation", "turned or mirrored (`--upright` undoes it)".to_string()));
        }
        if header.interlaced {
            more.push(("interlaced", "Adam7, held as a whole".to_string()));
        }
        let facts = Facts { shape, compression: "deflate", colour, unit_rows: header.rows, more };
        Ok(Self { inner: Arc::new(Image { bytes, header, facts }) })
    }
}

impl Picture for OnePage {
    fn format(&self) -> &'static str {
        "PNG"
    }

    fn page(&self, index: u32) -> Result<Option<Arc<dyn Page>>, FormatError> {
        Ok((index == 0).then(|| self.inner.clone() as Arc<dyn Page>))
    }
}

struct Image {
    bytes: Bytes,
    header: Header,
    facts: Facts,
}

/// Bytes of a region as it is given.
fn region_bytes(shape: Shape, region: Region) -> u64 {
    let row = u64::from(region.cols.len()) * shape.pixel_bytes() as u64;
    row.saturating_mul(u64::from(region.rows.len()))
}

impl Page for Image {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn orientation(&self) -> Orientation {
        self.header.orientation
    }

    fn needs(&self, region: Region) -> Vec<Need> {
        let rows = StoredRows::layout(&self.header).bytes();
        let heap = INFLATE_BYTES + size_of::<RowOrder<'_>>().max(size_of::<Interlaced<'_>>()) as u64;
        let mut needs = vec![
            Need::fixed("PNG rows", rows, Each::Worker, Place::Arena),
            Need::fixed("PNG inflate state", heap, Each::Worker, Place::Heap),
        ];
        if self.header.interlaced {
            let shape = self.facts.shape;
            let bytes =
                Layout::new().with::<u8>(shape.row_bytes()).with::<u8>(region_bytes(shape, region)).bytes();
            needs.push(Need::fixed("interlaced PNG as a whole", bytes, Each::Worker, Place::Arena));
        }
        needs
    }

    fn source<'a>(&'a self, region: Region, budget: &mut Budget<'a>) -> Result<RowSource<'a>, FormatError> {
        let shape = self.facts.shape;
        if !shape.all_rows().covers(region.rows) || !shape.all_cols().covers(region.cols) {
            let problem = format!("{region} is not within {shape}");
            return Err(FormatError::Usage { format: "PNG", problem });
        }
        let stored = StoredRows::new(&self.bytes, &self.header, budget)?;
        let rows = RowOrder { stored, header: &self.header, next: 0 };
        if !self.header.interlaced {
            return Ok(Box::new(rows));
        }
        let usize_of = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        let row = budget.lease("interlaced PNG row", usize_of(shape.row_bytes()))?;
        let whole = budget.lease("interlaced PNG as a whole", usize_of(region_bytes(shape, region)))?;
        Ok(Box::new(Interlaced { rows, region, row, whole, read: false }))
    }
}

/// Rows as they come out of the stream.
struct RowOrder<'a> {
    stored: StoredRows<'a>,
    header: &'a Header,
    next: u32,
}

impl Source for RowOrder<'_> {
    type Error = FormatError;

    fn shape(&self) -> Shape {
        self.header.shape()
    }

    fn read(&mut self, strip: &mut StripMut<'_>) -> Result<(), FormatError> {
        let cols = strip.cols().start() as usize..strip.cols().end() as usize;
        for row in strip.rows().iter() {
            while self.next < row {
                self.stored.next(self.header.cols)?;
                self.next += 1;
            }
            let stored = self.stored.next(self.header.cols)?;
            expand(self.header, stored, cols.clone(), strip.row_bytes_mut(row));
            self.next += 1;
            if self.next == self.header.rows {
                self.stored.finish()?;
            }
        }
        Ok(())
    }
}

/// The region, put together from seven passes when the first of its rows is asked for.
struct Interlaced<'a> {
    rows: RowOrder<'a>,
    region: Region,
    /// One row of a pass as it is given.
    row: &'a mut [u8],
    whole: &'a mut [u8],
    read: bool,
}

impl Interlaced<'_> {
    fn read_whole(&mut self) -> Result<(), FormatError> {
        let header = self.rows.header;
        let pixel = header.shape().pixel_bytes();
        let (rows, cols) = (self.region.rows, self.region.cols);
        let line_bytes = cols.len() as usize * pixel;
        for pass in PASSES {
            let (pass_cols, pass_rows) = (pass.cols(header.cols), pass.rows(header.rows));
            if pass_cols == 0 {
                continue;
            }
            self.rows.stored.begin();
            for index in 0..pass_rows {
                let stored = self.rows.stored.next(pass_cols)?;
                let row = pass.first_row + index * pass.row_step;
                if !rows.contains(row) {
                    continue;
                }
                let given = &mut self.row[..pass_cols as usize * pixel];
                expand(header, stored, 0..pass_cols as usize, given);
                let line = (row - rows.start()) as usize * line_bytes;
                let line = &mut self.whole[line..line + line_bytes];
                let columns = (pass.first_col..header.cols).step_by(pass.col_step as usize);
                for (col, from) in columns.zip(given.chunks_exact(pixel)) {
                    if cols.contains(col) {
                        let at = (col - cols.start()) as usize * pixel;
                        line[at..at + pixel].copy_from_slice(from);
                    }
                }
            }
        }
        self.rows.stored.finish()
    }
}

impl Source for Interlaced<'_> {
    type Error = FormatError;

    fn shape(&self) -> Shape {
        self.rows.shape()
    }

    fn read(&mut self, strip: &mut StripMut<'_>) -> Result<(), FormatError> {
        if !self.read {
            self.read_whole()?;
            self.read = true;
        }
        let pixel = self.shape().pixel_bytes();
        let line_bytes = self.region.cols.len() as usize * pixel;
        let skip = strip.cols().start().saturating_sub(self.region.cols.start()) as usize * pixel;
        for row in strip.rows().iter() {
            let start = row.saturating_sub(self.region.rows.start()) as usize * line_bytes + skip;
            let out = strip.row_bytes_mut(row);
            if let Some(from) = self.whole.get(start..start + out.len()) {
                out.copy_from_slice(from);
            }
        }
        Ok(())
    }
}
