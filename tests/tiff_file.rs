//! Writes TIFF by the book (TIFF 6.0, and Adobe's technical note for Deflate), one row of units after the other: the
//! tests' inputs, independent of the code under test.

use crate::{Kind, Picture};
use flate2::write::ZlibEncoder;
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;
use weezl::BitOrder;

/// How the units of a file are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// As they are.
    None,
    /// LZW.
    Lzw,
    /// Deflate.
    Deflate,
}

/// How a picture is stored.
#[derive(Clone, Copy, Debug)]
pub struct Storage {
    /// Side of square tiles, a multiple of 16; strips if absent.
    pub tile: Option<u32>,
    /// Rows of a file strip.
    pub strip_rows: u32,
    /// Packing of each unit.
    pub packing: Packing,
    /// How the rows should be seen, as TIFF counts it: 1 as they are stored.
    pub orientation: u16,
}

impl Storage {
    /// Strips of `strip_rows`.
    pub const fn strips(strip_rows: u32, packing: Packing) -> Self {
        Self { tile: None, strip_rows, packing, orientation: 1 }
    }

    /// Tiles of `side` x `side`.
    pub const fn tiles(side: u32, packing: Packing) -> Self {
        Self { tile: Some(side), strip_rows: side, packing, orientation: 1 }
    }

    /// The same to be seen in another way.
    pub const fn seen(self, orientation: u16) -> Self {
        Self { orientation, ..self }
    }

    /// Rows that a unit covers.
    pub fn unit_rows(&self) -> u32 {
        self.tile.unwrap_or(self.strip_rows)
    }
}

/// A file being written. It must stay below 4 GiB.
pub(crate) struct TiffFile {
    file: File,
    picture: Picture,
    storage: Storage,
    offset: u64,
    units: Vec<(u32, u32)>,
}

/// A classic TIFF ends where its 32-bit offsets do.
fn small(value: u64) -> io::Result<u32> {
    u32::try_from(value).map_err(|_| io::Error::other("this file would need BigTIFF"))
}

impl TiffFile {
    pub(crate) fn create(path: &Path, picture: &Picture, storage: &Storage) -> io::Result<Self> {
        let mut file = File::create(path)?;
        // The directory's place is filled in at the end.
        file.write_all(b"II*\0\0\0\0\0")?;
        Ok(Self { file, picture: *picture, storage: *storage, offset: 8, units: Vec::new() })
    }

    /// Takes the rows of the next row of units (all of a unit's height but at the end of the picture).
    pub(crate) fn units(&mut self, rows: &[u8]) -> io::Result<()> {
        let Some(side) = self.storage.tile else { return self.unit(rows) };
        let pixel = usize::from(self.picture.bands) * self.picture.kind.bytes();
        let (tile_row, row) = (side as usize * pixel, self.picture.row_bytes());
        for left in (0..row).step_by(tile_row) {
            let mut tile = vec![0; tile_row * side as usize];
            for (to, from) in tile.chunks_exact_mut(tile_row).zip(rows.chunks_exact(row)) {
                let part = &from[left..(left + tile_row).min(row)];
                to[..part.len()].copy_from_slice(part);
            }
            self.unit(&tile)?;
        }
        Ok(())
    }

    fn unit(&mut self, samples: &[u8]) -> io::Result<()> {
        let packed = match self.storage.packing {
            Packing::None => None,
            Packing::Lzw => {
                let mut encoder = weezl::encode::Encoder::with_tiff_size_switch(BitOrder::Msb, 8);
                Some(encoder.encode(samples).map_err(io::Error::other)?)
            }
            Packing::Deflate => {
                let mut encoder = ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(samples)?;
                Some(encoder.finish()?)
            }
        };
        let bytes = packed.as_deref().unwrap_or(samples);
        self.units.push((small(self.offset)?, small(bytes.len() as u64)?));
        self.file.write_all(bytes)?;
        self.offset += bytes.len() as u64;
        // Directory and tables begin on a word boundary, and so may units.
        if self.offset % 2 == 1 {
            self.file.write_all(&[0])?;
            self.offset += 1;
        }
        Ok(())
    }

