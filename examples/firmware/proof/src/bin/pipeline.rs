//! Every entry point of `budget`, `shape`, `strip`, `bytes` and `pipeline`, with a stage that the optimiser cannot see.
#![no_std]
#![no_main]

use core::convert::Infallible;
use plimsoll_core::budget::{Budget, Layout, SharedBudget};
use plimsoll_core::bytes::ReadAt;
use plimsoll_core::pipeline::bands::{bands, seam_bytes};
use plimsoll_core::pipeline::governor::{Governor, Pace, Readings};
use plimsoll_core::pipeline::plan::{Each, Place};
use plimsoll_core::pipeline::{Chain, Group, Job, Need, Request, Sink, Source, Stage, Staged, plan};
use plimsoll_core::shape::{Region, Sample, SampleKind, Shape, Span};
use plimsoll_core::strip::{Strip, StripMut};
use plimsoll_core::transform::crop::Crop;
use plimsoll_core::transform::flip::Flip;
use proof::black_box;

proof::prove!(all);

static SHARED: SharedBudget = SharedBudget::new(1024);

struct Camera(Shape);

impl Source for Camera {
    type Error = Infallible;

    fn shape(&self) -> Shape {
        black_box(self.0)
    }

    fn read(&mut self, strip: &mut StripMut<'_>) -> Result<(), Infallible> {
        black_box(strip.rows());
        Ok(())
    }
}

struct Radio;

impl Sink for Radio {
    type Error = Infallible;

    fn write(&mut self, strip: &Strip<'_>) -> Result<(), Infallible> {
        black_box(strip.rows());
        Ok(())
    }
}

fn all() {
    budgets();
    shapes();
    strips::<u8>();
    strips::<f64>();
    chains();
    let mut into = black_box([0u8; 4]);
    let bytes: &[u8] = &black_box([0u8; 9]);
    let _ = black_box(bytes.read_at(black_box(7), &mut into).is_ok());
}

fn budgets() {
    let mut bytes = black_box([0u8; 256]);
    let mut budget = Budget::new(&mut bytes);
    let _ = black_box(budget.lease::<u8>("a", black_box(3)));
    let _ = black_box(budget.lease::<f64>("b", black_box(3)));
    let _ = black_box(budget.scope(|budget| budget.lease::<u16>("c", black_box(3)).is_ok()));
    black_box(budget.stats());
    black_box(Layout::new().with::<u32>(black_box(3)).bytes());
    if let Ok(mut lease) = SHARED.lease("d", black_box(30)) {
        lease.shrink_to(black_box(7));
        black_box(lease.bytes());
    }
    black_box((SHARED.stats(), SHARED.limit()));
}

fn shapes() {
    let shape = black_box(Shape::new(9, 9, 1, SampleKind::U8));
    black_box((shape.row_samples(), shape.row_bytes(), shape.pixel_bytes(), shape.image_bytes()));
    black_box((
        shape.all_rows(),
        shape.all_cols(),
        shape.with_bands(3),
        shape.with_kind(black_box(SampleKind::F32)),
    ));
    let (a, b) = (black_box(Span::new(1, 2)), black_box(Span::new(2, 5)));
    black_box((Span::new(black_box(3), black_box(2)), Span::one(black_box(u32::MAX)), a.len(), a.is_empty()));
    black_box((
        a.contains(black_box(1)),
        a.covers(b),
        a.grown(black_box(3), black_box(4)),
        a.intersect(b),
        a.hull(b),
    ));
    black_box(a.iter());
    let region = Region::new(a, b);
    black_box((region.with_rows(b), region.grown(black_box(3), &shape), region.is_empty()));
    let kind = black_box(SampleKind::U16);
    black_box((
        kind.bytes(),
        kind.name(),
        kind.is_float(),
        kind.white(),
        SampleKind::from_name(black_box("u8")),
    ));
}

