//! Components that have a sample for several pixels: equal to what OpenJPEG's own program makes of them, for every cut.
//!
//! `opj_decompress -upsample` is the oracle; for smaller versions, of which it does not bring components to one size, its
//! components as they are, and the rule that pixel `p` takes sample `p / step`.

mod jp2_files;

use jp2_files::{
    components, components_with, difference, has, in_tile_order, page, read, read_all, subsampled,
};
use plimsoll_core::shape::{Cols, Region, Rows, Shape};
use plimsoll_formats::{FormatError, Page};

/// Columns, rows, bands, bits and steps; options of the coder; whether it is coded without loss.
const CASES: &[(&str, &[&str], bool)] = &[
    ("64,48,3,8,u@1x1:2x2:2x2", &[], true),
    ("131,97,3,8,u@1x1:2x2:2x2", &["-t", "32,48", "-n", "3"], true),
    ("131,97,3,8,u@1x1:2x1:2x1", &["-t", "64,32", "-TP", "R", "-p", "RPCL"], true),
    ("130,97,3,12,u@1x1:2x2:2x2", &["-p", "PCRL", "-c", "[32,32],[16,32]", "-b", "16,16"], true),
    ("99,80,3,8,u@1x1:2x2:2x2", &["-I", "-r", "4", "-t", "40,40"], false),
    ("99,80,3,8,u@1x1:2x1:2x1", &["-d", "12,6", "-T", "12,6", "-t", "32,32"], true),
    ("99,80,3,8,u@1x1:2x1:2x1", &["-d", "13,7", "-p", "CPRL"], true),
    ("99,80,2,8,u@1x1:2x2", &["-d", "13,7", "-T", "4,2", "-t", "32,32"], true),
    ("77,63,4,8,u@1x1:2x2:2x2:1x1", &["-t", "32,32", "-p", "RPCL"], true),
    ("77,63,4,16,u@1x1:2x1:1x2:3x3", &["-d", "5,4", "-t", "36,36", "-n", "2"], true),
    ("77,63,3,8,u@2x2:1x1:1x1", &["-t", "32,32"], true),
    ("77,63,5,8,s@1x1:4x4:1x1:2x4:1x1", &["-t", "48,32", "-SOP", "-EPH"], true),
];

/// A part of interleaved rows.
fn part(shape: Shape, samples: &[u8], region: Region) -> Vec<u8> {
    let pixel = shape.pixel_bytes();
    let cols = region.cols.start() as usize * pixel..region.cols.end() as usize * pixel;
    let rows = samples.chunks(shape.row_bytes() as usize).skip(region.rows.start() as usize);
    rows.take(region.rows.len() as usize).flat_map(|row| row[cols.clone()].to_vec()).collect()
}

fn regions_and_strips_are_parts(name: &str, page: &dyn Page, samples: &[u8]) {
    let shape = page.facts().shape;
    let (down, across) = (shape.rows, shape.cols);
    for (rows, cols) in [
        ((0, 1), (0, across)),
        ((1, 2), (1, 2)),
        ((down / 3, down), (across / 3, across - 1)),
        ((down - 1, down), (across - 1, across)),
        ((down / 2, down / 2 + 7), (3, across / 2)),
    ] {
        let region = Region::new(Rows::new(rows.0, rows.1.min(down)), Cols::new(cols.0, cols.1));
        for strip_rows in [1, 5] {
            let read = read(page, region, strip_rows).unwrap();
            assert!(read == part(shape, samples, region), "{name}, {region}, strips of {strip_rows}");
        }
    }
    assert!(read(page, shape.region(), shape.rows).unwrap() == samples, "{name} at once");
}

