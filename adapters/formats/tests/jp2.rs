//! JPEG 2000 against OpenJPEG's own programs, both ways, and against itself through every way of cutting.

mod jp2_files;

use jp2_files::{components, difference, has, in_tile_order, page, pam, picture, read, read_all, write};
use plimsoll_core::shape::{Cols, Region, Rows, SampleKind, Shape};
use plimsoll_formats::{
    Extras, Field, Format, FormatError, Jp2Wanted, Jpeg2000, Metadata, Progression, Quality, Resolution,
    Wanted,
};
use std::process::Command;
use std::sync::Arc;

const U8: SampleKind = SampleKind::U8;
const U16: SampleKind = SampleKind::U16;

/// Shapes and sides of tiles: odd sizes, 1 to 4 bands, both depths, tiles cut by every edge.
fn cases() -> Vec<(Shape, u32)> {
    vec![
        (Shape::new(1, 1, 1, U8), 1024),
        (Shape::new(1, 1, 2, U16), 64),
        (Shape::new(97, 131, 3, U8), 32),
        (Shape::new(200, 129, 3, U16), 64),
        (Shape::new(65, 300, 1, U16), 64),
        (Shape::new(257, 64, 2, U8), 100),
        (Shape::new(150, 151, 4, U8), 50),
        (Shape::new(128, 128, 4, U16), 128),
    ]
}

fn wanted(tile: u32) -> Wanted {
    Wanted { tile: Some(tile), ..Wanted::default() }
}

#[test]
fn lossless_files_come_back_whatever_the_cut_and_the_threads() {
    for (shape, tile) in cases() {
        for noise in [false, true] {
            let image = picture(shape, noise);
            let mut files = Vec::new();
            for (compressors, tile_order, strip_rows) in
                [(0, false, 1), (0, true, 7), (1, false, 64), (1, true, 1), (3, false, 5), (3, true, 64)]
            {
                let wanted = Wanted { compressors, tile_order, ..wanted(tile) };
                let target = Jpeg2000::Jp2.target(shape, wanted).unwrap();
                let side = target.tile_order().unwrap();
                let (shape, rows) =
                    if tile_order { in_tile_order(shape, &image, side) } else { (shape, image.clone()) };
                files.push(write(&*target, shape, &rows, strip_rows).unwrap());
            }
            assert!(files.iter().all(|file| *file == files[0]), "{shape}: threads or order show");
            assert!(read_all(&files[0]).unwrap() == (shape, image), "{shape}, tiles of {tile}");
        }
    }
}

#[test]
fn opj_decompress_reads_what_is_written() {
    if !has("opj_decompress") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (index, (shape, tile)) in cases().into_iter().enumerate() {
        for (format, ending) in [(Jpeg2000::Jp2, "jp2"), (Jpeg2000::J2k, "j2k")] {
            let image = picture(shape, index % 2 == 1);
            let target = format.target(shape, Wanted { compressors: 1, ..wanted(tile) }).unwrap();
            let path = folder.path().join(format!("{index}.{ending}"));
            std::fs::write(&path, write(&*target, shape, &image, 16).unwrap()).unwrap();
            assert_eq!(difference(shape, &image, &components(&path, 0)), 0, "{shape} as {ending}");
        }
    }
}

fn psnr(kind: SampleKind, a: &[u8], b: &[u8]) -> f64 {
    let value = |sample: &[u8]| match sample {
        [a] => f64::from(*a),
        [a, b] => f64::from(u16::from_ne_bytes([*a, *b])),
        _ => panic!(),
    };
    let width = kind.bytes();
    let sum: f64 = a.chunks(width).zip(b.chunks(width)).map(|(a, b)| (value(a) - value(b)).powi(2)).sum();
    let most = if width == 1 { 255.0f64 } else { 65535.0 };
    10.0 * (most * most / (sum / (a.len() / width) as f64)).log10()
}

#[test]
fn lossy_files_keep_their_ratio_or_their_psnr() {
    for shape in [Shape::new(400, 500, 3, U8), Shape::new(300, 400, 1, U16)] {
        let image = picture(shape, false);
        for (layers, progression) in [(1, Progression::Rpcl), (4, Progression::Lrcp), (3, Progression::Rlcp)]
        {
            let make = |quality| {
                let jp2 = Jp2Wanted { quality, layers: Some(layers), progression, ..Jp2Wanted::default() };
                let target = Jpeg2000::Jp2.target(shape, Wanted { jp2, ..wanted(128) }).unwrap();
                let file = write(&*target, shape, &image, 32).unwrap();
                let (_, back) = read_all(&file).unwrap();
                (file.len() as f64, psnr(shape.kind, &image, &back))
            };
            let (bytes, quality) = make(Quality::Ratio(10.0));
            let ratio = image.len() as f64 / bytes;
            assert!((9.0..12.0).contains(&ratio) && quality > 28.0, "{shape}: {ratio}:1 at {quality} dB");
            let (_, quality) = make(Quality::Psnr(40.0));
            assert!((39.0..44.0).contains(&quality), "{shape}: {quality} dB where 40 were asked for");
        }
    }
}

