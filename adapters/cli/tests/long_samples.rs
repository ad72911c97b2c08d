//! Promise: samples of 64-bit integers pass the command bit for bit, and are measured and compared exactly; what cannot
//! hold them says so.
//!
//! Judges: files built by the book here, and read back field by field.

mod command;

use command::Command;
use serde_json::json;

/// A grey TIFF of one strip of little-endian samples; `format` is 1 without a sign and 2 with.
fn tiff(cols: u32, samples: &[u64], format: u16) -> Vec<u8> {
    let rows = samples.len() as u32 / cols;
    let fields: [(u16, u16, u32); 10] = [
        (256, 4, cols),
        (257, 4, rows),
        (258, 3, 64),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 8 + 2 + 10 * 12 + 4),
        (277, 3, 1),
        (278, 4, rows),
        (279, 4, samples.len() as u32 * 8),
        (339, 3, u32::from(format)),
    ];
    let mut file = b"II*\0\x08\0\0\0\x0a\0".to_vec();
    for (tag, kind, value) in fields {
        file.extend([tag.to_le_bytes(), kind.to_le_bytes(), [1, 0], [0; 2]].concat());
        file.extend(value.to_le_bytes());
    }
    file.extend([0; 4]);
    file.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    file
}

/// The value of a field of one number of a little-endian classic TIFF.
fn field(file: &[u8], tag: u16) -> Option<u32> {
    let long = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().expect("four bytes"));
    let short = |at: usize| u16::from_le_bytes([file[at], file[at + 1]]);
    let start = long(4) as usize;
    let entries = (0..usize::from(short(start))).map(|index| start + 2 + 12 * index);
    let entry = entries.into_iter().find(|entry| short(*entry) == tag)?;
    Some(if short(entry + 2) == 3 { u32::from(short(entry + 8)) } else { long(entry + 8) })
}

/// The samples of an uncompressed TIFF of one strip.
fn samples(file: &[u8]) -> Vec<u64> {
    let (at, bytes) = (field(file, 273).expect("offsets"), field(file, 279).expect("sizes"));
    let strip = &file[at as usize..][..bytes as usize];
    strip.as_chunks::<8>().0.iter().map(|sample| u64::from_le_bytes(*sample)).collect()
}

/// Numbers of which a double holds almost none, both ends among them.
fn noise(count: u64) -> Vec<u64> {
    let mut samples: Vec<u64> = (0..count).map(|at| (at + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
    (samples[3], samples[7], samples[11]) = (u64::MAX, 0, 1 << 63);
    samples
}

#[test]
fn every_bit_comes_back_from_every_form() {
    let command = Command::new();
    let stored = noise(53 * 37);
    for format in [1, 2] {
        std::fs::write(command.path("in.tif"), tiff(53, &stored, format)).expect("it can be written");
        assert!(command.done("info in.tif").stdout.contains(if format == 1 { "u64" } else { "i64" }));
        for form in [
            "",
            " --tile 16",
            " --compression lzw",
            " --compression deflate --tile 32",
            " --compression zstd",
        ] {
            command.done(&format!("convert in.tif -o packed.tif --within 8MiB --overwrite{form}"));
            let packed = command.read("packed.tif");
            assert_eq!(
                (field(&packed, 258), field(&packed, 339)),
                (Some(64), Some(u32::from(format))),
                "{form}"
            );
            let predictor = (form.contains("compression")).then_some(2);
            assert_eq!(field(&packed, 317), predictor, "{form}");
            command.done("convert packed.tif -o back.tif --within 8MiB --overwrite");
            assert_eq!(samples(&command.read("back.tif")), stored, "format {format},{form}");
        }
        command.done("convert in.tif -o part.tif --region 5,3,20,9 --overwrite --do flip --do invert");
        let part = samples(&command.read("part.tif"));
        let expected = (3..12).flat_map(|y| (5..25).rev().map(move |x| y * 53 + x));
        assert_eq!(part, expected.map(|at: usize| !stored[at]).collect::<Vec<_>>());
    }
}

#[test]
fn the_ends_and_the_difference_are_exact() {
    let command = Command::new();
    let mut stored: Vec<u64> = (0..64).map(|at| (1 << 60) + 3 * at).collect();
    std::fs::write(command.path("a.tif"), tiff(8, &stored, 1)).expect("it can be written");
    let found = command.json("stats a.tif --json");
    assert_eq!(found["kind"], "u64");
    assert_eq!(
        (&found["overall"]["min"], &found["overall"]["max"]),
        (&json!(1u64 << 60), &json!((1u64 << 60) + 189))
    );
    // Numbers in steps of 3: 3 sqrt((64^2 - 1) / 12), where sums of doubles would have nothing left.
    let deviation = found["overall"]["deviation"].as_f64().expect("a number");
    assert!((deviation - 3.0 * (4095.0f64 / 12.0).sqrt()).abs() < 1e-12, "{deviation}");
    assert!(command.done("stats a.tif").stdout.contains("min 1152921504606846976 max 1152921504606847165 "));
    stored[17] = u64::MAX;
    std::fs::write(command.path("b.tif"), tiff(8, &stored, 1)).expect("it can be written");
    let apart = u64::MAX - (1 << 60) - 51;
    let found = command.json("compare a.tif b.tif --json");
    assert_eq!(
        (&found["overall"]["max_difference"], &found["overall"]["differing"]),
        (&json!(apart), &json!(1))
    );
    assert!(
        command.done("compare a.tif b.tif").stdout.contains(&format!("max difference {apart} differing 1 "))
    );
    // Whole numbers as long as they are, however small.
    stored[17] = (1 << 60) + 50;
    std::fs::write(command.path("b.tif"), tiff(8, &stored, 1)).expect("it can be written");
    assert_eq!(command.json("compare a.tif b.tif --json")["overall"]["max_difference"], json!(1));
    let signed: Vec<u64> = [-5i64, i64::MIN + 1, 7, i64::MAX - 2].map(i64::cast_unsigned).to_vec();
    std::fs::write(command.path("c.tif"), tiff(2, &signed, 2)).expect("it can be written");
    let found = command.json("stats c.tif --json");
    assert_eq!(
        (&found["overall"]["min"], &found["overall"]["max"]),
        (&json!(i64::MIN + 1), &json!(i64::MAX - 2))
    );
}

#[test]
fn what_cannot_hold_them_says_so() {
    let command = Command::new();
    std::fs::write(command.path("in.tif"), tiff(8, &noise(64), 1)).expect("it can be written");
    for name in ["out.png", "out.pgm", "out.jp2", "out.pfm"] {
        command.fails(2, &format!("convert in.tif -o {name}"), &["u64"]);
        assert!(!command.exists(name));
    }
    command.done("convert in.tif -o out.png --do to:u16");
    command.fails(2, "convert in.tif -o out.tif --do blur:2", &["u64"]);
}
