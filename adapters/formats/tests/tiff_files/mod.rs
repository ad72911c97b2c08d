//! For tests of TIFF: files built field by field by the book, and a reader that collects rows under the exact memory
//! that a page states.
#![allow(dead_code, reason = "each test file uses a part")]

use plimsoll_core::budget::{ALIGN, Budget};
use plimsoll_core::bytes::ReadAt;
use plimsoll_core::pipeline::plan::Place;
use plimsoll_core::shape::{Region, Rows};
use plimsoll_core::strip::StripMut;
use plimsoll_formats::{Bytes, Format, FormatError, Page, Tiff};
use std::io;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A file in memory that counts what is read of it.
pub(crate) struct Counted {
    pub(crate) bytes: Vec<u8>,
    pub(crate) calls: AtomicU64,
    pub(crate) read: AtomicU64,
}

impl Counted {
    pub(crate) fn new(bytes: Vec<u8>) -> Arc<Self> {
        Arc::new(Self { bytes, calls: AtomicU64::new(0), read: AtomicU64::new(0) })
    }
}

impl ReadAt for Counted {
    type Error = io::Error;

    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.read.fetch_add(into.len() as u64, Ordering::Relaxed);
        self.bytes.as_slice().read_at(offset, into).map_err(io::Error::other)
    }
}

/// The page of a file in memory.
pub(crate) fn page(bytes: Vec<u8>, index: u32) -> Result<Arc<dyn Page>, FormatError> {
    let bytes: Bytes = Counted::new(bytes);
    let picture = Tiff.open(bytes)?;
    picture.page(index)?.ok_or(FormatError::Malformed {
        format: "test",
        problem: "no such page".to_string(),
        offset: None,
    })
}

/// The most bytes that `read` lets a file ask for: hostile headers ask for more and are refused as a plan would.
pub(crate) const MOST_BYTES: u64 = 64 << 20;

/// Bytes in the arena that a page states for a region.
pub(crate) fn arena_bytes(page: &dyn Page, region: Region) -> u64 {
    let needs = page.needs(region);
    needs.iter().filter(|need| need.place == Place::Arena).fold(0, |sum, need| sum.saturating_add(need.bytes))
}

/// All needs of a page for a region, in bytes.
pub(crate) fn total_bytes(page: &dyn Page, region: Region) -> u64 {
    page.needs(region).iter().fold(0, |sum, need| sum.saturating_add(need.bytes))
}

/// The bytes of a region's rows, read in strips of `strip_rows`, in an arena of exactly what the page states.
/// `None` if that is more than `MOST_BYTES`.
pub(crate) fn read(page: &dyn Page, region: Region, strip_rows: u32) -> Option<Result<Vec<u8>, FormatError>> {
    let shape = page.facts().shape;
    let row_bytes = u64::from(region.cols.len()) * shape.pixel_bytes() as u64;
    let out_bytes = row_bytes.checked_mul(u64::from(region.rows.len()))?;
    if out_bytes > MOST_BYTES || total_bytes(page, region) > MOST_BYTES {
        return None;
    }
    let arena_bytes = arena_bytes(page, region) as usize;
    let mut arena = vec![0xa5u8; arena_bytes + ALIGN];
    let skip = arena.as_ptr().align_offset(ALIGN);
    let mut budget = Budget::new(&mut arena[skip..skip + arena_bytes]);
    let mut source = match page.source(region, &mut budget) {
        Ok(source) => source,
        Err(error) => return Some(Err(error)),
    };
    assert_eq!(budget.stats().peak, arena_bytes, "the source leases what the page states");
    assert_eq!(source.shape(), shape);
    // One slot more than a strip has rows, so that strips wrap around their ring.
    let slots = strip_rows.min(region.rows.len()) as usize + 1;
    let mut ring = vec![0x5au64; (slots * row_bytes as usize).div_ceil(8)];
    let ring = &mut bytemuck::cast_slice_mut::<u64, u8>(&mut ring)[..slots * row_bytes as usize];
    let mut out = Vec::with_capacity(out_bytes as usize);
    let mut row = region.rows.start();
    while row < region.rows.end() {
        let rows = Rows::new(row, row.saturating_add(strip_rows).min(region.rows.end()));
        let mut strip = StripMut::new(ring, region.with_rows(rows), shape).expect("the ring holds a strip");
        if let Err(error) = source.read(&mut strip) {
            return Some(Err(error));
        }
        for row in rows.iter() {
            out.extend_from_slice(strip.as_strip().row_bytes(row));
        }
        row = rows.end();
    }
    Some(Ok(out))
}

