//! Every entry point of `measure`.
#![no_std]
#![no_main]

use plimsoll_core::budget::Budget;
use plimsoll_core::measure::{Difference, RangeOf, Ssim, SsimWindow, Statistics};
use plimsoll_core::pipeline::{Sink, Stage, View};
use plimsoll_core::shape::{Region, Sample, SampleKind, Shape, Span};
use plimsoll_core::strip::{Strip, StripMut};
use proof::black_box;

proof::prove!(all);

const SHAPE: Shape = Shape::new(64, 64, 2, SampleKind::U8);

fn all() {
    let bytes = black_box([0u8; 512]);
    let region = black_box(Region::new(Span::new(1, 3), Span::new(0, 9)));
    let Some(strip) = Strip::new(&bytes, region, black_box(SHAPE)) else { return };
    let mut arena = black_box([0u8; 4096]);
    let mut budget = Budget::new(&mut arena);
    black_box((Statistics::bytes(black_box(SHAPE), black_box(true)), Difference::bytes(black_box(SHAPE))));
    if let Ok(mut seen) = Statistics::new(black_box(SHAPE), black_box(true), &mut budget) {
        let _ = black_box(seen.write(&strip));
        if let Ok(other) = Statistics::new(black_box(SHAPE), black_box(true), &mut budget) {
            let _ = black_box(seen.merge(&other));
        }
        black_box((seen.bands(), seen.kind(), seen.band(black_box(1)), seen.overall(), seen.bins()));
        black_box((seen.occurrences(black_box(1), black_box(7)), seen.percentile(black_box(50.0))));
        black_box(seen.range(black_box(RangeOf::MinMax)));
    }
    if let Ok(mut seen) = Difference::new(black_box(SHAPE), &mut budget) {
        let _ = black_box(seen.write(&strip));
        if let Ok(other) = Difference::new(black_box(SHAPE), &mut budget) {
            let _ = black_box(seen.merge(&other));
        }
        black_box((seen.bands(), seen.band(black_box(1)), seen.overall()));
    }
    ssim::<u8>(&strip);
    ssim::<f32>(&strip);
}

fn ssim<T: Sample>(strip: &Strip<'_>)
where
    Ssim<T>: Stage,
{
    for window in [SsimWindow::Uniform8, SsimWindow::Gaussian11] {
        let stage = Ssim::<T>::new(black_box(window));
        let Ok(output_shape) = stage.output(black_box(SHAPE)) else { return };
        let output = black_box(Region::new(Span::new(1, 3), Span::new(0, 9)));
        let input = stage.input(output, SHAPE);
        let view = View { input_shape: black_box(SHAPE), output_shape, input, output };
        let (mut memory, mut to) = (black_box([0u8; 512]), black_box([0u8; 512]));
        let _ = black_box((stage.memory(&view), stage.begin(&view, &mut memory)));
        if let Some(mut out) = StripMut::new(&mut to, output, output_shape) {
            let _ = black_box(stage.process(&view, &mut memory, strip, &mut out));
        }
    }
}
