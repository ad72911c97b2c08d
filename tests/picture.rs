//! Deterministic pictures, row by row: gradients, fine texture and noise, so that nothing is constant and everything
//! compresses a little.

use crate::Storage;
use crate::tiff_file::TiffFile;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// The kinds of sample that test pictures have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Unsigned 8-bit.
    U8,
    /// Unsigned 16-bit.
    U16,
    /// Single precision, 0.0 to 1.0.
    F32,
}

impl Kind {
    /// Bytes of one sample.
    pub fn bytes(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::U16 => 2,
            Self::F32 => 4,
        }
    }
}

/// A picture that can be made row by row.
#[derive(Clone, Copy, Debug)]
pub struct Picture {
    /// Height.
    pub rows: u32,
    /// Width.
    pub cols: u32,
    /// Samples per pixel.
    pub bands: u16,
    /// Their kind.
    pub kind: Kind,
}

impl Picture {
    /// A picture of `rows` x `cols`.
    pub const fn new(rows: u32, cols: u32, bands: u16, kind: Kind) -> Self {
        Self { rows, cols, bands, kind }
    }

    /// Bytes of a row.
    pub fn row_bytes(&self) -> usize {
        self.cols as usize * usize::from(self.bands) * self.kind.bytes()
    }

    /// Bytes of all samples.
    pub fn bytes(&self) -> u64 {
        self.row_bytes() as u64 * u64::from(self.rows)
    }

    /// Appends row `y` to `row`: little-endian samples, bands interleaved.
    pub fn row_into(&self, y: u32, row: &mut Vec<u8>) {
        let mut noise = y.wrapping_mul(0x9e37_79b9) ^ 0x5bd1_e995;
        for x in 0..self.cols {
            for band in 0..u32::from(self.bands) {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let ramp =
                    y.wrapping_mul(29).wrapping_add(x.wrapping_mul(17)).wrapping_add(band * 9000) & 0x1_ffff;
                let gradient = if ramp > 0xffff { 0x1_ffff - ramp } else { ramp };
                let texture = ((x / 3 + y / 5) & 7) * 800;
                let value = (gradient * 7 / 8 + texture + (noise >> 21)).min(0xffff) as u16;
                match self.kind {
                    Kind::U8 => row.push((value >> 8) as u8),
                    Kind::U16 => row.extend(value.to_le_bytes()),
                    Kind::F32 => row.extend((f32::from(value) / 65535.0).to_le_bytes()),
                }
            }
        }
    }

    /// All samples, as [`row_into`](Self::row_into) gives them.
    pub fn samples(&self) -> Vec<u8> {
        let mut samples = Vec::with_capacity(self.bytes() as usize);
        (0..self.rows).for_each(|y| self.row_into(y, &mut samples));
        samples
    }

    /// Writes it as TIFF, stored as `storage` says, in memory for one row of units.
    ///
    /// # Errors
    /// The system's.
    pub fn write_tiff(&self, path: &Path, storage: &Storage) -> io::Result<()> {
        let mut file = TiffFile::create(path, self, storage)?;
        let mut rows = Vec::new();
        let mut start = 0;
        while start < self.rows {
            let end = start.saturating_add(storage.unit_rows()).min(self.rows);
            rows.clear();
            (start..end).for_each(|y| self.row_into(y, &mut rows));
            file.units(&rows)?;
            start = end;
        }
        file.finish()
    }

    /// Writes it as PGM (one band), PPM (three) or PAM (other numbers); floats as PFM.
    ///
    /// # Errors
    /// The system's.
    pub fn write_pnm(&self, path: &Path) -> io::Result<()> {
        let Self { rows, cols, bands, kind } = *self;
        let largest = if kind == Kind::U8 { 255 } else { 65535 };
        let mut file = BufWriter::new(File::create(path)?);
        match (kind, bands) {
            (Kind::F32, 1) => write!(file, "Pf\n{cols} {rows}\n-1.0\n")?,
            (Kind::F32, _) => write!(file, "PF\n{cols} {rows}\n-1.0\n")?,
            (_, 1) => write!(file, "P5\n{cols} {rows}\n{largest}\n")?,
            (_, 3) => write!(file, "P6\n{cols} {rows}\n{largest}\n")?,
            _ => write!(file, "P7\nWIDTH {cols}\nHEIGHT {rows}\nDEPTH {bands}\nMAXVAL {largest}\nENDHDR\n")?,
        }
        let mut row = Vec::new();
        for place in 0..rows {
            // The last row of a PFM comes first.
            let y = if kind == Kind::F32 { rows - 1 - place } else { place };
            row.clear();
            self.row_into(y, &mut row);
            if kind == Kind::U16 {
                row.as_chunks_mut::<2>().0.iter_mut().for_each(|sample| sample.reverse());
            }
            file.write_all(&row)?;
        }
        file.flush()
    }
}
