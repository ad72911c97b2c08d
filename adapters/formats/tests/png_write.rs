//! PNG as it is written, read back by us and by the `png` crate.

mod png_files;
mod rows;

use plimsoll_core::shape::{SampleKind, Shape};
use plimsoll_formats::{Compression, Format, FormatError, Png, Wanted};
use png_files::oracle;
use rows::{read_all, samples, write};
#[test]
fn what_is_written_is_read_back_by_both() {
    for (kind, bands) in
        [SampleKind::U8, SampleKind::U16].iter().flat_map(|kind| (1..=4).map(move |b| (*kind, b)))
    {
        for compression in [Compression::Usual, Compression::Deflate, Compression::None] {
            let shape = Shape::new(14, 31, bands, kind);
            let data = samples(shape.image_bytes() as usize);
            let target = Png.target(shape, Wanted { compression, ..Wanted::default() }).unwrap();
            assert!(target.ordered());
            let content = write(&*target, shape, &data, 1, 5).unwrap();
            assert!(oracle(&content) == (shape, data.clone()), "{shape}");
            assert!(read_all(&content, 4).unwrap() == (shape, data.clone()), "{shape}");
            assert!(write(&*target, shape, &data, 1, 1).unwrap() == content, "the strips show");
        }
    }
}

#[test]
fn what_cannot_be_written_names_what_would_do() {
    let refused = |kind, bands, wanted| {
        Png.target(Shape::new(4, 4, bands, kind), wanted).err().expect("refused").to_string()
    };
    let usual = Wanted::default();
    assert!(refused(SampleKind::F32, 1, usual).contains("--do to:u16"));
    assert!(refused(SampleKind::U8, 5, usual).contains("--do bands:"));
    assert!(
        refused(SampleKind::U8, 1, Wanted { compression: Compression::Lzw, ..usual }).contains("deflate")
    );
    assert!(refused(SampleKind::U8, 1, Wanted { tile: Some(64), ..usual }).contains("TIFF"));
    let huge = Png.target(Shape::new(u32::MAX, 4, 1, SampleKind::U8), usual);
    assert!(matches!(huge.err(), Some(FormatError::Usage { .. })));
}
