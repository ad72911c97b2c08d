//! Files built field by field by the book.

use super::encode::encode;
use super::words::Words;
use plimsoll_core::shape::Region;

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
    pub(crate) words: Words,
    /// Where the offset of the next directory goes.
    link: usize,
}

impl Builder {
    pub(crate) fn new(big_endian: bool, big: bool) -> Self {
        let mut words = Words::new(big_endian, big);
        let link = words.bytes.len();
        words.push(words.word(), 0);
        Self { words, link }
    }

    /// Adds data and returns where it lies.
    pub(crate) fn data(&mut self, data: &[u8]) -> u64 {
        let at = self.words.at();
        self.words.bytes.extend_from_slice(data);
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
            let data: Vec<u8> = values.iter().flat_map(|value| self.words.number(width, *value)).collect();
            let word = self.words.word();
            let mut entry = self.words.number(2, u64::from(*tag));
            entry.extend(self.words.number(2, u64::from(*kind)));
            entry.extend(self.words.number(word, values.len() as u64));
            if data.len() <= word {
                entry.extend(&data);
                entry.resize(4 + 2 * word, 0);
            } else {
                let at = self.data(&data);
                entry.extend(self.words.number(word, at));
            }
            entries.push(entry);
        }
        let at = self.words.at();
        let link = self.words.number(self.words.word(), at);
        self.words.bytes[self.link..self.link + link.len()].copy_from_slice(&link);
        self.words.push(self.words.count_bytes(), fields.len() as u64);
        self.words.bytes.extend(entries.concat());
        self.link = self.words.bytes.len();
        self.words.push(self.words.word(), 0);
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
    builder.words.bytes
}
