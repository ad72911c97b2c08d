//! Promise: any bytes give a result or a typed error: no panic, no hang, no memory beyond the budget.

use flate2::Crc;
use flate2::write::ZlibEncoder;
use plimsoll::Failure;
use plimsoll::job::{Control, Input, Io, MeasureJob, Settings};
use plimsoll_tests::{Kind, Packing, Picture, Storage, Work, programs};
use proptest::prelude::*;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// No small file keeps a job busy for so long.
const LONG: Duration = Duration::from_secs(2);

/// A file that is refused is refused before this.
const SOON: Duration = Duration::from_secs(1);

fn corpus() -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    let folder = std::env::var_os("PLIMSOLL_CORPUS").map_or(beside, PathBuf::from);
    let found = folder.join("tiff_pages.tsv").is_file();
    if !found {
        println!("skipped: no corpus in {}; set PLIMSOLL_CORPUS", folder.display());
    }
    found.then(|| folder.canonicalize().expect("it is there"))
}

#[test]
fn files_that_others_crash_on_are_refused_soon_and_within_little_memory() {
    let Some(corpus) = corpus() else { return };
    let work = Work::new(programs!());
    let table = std::fs::read_to_string(corpus.join("tiff_pages.tsv")).expect("the table can be read");
    let mut refused = 0;
    for line in table.lines().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [file, page, "reject", ..] = columns[..] else { continue };
        // Names are unfriendly, too; ours has no spaces.
        std::fs::copy(corpus.join(file), work.path("in.tif")).expect("copied");
        let page = page.parse::<u32>().expect("a page number") + 1;
        for line in
            ["info in.tif".to_owned(), format!("convert in.tif -o out.png --pages {page} --within 64MiB")]
        {
            // Another program may keep the processors busy now and then, but not each time.
            let attempt = || {
                let began = Instant::now();
                (work.run(&line), began.elapsed())
            };
            let soon = (0..3).map(|_| attempt()).find(|(_, took)| *took < SOON);
            let (done, _) = soon.unwrap_or_else(|| panic!("{file}: {line}: not within {SOON:?}"));
            assert!(
                done.peak_resident_bytes < 64 << 20,
                "{file}: {line}: {} bytes",
                done.peak_resident_bytes
            );
            // Headers alone may be sound; the picture is not.
            if line.starts_with("info") && done.code == 0 {
                continue;
            }
            done.fails(4, &["in.tif"]);
            assert_eq!(work.outputs(), [""; 0], "{file}");
        }
        refused += 1;
    }
    assert!(refused >= 38, "{refused}");
}

/// PNG by the book (chunks of length, type, data, CRC), so that also damaged content arrives with a good CRC.
fn png(header: &[u8], data: &[u8]) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, content) in [(b"IHDR", header), (b"IDAT", data), (b"IEND", &[][..])] {
        file.extend((content.len() as u32).to_be_bytes());
        let mut crc = Crc::new();
        crc.update(kind);
        crc.update(content);
        file.extend(kind);
        file.extend(content);
        file.extend(crc.sum().to_be_bytes());
    }
    file
}

/// Header and compressed data of a small RGB picture.
fn png_parts() -> (Vec<u8>, Vec<u8>) {
    let picture = Picture::new(9, 11, 3, Kind::U8);
    let mut header = Vec::from([0, 0, 0, 11, 0, 0, 0, 9]);
    // 8 bits, RGB, Deflate, adaptive filters, not interlaced.
    header.extend([8, 2, 0, 0, 0]);
    let mut encoder = ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    for y in 0..picture.rows {
        let mut row = vec![(y % 5) as u8];
        picture.row_into(y, &mut row);
        encoder.write_all(&row).expect("a vector takes all");
    }
    (header, encoder.finish().expect("a vector takes all"))
}

