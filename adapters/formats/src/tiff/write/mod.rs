//! Writing TIFF and BigTIFF: decides how a picture is stored, and what that costs in memory.
//!
//! Uncompressed pixels lie at offsets that are known beforehand, so each worker writes its own band (`plain`).
//! Compressed units follow each other in order, through one sink whose compressors work beside it (`packed`). The
//! bytes of a file depend on the pixels and on what was asked for, never on budget, strips or threads. Little-endian
//! on every machine.

mod block;
mod codec;
mod form;
mod grid;
mod halving;
mod ifd;
mod order;
mod packed;
mod plain;
mod predictor;
mod zstd;

use crate::{Compression, FormatError, Target, Wanted};
use codec::Packing;
use form::Form;
use grid::Grid;
use plimsoll_core::shape::Shape;

/// Bytes of an uncompressed file strip whose rows the caller leaves open.
const PLAIN_STRIP_BYTES: u64 = 512 << 10;
/// Side of a pyramid's tiles, if the caller leaves it open.
const PYRAMID_TILE: u32 = 256;
/// Bytes of a file strip before compression, if the caller leaves its rows open.
const PACKED_STRIP_BYTES: u64 = 256 << 10;

/// Whether and how a picture of this shape becomes a TIFF.
///
/// One band is grey, two are grey and alpha, three RGB, four RGB and alpha (unassociated), more are grey and extra
/// samples. Compressed integers are stored as horizontal differences, compressed floats with the floating-point
/// predictor. File strips have `wanted.file_strip_rows` rows, or as many as fit 512 KiB (256 KiB if compressed); tiles
/// at the edges are padded with zeros. It is a BigTIFF if a classic one could get too large for its 32-bit offsets.
///
/// # Errors
/// [`FormatError::Usage`] for an image without pixels or beyond 2^62 bytes, for a tile that is no multiple of 16 up to
/// 4096, for file strips of no rows, for both at once, and for units of more than 1 GiB to be compressed.
pub(super) fn target(shape: Shape, wanted: Wanted) -> Result<Box<dyn Target>, FormatError> {
    let packing = packing(wanted)?;
    let strip_bytes = if packing.is_some() { PACKED_STRIP_BYTES } else { PLAIN_STRIP_BYTES };
    let tile = wanted.tile.or(wanted.pyramid.map(|_| PYRAMID_TILE));
    let grid = Grid::new(shape, Wanted { tile, ..wanted }, strip_bytes)?;
    let packing = packing.or(wanted.pyramid.map(|_| Packing::Stored));
    Ok(match packing {
        None => Box::new(plain::Plain::new(Form::new(grid, None, &wanted, None), wanted.beside)),
        Some(packing) => Box::new(packed::Packed::new(grid, packing, &wanted, None)?),
    })
}

/// How units are compressed; `None` if they are not.
fn packing(wanted: Wanted) -> Result<Option<Packing>, FormatError> {
    let level = |most: u8| match wanted.level {
        Some(level) if !(1..=most).contains(&level) => {
            Err(usage(format!("compression level {level}; 1 to {most} are possible")))
        }
        level => Ok(level),
    };
    Ok(match wanted.compression {
        Compression::Deflate => Some(level(9)?.map_or(Packing::DEFLATE, Packing::Deflate)),
        Compression::Zstd => Some(level(zstd::MOST_LEVEL)?.map_or(Packing::ZSTD, Packing::Zstd)),
        _ if wanted.level.is_some() => {
            return Err(usage("a compression level; deflate and zstd have some".to_owned()));
        }
        Compression::Lzw => Some(Packing::Lzw),
        Compression::Usual | Compression::None => None,
    })
}

/// What was asked for makes no sense.
fn usage(problem: String) -> FormatError {
    FormatError::Usage { format: "TIFF", problem }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Output, WriteAt};
    use plimsoll_core::budget::Budget;
    use plimsoll_core::shape::SampleKind;
    use plimsoll_core::strip::Strip;
    use std::io::Cursor;
    use std::sync::{Arc, Mutex};
    use tiff::decoder::{Decoder, DecodingResult};

    #[derive(Default)]
    struct Memory(Mutex<Vec<u8>>);

    impl WriteAt for Memory {
        fn write_at(&self, offset: u64, bytes: &[u8]) -> std::io::Result<()> {
            let mut file = self.0.lock().unwrap();
            let end = offset as usize + bytes.len();
            let len = file.len().max(end);
            file.resize(len, 0xEE);
            file[offset as usize..end].copy_from_slice(bytes);
            Ok(())
        }
    }

    /// The form of files too large for a test, on small ones.
    #[test]
    fn bigtiffs_come_back() {
        let shape = Shape::new(100, 90, 3, SampleKind::U16);
        let image: Vec<u8> = (0..shape.image_bytes()).map(|index| ((index * index) >> 7) as u8).collect();
        for tile in [None, Some(32)] {
            for packing in [None, Some(Packing::Lzw), Some(Packing::DEFLATE)] {
                let wanted =
                    Wanted { tile, file_strip_rows: tile.is_none().then_some(9), ..Wanted::default() };
                let wanted = Wanted { beside: 1 << 32, compressors: 1, ..wanted };
                let grid = Grid::new(shape, wanted, 0).unwrap();
                let target: Box<dyn Target> = match packing {
                    None => Box::new(plain::Plain::new(Form::new(grid, None, &wanted, None), wanted.beside)),
                    Some(packing) => Box::new(packed::Packed::new(grid, packing, &wanted, None).unwrap()),
                };
                assert!(target.describe().starts_with("BigTIFF"));
                let memory = Arc::new(Memory::default());
                let writer = target.create(Arc::clone(&memory) as Output).unwrap();
                let mut arena = vec![0; 300 << 10];
                let mut sink = writer.sink(shape.all_rows(), &mut Budget::new(&mut arena)).unwrap();
                sink.write(&Strip::new(&image, shape.region(), shape).unwrap()).unwrap();
                sink.finish().unwrap();
                drop(sink);
                writer.finish().unwrap();
                let file = std::mem::take(&mut *memory.0.lock().unwrap());
                assert_eq!(file[..8], *b"II\x2B\0\x08\0\0\0");
                let mut decoder = Decoder::new(Cursor::new(&file)).unwrap();
                let DecodingResult::U16(samples) = decoder.read_image().unwrap() else {
                    panic!("another kind")
                };
                let native: Vec<u8> = samples.iter().flat_map(|sample| sample.to_ne_bytes()).collect();
                assert!(native == image, "{}", target.describe());
            }
        }
    }
}
