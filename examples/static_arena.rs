//! A picture larger than the memory there is, through three stages, in a static arena of 16 KiB.
//!
//! `cargo run -p plimsoll-examples --example static_arena`
//! prints: `640 x 480 -> 158 x 118 in 12224 of 16384 bytes, sum 2596830`
//!
//! Everything but the printing is core: this is what firmware links. The source stands for a camera that gives row
//! after row, the sink for a radio that takes them.

use plimsoll_core::budget::{Budget, Exhausted};
use plimsoll_core::pipeline::{Chain, Job, RunError, Sink, Source, Stage};
use plimsoll_core::shape::{SampleKind, Shape};
use plimsoll_core::strip::{Strip, StripMut};
use plimsoll_core::transform::crop::Crop;
use plimsoll_core::transform::sharpen::sharpen;
use plimsoll_core::transform::shrink::Shrink;
use std::convert::Infallible;
use std::sync::Mutex;

const BYTES: usize = 16 << 10;

#[repr(align(64))]
struct Arena([u8; BYTES]);

static ARENA: Mutex<Arena> = Mutex::new(Arena([0; BYTES]));

fn main() {
    let mut arena = ARENA.lock().expect("nobody panicked with it");
    let crop = Crop::new(4, 4, 632, 472);
    let sharpen = sharpen::<u8>().expect("the numbers of the preset");
    let shrink = Shrink::<u8>::new(4);
    let stages: [&dyn Stage; 3] = [&crop, &sharpen, &shrink];

    let camera = Camera { shape: Shape::new(480, 640, 1, SampleKind::U8) };
    let chain = Chain::new(&stages, camera.shape()).expect("the stages fit the picture");
    let planned = chain.bytes(4);
    assert!(planned <= BYTES as u64, "known before the first row: {planned} bytes");

    let (rows, sum) = run(&chain, &mut arena.0, camera).expect("the plan fits the arena");
    let Shape { cols, .. } = chain.output_shape();
    println!("640 x 480 -> {cols} x {rows} in {planned} of {BYTES} bytes, sum {sum}");
    assert_eq!((cols, rows), (158, 118));
}

/// The whole work: lease, then step until the last row is out.
fn run(chain: &Chain<'_>, arena: &mut [u8], camera: Camera) -> Result<(u32, u64), Exhausted> {
    let mut budget = Budget::new(arena);
    let fail = |error| match error {
        RunError::Budget(exhausted) => exhausted,
        other => unreachable!("camera and radio never fail, and the stages fit: {other:?}"),
    };
    let mut job = Job::new(chain, 4, &mut budget, camera, Radio::default()).map_err(fail)?;
    let progress = job.run().map_err(fail)?;
    let (_, radio) = job.finish().map_err(fail)?;
    Ok((progress.rows_written, radio.sum))
}

/// Gives a slanted gradient.
struct Camera {
    shape: Shape,
}

impl Source for Camera {
    type Error = Infallible;

    fn shape(&self) -> Shape {
        self.shape
    }

    fn read(&mut self, strip: &mut StripMut<'_>) -> Result<(), Infallible> {
        for row in strip.rows().iter() {
            let cols = strip.cols().iter();
            for (sample, col) in strip.row_mut::<u8>(row).iter_mut().zip(cols) {
                *sample = ((row * 3 + col * 2) / 8 % 256) as u8;
            }
        }
        Ok(())
    }
}

/// Adds up what it is given.
#[derive(Default)]
struct Radio {
    sum: u64,
}

impl Sink for Radio {
    type Error = Infallible;

    fn write(&mut self, strip: &Strip<'_>) -> Result<(), Infallible> {
        for row in strip.rows().iter() {
            self.sum += strip.row::<u8>(row).iter().map(|sample| u64::from(*sample)).sum::<u64>();
        }
        Ok(())
    }
}

#[test]
fn runs() {
    main();
}
