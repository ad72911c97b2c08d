//! Crop: a rectangle of the image and nothing else. Rows outside it are not even read where it comes first.

use super::{Args, Host, Words};
use crate::pipeline::{Stage, StageError, View};
use crate::shape::{Region, Shape, Span};
use crate::strip::{Strip, StripMut};

/// Keeps one rectangle. Works on every kind and needs no memory; copies whole rows, unless it comes first: then the
/// source gives the rectangle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crop {
    left: u32,
    top: u32,
    cols: u32,
    rows: u32,
}

impl Crop {
    /// Keeps `cols` columns from `left` on and `rows` rows from `top` on. A rectangle that leaves the image is refused
    /// when the image is known, by [`Stage::output`].
    pub const fn new(left: u32, top: u32, cols: u32, rows: u32) -> Self {
        Self { left, top, cols, rows }
    }
}

/// The place in the input of a place in the output.
fn moved(span: Span, by: u32) -> Span {
    Span::new(span.start().saturating_add(by), span.end().saturating_add(by))
}

impl Stage for Crop {
    fn name(&self) -> &'static str {
        "crop"
    }

    fn output(&self, input: Shape) -> Result<Shape, StageError> {
        let ends = [
            ("the region leaves the image on the right", self.left, self.cols, input.cols),
            ("the region leaves the image at the bottom", self.top, self.rows, input.rows),
        ];
        for (problem, start, len, there) in ends {
            let (wanted, there) = (u64::from(start) + u64::from(len), u64::from(there));
            if wanted > there {
                return Err(StageError::Geometry { stage: "crop", problem, wanted, there });
            }
        }
        Ok(Shape { rows: self.rows, cols: self.cols, ..input })
    }

    fn input(&self, output: Region, _input: Shape) -> Region {
        Region::new(moved(output.rows, self.top), moved(output.cols, self.left))
    }

    fn part(&self) -> Option<(u32, u32)> {
        Some((self.top, self.left))
    }

    #[inline(always)]
    fn process(
        &self,
        _view: &View,
        _memory: &mut [u8],
        input: &Strip<'_>,
        output: &mut StripMut<'_>,
    ) -> Result<(), StageError> {
        for row in output.rows().iter() {
            let from = input.row_bytes(row.saturating_add(self.top));
            let to = output.row_bytes_mut(row);
            if to.len() == from.len() {
                to.copy_from_slice(from);
            }
        }
        Ok(())
    }
}

/// `crop:LEFT,TOP,COLS,ROWS`
#[derive(Debug)]
pub struct Op;

impl super::Op for Op {
    const WORDS: Words = Words {
        name: "crop",
        settings: "LEFT,TOP,COLS,ROWS",
        about: "keep one rectangle, in pixels from the left and the top",
        example: "crop:100,100,4800,4800",
    };

    fn build<H: Host>(args: Args<'_>, input: Shape, host: &mut H) -> Result<H::Built, StageError> {
        let mut args = args.of("crop");
        let left = args.required("LEFT", "a whole number of columns", |_| true)?;
        let top = args.required("TOP", "a whole number of rows", |_| true)?;
        let cols = args.required("COLS", "a whole number of columns, at least 1", |cols| *cols > 0)?;
        let rows = args.required("ROWS", "a whole number of rows, at least 1", |rows| *rows > 0)?;
        args.end()?;
        let crop = Crop::new(left, top, cols, rows);
        crop.output(input)?;
        Ok(host.accept(crop))
    }
}

#[cfg(test)]
mod tests {
    use super::super::built::{built, every_cut, refuses};
    use crate::harness::Image;
    use crate::pipeline::StageError;
    use crate::shape::{Sample, SampleKind, Shape};
    use proptest::prelude::*;
    use std::format;

    fn check<T: Sample>(bands: u16, [left, top, cols, rows]: [u32; 4]) {
        let image = Image::<T>::noise(12, 10, bands, 2);
        let at = |y: u32, x: u32, b| image.at(i64::from(y + top), i64::from(x + left), b);
        let expected = Image::new(rows, cols, bands, at);
        assert_eq!(every_cut::<T, T>(&format!("crop:{left},{top},{cols},{rows}"), &image), expected);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 2 } else { 24 }))]
        #[test]
        fn any_rectangle_equals_its_naive_twin(
            bands in 1..5u16,
            [left, top] in [0..10u32, 0..12],
            cols: prop::sample::Index,
            rows: prop::sample::Index,
        ) {
            let region = [left, top, 1 + cols.index(10 - left as usize) as u32, 1 + rows.index(12 - top as usize) as u32];
            check::<u8>(bands, region);
            check::<u16>(bands, region);
            check::<f32>(bands, region);
            check::<f64>(bands, region);
        }
    }

    #[test]
    fn a_region_outside_is_refused_with_both_numbers() {
        let shape = Shape::new(12, 10, 3, SampleKind::U8);
        let refused = |words: &str| match built(words, shape) {
            Err(StageError::Geometry { stage: "crop", wanted, there, .. }) => (wanted, there),
            other => panic!("{words}: {other:?}"),
        };
        assert_eq!(refused("crop:1,0,10,12"), (11, 10));
        assert_eq!(refused("crop:0,5,10,8"), (13, 12));
        assert_eq!(refused("crop:4294967295,0,4294967295,1"), (8_589_934_590, 10));
        assert!(built("crop:0,0,10,12", shape).is_ok());
    }

    #[test]
    fn wrong_settings_are_named() {
        let shape = Shape::new(12, 10, 3, SampleKind::U8);
        refuses("crop", shape, "LEFT");
        refuses("crop:-1,0,1,1", shape, "LEFT");
        refuses("crop:0,0.5,1,1", shape, "TOP");
        refuses("crop:0,0,0,1", shape, "COLS");
        refuses("crop:0,0,1", shape, "ROWS");
        refuses("crop:0,0,1,1,1", shape, "the number of settings");
    }
}
