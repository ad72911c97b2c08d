//! Pictures in one file strip that is larger than any memory, made and checked in the memory of a row, for
//! `huge_strip.sh` and the tests of single strips.
//!
//! usage: `huge-strip make OUT.tif ROWS COLS none|lzw|deflate`, `huge-strip check IN.pgm ROWS COLS`

use flate2::Compression;
use flate2::write::ZlibEncoder;
use std::error::Error;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::process::ExitCode;
use weezl::BitOrder;
use weezl::encode::Encoder;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse().unwrap_or(0);
    let result = match words[..] {
        ["make", path, rows, cols, packing] => make(path, number(rows), number(cols), packing),
        ["check", path, rows, cols] => check(path, number(rows), number(cols)),
        _ => Err("usage: huge-strip make OUT.tif ROWS COLS none|lzw|deflate | check IN.pgm ROWS COLS".into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("huge-strip: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The samples of a row: patches that tell rows and columns apart, and a little noise every so often.
fn fill(row: u64, into: &mut [u8]) {
    for (patch, x) in into.chunks_mut(61).zip(0u64..) {
        patch.fill((row * 7 + row / 256 * 3 + x * 29) as u8);
    }
    if row.is_multiple_of(64) {
        let mut seed = row as u32;
        for sample in into {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *sample = (seed >> 24) as u8;
        }
    }
}

/// The samples of all rows, as a stream.
struct Rows {
    row: Vec<u8>,
    at: usize,
    next: u64,
    rows: u64,
}

impl Rows {
    fn new(rows: u64, cols: u64) -> Self {
        let row = vec![0; cols as usize];
        Self { at: row.len(), row, next: 0, rows }
    }
}

impl Read for Rows {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at == self.row.len() {
            if self.next == self.rows {
                return Ok(0);
            }
            fill(self.next, &mut self.row);
            (self.next, self.at) = (self.next + 1, 0);
        }
        let n = into.len().min(self.row.len() - self.at);
        into[..n].copy_from_slice(&self.row[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}

/// A BigTIFF whose data comes first and whose directory comes last.
fn make(path: &str, rows: u64, cols: u64, packing: &str) -> Result<(), Box<dyn Error>> {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    file.write_all(b"II+\0\x08\0\0\0")?;
    file.write_all(&[0; 8])?;
    let mut source = BufReader::with_capacity(1 << 20, Rows::new(rows, cols));
    let compression = match packing {
        "none" => {
            io::copy(&mut source, &mut file)?;
            1
        }
        "deflate" => {
            let mut encoder = ZlibEncoder::new(&mut file, Compression::new(1));
            io::copy(&mut source, &mut encoder)?;
            encoder.finish()?;
            8
        }
        "lzw" => {
            let mut encoder = Encoder::with_tiff_size_switch(BitOrder::Msb, 8);
            encoder.into_stream(&mut file).encode_all(source).status?;
            5
        }
        other => return Err(format!("no packing {other}").into()),
    };
    let data = file.stream_position()? - 16;
    file.write_all(&[0; 8][..data.next_multiple_of(8) as usize - data as usize])?;
    let directory = file.stream_position()?;
    let fields: [(u16, u16, u64); 8] = [
        (256, 16, cols),
        (257, 16, rows),
        (258, 3, 8),
        (259, 3, compression),
        (262, 3, 1),
        (273, 16, 16),
        (277, 3, 1),
        (279, 16, data),
    ];
    file.write_all(&(fields.len() as u64).to_le_bytes())?;
    for (tag, kind, value) in fields {
        file.write_all(&tag.to_le_bytes())?;
        file.write_all(&kind.to_le_bytes())?;
        file.write_all(&1u64.to_le_bytes())?;
        file.write_all(&value.to_le_bytes())?;
    }
    file.write_all(&[0; 8])?;
    file.seek(SeekFrom::Start(8))?;
    file.write_all(&directory.to_le_bytes())?;
    file.flush()?;
    Ok(())
}

/// Every sample of a PGM against what was stored.
fn check(path: &str, rows: u64, cols: u64) -> Result<(), Box<dyn Error>> {
    let mut file = BufReader::with_capacity(1 << 20, File::open(path)?);
    let header = format!("P5\n{cols} {rows}\n255\n");
    let mut found = vec![0; header.len()];
    file.read_exact(&mut found)?;
    if found != header.as_bytes() {
        return Err(format!("{path} does not begin with {header:?}").into());
    }
    let (mut expected, mut found) = (vec![0; cols as usize], vec![0; cols as usize]);
    for row in 0..rows {
        fill(row, &mut expected);
        file.read_exact(&mut found)?;
        if let Some(at) = expected.iter().zip(&found).position(|(expected, found)| expected != found) {
            return Err(
                format!("row {row}, column {at}: {} where {} was stored", found[at], expected[at]).into()
            );
        }
    }
    match file.read(&mut [0])? {
        0 => Ok(()),
        _ => Err("there is more behind the last row".into()),
    }
}
