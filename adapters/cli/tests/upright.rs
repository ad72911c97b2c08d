//! `--upright`: the picture as it should be seen, inside the budget, with a plan that knows what is read and a file
//! that no longer says that it is turned. And what regions, and thumbnails of pyramids, read: what the plan says, and
//! no more.
//!
//! Judge: a picture whose pixels say where they are, turned by hand.

mod command;

use command::Command;
use std::fs;

/// A TIFF of 8-bit grey in strips of `strip_rows`, of a picture whose pixel at (row, col) is `pixel(row, col)`.
fn tiff(rows: u32, cols: u32, strip_rows: u32, orientation: u32, pixel: impl Fn(u32, u32) -> u8) -> Vec<u8> {
    let mut bytes = b"II*\0\0\0\0\0".to_vec();
    let strips = rows.div_ceil(strip_rows);
    for row in 0..rows {
        bytes.extend((0..cols).map(|col| pixel(row, col)));
    }
    let offsets = bytes.len() as u32;
    (0..strips).for_each(|strip| bytes.extend((8 + strip * strip_rows * cols).to_le_bytes()));
    let counts = bytes.len() as u32;
    for strip in 0..strips {
        bytes.extend((strip_rows.min(rows - strip * strip_rows) * cols).to_le_bytes());
    }
    let resolutions = bytes.len() as u32;
    [300u32, 1, 100, 1].iter().for_each(|number| bytes.extend(number.to_le_bytes()));
    let table = |at: u32, only: u32| if strips == 1 { only } else { at };
    let directory = bytes.len() as u32;
    bytes[4..8].copy_from_slice(&directory.to_le_bytes());
    let entries: [(u16, u16, u32, u32); 11] = [
        (256, 4, 1, cols),
        (257, 4, 1, rows),
        (258, 3, 1, 8),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
        (273, 4, strips, table(offsets, 8)),
        (274, 3, 1, orientation),
        (278, 4, 1, strip_rows),
        (279, 4, strips, table(counts, rows * cols)),
        (282, 5, 1, resolutions),
        (283, 5, 1, resolutions + 8),
    ];
    bytes.extend((entries.len() as u16).to_le_bytes());
    for (tag, kind, count, value) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(kind.to_le_bytes());
        bytes.extend(count.to_le_bytes());
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend([0; 4]);
    bytes
}

fn place(row: u32, col: u32) -> u8 {
    (row * 7 + col * 3 + row * col / 11) as u8
}

#[test]
fn a_turned_picture_is_set_upright_and_says_so() {
    let command = Command::new();
    let (rows, cols) = (700, 500);
    fs::write(command.path("in.tif"), tiff(rows, cols, 64, 6, place)).expect("the file can be written");
    command.done("convert in.tif -o out.pgm --upright --quiet --within 5MiB");
    let header = format!("P5\n{rows} {cols}\n255\n").into_bytes();
    let mut expected = header.clone();
    for row in 0..cols {
        // The first row is at the right.
        expected.extend((0..rows).map(|col| place(rows - 1 - col, row)));
    }
    assert!(command.read("out.pgm") == expected);
    // Where it is cut from is the upright picture.
    command.done("convert in.tif -o part.pgm --upright --region 10,20,30,40 --quiet --within 5MiB");
    let mut part = b"P5\n30 40\n255\n".to_vec();
    for row in 20..60 {
        part.extend((10..40).map(|col| place(rows - 1 - col, row)));
    }
    assert!(command.read("part.pgm") == part);
    // And the file that is made is upright: once more changes nothing.
    command.done("convert in.tif -o once.tif --upright --quiet");
    command.done("convert once.tif -o twice.pgm --upright --quiet");
    assert!(command.read("twice.pgm") == expected);
    let info = command.done("info once.tif").stdout;
    assert!(info.contains("top left") && info.contains("100 x 300"), "{info}");
    assert!(command.done("info in.tif").stdout.contains("`--upright`"));
    // A thumbnail, too.
    command.done("thumbnail in.tif -o small.pgm --size 70 --upright --quiet");
    assert!(command.read("small.pgm").starts_with(b"P5\n70 50\n"));
}

#[test]
fn every_budget_and_worker_gives_the_same_picture() {
    let command = Command::new();
    for orientation in 2..=8 {
        fs::write(command.path("in.tif"), tiff(600, 900, 50, orientation, place)).expect("it can be written");
        let mut first = None;
        for flags in ["", "--within 5MiB", "--workers 1", "--workers 2 --strip-rows 3", "--io mmap"] {
            command.done(&format!(
                "convert in.tif -o out.pgm --upright --quiet --overwrite --do blur:1 {flags}"
            ));
            let made = command.read("out.pgm");
            assert!(*first.get_or_insert_with(|| made.clone()) == made, "{orientation} {flags}");
        }
    }
}