#[test]
fn components_are_brought_to_one_size_as_openjpeg_does() {
    if !has("opj_compress") || !has("opj_decompress") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (index, (raw, options, exact)) in CASES.iter().enumerate() {
        for ending in ["jp2", "j2k"] {
            let path = subsampled(folder.path(), &format!("{index}.{ending}"), raw, options);
            let name = format!("{raw} {options:?} as {ending}");
            let file = std::fs::read(&path).unwrap();
            let (shape, samples) = read_all(&file).unwrap_or_else(|error| panic!("{name}: {error}"));
            let theirs = components_with(&path, &["-upsample"]);
            let most = if *exact { 0 } else { 1 };
            assert!(difference(shape, &samples, &theirs) <= most, "{name}");
            let page = page(&file).unwrap();
            regions_and_strips_are_parts(&name, &*page, &samples);
            let ycc = matches!(raw.split_once('@'), Some((_, "1x1:2x2:2x2" | "1x1:2x1:2x1")));
            let facts = page.facts();
            assert_eq!(facts.colour == "rgb", ycc || raw.contains("2x2:1x1:1x1"), "{name}: {}", facts.colour);
        }
    }
}

/// Steps of each component, and how many of its samples lie before `at` pixels of the image along an axis.
fn steps(raw: &str) -> Vec<[usize; 2]> {
    let (_, steps) = raw.split_once('@').unwrap();
    let number = |text: &str| text.parse().unwrap();
    steps.split(':').map(|step| step.split_once('x').map(|(x, y)| [number(x), number(y)]).unwrap()).collect()
}

/// Smaller versions: components as OpenJPEG gives them, spread the slow way.
#[test]
fn smaller_versions_are_brought_to_one_size_too() {
    if !has("opj_compress") || !has("opj_decompress") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let cases: &[(&str, &[&str], [usize; 2])] = &[
        ("131,97,2,8,u@1x1:2x2", &["-t", "64,32"], [0, 0]),
        ("131,97,2,8,u@1x1:2x2", &["-d", "13,7", "-T", "0,0", "-t", "64,32"], [13, 7]),
        ("131,97,4,8,u@1x1:2x2:2x1:1x2", &["-t", "32,96", "-p", "PCRL"], [0, 0]),
        ("131,97,4,8,u@1x1:3x3:3x3:1x1", &["-d", "9,5", "-T", "0,0", "-t", "96,48"], [9, 5]),
        // Tiles of a smaller version may end between samples where those of the largest do not, or be empty.
        ("131,97,2,8,u@1x1:2x2", &["-t", "36,36", "-n", "4"], [0, 0]),
        ("131,97,2,8,u@1x1:2x2", &["-t", "33,35", "-n", "4"], [0, 0]),
        ("131,97,4,8,u@1x1:3x3:3x3:1x1", &["-d", "9,5", "-T", "7,1", "-t", "29,31", "-n", "4"], [9, 5]),
        ("40,37,2,8,u@1x1:4x4", &["-t", "8,8", "-n", "4"], [0, 0]),
    ];
    for (index, (raw, options, offset)) in cases.iter().enumerate() {
        let path = subsampled(folder.path(), &format!("{index}.jp2"), raw, options);
        let page = page(&std::fs::read(&path).unwrap()).unwrap();
        for levels in 1..=3 {
            let small = page.reduced(levels).unwrap().unwrap_or_else(|| panic!("{raw} by {levels}"));
            let shape = small.facts().shape;
            let samples = read(&*small, shape.region(), 11).unwrap();
            let first = offset.map(|at| at.div_ceil(1 << levels));
            let theirs: Vec<_> = components(&path, u32::from(levels))
                .into_iter()
                .zip(steps(raw))
                .map(|((cols, _, samples), step)| {
                    let begins = [0, 1].map(|axis| offset[axis].div_ceil(step[axis] << levels));
                    let spread = (0..shape.rows as usize)
                        .flat_map(|row| (0..shape.cols as usize).map(move |col| [col, row]))
                        .map(|at| {
                            let at = [0, 1].map(|axis| {
                                ((first[axis] + at[axis]) / step[axis]).checked_sub(begins[axis])
                            });
                            let [Some(col), Some(row)] = at else { return 0 };
                            samples[row * cols + col]
                        });
                    (shape.cols as usize, shape.rows as usize, spread.collect())
                })
                .collect();
            assert_eq!(difference(shape, &samples, &theirs), 0, "{raw} {options:?} reduced by {levels}");
            regions_and_strips_are_parts(raw, &*small, &samples);
        }
    }
    // Luma and chroma become RGB before OpenJPEG's program writes them.
    for (name, raw) in
        [("ycc420.jp2", "131,97,3,8,u@1x1:2x2:2x2"), ("ycc422.j2k", "130,97,3,8,u@1x1:2x1:2x1")]
    {
        let path = subsampled(folder.path(), name, raw, &["-t", "64,32"]);
        let page = page(&std::fs::read(&path).unwrap()).unwrap();
        for levels in 1..=3 {
            let small = page.reduced(levels).unwrap().unwrap_or_else(|| panic!("{raw} by {levels}"));
            let shape = small.facts().shape;
            let samples = read(&*small, shape.region(), 11).unwrap();
            assert_eq!(
                difference(shape, &samples, &components(&path, u32::from(levels))),
                0,
                "{raw} by {levels}"
            );
        }
    }
}