/// Reads a whole page.
pub(crate) fn read_whole(page: &dyn Page, strip_rows: u32) -> Option<Result<Vec<u8>, FormatError>> {
    read(page, page.facts().shape.region(), strip_rows)
}

/// Pixels: samples of `width` bytes, each as a little-endian number.
#[derive(Clone, Debug)]
pub(crate) struct Pixels {
    pub(crate) rows: u32,
    pub(crate) cols: u32,
    pub(crate) bands: u16,
    pub(crate) width: usize,
    /// `SampleFormat`: 1 unsigned, 2 signed, 3 float.
    pub(crate) format: u64,
    pub(crate) bytes: Vec<u8>,
}

impl Pixels {
    /// A gradient with noise in the low bits, so that every method finds something and nothing is constant.
    pub(crate) fn new(rows: u32, cols: u32, bands: u16, width: usize, format: u64) -> Self {
        let mut seed = rows ^ cols << 8 ^ u32::from(bands) << 16;
        let mut bytes = Vec::new();
        for y in 0..rows {
            for x in 0..cols {
                for b in 0..bands {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let value = u64::from(y * 3 + x * 5 + u32::from(b) * 40 + (seed >> 29));
                    match (format, width) {
                        (3, 4) => bytes.extend((value as f32 / 7.0 - 3.0).to_le_bytes()),
                        (3, 8) => bytes.extend((value as f64 / 7.0 - 3.0).to_le_bytes()),
                        _ => bytes.extend_from_slice(
                            &(value.wrapping_mul(0x0103_0107_0101)).to_le_bytes()[..width],
                        ),
                    }
                }
            }
        }
        Self { rows, cols, bands, width, format, bytes }
    }

    /// The bytes of a region, in this machine's order.
    pub(crate) fn region(&self, region: Region) -> Vec<u8> {
        let pixel = usize::from(self.bands) * self.width;
        let mut out = Vec::new();
        for row in region.rows.iter() {
            let start = (row as usize * self.cols as usize + region.cols.start() as usize) * pixel;
            out.extend_from_slice(&self.bytes[start..start + region.cols.len() as usize * pixel]);
        }
        if cfg!(target_endian = "big") {
            out.chunks_exact_mut(self.width).for_each(<[u8]>::reverse);
        }
        out
    }
}

/// How pixels are stored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Storage {
    pub(crate) big_endian: bool,
    pub(crate) big: bool,
    /// Width and height of tiles.
    pub(crate) tile: Option<(u32, u32)>,
    pub(crate) strip_rows: u32,
    pub(crate) planar: bool,
    pub(crate) compression: u64,
    pub(crate) predictor: u64,
    /// Field type of the tables: 3 SHORT, 4 LONG, 13 IFD, 16 LONG8, 18 IFD8.
    pub(crate) table_type: u16,
}

impl Default for Storage {
    fn default() -> Self {
        Self {
            big_endian: false,
            big: false,
            tile: None,
            strip_rows: 5,
            planar: false,
            compression: 1,
            predictor: 1,
            table_type: 4,
        }
    }
}

/// A file being put together.
pub(crate) struct Builder {
    pub(crate) bytes: Vec<u8>,
    big_endian: bool,
    big: bool,
    /// Where the offset of the next directory goes.
    link: usize,
}

impl Builder {
    pub(crate) fn new(big_endian: bool, big: bool) -> Self {
        let mut builder = Self { bytes: Vec::new(), big_endian, big, link: 0 };
        builder.bytes.extend(if big_endian { b"MM" } else { b"II" });
        builder.push(2, if big { 43 } else { 42 });
        if big {
            builder.push(2, 8);
            builder.push(2, 0);
        }
        builder.link = builder.bytes.len();
        builder.push(builder.word(), 0);
        builder
    }

