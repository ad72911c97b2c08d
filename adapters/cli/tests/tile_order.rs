//! Outputs that are written tile after tile: what is verified and hashed of them costs a tile and not a row of tiles,
//! and says what it would say in any other order.

mod command;

use command::Command;
use serde_json::Value;
use sha2::{Digest, Sha256};

const ROWS: usize = 700;
const COLS: usize = 6000;

/// A row of tiles of 512 is 9 MiB: no plan within this holds one beside a coder.
const WITHIN: &str = "14MiB";

fn samples() -> Vec<u8> {
    (0..ROWS * COLS * 3)
        .map(|at| ((at / 40) as u8).wrapping_add((at as u32).wrapping_mul(0x9e37_79b9).to_be_bytes()[0] & 7))
        .collect()
}

fn receipt(command: &Command) -> Value {
    serde_json::from_slice(&command.read("r.json")).expect("JSON")
}

fn picture(command: &Command) -> Vec<u8> {
    let samples = samples();
    let content = [format!("P6\n{COLS} {ROWS}\n255\n").into_bytes(), samples.clone()].concat();
    std::fs::write(command.path("in.ppm"), content).expect("the picture can be written");
    samples
}

#[test]
fn lossless_tiles_are_read_back_one_by_one_and_hashed_by_rows() {
    let command = Command::new();
    let samples = picture(&command);
    let expected: String = Sha256::digest(&samples).iter().map(|byte| format!("{byte:02x}")).collect();
    let line = format!("convert in.ppm -o out.jp2 --tile 512 --within {WITHIN} --workers 1");
    command.done(&format!("{line} --verify --receipt r.json"));
    let told = receipt(&command);
    assert_eq!(told["output"]["sha256_pixels"], expected);
    assert_eq!(told["output"]["quality"]["identical"], true, "{}", told["output"]);
    let (heap, planned) = (&told["actual"]["peak_heap_bytes"], &told["plan"]["heap_bytes"]);
    assert!(heap.as_u64().unwrap() <= planned.as_u64().unwrap(), "{heap} of {planned}");
    // The same by rows of tiles, where there is room for them.
    command
        .done("convert in.ppm -o b.jp2 --do invert --do invert --tile 512 --within 64MiB --receipt r.json");
    assert_eq!(receipt(&command)["output"]["sha256_pixels"], expected);
    // A source of tiles is read tile by tile, too.
    let line = "plan convert out.jp2 -o c.jp2 --tile 512 --within 16MiB --workers 1 --verify";
    let plan = command.done(line).stdout;
    assert!(plan.contains("one tile of 512 after the other"), "{plan}");
}

/// An uncompressed TIFF of strips of one row: its tables are as long as that many rows make them.
fn tiff(rows: usize, cols: usize) -> Vec<u8> {
    let row_bytes = cols * 3;
    let mut file = b"II*\0\0\0\0\0".to_vec();
    file.extend((0..rows * row_bytes).map(|at| (at as u32).wrapping_mul(0x9e37_79b9).to_be_bytes()[0]));
    let long = |number: usize| (number as u32).to_le_bytes();
    let offsets = file.len();
    (0..rows).for_each(|row| file.extend(long(8 + row * row_bytes)));
    let counts = file.len();
    (0..rows).for_each(|_| file.extend(long(row_bytes)));
    let bits = file.len();
    file.extend([8, 0, 8, 0, 8, 0]);
    let tags: [(u16, u16, usize, usize); 9] = [
        (256, 4, 1, cols),
        (257, 4, 1, rows),
        (258, 3, 3, bits),
        (259, 3, 1, 1),
        (262, 3, 1, 2),
        (273, 4, rows, offsets),
        (277, 3, 1, 3),
        (278, 4, 1, 1),
        (279, 4, rows, counts),
    ];
    let directory = file.len();
    file[4..8].copy_from_slice(&long(directory));
    file.extend((tags.len() as u16).to_le_bytes());
    for (tag, kind, count, value) in tags {
        file.extend([tag.to_le_bytes(), kind.to_le_bytes()].concat());
        file.extend([long(count), long(value)].concat());
    }
    file.extend(long(0));
    file
}

/// Columns of tiles share the tables of the source: pixels are read once, all else by the plan and by the run.
#[test]
fn tables_are_not_read_for_each_column_of_tiles() {
    let command = Command::new();
    let (rows, cols) = (3000, 800);
    std::fs::write(command.path("in.tif"), tiff(rows, cols)).expect("the picture can be written");
    for io in ["read", "mmap"] {
        let line =
            "convert in.tif -o out.jp2 --tile 64 --within 64MiB --workers 1 --overwrite --receipt r.json";
        command.done(&format!("{line} --io {io}"));
        let told = receipt(&command);
        assert!(told["plan"]["pass_plans"][0]["purpose"].as_str().unwrap().contains("after the other"));
        // What the hash of rows reads once more is counted apart.
        let read = told["input"]["bytes_read"].as_u64().unwrap();
        let (pixels, file) = ((rows * cols * 3) as u64, told["input"]["bytes"].as_u64().unwrap());
        assert!(read <= pixels + 2 * (file - pixels), "{io}: {read} bytes of {file}, {pixels} of pixels");
    }
}

#[test]
fn lossy_tiles_are_measured_as_rows_are() {
    let command = Command::new();
    picture(&command);
    command.done(&format!(
        "convert in.ppm -o out.jp2 --tile 512 --ratio 12 --within {WITHIN} --workers 1 --verify --min-psnr 20 --receipt r.json"
    ));
    let found = receipt(&command)["output"]["quality"].clone();
    command.done("compare in.ppm out.jp2 --within 64MiB --receipt c.json");
    let told: Value = serde_json::from_slice(&command.read("c.json")).expect("JSON");
    let overall = told["output"]["overall"].clone();
    for figure in ["mse", "psnr"] {
        let (a, b) = (found[figure].as_f64().unwrap(), overall[figure].as_f64().unwrap());
        assert!(a > 0.0 && a == b, "{figure}: {a} and {b}");
    }
}