/// Tile after tile they are the same pixels.
#[test]
fn tiles_in_order_are_brought_to_one_size_too() {
    if !has("opj_compress") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = subsampled(folder.path(), "in.jp2", "131,97,3,8,u@1x1:2x2:2x2", &["-t", "32,32"]);
    let file = std::fs::read(&path).unwrap();
    let (shape, samples) = read_all(&file).unwrap();
    let tiles = page(&file).unwrap().in_tile_order(32).expect("its tiles");
    let order = tiles.facts().shape;
    let found = read(&*tiles, order.region(), 7).unwrap();
    assert_eq!((order, found), in_tile_order(shape, &samples, 32));
}

/// Tiles that end between the samples of a component: those samples reach into the next tile.
const BETWEEN: &[(&str, &[&str])] = &[
    ("131,97,2,8,u@1x1:2x2", &["-t", "33,32"]),
    ("131,97,2,8,u@1x1:2x2", &["-t", "32,33", "-n", "3"]),
    ("131,97,3,8,u@1x1:2x2:2x2", &["-t", "33,31", "-n", "4"]),
    ("130,97,3,12,u@1x1:2x1:2x1", &["-t", "41,97", "-p", "RPCL"]),
    ("99,80,3,8,u@1x1:2x2:2x2", &["-d", "12,6", "-T", "5,3", "-t", "31,29", "-n", "3"]),
    ("99,80,2,8,u@1x1:2x2", &["-d", "13,7", "-T", "4,2", "-t", "15,17", "-n", "2"]),
    ("77,63,4,16,u@1x1:2x1:1x2:3x3", &["-d", "5,4", "-t", "10,14", "-n", "2"]),
    ("77,63,5,8,s@1x1:4x4:1x1:2x4:1x1", &["-t", "18,13", "-n", "2", "-TP", "R"]),
    // Tiles that hold no sample of a component: one reaches over several of them.
    ("40,37,2,8,u@1x1:16x16", &["-t", "5,5", "-n", "1"]),
    ("40,37,3,8,u@5x5:7x3:1x1", &["-d", "6,9", "-T", "5,7", "-t", "3,4", "-n", "1"]),
    ("12,12,4,8,u@1x1:1x2:2x1:2x2", &["-d", "1,8", "-T", "1,7", "-t", "3,3", "-n", "1"]),
    ("12,12,2,8,u@2x1:1x3", &["-d", "1,2", "-T", "1,2", "-t", "2,1", "-n", "1"]),
];

