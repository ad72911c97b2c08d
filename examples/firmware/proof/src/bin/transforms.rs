//! Every transform of the list, for every kind of sample: each built, planned, and run over a strip.
#![no_std]
#![no_main]

use plimsoll_core::measure::Range;
use plimsoll_core::pipeline::{Stage, StageError, View};
use plimsoll_core::shape::{Region, SampleKind, Shape, Span};
use plimsoll_core::strip::{Strip, StripMut};
use plimsoll_core::transform::bands::Bands;
use plimsoll_core::transform::blur::Blur;
use plimsoll_core::transform::conv::Conv;
use plimsoll_core::transform::crop::Crop;
use plimsoll_core::transform::flip::Flip;
use plimsoll_core::transform::gamma::Gamma;
use plimsoll_core::transform::gray::Gray;
use plimsoll_core::transform::invert::Invert;
use plimsoll_core::transform::levels::Levels;
use plimsoll_core::transform::linear::Linear;
use plimsoll_core::transform::median::Median;
use plimsoll_core::transform::normalize::Normalize;
use plimsoll_core::transform::resize::{Area, Geometry, Kernel, Means, Reduce, Resize, Target};
use plimsoll_core::transform::sharpen::sharpen;
use plimsoll_core::transform::shrink::Shrink;
use plimsoll_core::transform::to::{Convert, Keep, To};
use plimsoll_core::transform::{Curve, Direct, Lookup, Tabled, Tone};
use proof::black_box;

proof::prove!(all);

const SHAPE: Shape = Shape::new(64, 64, 1, SampleKind::U8);

// Stages are built as firmware builds them. Settings as text are for hosts: what parses numbers there is the standard
// library's, which is not ours to prove.
fn all() {
    run(Ok(Crop::new(black_box(1), black_box(1), black_box(9), black_box(9))));
    macro_rules! of_every_kind {
        ($($kind:ty),*) => {$(
            run(Ok(Invert::<$kind>::new()));
            run(Ok(Flip::<$kind>::new()));
            run(Bands::<$kind>::try_new(black_box(&[1, 2])));
            run(Ok(Normalize::<$kind>::new(black_box(Some(Range { low: 1.0, high: 9.0 })))));
            curve::<$kind, _>(Ok(Linear::new(black_box(1.5), black_box(2.0))));
            curve::<$kind, _>(Gamma::try_new(black_box(2.2)));
            curve::<$kind, _>(Levels::try_new(black_box(1.0), black_box(9.0), black_box(2.0)));
            run(Ok(Shrink::<$kind>::new(black_box(3))));
            run(Ok(Area::<$kind>::new(geometry())));
            to::<$kind>();
        )*};
    }
    of_every_kind!(u8, u16, i16, i32, u32, u64, i64, f32, f64);
    macro_rules! of_common_kinds {
        ($($kind:ty),*) => {$(
            run(Conv::<$kind, 3>::new(black_box([[1; 3]; 3]), black_box(9), black_box(1.0)));
            run(Conv::<$kind, 5>::new(black_box([[1; 5]; 5]), black_box(25), black_box(1.0)));
            run(sharpen::<$kind>());
            run(Blur::<$kind>::new(black_box(1.5)));
            run(Ok(Median::<$kind, 3>::new()));
            run(Ok(Median::<$kind, 5>::new()));
        )*};
    }
    of_common_kinds!(u8, u16, f32, f64);
    macro_rules! resized {
        ($($kind:ty),*) => {$(
            run(Ok(Resize::<$kind>::new(geometry())));
            run(Ok(Means::<$kind>::new(geometry())));
            run(Ok(Reduce::<$kind>::new(geometry())));
        )*};
    }
    resized!(u8, u16, f32);
    run(Ok(Gray::<u8>::new()));
    run(Ok(Gray::<u16>::new()));
    run(Ok(Gray::<f32>::new()));
    run(Ok(Gray::<f64>::new()));
    looked_up::<u8>();
    looked_up::<u16>();
    looked_up::<i16>();
}

/// Firmware computes the curves of samples of 16 bits, or has room for a table.
fn looked_up<T: Tabled>() {
    run(Gamma::try_new(black_box(2.2)).map(Lookup::<_, T>::new));
    run(Ok(Lookup::<_, T>::new(Linear::new(black_box(1.5), black_box(2.0)))));
}

fn curve<T: Tone, C: Curve + Copy + Send + Sync + core::fmt::Debug>(curve: Result<C, StageError>) {
    run(curve.map(Direct::<C, T>::new));
}

fn to<A>()
where
    A: Convert<u8> + Convert<u16> + Convert<i16> + Convert<i32> + Convert<u32>,
    A: Convert<u64> + Convert<i64> + Convert<f32> + Convert<f64>,
{
    run(Ok(To::<A, u8>::new(black_box(Keep::White))));
    run(Ok(To::<A, u16>::new(black_box(Keep::White))));
    run(Ok(To::<A, i16>::new(black_box(Keep::White))));
    run(Ok(To::<A, i32>::new(black_box(Keep::White))));
    run(Ok(To::<A, u32>::new(black_box(Keep::White))));
    run(Ok(To::<A, u64>::new(black_box(Keep::White))));
    run(Ok(To::<A, i64>::new(black_box(Keep::White))));
    run(Ok(To::<A, f32>::new(black_box(Keep::White))));
    run(Ok(To::<A, f64>::new(black_box(Keep::White))));
}

fn geometry() -> Geometry {
    let target = Target::Factor { num: black_box(3), den: black_box(7) };
    Geometry::new(black_box(target), black_box(Kernel::Lanczos3))
}

/// Plans a stage and runs it over a strip. Each in a function of its own: in one with all of them the optimiser gives up.
#[inline(never)]
fn run<S: Stage>(stage: Result<S, StageError>) {
    let _ = black_box(stage.and_then(|stage| used(&black_box(stage))).is_ok());
}

fn used(stage: &impl Stage) -> Result<(), StageError> {
    let shape = black_box(SHAPE);
    black_box((stage.name(), stage.reach(shape), stage.absorbs()));
    let output_shape = stage.output(shape)?;
    let output = black_box(Region::new(Span::new(1, 3), Span::new(0, 9)));
    let view = View { input_shape: shape, output_shape, input: stage.input(output, shape), output };
    black_box(stage.memory(&view));
    let (mut memory, from, mut to) = (black_box([0u8; 512]), black_box([0u8; 512]), black_box([0u8; 512]));
    stage.begin(&view, &mut memory)?;
    if let (Some(input), Some(mut output)) =
        (Strip::new(&from, view.input, shape), StripMut::new(&mut to, output, output_shape))
    {
        stage.process(&view, &mut memory, &input, &mut output)?;
    }
    Ok(())
}
