//! Promise: what a TIFF source takes from the heap is at most what its page states, all of it when it is made and
//! none while it runs; and what opening takes does not depend on the header.
//!
//! The judge is the allocator itself. Its counts are of one thread, so tests do not see each other.

mod heap;
mod tiff_files;

use heap::heap;
use plimsoll_core::budget::{ALIGN, Budget};
use plimsoll_core::bytes::ReadAt;
use plimsoll_core::pipeline::plan::Place;
use plimsoll_core::shape::{Region, Rows, Span};
use plimsoll_core::strip::StripMut;
use plimsoll_formats::{Bytes, Format, Page, Tiff};
use std::io;
use std::sync::Arc;
use tiff_files::{Pixels, Storage, arena_bytes, build, page, total_bytes};

fn heap_bytes(page: &dyn Page, region: Region) -> u64 {
    page.needs(region).iter().filter(|need| need.place == Place::Heap).map(|need| need.bytes).sum()
}

/// Reads a region and checks the heap: at most what is stated when the source is made, nothing while it runs.
/// Returns what the source took.
fn checked(page: &dyn Page, region: Region) -> u64 {
    let shape = page.facts().shape;
    let mut arena = vec![0; arena_bytes(page, region) as usize + ALIGN];
    let skip = arena.as_ptr().align_offset(ALIGN);
    let mut budget = Budget::new(&mut arena[skip..]);
    let mut ring = vec![0u64; region.cols.len() as usize * shape.pixel_bytes() * 4 / 8 + 1];
    let ring = bytemuck::cast_slice_mut::<u64, u8>(&mut ring);
    let (source, made) = heap(|| page.source(region, &mut budget));
    let mut source = source.expect("the arena holds what is stated");
    let ((), ran) = heap(|| {
        for row in region.rows.iter() {
            let mut strip = StripMut::new(ring, region.with_rows(Rows::one(row)), shape).expect("fits");
            source.read(&mut strip).expect("a good file");
        }
    });
    assert_eq!((ran.peak, ran.calls), (0, 0), "bytes and allocations while running");
    let stated = heap_bytes(page, region);
    assert!(made.peak <= stated, "{} bytes on the heap, {stated} stated", made.peak);
    made.peak
}

#[test]
fn sources_take_what_they_state_and_nothing_while_they_run() {
    let mut largest = [0; 4];
    for (slot, compression) in [1, 5, 8, 32773].into_iter().enumerate() {
        for (planar, tile, bands) in [
            (false, None, 3),
            (true, None, 3),
            (false, Some((64, 64)), 3),
            (true, Some((16, 16)), 2),
            (false, Some((256, 256)), 4),
        ] {
            let pixels = Pixels::new(300, 700, bands, 2, 1);
            let predictor = if matches!(compression, 5 | 8) { 2 } else { 1 };
            let storage =
                Storage { compression, planar, tile, strip_rows: 90, predictor, ..Storage::default() };
            let page = page(build(&pixels, &storage), 0).expect("a good file");
            for cols in [Span::new(0, 700), Span::new(100, 300)] {
                for rows in [Span::new(0, 300), Span::new(70, 200)] {
                    let region = Region::new(rows, cols);
                    largest[slot] = largest[slot].max(checked(&*page, region));
                }
            }
        }
    }
    println!("largest heap use by none, lzw, deflate, packbits: {largest:?}");
}

/// The same for files of other people's software: every method, and sizes that nobody here chose.
#[test]
fn pages_of_the_corpus_take_what_they_state() {
    let beside = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let folder = std::env::var_os("PLIMSOLL_CORPUS").map_or(beside, Into::into);
    let Ok(table) = std::fs::read_to_string(folder.join("tiff_pages.tsv")) else {
        println!("skipped: no corpus in {}; set PLIMSOLL_CORPUS", folder.display());
        return;
    };
    let mut largest = std::collections::BTreeMap::new();
    for line in table.lines().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        if columns[2] != "pixels" {
            continue;
        }
        let bytes = std::fs::read(folder.join(columns[0])).expect("the table names files that are there");
        let page = page(bytes, columns[1].parse().expect("a number")).expect("a good file");
        let held = checked(&*page, page.facts().shape.region());
        let most = largest.entry(page.facts().compression).or_insert(0);
        *most = held.max(*most);
    }
    println!("most heap by method: {largest:?}");
    assert!(largest.len() >= 8, "{largest:?}");
}

/// One state a lane: with a single strip the heap is a state and the source itself.
#[test]
fn one_codec_state_is_as_large_as_stated() {
    for compression in [5, 8, 32773] {
        let pixels = Pixels::new(64, 2000, 3, 1, 1);
        let page = page(build(&pixels, &Storage { compression, strip_rows: 64, ..Storage::default() }), 0);
        let page = page.expect("a good file");
        let region = page.facts().shape.region();
        let held = checked(&*page, region);
        let stated = heap_bytes(&*page, region);
        println!("compression {compression}: {held} bytes held, {stated} stated");
        // The figure is a bound, but not a loose one.
        assert!(held <= stated && stated <= held + 1024, "{held} of {stated}");
    }
}

/// A file of any length whose bytes are zero but for a few at its start.
struct Sparse {
    head: Vec<u8>,
    len: u64,
}

impl ReadAt for Sparse {
    type Error = io::Error;

    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        for (byte, at) in into.iter_mut().zip(offset..) {
            *byte = usize::try_from(at).ok().and_then(|at| self.head.get(at)).copied().unwrap_or(0);
        }
        Ok(())
    }
}

