//! Rows out of tiles: a row of tiles is decoded, tile after tile, when the first of its rows is asked for.

use super::channels::Channels;
use super::tile::Tiles;
use crate::FormatError;
use crate::jp2::codestream::Header;
use crate::jp2::codestream::header::Component;
use plimsoll_core::pipeline::Source;
use plimsoll_core::shape::{Region, SampleKind, Shape, Span};
use plimsoll_core::strip::StripMut;

/// A source of rows.
pub(super) struct TileRows<'a> {
    pub(super) tiles: Tiles<'a>,
    pub(super) header: &'a Header,
    pub(super) channels: &'a Channels,
    pub(super) reduce: u8,
    pub(super) shape: Shape,
    pub(super) region: Region,
    /// Columns of tiles that share pixels with the region.
    pub(super) across: Span,
    /// A decoded tile, plane after plane.
    pub(super) tile: &'a mut [u8],
    /// The region's part of a row of tiles; empty where one tile holds it.
    pub(super) band: &'a mut [u8],
    /// The row of tiles that is decoded.
    pub(super) at: Option<u32>,
}

impl Source for TileRows<'_> {
    type Error = FormatError;

    fn shape(&self) -> Shape {
        self.shape
    }

    fn read(&mut self, strip: &mut StripMut<'_>) -> Result<(), FormatError> {
        let cols = strip.cols();
        for row in strip.rows().iter() {
            let rows = self.go_to(row)?;
            let out = strip.row_bytes_mut(row);
            let down = row - rows.start();
            if self.across.len() == 1 {
                let span = self.header.tile_span(0, self.across.start(), self.reduce);
                let plane =
                    Plane { channels: self.channels, header: self.header, size: [span.len(), rows.len()] };
                let wanted = Span::new(cols.start() - span.start(), cols.end() - span.start());
                plane.row(self.tile, down, wanted, out);
            } else {
                let pixel = self.shape.pixel_bytes();
                let line = self.region.cols.len() as usize * pixel;
                let skip = (cols.start() - self.region.cols.start()) as usize * pixel;
                let from = down as usize * line + skip;
                let from = self.band.get(from..from + out.len());
                out.copy_from_slice(from.unwrap_or_default());
            }
        }
        Ok(())
    }
}

impl TileRows<'_> {
    /// Makes the row of tiles that holds `row` the decoded one, and gives its rows.
    fn go_to(&mut self, row: u32) -> Result<Span, FormatError> {
        if let Some(at) = self.at {
            let rows = self.header.tile_span(1, at, self.reduce);
            if rows.contains(row) {
                return Ok(rows);
            }
        }
        let down = self.header.tiles_along(1);
        let next = self.at.map_or(0, |at| at + 1);
        let holds = |index: &u32| self.header.tile_span(1, *index, self.reduce).contains(row);
        // In row order it is the next one or soon after; a source may also go back.
        let index = (next..down).chain(0..next.min(down)).find(holds).unwrap_or(0);
        let rows = self.header.tile_span(1, index, self.reduce);
        self.at = None;
        for column in self.across.iter() {
            let span = self.header.tile_span(0, column, self.reduce);
            let size = [span.len(), rows.len()];
            let samples: usize = self.header.components.iter().map(Component::bytes).sum();
            let bytes = size[0] as usize * size[1] as usize * samples;
            let tile = self.tile.get_mut(..bytes).unwrap_or_default();
            if bytes > 0 {
                self.tiles.decode(column, index, tile)?;
            }
            if self.across.len() == 1 {
                break;
            }
            let shared = span.intersect(self.region.cols);
            let pixel = self.shape.pixel_bytes();
            let line = self.region.cols.len() as usize * pixel;
            let plane = Plane { channels: self.channels, header: self.header, size };
            let wanted = Span::new(shared.start() - span.start(), shared.end() - span.start());
            let start = (shared.start() - self.region.cols.start()) as usize * pixel;
            for (row, line) in self.band.chunks_exact_mut(line.max(1)).enumerate().take(size[1] as usize) {
                let out = line.get_mut(start..start + shared.len() as usize * pixel).unwrap_or_default();
                plane.row(tile, row as u32, wanted, out);
            }
        }
        self.at = Some(index);
        Ok(rows)
    }
}

