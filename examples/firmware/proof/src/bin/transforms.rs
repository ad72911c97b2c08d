//! Every transform of the list, for every kind of sample: each built, planned, and run over a strip.
#![no_std]
#![no_main]

use plimsoll_core::measure::{Range, RangeOf};
use plimsoll_core::pipeline::{Stage, StageError, View};
use plimsoll_core::shape::{Region, SampleKind, Shape, Span};
use plimsoll_core::strip::{Strip, StripMut};
use plimsoll_core::transform::{
    Args, Host, bands, blur, conv, crop, flip, gamma, gray, invert, levels, linear,
};
use plimsoll_core::transform::{Op, median, normalize, resize, sharpen, shrink, thumbnail, to};
use proof::black_box;

proof::prove!(all);

fn all() {
    macro_rules! each {
        ($($module:ident),*) => {$(
            // Settings are text only on hosts: what parses numbers is the standard library's.
            let _ = black_box($module::Op::build(Args::new("", black_box("")), black_box(SHAPE), &mut Runs));
        )*};
    }
    each!(
        invert, crop, linear, gamma, levels, to, bands, gray, flip, conv, sharpen, blur, median, resize,
        shrink
    );
    each!(thumbnail, normalize);
}

const SHAPE: Shape = Shape::new(64, 64, 1, SampleKind::U8);

struct Runs;

impl Host for Runs {
    type Built = Result<(), StageError>;

    fn range(&mut self, of: RangeOf) -> Option<Range> {
        black_box(of);
        black_box(None)
    }

    fn accept<S: Stage + 'static>(&mut self, stage: S) -> Self::Built {
        let stage = black_box(stage);
        let shape = black_box(SHAPE);
        black_box((stage.name(), stage.reach(shape), stage.absorbs()));
        let output_shape = stage.output(shape)?;
        let output = black_box(Region::new(Span::new(1, 3), Span::new(0, 9)));
        let view = View { input_shape: shape, output_shape, input: stage.input(output, shape), output };
        black_box(stage.memory(&view));
        let (mut memory, from, mut to) =
            (black_box([0u8; 512]), black_box([0u8; 512]), black_box([0u8; 512]));
        stage.begin(&view, &mut memory)?;
        if let (Some(input), Some(mut output)) =
            (Strip::new(&from, view.input, shape), StripMut::new(&mut to, output, output_shape))
        {
            stage.process(&view, &mut memory, &input, &mut output)?;
        }
        Ok(())
    }
}