/// A BigTIFF header of under 200 bytes whose tables of `strips` entries each lie behind it.
fn header(strips: u64, compression: u64) -> Sparse {
    let mut head = b"II+\0\x08\0\0\0".to_vec();
    head.extend(16u64.to_le_bytes());
    let table = 4096u64;
    let fields: [(u16, u16, u64, u64); 8] = [
        (256, 4, 1, 64),
        (257, 4, 1, strips),
        (258, 3, 1, 8),
        (259, 3, 1, compression),
        (262, 3, 1, 1),
        (273, 16, strips, table),
        (278, 4, 1, 1),
        (279, 16, strips, table + 8 * strips),
    ];
    head.extend((fields.len() as u64).to_le_bytes());
    for (tag, kind, count, value) in fields {
        head.extend(tag.to_le_bytes());
        head.extend(kind.to_le_bytes());
        head.extend(count.to_le_bytes());
        head.extend(value.to_le_bytes());
    }
    head.extend(0u64.to_le_bytes());
    Sparse { head, len: table + 16 * strips }
}

#[test]
fn eight_million_strips_cost_what_eight_cost() {
    let open = |strips| {
        let bytes: Bytes = Arc::new(header(strips, 8));
        let (page, opened) = heap(|| {
            let picture = Tiff.open(bytes).expect("a good header");
            picture.page(0).expect("a good header").expect("a page")
        });
        let needs = total_bytes(&*page, page.facts().shape.region());
        (opened.peak, needs)
    };
    let (few, many) = (open(8), open(8_000_000));
    println!("opening holds {} and {} bytes, a source states {} and {}", few.0, many.0, few.1, many.1);
    assert!(many.0 <= few.0 + 64, "{} bytes for 8 strips, {} for 8 million", few.0, many.0);
    assert!(many.0 < 8 << 10, "{} bytes", many.0);
    assert_eq!(few.1, many.1);
}

/// The figures that the design promises for large tiled files, by the page's own statement.
#[test]
fn a_row_of_tiles_costs_states_and_not_pixels() {
    for (side, most) in [(10_000, 4 << 20), (20_000, 8 << 20)] {
        let page = page(tiled_header(side, 3, 256), 0).expect("a good header");
        let needs = total_bytes(&*page, page.facts().shape.region());
        println!("{side} x {side} RGB8 in 256 x 256 tiles: {needs} bytes");
        assert!(needs < most, "{needs} bytes");
    }
    // Tiles smaller than a state are held instead.
    let page = page(tiled_header(10_000, 1, 16), 0).expect("a good header");
    let needs = total_bytes(&*page, page.facts().shape.region());
    assert!(needs < 400 << 10, "{needs} bytes for tiles of 256 bytes");
}

#[test]
fn a_strip_of_any_size_costs_the_same() {
    for compression in [5, 8, 32773] {
        let needs = [100u32, 4_000_000_000].map(|rows| {
            let mut builder = tiff_files::Builder::new(false, false);
            builder.directory(&[
                (256, 4, vec![1000]),
                (257, 4, vec![u64::from(rows)]),
                (258, 3, vec![8, 8, 8]),
                (259, 3, vec![compression]),
                (262, 3, vec![2]),
                (273, 4, vec![8]),
                (277, 3, vec![3]),
            ]);
            let page = page(builder.words.bytes, 0).expect("a good header");
            total_bytes(&*page, page.facts().shape.region())
        });
        assert_eq!(needs[0], needs[1]);
        assert!(needs[1] < 160 << 10, "{needs:?}");
    }
}

#[test]
fn a_band_of_rows_needs_no_more_than_the_page() {
    for (compression, tile) in [(1, 64), (5, 16), (5, 256), (8, 16), (8, 48), (8, 64), (8, 256), (32773, 32)]
    {
        let pixels = Pixels::new(300, 400, 3, 1, 1);
        let storage = Storage { compression, tile: Some((tile, tile)), ..Storage::default() };
        let page = page(build(&pixels, &storage), 0).expect("a good file");
        let whole = page.facts().shape.region();
        for rows in [Span::new(0, 1), Span::new(64, 128), Span::new(250, 300)] {
            let band = whole.with_rows(rows);
            assert!(arena_bytes(&*page, band) <= arena_bytes(&*page, whole), "{compression} {tile} {band}");
            assert!(heap_bytes(&*page, band) <= heap_bytes(&*page, whole), "{compression} {tile} {band}");
        }
    }
}

/// The header of a square image of 8-bit bands in square Deflate tiles, without any data.
fn tiled_header(side: u32, bands: u16, tile: u32) -> Vec<u8> {
    let across = u64::from(side.div_ceil(tile));
    let table = vec![8; (across * across) as usize];
    let mut builder = tiff_files::Builder::new(false, false);
    builder.directory(&[
        (256, 4, vec![u64::from(side)]),
        (257, 4, vec![u64::from(side)]),
        (258, 3, vec![8; usize::from(bands)]),
        (259, 3, vec![8]),
        (262, 3, vec![if bands == 3 { 2 } else { 1 }]),
        (277, 3, vec![u64::from(bands)]),
        (322, 3, vec![u64::from(tile)]),
        (323, 3, vec![u64::from(tile)]),
        (324, 4, table.clone()),
        (325, 4, table),
    ]);
    builder.words.bytes
}