#[test]
fn one_compressed_strip_that_must_be_held_is_refused_with_a_price_that_works() {
    let command = Command::new();
    let mut turned = tiff(3000, 2500, 3000, 5, place);
    let data = {
        use std::io::Write;
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(1));
        encoder.write_all(&turned[8..8 + 3000 * 2500]).expect("a vector takes all");
        encoder.finish().expect("a vector takes all")
    };
    // The stream replaces the start of the samples; the directory stays where it is.
    turned[8..8 + data.len()].copy_from_slice(&data);
    let at = u32::from_le_bytes(turned[4..8].try_into().expect("four bytes")) as usize + 2;
    turned[at + 3 * 12 + 8..at + 3 * 12 + 10].copy_from_slice(&8u16.to_le_bytes());
    turned[at + 8 * 12 + 8..at + 8 * 12 + 12].copy_from_slice(&(data.len() as u32).to_le_bytes());
    fs::write(command.path("turned.tif"), turned).expect("the file can be written");
    let job = "convert turned.tif -o out.pgm --upright --quiet";
    let refused = command.run(&format!("{job} --within 8MiB"));
    assert_eq!(refused.code, 3, "{}", refused.stderr);
    assert!(refused.stderr.contains("band of the upright picture"), "{}", refused.stderr);
    assert!(!command.exists("out.pgm"));
    let price = refused.stderr.split("--within ").nth(1).expect("a price").trim().to_owned();
    command.done(&format!("{job} --within {price}"));
    let mut expected = b"P5\n3000 2500\n255\n".to_vec();
    (0..2500).for_each(|row| expected.extend((0..3000).map(|col| place(col, row))));
    assert!(command.read("out.pgm") == expected);
}

#[test]
fn what_a_region_reads_is_what_the_plan_says() {
    let command = Command::new();
    // Rows of 9000 bytes, of which 300 are wanted: the gaps are not read.
    fs::write(command.path("wide.tif"), tiff(400, 9000, 16, 6, place)).expect("the file can be written");
    // Rows of 900 bytes: reading on is cheaper than another call.
    fs::write(command.path("narrow.tif"), tiff(4000, 900, 16, 8, place)).expect("the file can be written");
    for (input, flags, most) in [
        ("wide.tif", "--region 4000,100,300,200", 300 * 200),
        ("narrow.tif", "--region 300,100,300,200", 900 * 200),
        ("wide.tif", "--upright --region 100,4000,200,300", 300 * 200),
        ("narrow.tif", "--upright", 4000 * 900),
        ("wide.tif", "--upright", 400 * 9000),
    ] {
        let job = format!("convert {input} -o out.pgm --overwrite --workers 1 {flags}");
        let planned = command.json(&format!("plan {job} --json"));
        let passes = planned["pass_plans"].as_array().expect("passes");
        let promised = passes.last().and_then(|pass| pass["region_bytes"].as_u64()).expect("it is said");
        assert!(promised <= most, "{job}: {promised}");
        command.done(&format!("{job} --quiet --receipt receipt.json"));
        let receipt: serde_json::Value = serde_json::from_slice(&command.read("receipt.json")).expect("JSON");
        let read = receipt["input"]["bytes_read"].as_u64().expect("it is counted");
        // Headers and tables come on top.
        assert!(promised <= read && read <= promised + (48 << 10), "{job}: {read} read, {promised} said");
    }
}

#[test]
fn a_thumbnail_of_a_pyramid_reads_the_level_that_fits() {
    let command = Command::new();
    let smooth = |row: u32, col: u32| ((row / 13 + col / 9) % 200) as u8;
    fs::write(command.path("in.tif"), tiff(3000, 4000, 64, 1, smooth)).expect("the file can be written");
    command.done("thumbnail in.tif -o whole.pgm --size 100 --quiet");
    for kind in ["subifd", "pages"] {
        command.done(&format!("convert in.tif -o {kind}.tif --pyramid {kind} --quiet"));
        let line = format!("thumbnail {kind}.tif -o {kind}.pgm --size 100 --receipt receipt.json");
        let said = command.done(&line).stdout;
        assert!(said.contains("version at 1/16"), "{said}");
        let receipt: serde_json::Value = serde_json::from_slice(&command.read("receipt.json")).expect("JSON");
        let (read, all) = (receipt["input"]["bytes_read"].as_u64(), receipt["input"]["bytes"].as_u64());
        // A level of 188 x 250 in tiles of 256, and headers.
        assert!(read < Some(256 * 256 + (32 << 10)) && all > Some(12_000_000), "{read:?} of {all:?}");
        let (found, expected) = (command.read(&format!("{kind}.pgm")), command.read("whole.pgm"));
        assert_eq!(found.len(), expected.len());
        let far = found.iter().zip(&expected).map(|(a, b)| a.abs_diff(*b)).max();
        // Where the picture jumps from 199 to 0 the kernels ring differently.
        let near = found.iter().zip(&expected).filter(|(a, b)| a.abs_diff(**b) <= 3).count();
        assert!(near * 100 > found.len() * 90, "{near} of {} are near, the farthest by {far:?}", found.len());
    }
}

#[test]
fn what_follows_a_page_may_be_broken() {
    let command = Command::new();
    let mut bytes = tiff(40, 50, 8, 1, place);
    let link = bytes.len() - 4;
    bytes[link..].copy_from_slice(&0x7fff_ffffu32.to_le_bytes());
    fs::write(command.path("in.tif"), bytes).expect("the file can be written");
    let done = command.done("convert in.tif -o out.pgm --quiet");
    assert!(done.stderr.contains("more pages"), "{}", done.stderr);
    let mut expected = b"P5\n50 40\n255\n".to_vec();
    (0..40).for_each(|row| expected.extend((0..50).map(|col| place(row, col))));
    assert!(command.read("out.pgm") == expected);
    command.done("thumbnail in.tif -o small.pgm --size 10 --quiet");
    command.fails(4, "convert in.tif -o two.pgm --pages 2 --quiet", &["in.tif", "outside the file"]);
}
