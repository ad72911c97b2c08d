//! A small picture of the whole: fits within a square and keeps the proportions.

use super::resize::{self, Geometry, Kernel, Target};
use super::{Args, Host, Words};
use crate::pipeline::StageError;
use crate::shape::Shape;

/// The size of `input` fitted within `size x size` pixels: the longer side has `size`, the other is to the nearest
/// pixel and at least 1. A picture that fits already stays as it is.
pub fn fit(input: Shape, size: u32) -> Target {
    let longer = input.rows.max(input.cols).max(1);
    let size = size.min(longer);
    let scaled = |side: u32| {
        let (side, longer) = (u64::from(side), u64::from(longer));
        let pixels = (2 * side * u64::from(size) + longer) / (2 * longer);
        (pixels as u32).max(1)
    };
    Target::Size { cols: scaled(input.cols), rows: scaled(input.rows) }
}

/// `thumbnail`
#[derive(Debug)]
pub struct Op;

impl super::Op for Op {
    const WORDS: Words = Words {
        name: "thumbnail",
        settings: "SIZE[,lanczos3|area|linear|cubic]",
        about: "shrinks to fit within SIZE x SIZE pixels, never enlarges (lanczos3 unless said otherwise)",
        example: "thumbnail:512",
    };

    fn build<H: Host>(args: Args<'_>, input: Shape, host: &mut H) -> Result<H::Built, StageError> {
        let mut args = args.of("thumbnail");
        let size = args.required("the size", "a number of pixels from 1 to 2^30", |size: &u32| {
            (1..=1 << 30).contains(size)
        })?;
        let wrong = args.wrong("the kernel", "lanczos3, area, linear or cubic");
        let kernel = match args.next_word() {
            None => Kernel::Lanczos3,
            Some("area") => Kernel::Box,
            Some(word) => word.parse().map_err(|()| wrong)?,
        };
        args.end()?;
        resize::build(Geometry::new(fit(input, size), kernel), input, host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Stage;
    use crate::shape::SampleKind;

    #[test]
    fn the_longer_side_fits_and_nothing_grows() {
        let fit = |rows, cols, size| fit(Shape::new(rows, cols, 3, SampleKind::U8), size);
        assert_eq!(fit(10_000, 10_000, 512), Target::Size { cols: 512, rows: 512 });
        assert_eq!(fit(3000, 4000, 512), Target::Size { cols: 512, rows: 384 });
        assert_eq!(fit(500, 200_000, 512), Target::Size { cols: 512, rows: 1 });
        assert_eq!(fit(3, 100_000, 512), Target::Size { cols: 512, rows: 1 });
        assert_eq!(fit(300, 400, 512), Target::Size { cols: 400, rows: 300 });
    }

    /// What kind of stage is built, and its output.
    struct Outputs(Shape);

    impl Host for Outputs {
        type Built = (bool, Result<Shape, StageError>);
        fn accept<S: Stage + 'static>(&mut self, stage: S) -> Self::Built {
            (stage.absorbs(), stage.output(self.0))
        }
    }

    #[test]
    fn settings_are_read_strictly() {
        let input = Shape::new(300, 400, 3, SampleKind::U8);
        let build = |settings| {
            crate::transform::build("thumbnail", Args::new("thumbnail", settings), input, &mut Outputs(input))
        };
        for wrong in ["", "0", "-5", "1.5", "100,sinc", "100,area,1"] {
            assert!(
                matches!(build(wrong), Err(StageError::Setting { stage: "thumbnail", .. })),
                "{wrong} was taken"
            );
        }
        let small = Ok(Shape { rows: 75, cols: 100, ..input });
        // Large reductions take rows as they come; a picture that fits already needs no more than a row.
        assert_eq!(build("100"), Ok((true, small)));
        assert_eq!(build("100,area"), Ok((true, small)));
        assert_eq!(build("400"), Ok((false, Ok(input))));
        assert_eq!(build("4000,linear"), Ok((false, Ok(input))));
    }
}