    /// Writes tables and directory.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        let Picture { rows, cols, bands, kind } = self.picture;
        let bits = vec![8 * kind.bytes() as u32; bands.into()];
        let format = vec![if kind == Kind::F32 { 3 } else { 1 }; bands.into()];
        let packing = match self.storage.packing {
            Packing::None => 1,
            Packing::Lzw => 5,
            Packing::Deflate => 8,
        };
        let (offsets, counts) = self.units.iter().copied().unzip();
        // Photometric interpretation: 2 is RGB, 1 is grey with 0 for black.
        let colours: u16 = if bands >= 3 { 3 } else { 1 };
        let mut fields: Vec<(u16, u16, Vec<u32>)> = vec![
            (256, 4, vec![cols]),
            (257, 4, vec![rows]),
            (258, 3, bits),
            (259, 3, vec![packing]),
            (262, 3, vec![if colours == 3 { 2 } else { 1 }]),
            (274, 3, vec![self.storage.orientation.into()]),
            (277, 3, vec![bands.into()]),
            (284, 3, vec![1]),
            (339, 3, format),
        ];
        if bands > colours {
            // The first one is unassociated alpha, what others mean is not said.
            let meaning = |band: u16| if band == colours { 2 } else { 0 };
            fields.push((338, 3, (colours..bands).map(meaning).collect()));
        }
        match self.storage.tile {
            Some(side) => fields.extend([
                (322, 4, vec![side]),
                (323, 4, vec![side]),
                (324, 4, offsets),
                (325, 4, counts),
            ]),
            None => {
                fields.extend([(273, 4, offsets), (278, 4, vec![self.storage.strip_rows]), (279, 4, counts)])
            }
        }
        fields.sort();
        let mut directory = (fields.len() as u16).to_le_bytes().to_vec();
        for (tag, kind, values) in &fields {
            let bytes: Vec<u8> = match kind {
                3 => values.iter().flat_map(|value| (*value as u16).to_le_bytes()).collect(),
                _ => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            };
            directory.extend(tag.to_le_bytes());
            directory.extend(kind.to_le_bytes());
            directory.extend((values.len() as u32).to_le_bytes());
            if bytes.len() <= 4 {
                directory.extend(&bytes);
                directory.resize(directory.len() + 4 - bytes.len(), 0);
            } else {
                directory.extend(small(self.offset)?.to_le_bytes());
                self.file.write_all(&bytes)?;
                self.offset += bytes.len() as u64;
            }
        }
        directory.extend([0; 4]);
        self.file.write_all(&directory)?;
        self.file.seek(SeekFrom::Start(4))?;
        self.file.write_all(&small(self.offset)?.to_le_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tiff::decoder::{Decoder, DecodingResult};

    #[test]
    fn another_reader_finds_the_same_samples() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tif");
        for (bands, kind) in [(1, Kind::U16), (3, Kind::U8), (4, Kind::U8), (1, Kind::F32), (3, Kind::F32)] {
            let picture = Picture::new(37, 45, bands, kind);
            for packing in [Packing::None, Packing::Lzw, Packing::Deflate] {
                for storage in [Storage::strips(5, packing), Storage::tiles(16, packing)] {
                    // The crate misses the end of some LZW tiles that libtiff reads.
                    if packing == Packing::Lzw && storage.tile.is_some() {
                        continue;
                    }
                    picture.write_tiff(&path, &storage).unwrap();
                    let mut decoder = Decoder::new(File::open(&path).unwrap()).unwrap();
                    let found = decoder.read_image();
                    let samples: Vec<u8> =
                        match found.unwrap_or_else(|error| panic!("{bands} {kind:?} {storage:?}: {error}")) {
                            DecodingResult::U8(samples) => samples,
                            DecodingResult::U16(samples) => {
                                samples.iter().flat_map(|x| x.to_le_bytes()).collect()
                            }
                            DecodingResult::F32(samples) => {
                                samples.iter().flat_map(|x| x.to_le_bytes()).collect()
                            }
                            other => panic!("{other:?}"),
                        };
                    assert!(samples == picture.samples(), "{bands} {kind:?} {storage:?}");
                }
            }
        }
    }
}