    fn word(&self) -> usize {
        if self.big { 8 } else { 4 }
    }

    fn number(&self, width: usize, value: u64) -> Vec<u8> {
        let mut bytes = value.to_le_bytes()[..width].to_vec();
        if self.big_endian {
            bytes.reverse();
        }
        bytes
    }

    fn push(&mut self, width: usize, value: u64) {
        let bytes = self.number(width, value);
        self.bytes.extend(bytes);
    }

    /// Adds data and returns where it lies.
    pub(crate) fn data(&mut self, data: &[u8]) -> u64 {
        let at = self.bytes.len() as u64;
        self.bytes.extend_from_slice(data);
        at
    }

    /// Adds a directory of fields (tag, type, values) at the end of the chain. Returns where it lies.
    pub(crate) fn directory(&mut self, fields: &[(u16, u16, Vec<u64>)]) -> u64 {
        let mut fields = fields.to_vec();
        fields.sort();
        let mut entries = Vec::new();
        for (tag, kind, values) in &fields {
            let width = match kind {
                1 | 2 | 7 => 1,
                3 => 2,
                4 | 13 => 4,
                _ => 8,
            };
            let data: Vec<u8> = values.iter().flat_map(|value| self.number(width, *value)).collect();
            let word = self.word();
            let mut entry = self.number(2, u64::from(*tag));
            entry.extend(self.number(2, u64::from(*kind)));
            entry.extend(self.number(word, values.len() as u64));
            if data.len() <= word {
                entry.extend(&data);
                entry.resize(4 + 2 * word, 0);
            } else {
                let at = self.data(&data);
                entry.extend(self.number(word, at));
            }
            entries.push(entry);
        }
        let at = self.bytes.len() as u64;
        let link = self.number(self.word(), at);
        self.bytes[self.link..self.link + link.len()].copy_from_slice(&link);
        self.push(if self.big { 8 } else { 2 }, fields.len() as u64);
        self.bytes.extend(entries.concat());
        self.link = self.bytes.len();
        self.push(self.word(), 0);
        at
    }

    /// Adds a page. Returns its fields without writing them, for tests that change some.
    pub(crate) fn page_fields(&mut self, pixels: &Pixels, storage: &Storage) -> Vec<(u16, u16, Vec<u64>)> {
        let (units, bands) = self.units(pixels, storage);
        let mut offsets = Vec::new();
        let mut counts = Vec::new();
        for unit in units {
            let data = encode(&unit, pixels, storage, bands);
            counts.push(data.len() as u64);
            offsets.push(self.data(&data));
        }
        let mut fields = vec![
            (256, 4, vec![u64::from(pixels.cols)]),
            (257, 4, vec![u64::from(pixels.rows)]),
            (258, 3, vec![pixels.width as u64 * 8; usize::from(pixels.bands)]),
            (259, 3, vec![storage.compression]),
            (262, 3, vec![if pixels.bands >= 3 { 2 } else { 1 }]),
            (277, 3, vec![u64::from(pixels.bands)]),
            (284, 3, vec![if storage.planar { 2 } else { 1 }]),
            (339, 3, vec![pixels.format; usize::from(pixels.bands)]),
        ];
        if pixels.bands == 2 || pixels.bands > 3 {
            let extra = if pixels.bands == 2 { 1 } else { usize::from(pixels.bands) - 3 };
            fields.push((338, 3, vec![2; extra]));
        }
        if storage.predictor != 1 {
            fields.push((317, 3, vec![storage.predictor]));
        }
        if let Some((cols, rows)) = storage.tile {
            fields.push((322, 3, vec![u64::from(cols)]));
            fields.push((323, 3, vec![u64::from(rows)]));
            fields.push((324, storage.table_type, offsets));
            fields.push((325, storage.table_type, counts));
        } else {
            fields.push((278, 3, vec![u64::from(storage.strip_rows)]));
            fields.push((273, storage.table_type, offsets));
            fields.push((279, storage.table_type, counts));
        }
        fields
    }