#[test]
fn files_of_opj_compress_are_read_exactly() {
    if !has("opj_compress") || !has("opj_decompress") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let shape = Shape::new(211, 307, 3, U8);
    let source = folder.path().join("in.ppm");
    let image = picture(shape, false);
    let mut ppm = format!("P6\n{} {}\n255\n", shape.cols, shape.rows).into_bytes();
    ppm.extend_from_slice(&image);
    std::fs::write(&source, ppm).unwrap();
    let cases: &[(&str, &[&str], bool)] = &[
        ("one.jp2", &[], true),
        ("tiles.jp2", &["-t", "64,48", "-n", "3"], true),
        ("offset.j2k", &["-d", "13,7", "-t", "100,100", "-T", "5,3"], true),
        ("parts.j2k", &["-t", "128,128", "-TP", "R", "-p", "RPCL"], true),
        ("precincts.jp2", &["-c", "[64,64],[32,32]", "-b", "16,16", "-p", "PCRL"], true),
        ("layers.jp2", &["-r", "40,20,1", "-t", "100,100", "-p", "LRCP", "-SOP", "-EPH"], true),
        ("modes.jp2", &["-M", "63", "-t", "96,96"], true),
        ("lossy.jp2", &["-I", "-r", "10", "-t", "90,90"], false),
        ("cprl.jp2", &["-p", "CPRL", "-t", "128,64"], true),
    ];
    for (name, options, exact) in cases {
        let path = folder.path().join(name);
        let run =
            Command::new("opj_compress").arg("-i").arg(&source).arg("-o").arg(&path).args(*options).output();
        let run = run.unwrap();
        assert!(path.exists(), "{name}: {}", String::from_utf8_lossy(&run.stderr));
        let file = std::fs::read(&path).unwrap();
        let (read_shape, samples) = read_all(&file).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(read_shape, shape, "{name}");
        if *exact {
            assert!(samples == image, "{name}");
        }
        assert!(difference(shape, &samples, &components(&path, 0)) <= 1, "{name}");
        // Regions, in strips of their own.
        let page = page(&file).unwrap();
        for (rows, cols) in
            [((0, 1), (0, 307)), ((50, 170), (61, 129)), ((210, 211), (306, 307)), ((3, 99), (0, 5))]
        {
            let region = Region::new(Rows::new(rows.0, rows.1), Cols::new(cols.0, cols.1));
            let part = read(&*page, region, 9).unwrap();
            let expected: Vec<u8> = region
                .rows
                .iter()
                .flat_map(|row| {
                    let start = (row as usize * 307 + cols.0 as usize) * 3;
                    &samples[start..start + region.cols.len() as usize * 3]
                })
                .copied()
                .collect();
            assert!(part == expected, "{name}, {region}");
        }
        // Smaller versions are those of the other decoder.
        for levels in 1..=2 {
            let small = page.reduced(levels).unwrap().unwrap_or_else(|| panic!("{name} has resolutions"));
            let shape = small.facts().shape;
            let samples = read(&*small, shape.region(), 11).unwrap();
            let theirs = components(&path, u32::from(levels));
            assert!(difference(shape, &samples, &theirs) <= 1, "{name} reduced by {levels}");
        }
        assert!(page.reduced(40).unwrap().is_none());
    }
}

/// Markers 0xFF30 to 0xFF3F have no length (ISO/IEC 15444-1, table A.1), others that are not known say theirs.
#[test]
fn markers_that_are_not_known_are_passed_over() {
    let shape = Shape::new(60, 70, 3, U8);
    let image = picture(shape, false);
    let target = Jpeg2000::J2k.target(shape, Wanted { tile: Some(32), ..Wanted::default() }).unwrap();
    let file = write(&*target, shape, &image, 8).unwrap();
    let unknown = [0xFF, 0x30, 0xFF, 0x3F, 0xFF, 0x6F, 0, 4, 0xAB, 0xCD, 0xFF, 0x33];
    // Before the first tile-part, and in its head, whose tile-part becomes so much longer.
    let part = file.windows(4).position(|four| four == [0xFF, 0x90, 0, 10]).unwrap();
    let mut changed =
        [&file[..part], &unknown, &file[part..part + 12], &unknown, &file[part + 12..]].concat();
    let len = &mut changed[part + unknown.len() + 6..][..4];
    let more = u32::from_be_bytes([len[0], len[1], len[2], len[3]]) + unknown.len() as u32;
    len.copy_from_slice(&more.to_be_bytes());
    assert!(read_all(&changed).unwrap() == (shape, image));
}

