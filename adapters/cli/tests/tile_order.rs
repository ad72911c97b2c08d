//! Outputs that are written tile after tile: what is verified and hashed of them costs a tile and not a row of tiles, and
//! says what it would say in any other order.

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