    /// The samples of all units in order, little-endian, tiles padded; and the bands of a unit.
    fn units(&self, pixels: &Pixels, storage: &Storage) -> (Vec<Vec<u8>>, usize) {
        let (unit_cols, unit_rows) = storage.tile.unwrap_or((pixels.cols, storage.strip_rows));
        let planes = if storage.planar { usize::from(pixels.bands) } else { 1 };
        let bands = usize::from(pixels.bands) / planes;
        let mut units = Vec::new();
        for plane in 0..planes {
            for top in (0..pixels.rows).step_by(unit_rows as usize) {
                for left in (0..pixels.cols).step_by(unit_cols as usize) {
                    let mut unit = Vec::new();
                    for y in top..top + unit_rows {
                        if storage.tile.is_none() && y >= pixels.rows {
                            break;
                        }
                        for x in left..left + unit_cols {
                            for band in plane * bands..(plane + 1) * bands {
                                let inside = y < pixels.rows && x < pixels.cols;
                                let pixel = y as usize * pixels.cols as usize + x as usize;
                                let at = (pixel * usize::from(pixels.bands) + band) * pixels.width;
                                match inside {
                                    true => unit.extend_from_slice(&pixels.bytes[at..at + pixels.width]),
                                    false => unit.extend_from_slice(&[0xee; 8][..pixels.width]),
                                }
                            }
                        }
                    }
                    units.push(unit);
                }
            }
        }
        (units, bands)
    }
}

/// A file of one page.
pub(crate) fn build(pixels: &Pixels, storage: &Storage) -> Vec<u8> {
    let mut builder = Builder::new(storage.big_endian, storage.big);
    let fields = builder.page_fields(pixels, storage);
    builder.directory(&fields);
    builder.bytes
}

/// Predictor, byte order and compression of one unit, each in its most obvious form.
fn encode(unit: &[u8], pixels: &Pixels, storage: &Storage, bands: usize) -> Vec<u8> {
    let cols = storage.tile.map_or(pixels.cols, |(cols, _)| cols) as usize;
    let width = pixels.width;
    let mut data = Vec::new();
    for row in unit.chunks(cols * bands * width) {
        let number = |at: usize| {
            row[at * width..][..width].iter().rev().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte))
        };
        let samples = row.len() / width;
        if storage.predictor == 3 {
            let mut bytes = vec![0; row.len()];
            for at in 0..samples {
                for weight in 0..width {
                    bytes[weight * samples + at] = row[at * width + width - 1 - weight];
                }
            }
            for at in (bands..bytes.len()).rev() {
                bytes[at] = bytes[at].wrapping_sub(bytes[at - bands]);
            }
            data.extend(bytes);
            continue;
        }
        for at in 0..samples {
            let left = if storage.predictor == 2 && at >= bands { number(at - bands) } else { 0 };
            let mut bytes = number(at).wrapping_sub(left).to_le_bytes()[..width].to_vec();
            if storage.big_endian {
                bytes.reverse();
            }
            data.extend(bytes);
        }
    }
    match storage.compression {
        5 => weezl::encode::Encoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8)
            .encode(&data)
            .expect("bytes can be encoded"),
        8 | 32946 => {
            let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(6));
            encoder.write_all(&data).expect("a vector takes all");
            encoder.finish().expect("a vector takes all")
        }
        32773 => pack_bits(&data, cols * bands * width),
        _ => data,
    }
}

/// Row by row: a run of equal bytes where there is one, else single literals in runs of up to 128.
fn pack_bits(data: &[u8], row_bytes: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for row in data.chunks(row_bytes) {
        let mut at = 0;
        while at < row.len() {
            let equal = row[at..].iter().take(128).take_while(|byte| **byte == row[at]).count();
            if equal > 1 {
                out.extend([(1 - equal as i32) as i8 as u8, row[at]]);
                at += equal;
            } else {
                let end = row.len().min(at + 128);
                let literal =
                    (at + 1..end).find(|n| *n + 1 < end && row[*n] == row[*n + 1]).unwrap_or(end) - at;
                out.push(literal as u8 - 1);
                out.extend_from_slice(&row[at..at + literal]);
                at += literal;
            }
        }
    }
    out
}
