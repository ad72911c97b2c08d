//! Makes one of the tests' pictures at any size, in memory for one row of units, for `limits.sh`.
//!
//! usage: `make-picture OUT.tif ROWS COLS BANDS u8|u16|f32 strips|tiles UNIT_ROWS none|lzw|deflate`

use plimsoll_tests::{Kind, Packing, Picture, Storage};
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some((path, picture, storage)) = read(&words) else {
        eprintln!(
            "usage: make-picture OUT.tif ROWS COLS BANDS u8|u16|f32 strips|tiles UNIT_ROWS none|lzw|deflate"
        );
        return ExitCode::from(2);
    };
    match picture.write_tiff(path, &storage) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("make-picture: {}: {error}", path.display());
            ExitCode::from(5)
        }
    }
}

fn read(words: &[String]) -> Option<(&Path, Picture, Storage)> {
    let [path, rows, cols, bands, kind, units, unit_rows, packing] = words else { return None };
    let kind = match kind.as_str() {
        "u8" => Kind::U8,
        "u16" => Kind::U16,
        "f32" => Kind::F32,
        _ => return None,
    };
    let packing = match packing.as_str() {
        "none" => Packing::None,
        "lzw" => Packing::Lzw,
        "deflate" => Packing::Deflate,
        _ => return None,
    };
    let unit_rows = unit_rows.parse().ok().filter(|rows| *rows > 0)?;
    let storage = match units.as_str() {
        "strips" => Storage::strips(unit_rows, packing),
        "tiles" => Storage::tiles(unit_rows, packing),
        _ => return None,
    };
    Some((
        Path::new(path),
        Picture::new(rows.parse().ok()?, cols.parse().ok()?, bands.parse().ok()?, kind),
        storage,
    ))
}