#[test]
fn extras_are_kept_byte_for_byte() {
    let shape = Shape::new(40, 30, 3, U8);
    let icc: Arc<[u8]> = (0..3000).map(|byte| (byte % 251) as u8).collect();
    let xmp: Arc<[u8]> = Arc::from(&b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"[..]);
    let resolution = Some(Resolution { down: 300.0 / 0.0254, across: 72.0 / 0.0254 });
    let extras = Extras { icc: Some(icc.clone()), resolution, xmp: Some(xmp.clone()) };
    let target = Jpeg2000::Jp2.target_with(shape, wanted(32), extras.clone()).unwrap();
    let image = picture(shape, false);
    let file = write(&*target, shape, &image, 8).unwrap();
    let holds = |part: &[u8]| file.windows(part.len()).any(|window| window == part);
    assert!(holds(&icc) && holds(&xmp));
    assert!(read_all(&file).unwrap().1 == image);
    let facts = page(&file).unwrap().facts().clone();
    assert!(facts.more.contains(&("ICC profile", "3000 bytes".to_owned())), "{facts:?}");
    assert!(
        facts.more.contains(&("resolution", "2834.65 x 11811.02 points a metre".to_owned())),
        "{facts:?}"
    );
    assert!(matches!(
        Jpeg2000::J2k.target_with(shape, wanted(32), extras),
        Err(FormatError::Unsupported { .. })
    ));
}

/// Fields as they come from another file.
struct Fields(Vec<(Field, Vec<u8>)>, Vec<Field>);

impl Fields {
    fn shared(fields: &[(u16, u16, u8, Vec<u8>)]) -> Arc<dyn Metadata> {
        let fields: Vec<(Field, Vec<u8>)> = fields
            .iter()
            .map(|(tag, kind, value_bytes, bytes)| {
                let count = bytes.len() as u64 / u64::from(*value_bytes);
                (Field { tag: *tag, kind: *kind, value_bytes: *value_bytes, count }, bytes.clone())
            })
            .collect();
        let list = fields.iter().map(|(field, _)| *field).collect();
        Arc::new(Self(fields, list))
    }
}

impl Metadata for Fields {
    fn fields(&self) -> &[Field] {
        &self.1
    }

    fn read(&self, index: usize, offset: u64, into: &mut [u8]) -> Result<(), FormatError> {
        into.copy_from_slice(&self.0[index].1[offset as usize..][..into.len()]);
        Ok(())
    }
}

#[test]
fn profile_xmp_and_resolution_of_another_file_go_along() {
    let shape = Shape::new(40, 30, 3, U8);
    let target = Jpeg2000::Jp2.target(shape, wanted(32)).unwrap();
    let rational = |over: u32, under: u32| [over.to_le_bytes(), under.to_le_bytes()].concat();
    let mut profile: Vec<u8> = (0..700u32).map(|byte| (byte % 241) as u8).collect();
    profile[16..20].copy_from_slice(b"RGB ");
    let xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>".to_vec();
    let fields = |profile: &[u8]| {
        Fields::shared(&[
            (282, 5, 8, rational(300, 1)),
            (283, 5, 8, rational(144, 2)),
            (296, 3, 2, vec![2, 0]),
            (700, 1, 1, xmp.clone()),
            (34675, 7, 1, profile.to_vec()),
        ])
    };
    let image = picture(shape, false);
    let file = write(&*target.carry(&fields(&profile)).unwrap(), shape, &image, 8).unwrap();
    let holds = |file: &[u8], part: &[u8]| file.windows(part.len()).any(|window| window == part);
    assert!(holds(&file, &profile) && holds(&file, &xmp));
    let facts = page(&file).unwrap().facts().clone();
    assert!(
        facts.more.contains(&("resolution", "11811.02 x 2834.65 points a metre".to_owned())),
        "{facts:?}"
    );
    assert!(read_all(&file).unwrap().1 == image);
    // A profile of other colours says nothing about these.
    profile[16..20].copy_from_slice(b"GRAY");
    let file = write(&*target.carry(&fields(&profile)).unwrap(), shape, &image, 8).unwrap();
    assert!(!holds(&file, &profile) && holds(&file, &xmp));
    assert!(target.carry(&Fields::shared(&[(270, 2, 1, b"a cat\0".to_vec())])).is_none());
    let codestream = Jpeg2000::J2k.target(shape, wanted(32)).unwrap();
    assert!(codestream.carry(&fields(&profile)).is_none(), "it has no boxes");
}

/// Without a transform of its own OpenJPEG's coder names three bands sYCC; its decoder then gives RGB.
#[test]
fn luma_and_chroma_become_rgb_as_openjpeg_has_it() {
    if !has("opj_compress") || !has("opj_decompress") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for shape in [Shape::new(123, 97, 3, U8), Shape::new(60, 70, 3, U16)] {
        // Noise reaches every corner, and beyond what is red, green and blue.
        let image = picture(shape, true);
        let (source, path) = (folder.path().join("in.rawl"), folder.path().join("ycc.jp2"));
        let width = shape.kind.bytes();
        let plane = |band| image.chunks(width).skip(band).step_by(3).flatten().copied();
        std::fs::write(&source, (0..3).flat_map(plane).collect::<Vec<u8>>()).unwrap();
        let raw = format!("{},{},3,{},u", shape.cols, shape.rows, 8 * width);
        let mut run = Command::new("opj_compress");
        run.arg("-i").arg(&source).arg("-o").arg(&path).args(["-F", &raw, "-mct", "0", "-t", "64,64"]);
        assert!(run.output().unwrap().status.success() && path.exists());
        let file = std::fs::read(&path).unwrap();
        let (_, samples) = read_all(&file).unwrap();
        assert_eq!(page(&file).unwrap().facts().colour, "rgb");
        assert_eq!(difference(shape, &samples, &components(&path, 0)), 0, "{shape}");
        assert!(samples != image, "{shape}: it is no sYCC");
    }
}

/// A palette and its mapping, put into a file of indices.
#[test]
fn palettes_are_looked_up() {
    let shape = Shape::new(20, 25, 1, U8);
    let indices: Vec<u8> = (0..500).map(|at| (at % 5) as u8).collect();
    let target = Jpeg2000::Jp2.target(shape, wanted(32)).unwrap();
    let file = write(&*target, shape, &indices, 5).unwrap();
    let boxed = |name: &[u8; 4], content: &[u8]| {
        let mut out = (content.len() as u32 + 8).to_be_bytes().to_vec();
        out.extend_from_slice(name);
        out.extend_from_slice(content);
        out
    };
    let colours = [[1, 2, 3], [40, 50, 60], [255, 0, 9], [7, 7, 7], [90, 91, 92]];
    let mut palette = vec![0, 5, 3, 7, 7, 7];
    palette.extend(colours.concat());
    let mapping: Vec<u8> = (0..3).flat_map(|column| [0, 0, 1, column]).collect();
    let mut added = boxed(b"pclr", &palette);
    added.extend(boxed(b"cmap", &mapping));
    let header = file.windows(4).position(|window| window == b"jp2h").unwrap() - 4;
    let len = u32::from_be_bytes(file[header..header + 4].try_into().unwrap()) as usize;
    let mut changed = file[..header].to_vec();
    changed.extend(((len + added.len()) as u32).to_be_bytes());
    changed.extend_from_slice(&file[header + 4..header + len]);
    changed.extend(added);
    changed.extend_from_slice(&file[header + len..]);
    let (read_shape, samples) = read_all(&changed).unwrap();
    assert_eq!(read_shape, shape.with_bands(3));
    let expected: Vec<u8> = indices.iter().flat_map(|index| colours[usize::from(*index)]).collect();
    assert!(samples == expected);
    assert!(page(&changed).unwrap().reduced(1).unwrap().is_none(), "indices have no means");
}

#[test]
fn what_cannot_be_written_is_refused_by_name() {
    let shape = Shape::new(100, 100, 3, U8);
    let refused =
        |shape: Shape, wanted: Wanted| Jpeg2000::Jp2.target(shape, wanted).err().unwrap().to_string();
    assert!(refused(shape.with_kind(SampleKind::F32), wanted(64)).contains("samples of f32"));
    assert!(refused(shape.with_bands(5), wanted(64)).contains("5 bands"));
    assert!(refused(shape, wanted(16)).contains("32 to 16384"));
    let many = Shape::new(100_000, 100_000, 1, U8);
    assert!(refused(many, wanted(256)).contains("--tile 512"), "{}", refused(many, wanted(256)));
    for (jp2, word) in [
        (Jp2Wanted { resolutions: Some(8), ..Jp2Wanted::default() }, "resolutions"),
        (Jp2Wanted { layers: Some(0), ..Jp2Wanted::default() }, "layers"),
        (Jp2Wanted { quality: Quality::Ratio(0.5), ..Jp2Wanted::default() }, "ratio"),
        (Jp2Wanted { quality: Quality::Psnr(f32::NAN), ..Jp2Wanted::default() }, "PSNR"),
    ] {
        assert!(refused(shape, Wanted { jp2, ..wanted(64) }).contains(word), "{word}");
    }
    let _ = pam(shape, &[]);
}
