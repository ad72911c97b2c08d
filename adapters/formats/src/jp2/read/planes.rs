//! From a tile's planes to pixels: interleaved, looked up, and samples that stand for several pixels spread over them, be these
//! of the same tile or of the next one.
//!
//! Where a component has a sample for every second pixel, pixel `p` takes sample `p / 2`, rounded down, both counted from
//! the grid's origin; before the image's first sample it is 0. So does OpenJPEG's own program.

use super::channels::Channels;
use crate::jp2::codestream::Header;
use crate::jp2::codestream::header::Component;
use plimsoll_core::shape::{SampleKind, Span};

/// How decoded planes, one after the other, become pixels.
#[derive(Clone, Copy)]
pub(super) struct Planes<'a> {
    pub(super) header: &'a Header,
    pub(super) channels: &'a Channels,
    pub(super) reduce: u8,
}

/// A run of a component's samples, and the pixels that they become.
struct Spread<'a> {
    samples: &'a [u8],
    /// Pixels before the first sample.
    missing: usize,
    /// Pixels of the first sample, and of the others.
    first: usize,
    pixels: usize,
}

impl Planes<'_> {
    /// Rows of a row of tiles.
    pub(super) fn rows(&self, row: u32) -> Span {
        self.header.tile_span(1, row, self.reduce)
    }

    /// Bytes of a tile's planes.
    pub(super) fn tile_bytes(&self, tile: [u32; 2]) -> usize {
        usize::try_from(self.header.tile_bytes(tile, self.reduce)).unwrap_or(usize::MAX)
    }

    /// Columns `cols` of row `row` of the image, interleaved, into `out`, where the tile at this column and row of tiles holds
    /// all of their samples.
    pub(super) fn row(&self, tile: [u32; 2], planes: &[u8], row: u32, cols: Span, out: &mut [u8]) {
        self.gather(tile, planes, row, cols, out);
        self.complete(out);
    }

    /// Makes pixels of which all samples are there what the image has.
    pub(super) fn complete(&self, pixels: &mut [u8]) {
        if let Some(ycc) = self.channels.ycc {
            ycc.to_rgb(self.channels.kind, self.channels.bands.len(), pixels);
        }
    }

    /// What the tile at this column and row of tiles has of columns `cols` of row `row` of the image, interleaved, into
    /// `out`; what it does not have is left as it is.
    pub(super) fn gather(&self, tile: [u32; 2], planes: &[u8], row: u32, cols: Span, out: &mut [u8]) {
        let (kind, bands) = (self.channels.kind, self.channels.bands.len());
        let pixel = kind.bytes() * bands;
        // Planes follow each other as components do, and most bands, too.
        let (mut next, mut before) = (0, 0);
        for (place, band) in self.channels.bands.iter().enumerate() {
            let Some(component) = self.header.components.get(band.component) else { continue };
            if band.component < next {
                (next, before) = (0, 0);
            }
            let between = self.header.components.get(next..band.component).unwrap_or_default();
            before += between.iter().map(|component| self.plane_bytes(component, tile)).sum::<usize>();
            next = band.component;
            let held = [0, 1].map(|axis| self.header.pixels(component, axis, tile[axis], self.reduce));
            let cols_held = held[0].intersect(cols);
            if cols_held.is_empty() || !held[1].contains(row) {
                continue;
            }
            let start = (cols_held.start() - cols.start()) as usize * pixel;
            let out = out.get_mut(start..start + cols_held.len() as usize * pixel).unwrap_or_default();
            let plane = planes.get(before..before + self.plane_bytes(component, tile)).unwrap_or_default();
            let spread = self.spread(component, tile, plane, row, cols_held);
            let bytes = component.bytes();
            if let (Some(column), Some(palette)) = (band.column, &self.channels.palette) {
                put(&spread, component, kind, bands, place, out, |index| {
                    i64::from(palette.value(index.max(0) as u32, column))
                });
            } else if bytes == kind.bytes() && spread.pixels == 1 && spread.missing == 0 {
                match bytes {
                    1 => scatter::<1>(spread.samples, bands, place, out),
                    2 => scatter::<2>(spread.samples, bands, place, out),
                    _ => scatter::<4>(spread.samples, bands, place, out),
                }
            } else {
                put(&spread, component, kind, bands, place, out, |value| value);
            }
        }
    }

    fn plane_bytes(&self, component: &Component, tile: [u32; 2]) -> usize {
        let len = |axis: usize| self.header.samples(component, axis, tile[axis], self.reduce).len() as usize;
        len(0) * len(1) * component.bytes()
    }

    /// The samples of a row's columns.
    fn spread<'p>(
        &self,
        component: &Component,
        tile: [u32; 2],
        plane: &'p [u8],
        row: u32,
        cols: Span,
    ) -> Spread<'p> {
        let pixels = self.header.pixels_a_sample(component);
        let samples = [0, 1].map(|axis| self.header.samples(component, axis, tile[axis], self.reduce));
        let [left, top] = [0, 1].map(|axis| self.header.first(axis, self.reduce));
        let (at, end, row) = (left + cols.start(), left + cols.end(), (top + row) / pixels[1]);
        // Only before the image's first sample are there pixels without one.
        let from = at.max(samples[0].start().saturating_mul(pixels[0])).min(end);
        let missing = if samples[1].contains(row) { from - at } else { cols.len() };
        let wanted = Span::new(from / pixels[0], end.div_ceil(pixels[0])).intersect(samples[0]);
        let line = row.saturating_sub(samples[1].start()) as usize * samples[0].len() as usize;
        let bytes = component.bytes();
        let start = (line + wanted.start().saturating_sub(samples[0].start()) as usize) * bytes;
        let len = if missing == cols.len() { 0 } else { wanted.len() as usize * bytes };
        Spread {
            samples: plane.get(start..start + len).unwrap_or_default(),
            missing: missing as usize,
            first: (pixels[0] - from % pixels[0]) as usize,
            pixels: pixels[0] as usize,
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

/// Samples that are looked up, widened or spread.
fn put(
    spread: &Spread<'_>,
    component: &Component,
    kind: SampleKind,
    bands: usize,
    place: usize,
    out: &mut [u8],
    map: impl Fn(i64) -> i64,
) {
    let width = kind.bytes();
    let mut pixels = out.chunks_exact_mut((width * bands).max(1));
    let set = |pixel: &mut [u8], value: i64| {
        let Some(into) = pixel.get_mut(place * width..(place + 1) * width) else { return };
        match width {
            1 => into.copy_from_slice(&(value as u8).to_ne_bytes()),
            2 => into.copy_from_slice(&(value as u16).to_ne_bytes()),
            _ => into.copy_from_slice(&(value as u32).to_ne_bytes()),
        }
    };
    pixels.by_ref().take(spread.missing).for_each(|pixel| set(pixel, map(0)));
    let mut times = spread.first;
    for sample in spread.samples.chunks_exact(component.bytes()) {
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
        pixels.by_ref().take(times).for_each(|pixel| set(pixel, value));
        times = spread.pixels;
    }
}