fn strips<T: Sample>() {
    let image = black_box(Shape::new(9, 9, 1, SampleKind::U8));
    let region = black_box(Region::new(Span::new(1, 3), Span::new(0, 9)));
    let mut bytes = black_box([0u8; 256]);
    if let Some(mut strip) = StripMut::new(&mut bytes, region, image) {
        black_box((strip.rows(), strip.cols(), strip.region(), strip.image(), strip.row_samples()));
        black_box(strip.row_mut::<T>(black_box(2)));
        black_box(strip.row_bytes_mut(black_box(2)));
        black_box(strip.parts_mut());
        black_box(strip.narrowed(black_box(Span::new(0, 2))).rows());
        black_box(strip.as_strip());
        black_box(strip.into_narrowed(black_box(Span::new(0, 2))).rows());
    }
    if let Some(strip) = Strip::new(&bytes, region, image) {
        black_box((strip.rows(), strip.cols(), strip.region(), strip.image(), strip.row_samples()));
        black_box((strip.row::<T>(black_box(2)), strip.row_bytes(black_box(2)), strip.parts()));
        black_box(strip.narrowed(black_box(Span::new(0, 2))));
    }
}

fn chains() {
    let shape = black_box(Shape::new(64, 64, 1, SampleKind::U8));
    let (crop, flip) = (Crop::new(black_box(1), black_box(1), black_box(9), black_box(9)), Flip::<u8>::new());
    let stages: [&dyn Stage; 2] = black_box([&crop, &flip]);
    let stages = stages.get(..black_box(2)).unwrap_or_default();
    let Ok(chain) = Chain::new(stages, shape) else { return };
    let region = black_box(Region::new(Span::new(0, 3), Span::new(0, 3)));
    black_box(Chain::for_region(stages, shape, region).is_ok());
    let (index, rows) = (black_box(1), black_box(4));
    black_box((
        chain.stages().len(),
        chain.view(index),
        chain.source(),
        chain.input(),
        chain.output_shape(),
        chain.output(),
    ));
    black_box((
        chain.source_rows(black_box(Span::new(0, 3))),
        chain.windows(),
        chain.batch_rows(index, rows),
    ));
    black_box((
        chain.window_rows(index, rows),
        chain.window_row_bytes(index),
        chain.window_bytes(index, rows),
    ));
    black_box((chain.stage_bytes(index), chain.bytes(rows)));
    let list = bands(&chain, black_box(3), black_box(2));
    black_box(seam_bytes(&list, &chain));
    let mut need = Need::fixed("heap", black_box(7), black_box(Each::Job), black_box(Place::Heap));
    need.per_strip_row = black_box(3);
    black_box(need.one(rows));
    let request = Request {
        chain: &chain,
        needs: &[need],
        budget_bytes: black_box(1 << 20),
        floor_bytes: black_box(0),
        strip_rows: black_box(None),
        strip_pixels: black_box(None),
        workers: black_box(2),
        unit_rows: black_box(1),
    };
    match black_box(plan(&request)) {
        Ok(plan) => {
            black_box((plan.bytes_in(Place::Arena), plan.largest()));
        }
        Err(refusal) => {
            black_box(refusal);
        }
    }
    let pace = black_box(Pace { strip_rows: 3, workers: 2 });
    black_box(Governor::new(pace, black_box(9)).decide(&black_box(Readings::default()), pace));

    let mut bytes = black_box([0u8; 2048]);
    let mut budget = Budget::new(&mut bytes);
    if let Ok(mut job) = Job::new(&chain, rows, &mut budget, Camera(shape), Radio) {
        let _ = black_box(job.step().is_ok());
        job.set_strip_rows(black_box(2));
        black_box((job.progress(), job.strip_rows()));
        black_box(job.sink_mut());
        let _ = black_box(job.run().is_ok());
        let _ = black_box(job.finish().is_ok());
    }
    let region = black_box(Region::new(Span::new(1, 3), Span::new(0, 9)));
    let mut rows_of = black_box([0u8; 256]);
    let mut strip = StripMut::new(&mut rows_of, region, shape);
    if let (Ok(mut staged), Some(strip)) = (Staged::new(&chain, rows, &mut budget, Camera(shape)), &mut strip)
    {
        black_box(Staged::<Camera>::bytes(&chain, rows));
        let _ = black_box(staged.read(strip).is_ok());
    }
    let cameras = [Camera(shape), Camera(shape)];
    if let (Ok(mut group), Some(strip)) =
        (Group::new(cameras, black_box(Span::new(0, 9)), &mut budget), &mut strip)
    {
        let _ = black_box(group.read(strip).is_ok());
    }
}
