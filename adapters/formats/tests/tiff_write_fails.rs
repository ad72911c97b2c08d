//! Writing TIFF where it cannot go on: devices that fail, rows that do not come, and what is refused beforehand.

mod tiff_written;

use plimsoll_core::budget::Budget;
use plimsoll_core::shape::{Region, Rows, SampleKind, Shape};
use plimsoll_core::strip::Strip;
use plimsoll_formats::{Compression, Format, FormatError, Tiff, Wanted, WriteAt};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tiff_written::{Memory, layouts, picture, write_to};

/// A device that fails at one call.
struct Failing {
    memory: Memory,
    left: AtomicUsize,
}

impl WriteAt for Failing {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        if self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            return Err(io::Error::other("this device is full"));
        }
        self.memory.write_at(offset, bytes)
    }
}

#[test]
fn a_failing_device_gives_its_error_and_no_hang() {
    let shape = Shape::new(70, 61, 3, SampleKind::U8);
    let image = picture(shape);
    for compression in [Compression::None, Compression::Lzw, Compression::Deflate] {
        for layout in layouts() {
            for compressors in 0..3 {
                let wanted = Wanted { compression, compressors, ..layout };
                let mut failures = 0;
                for call in 1.. {
                    let device = Failing { memory: Memory::default(), left: AtomicUsize::new(call) };
                    match write_to(Arc::new(device), shape, wanted, &image, 7, 1) {
                        Ok(()) => break,
                        Err(FormatError::Io { operation: "write", source, .. }) => {
                            assert_eq!(source.to_string(), "this device is full");
                            failures += 1;
                        }
                        Err(other) => panic!("{other}"),
                    }
                }
                assert!(failures >= 4, "header, unit, directory, header: {failures}");
            }
        }
    }
}

#[test]
fn a_sink_that_failed_stays_failed_and_the_file_is_not_completed() {
    let shape = Shape::new(64, 64, 1, SampleKind::U8);
    let image = picture(shape);
    let wanted = Wanted { compression: Compression::Deflate, compressors: 1, ..layouts()[1] };
    let device = Arc::new(Failing { memory: Memory::default(), left: AtomicUsize::new(2) });
    let writer = Tiff.target(shape, wanted).unwrap().create(device).unwrap();
    let mut sink = writer.sink(shape.all_rows(), &mut Budget::new(&mut [])).unwrap();
    let strip = Strip::new(&image, shape.region(), shape).unwrap();
    let failed = sink.write(&strip).and_then(|()| sink.finish());
    assert!(matches!(failed, Err(FormatError::Io { .. })));
    assert!(matches!(sink.finish(), Err(FormatError::Usage { .. })));
    drop(sink);
    assert!(writer.finish().is_err());
}

#[test]
fn rows_out_of_order_or_missing_are_refused() {
    let shape = Shape::new(8, 8, 1, SampleKind::U8);
    let image = picture(shape);
    for compression in [Compression::None, Compression::Deflate] {
        let wanted = Wanted { compression, ..Wanted::default() };
        let writer = Tiff.target(shape, wanted).unwrap().create(Arc::new(Memory::default())).unwrap();
        let strip = |start, end| {
            Strip::new(&image, Region::new(Rows::new(start, end), shape.all_cols()), shape).unwrap()
        };
        let mut sink = writer.sink(shape.all_rows(), &mut Budget::new(&mut [])).unwrap();
        assert!(matches!(sink.write(&strip(1, 2)), Err(FormatError::Usage { .. })));
        drop(sink);
        let mut sink = writer.sink(shape.all_rows(), &mut Budget::new(&mut [])).unwrap();
        sink.write(&strip(0, 7)).unwrap();
        assert!(matches!(sink.finish(), Err(FormatError::Usage { .. })));
    }
}

#[test]
fn what_cannot_be_written_is_refused_beforehand() {
    let shape = Shape::new(100, 100, 3, SampleKind::U8);
    let refused = |shape: Shape, wanted: Wanted| match Tiff.target(shape, wanted) {
        Err(FormatError::Usage { problem, .. }) => problem,
        Err(other) => panic!("{other}"),
        Ok(target) => panic!("{}", target.describe()),
    };
    let tile = |side| Wanted { tile: Some(side), ..Wanted::default() };
    for side in [0, 1, 17, 4112] {
        assert!(refused(shape, tile(side)).contains("multiple of 16"));
    }
    assert!(refused(shape, Wanted { file_strip_rows: Some(0), ..Wanted::default() }).contains("0 rows"));
    assert!(refused(shape, Wanted { file_strip_rows: Some(8), ..tile(16) }).contains("exclude"));
    assert!(refused(shape.with_bands(0), Wanted::default()).contains("one pixel"));
    let largest = Shape::new(u32::MAX, u32::MAX, u16::MAX, SampleKind::F64);
    assert!(refused(largest, Wanted::default()).contains("2^62"));
    assert!(refused(largest, tile(4096)).contains("2^62"));
    let tall = Wanted { file_strip_rows: Some(u32::MAX), compression: Compression::Lzw, ..Wanted::default() };
    assert!(refused(Shape::new(2_000_000, 1000, 1, SampleKind::U8), tall).contains("fewer rows"));
}