#[test]
fn samples_reach_into_the_next_tiles() {
    if !has("opj_compress") || !has("opj_decompress") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (index, (raw, options)) in BETWEEN.iter().enumerate() {
        let path = subsampled(folder.path(), &format!("{index}.jp2"), raw, options);
        let name = format!("{raw} {options:?}");
        let file = std::fs::read(&path).unwrap();
        let (shape, samples) = read_all(&file).unwrap_or_else(|error| panic!("{name}: {error}"));
        let theirs = components_with(&path, &["-upsample"]);
        assert_eq!(difference(shape, &samples, &theirs), 0, "{name}");
        let page = page(&file).unwrap();
        regions_and_strips_are_parts(&name, &*page, &samples);
        assert_eq!(
            page.facts().unit_rows == shape.rows,
            options[1] != "33,32",
            "{name}: one row after the other"
        );
        assert!(page.in_tile_order(33).is_none(), "{name}: the tile alone has not all of its pixels");
        let rows_back: Vec<u8> = (0..shape.rows)
            .rev()
            .map(|row| read(&*page, shape.region().with_rows(Rows::one(row)), 1).unwrap())
            .rev()
            .flatten()
            .collect();
        assert!(rows_back == samples, "{name}: each row by itself");
        // Cut short anywhere it is an error.
        for len in (100..file.len() - 2).step_by(file.len() / 20) {
            assert!(read_all(&file[..len]).is_err(), "{name}: {len} of {} bytes", file.len());
        }
    }
}

/// A component without samples is left out where the codec transforms colours, too: it cannot do both at once.
#[test]
fn transformed_colours_beside_a_component_without_samples_are_refused_by_name() {
    if !has("opj_compress") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let options = ["-mct", "0", "-t", "5,5", "-n", "1"];
    let path = subsampled(folder.path(), "in.j2k", "40,37,4,8,u@1x1:1x1:1x1:16x16", &options);
    let mut file = std::fs::read(&path).unwrap();
    assert!(read_all(&file).is_ok());
    let style = file.windows(2).position(|two| two == [0xFF, 0x52]).unwrap();
    file[style + 8] = 1;
    let error = read_all(&file).expect_err("transformed");
    assert!(matches!(error, FormatError::Unsupported { .. }), "{error}");
    assert!(
        error.to_string().contains("colours that are transformed and a component without samples"),
        "{error}"
    );
}

/// Where the image begins at an odd column, chroma of 4:2:0 has no sample for it: 0. Of each second row OpenJPEG's program
/// takes the next one there, which is its own exception from its own rule.
#[test]
fn only_openjpegs_exception_in_the_first_column_is_not_followed() {
    if !has("opj_compress") || !has("opj_decompress") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = subsampled(folder.path(), "odd.jp2", "64,48,3,8,u@1x1:2x2:2x2", &["-d", "13,7"]);
    let (shape, samples) = read_all(&std::fs::read(&path).unwrap()).unwrap();
    let mut theirs = components(&path, 0);
    for (band, (cols, rows, component)) in theirs.iter_mut().enumerate() {
        for row in (2..*rows).step_by(2) {
            component[row * *cols] = i64::from(samples[row * shape.row_bytes() as usize + band]);
        }
    }
    assert_eq!(difference(shape, &samples, &theirs), 0);
}

/// A sample for hundreds of pixels is a damaged byte or a trap, and not a picture.
#[test]
fn samples_for_very_many_pixels_are_refused_by_name() {
    if !has("opj_compress") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = subsampled(folder.path(), "in.jp2", "64,48,2,8,u@16x16:1x1", &[]);
    assert!(read_all(&std::fs::read(&path).unwrap()).is_ok());
    let path = subsampled(folder.path(), "in.jp2", "64,48,2,8,u@1x17:1x1", &[]);
    let error = page(&std::fs::read(&path).unwrap()).err().expect("17 rows");
    assert!(error.to_string().contains("component 0 with a sample for 1 x 17 pixels"), "{error}");
}