/// Small sound files of every format and layout.
static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let mut seeds = Vec::new();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("seed");
    for (bands, kind) in [(3, Kind::U8), (1, Kind::U16), (1, Kind::F32)] {
        let picture = Picture::new(9, 11, bands, kind);
        picture.write_pnm(&path).expect("written");
        seeds.push(std::fs::read(&path).expect("read"));
        for packing in [Packing::None, Packing::Lzw, Packing::Deflate] {
            for storage in [Storage::strips(4, packing), Storage::tiles(16, packing)] {
                picture.write_tiff(&path, &storage).expect("written");
                seeds.push(std::fs::read(&path).expect("read"));
            }
        }
    }
    seeds.push(b"P1\n# a comment\n3 2\n1 0 1\n0 1 0\n".to_vec());
    seeds.push(b"P2\n3 2\n255\n1 20 255\n0 1 2\n".to_vec());
    seeds.push(b"P3\n2 1\n15\n1 2 3 4 5 6\n".to_vec());
    seeds.push(b"P4\n9 2\n\xff\x80\0\0".to_vec());
    seeds.push(
        b"P7\nWIDTH 2\nHEIGHT 2\nDEPTH 2\nMAXVAL 255\nTUPLTYPE GRAYSCALE_ALPHA\nENDHDR\n12345678".to_vec(),
    );
    let (header, data) = png_parts();
    seeds.push(png(&header, &data));
    seeds
});

/// Opens a file and measures its first page, with one worker within 16 MiB. A panic or a hang ends the test.
fn exercise(path: &Path, content: &[u8], io: Io) -> Result<u64, Failure> {
    std::fs::write(path, content).expect("written");
    let began = Instant::now();
    let settings = Settings {
        within: Some("16MiB".parse().expect("a size")),
        workers: Some(1),
        io,
        ..Settings::default()
    };
    let result = Input::open(path, io).and_then(|input| {
        let job = MeasureJob::plan(&input, 1, Vec::new(), false, &settings)?;
        Ok(job.run(&Control::default(), |_, _| Ok(()))?.overall.count)
    });
    let took = began.elapsed();
    assert!(took < LONG, "{took:?} for {content:?}");
    if let Err(failure) = &result {
        // Whose fault it is is known, and one line says so.
        assert!([2, 3, 4, 5].contains(&failure.exit_code()), "{failure}");
        assert_eq!(failure.to_string().lines().count(), 1);
    }
    result
}

#[test]
fn truncation_at_every_byte_is_an_error_or_a_result() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("in");
    for seed in &*SEEDS {
        let whole = exercise(&path, seed, Io::Read).expect("the whole file is sound");
        for len in 0..seed.len() {
            let io = if len % 5 == 0 { Io::Mmap } else { Io::Read };
            if let Ok(count) = exercise(&path, &seed[..len], io) {
                assert_eq!(count, whole, "a shorter picture out of {len} of {} bytes", seed.len());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutations_are_errors_or_results(
        seed in prop::sample::select(&**SEEDS),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..10),
        cut in prop::option::of(any::<prop::sample::Index>()),
        mapped in any::<bool>(),
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let mut content = seed;
        for (at, value) in changes {
            let at = at.index(content.len());
            content[at] = value;
        }
        if let Some(cut) = cut {
            content.truncate(cut.index(content.len()));
        }
        let _ = exercise(&folder.path().join("in"), &content, if mapped { Io::Mmap } else { Io::Read });
    }

    #[test]
    fn a_png_with_sound_checksums_may_hold_anything(
        fields in prop::collection::vec((0usize..13, prop_oneof![any::<u8>(), 0u8..17]), 0..3),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        len in any::<prop::sample::Index>(),
        whole in any::<bool>(),
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut header, mut data) = png_parts();
        fields.into_iter().for_each(|(at, value)| header[at] = value);
        for (at, value) in changes {
            let at = at.index(data.len());
            data[at] = value;
        }
        if !whole {
            data.truncate(len.index(data.len()));
        }
        let _ = exercise(&folder.path().join("in"), &png(&header, &data), Io::Read);
    }
}