/// Decoded planes of `size` columns and rows each, one after the other.
pub(super) struct Plane<'a> {
    pub(super) channels: &'a Channels,
    pub(super) header: &'a Header,
    pub(super) size: [u32; 2],
}

impl Plane<'_> {
    /// Columns `cols` of row `row`, interleaved, into `out`.
    pub(super) fn row(&self, planes: &[u8], row: u32, cols: Span, out: &mut [u8]) {
        self.gather(planes, row, cols, out);
        if let Some(ycc) = self.channels.ycc {
            ycc.to_rgb(self.channels.kind, self.channels.bands.len(), out);
        }
    }

    fn gather(&self, planes: &[u8], row: u32, cols: Span, out: &mut [u8]) {
        let kind = self.channels.kind;
        let (width, plane) = (self.size[0] as usize, self.size[0] as usize * self.size[1] as usize);
        for (place, band) in self.channels.bands.iter().enumerate() {
            let before: usize = self
                .header
                .components
                .iter()
                .take(band.component)
                .map(|component| component.bytes() * plane)
                .sum();
            let Some(component) = self.header.components.get(band.component) else { continue };
            let bytes = component.bytes();
            let from = before + (row as usize * width + cols.start() as usize) * bytes;
            let line = planes.get(from..from + cols.len() as usize * bytes).unwrap_or_default();
            let bands = self.channels.bands.len();
            if let (Some(column), Some(palette)) = (band.column, &self.channels.palette) {
                put(line, component, kind, bands, place, out, |index| {
                    i64::from(palette.value(index.max(0) as u32, column))
                });
            } else if bytes == kind.bytes() {
                match bytes {
                    1 => scatter::<1>(line, bands, place, out),
                    2 => scatter::<2>(line, bands, place, out),
                    _ => scatter::<4>(line, bands, place, out),
                }
            } else {
                put(line, component, kind, bands, place, out, |value| value);
            }
        }
    }
}

/// Samples that are stored as they are given.
fn scatter<const BYTES: usize>(line: &[u8], bands: usize, place: usize, out: &mut [u8]) {
    let (samples, _) = line.as_chunks::<BYTES>();
    let (places, _) = out.as_chunks_mut::<BYTES>();
    match bands {
        1 => scatter_of::<BYTES, 1>(samples, place, places),
        3 => scatter_of::<BYTES, 3>(samples, place, places),
        4 => scatter_of::<BYTES, 4>(samples, place, places),
        _ => {
            for (sample, pixel) in samples.iter().zip(places.chunks_exact_mut(bands.max(1))) {
                if let Some(into) = pixel.get_mut(place) {
                    *into = *sample;
                }
            }
        }
    }
}

fn scatter_of<const BYTES: usize, const BANDS: usize>(
    samples: &[[u8; BYTES]],
    place: usize,
    places: &mut [[u8; BYTES]],
) {
    let (pixels, _) = places.as_chunks_mut::<BANDS>();
    let place = place.min(BANDS - 1);
    for (sample, pixel) in samples.iter().zip(pixels) {
        pixel[place] = *sample;
    }
}

/// Samples that are looked up or widened.
fn put(
    line: &[u8],
    component: &Component,
    kind: SampleKind,
    bands: usize,
    place: usize,
    out: &mut [u8],
    map: impl Fn(i64) -> i64,
) {
    let width = kind.bytes();
    let pixels = out.chunks_exact_mut((width * bands).max(1));
    for (sample, pixel) in line.chunks_exact(component.bytes()).zip(pixels) {
        let value = match (sample, component.signed) {
            ([a], false) => i64::from(*a),
            ([a], true) => i64::from(*a as i8),
            ([a, b], false) => i64::from(u16::from_ne_bytes([*a, *b])),
            ([a, b], true) => i64::from(i16::from_ne_bytes([*a, *b])),
            ([a, b, c, d], false) => i64::from(u32::from_ne_bytes([*a, *b, *c, *d])),
            ([a, b, c, d], true) => i64::from(i32::from_ne_bytes([*a, *b, *c, *d])),
            _ => 0,
        };
        let value = map(value);
        let Some(into) = pixel.get_mut(place * width..(place + 1) * width) else { continue };
        match width {
            1 => into.copy_from_slice(&(value as u8).to_ne_bytes()),
            2 => into.copy_from_slice(&(value as u16).to_ne_bytes()),
            _ => into.copy_from_slice(&(value as u32).to_ne_bytes()),
        }
    }
}
