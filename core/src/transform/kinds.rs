//! For tests: each transform works on samples of every kind that it takes, says which it does not take, and gives the
//! same bits whatever the strips' height and whichever part of its output is made.

use super::WORDS;
use super::built::built;
use crate::budget::Budget;
use crate::pipeline::{Chain, Job, Sink, Source, Stage, StageError};
use crate::shape::{Region, SampleKind, Shape, Span};
use crate::strip::{Strip, StripMut};
use core::convert::Infallible;
use std::string::ToString;
use std::vec;
use std::vec::Vec;

/// Samples that depend on their place alone: whole numbers of 0 to 255, which every kind holds.
struct Places(Shape);

impl Source for Places {
    type Error = Infallible;

    fn shape(&self) -> Shape {
        self.0
    }

    fn read(&mut self, strip: &mut StripMut<'_>) -> Result<(), Infallible> {
        let (cols, bands) = (strip.cols(), u32::from(self.0.bands));
        for row in strip.rows().iter() {
            let values = (cols.start() * bands..cols.end() * bands)
                .map(|at| (at * at * 7 + row * row * 31 + at * row) as u8);
            let bytes: Vec<u8> = values.flat_map(|value| sample(self.0.kind, value)).collect();
            strip.row_bytes_mut(row).copy_from_slice(&bytes);
        }
        Ok(())
    }
}

fn sample(kind: SampleKind, value: u8) -> Vec<u8> {
    match kind {
        SampleKind::U8 => vec![value],
        SampleKind::U16 => u16::from(value).to_ne_bytes().into(),
        SampleKind::I16 => i16::from(value).to_ne_bytes().into(),
        SampleKind::U32 => u32::from(value).to_ne_bytes().into(),
        SampleKind::I32 => i32::from(value).to_ne_bytes().into(),
        SampleKind::F32 => f32::from(value).to_ne_bytes().into(),
        SampleKind::U64 => u64::from(value).to_ne_bytes().into(),
        SampleKind::I64 => i64::from(value).to_ne_bytes().into(),
        _ => f64::from(value).to_ne_bytes().into(),
    }
}

struct Rows(Vec<u8>);

impl Sink for Rows {
    type Error = Infallible;

    fn write(&mut self, strip: &Strip<'_>) -> Result<(), Infallible> {
        strip.rows().iter().for_each(|row| self.0.extend_from_slice(strip.row_bytes(row)));
        Ok(())
    }
}

/// The bytes of one region of what `stage` makes, in an arena of exactly what the chain states.
fn made(stage: &dyn Stage, source: Shape, region: Region, strip_rows: u32) -> Vec<u8> {
    let stages = [stage];
    let chain = Chain::for_region(&stages, source, region).expect("the region is of the output");
    let bytes = chain.bytes(strip_rows) as usize;
    let mut arena = vec![0; bytes + 64];
    let skip = arena.as_ptr().align_offset(64);
    let mut budget = Budget::new(&mut arena[skip..skip + bytes]);
    let mut job =
        Job::new(&chain, strip_rows, &mut budget, Places(source), Rows(Vec::new())).expect("planned");
    job.run().expect("nothing fails");
    job.finish().expect("nothing fails").1.0
}

#[test]
#[cfg_attr(miri, ignore = "each transform on each kind: hours under the interpreter")]
fn it_takes_or_names_every_kind() {
    // More settings than the one of its example, for what has several kernels.
    let more = [
        "resize:0.3,box",
        "resize:3,linear",
        "resize:1.7,cubic",
        "resize:0.6,lanczos3",
        "resize:2,box",
        "conv:5,25,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1",
        "median:5",
        "blur:0.7",
        "to:u16",
        "to:f32",
        "normalize:minmax",
        "thumbnail:4",
        "shrink:2",
    ];
    let mut taken = 0;
    for words in WORDS.iter().map(|words| words.example).chain(more) {
        // The rectangle of the example is of a large picture.
        let words = if words.starts_with("crop:") { "crop:3,2,11,9" } else { words };
        let mut takers = 0;
        for kind in SampleKind::ALL {
            for bands in [1, 3] {
                let source = Shape::new(17, 23, bands, kind);
                let stage =
                    built(words, source).and_then(|stage| stage.output(source).map(|shape| (stage, shape)));
                match stage {
                    Err(StageError::Kind { kind: named, .. }) => assert_eq!(named, kind, "{words}"),
                    Err(StageError::Bands { bands: named, .. }) => assert_eq!(named, bands, "{words}"),
                    // A range of u8 is none of this kind's, or the settings are of three bands.
                    Err(other) => assert!(!other.to_string().is_empty(), "{words}"),
                    Ok((stage, output)) => {
                        takers += 1;
                        let whole = made(&*stage, source, output.region(), 99);
                        assert_eq!(whole.len() as u64, output.image_bytes(), "{words} {source}");
                        for strip_rows in [1, 4] {
                            assert!(
                                made(&*stage, source, output.region(), strip_rows) == whole,
                                "{words} {source}: strips of {strip_rows}"
                            );
                        }
                        let rows = Span::new(output.rows / 3, output.rows.div_ceil(2));
                        let row_bytes = output.row_bytes() as usize;
                        let part = made(&*stage, source, output.region().with_rows(rows), 2);
                        assert!(
                            part == whole[rows.start() as usize * row_bytes..rows.end() as usize * row_bytes],
                            "{words} {source}: {rows}"
                        );
                    }
                }
            }
        }
        assert!(takers > 0, "{words} works on something");
        taken += takers;
    }
    assert!(taken > 150, "{taken} kinds of pictures");
}
