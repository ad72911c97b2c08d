//! Promise: a plan is exact. Oracles: a search over all heights one by one, and sums made here.

use plimsoll_core::budget::{ALIGN, Budget, Layout};
use plimsoll_core::bytes::{PastEnd, ReadAt};
use plimsoll_core::pipeline::bands::{MAX_WORKERS, bands, seam_bytes};
use plimsoll_core::pipeline::group::{GroupError, bytes as group_bytes, shape_of};
use plimsoll_core::pipeline::plan::{Binding, Each, Place, START, WORTHWHILE_ROWS};
use plimsoll_core::pipeline::{Chain, Group, MAX_STAGES, Need, Plan, Refusal, Request, Source, Stage, plan};
use plimsoll_core::shape::{Region, Rows, SampleKind, Shape, Span};
use plimsoll_core::strip::StripMut;
use plimsoll_core::transform::crop::Crop;
use plimsoll_core::transform::invert::Invert;
use plimsoll_core::transform::median::Median;
use plimsoll_core::transform::shrink::Shrink;

const SOURCE: Shape = Shape::new(211, 97, 1, SampleKind::U8);

const NEEDS: [Need; 4] = [
    Need::fixed("program", 5000, Each::Job, Place::Process),
    Need::fixed("state", 70, Each::Worker, Place::Heap),
    Need { consumer: "rows", bytes: 10, per_strip_row: 97, each: Each::Worker, place: Place::Arena },
    Need::fixed("nothing", 0, Each::Worker, Place::Heap),
];

fn request<'a>(chain: &'a Chain<'a>, budget_bytes: u64, workers: u32, unit_rows: u32) -> Request<'a> {
    Request {
        chain,
        needs: &NEEDS,
        budget_bytes,
        floor_bytes: 0,
        strip_rows: None,
        strip_pixels: None,
        workers,
        unit_rows,
    }
}

/// What a cut costs, added up by hand.
fn cost(chain: &Chain<'_>, rows: u32, workers: u32, unit_rows: u32) -> (u64, u32) {
    let bands = bands(chain, workers, unit_rows);
    let count = bands.len() as u64;
    let lines = |bytes: u64| bytes.div_ceil(ALIGN as u64) * ALIGN as u64;
    let each = 70 + lines(10 + 97 * u64::from(rows)) + chain.bytes(rows);
    (5000 + count * each + seam_bytes(&bands, chain), count as u32)
}

/// The most workers whose strips are worth their while, then the highest strips: all of them tried.
fn best(chain: &Chain<'_>, budget: u64, most_workers: u32, unit_rows: u32) -> Option<(u32, u32)> {
    let image = chain.input().rows.len();
    (1..=most_workers).rev().find_map(|workers| {
        let fitting = (1..=image).filter(|rows| cost(chain, *rows, workers, unit_rows).0 <= budget);
        let highest = fitting.max()?;
        let workers = cost(chain, highest, workers, unit_rows).1;
        (workers == 1 || highest >= WORTHWHILE_ROWS.min(image)).then_some((workers, highest))
    })
}

#[test]
#[cfg_attr(miri, ignore = "thousands of plans: hours under the interpreter")]
fn the_plan_is_the_best_of_all_that_fit() {
    let (invert, median, shrink, crop) =
        (Invert::<u8>::new(), Median::<u8, 5>::new(), Shrink::<u8>::new(3), Crop::new(3, 7, 80, 190));
    let stages: [&dyn Stage; 4] = [&crop, &invert, &median, &shrink];
    for stages in [&stages[1..2], &stages[..], &stages[1..3], &stages[3..]] {
        let chain = Chain::new(stages, SOURCE).unwrap();
        for unit_rows in [1, 8, 64] {
            for workers in 1..=4 {
                let smallest = cost(&chain, 1, 1, unit_rows).0;
                for budget in (0..60).map(|step| smallest - 1 + step * 700) {
                    let planned = plan(&request(&chain, budget, workers, unit_rows));
                    let expected = best(&chain, budget, workers, unit_rows);
                    let context =
                        format!("{stages:?}, units of {unit_rows}, {workers} workers, {budget} bytes");
                    match (&planned, expected) {
                        (Ok(plan), Some((workers, rows))) => {
                            assert_eq!((plan.workers, plan.strip_rows), (workers, rows), "{context}");
                            check(plan, &chain, budget, unit_rows);
                            assert_eq!(plan.smallest_bytes, smallest, "{context}");
                        }
                        (Err(refusal), None) => {
                            let Refusal { required_bytes, given_bytes, largest } = refusal;
                            assert_eq!((*required_bytes, *given_bytes), (smallest, budget), "{context}");
                            assert_eq!(largest.role, "program", "{context}");
                            assert!(refusal.to_string().contains("program, 5000 bytes"), "{refusal}");
                        }
                        other => panic!("{context}: {other:?}"),
                    }
                }
            }
        }
    }
}

/// Sums, places and rows of one plan.
fn check(plan: &Plan, chain: &Chain<'_>, budget: u64, unit_rows: u32) {
    assert_eq!(plan.peak_bytes, cost(chain, plan.strip_rows, plan.workers, unit_rows).0);
    assert!(plan.peak_bytes <= budget);
    assert_eq!(plan.consumers.iter().map(|consumer| consumer.bytes).sum::<u64>(), plan.peak_bytes);
    let places = [Place::Arena, Place::Heap, Place::Process].map(|place| plan.bytes_in(place));
    assert_eq!(places.iter().sum::<u64>(), plan.peak_bytes);
    assert_eq!(plan.largest().unwrap().bytes, plan.consumers.iter().map(|it| it.bytes).max().unwrap());
    assert!(plan.consumers.iter().all(|consumer| consumer.bytes > 0));
    // Each output row is made by one worker and each source row read by one.
    let (mut made, mut read) = (chain.output().rows.start(), chain.input().rows.start());
    for band in &plan.bands {
        assert_eq!((band.output.start(), band.reads.start()), (made, read));
        assert!(made == 0 || unit_rows == 1 || read.is_multiple_of(unit_rows), "a seam at row {read}");
        assert!(Span::new(band.reads.start(), band.seam.end()).covers(band.input));
        (made, read) = (band.output.end(), band.reads.end());
    }
    assert_eq!((made, read), (chain.output().rows.end(), chain.input().rows.end()));
    assert_eq!(plan.reads_per_row, 1.0);
}

#[test]
fn what_binds_is_named() {
    let invert = Invert::<u8>::new();
    let stages: [&dyn Stage; 1] = [&invert];
    let chain = Chain::new(&stages, SOURCE).unwrap();
    let plenty = request(&chain, 1 << 30, 1, 1);
    let wide = Chain::new(&stages, Shape { cols: 100_000, rows: 4000, ..SOURCE }).unwrap();
    let cases = [
        (plenty.clone(), Binding::Image, 211, "image"),
        (Request { strip_rows: Some(9), ..plenty.clone() }, Binding::StripRows, 9, "strip-rows"),
        (Request { strip_rows: Some(0), ..plenty.clone() }, Binding::StripRows, 1, "strip-rows"),
        (
            Request { strip_pixels: Some(97 * 5 + 96), ..plenty.clone() },
            Binding::StripPixels,
            5,
            "strip-pixels",
        ),
        (Request { strip_pixels: Some(1), ..plenty.clone() }, Binding::StripPixels, 1, "strip-pixels"),
        (Request { chain: &wide, ..plenty.clone() }, Binding::Speed, 8, "speed"),
        (Request { budget_bytes: cost(&chain, 6, 1, 1).0, ..plenty }, Binding::Budget, 6, "budget"),
    ];
    for (request, binding, rows, name) in cases {
        let plan = plan(&request).unwrap();
        assert_eq!((plan.binding, plan.strip_rows, plan.binding.name()), (binding, rows, name));
    }
}

#[test]
fn every_consumer_of_the_longest_chain_is_named() {
    let median = Median::<u8, 5>::new();
    let stages: [&dyn Stage; MAX_STAGES] = [&median; MAX_STAGES];
    let chain = Chain::new(&stages, SOURCE).unwrap();
    let needs = [Need::fixed("need", 9, Each::Job, Place::Heap); 13];
    let planned = plan(&Request { needs: &needs, ..request(&chain, 1 << 30, 2, 1) }).unwrap();
    assert_eq!(planned.workers, 2);
    // 13 needs, a window and a state of each stage, the window of the output, the seams.
    let (named, states) =
        (planned.consumers.len(), planned.consumers.iter().filter(|it| it.role == "state").count());
    assert_eq!((named, states), (13 + 2 * MAX_STAGES + 2, MAX_STAGES));
    assert_eq!(planned.consumers.iter().map(|it| it.bytes).sum::<u64>(), planned.peak_bytes);
}

#[test]
fn what_was_held_before_counts_where_the_work_needs_less() {
    let invert = Invert::<u8>::new();
    let stages: [&dyn Stage; 1] = [&invert];
    let chain = Chain::new(&stages, SOURCE).unwrap();
    let before = |floor_bytes, budget_bytes| {
        plan(&Request { floor_bytes, strip_rows: Some(2), ..request(&chain, budget_bytes, 1, 1) })
    };
    let planned = before(1 << 20, 1 << 20).unwrap();
    assert_eq!((planned.peak_bytes, planned.smallest_bytes), (1 << 20, 1 << 20));
    let start = planned.consumers.iter().find(|consumer| consumer.role == START).unwrap();
    assert_eq!(start.bytes, (1 << 20) - cost(&chain, 2, 1, 1).0);
    assert_eq!(start.to_string(), START);
    let window = planned.consumers.iter().find(|consumer| consumer.role == "window").unwrap();
    assert_eq!(window.to_string(), "window of invert (1)");
    assert_eq!(before(1 << 20, (1 << 20) - 1).unwrap_err().required_bytes, 1 << 20);
}

#[test]
fn there_are_no_more_bands_than_rows_or_units() {
    let invert = Invert::<u8>::new();
    let stages: [&dyn Stage; 1] = [&invert];
    for (rows, workers, unit, expected) in
        [(5, 9, 1, 5), (1000, 1000, 1, MAX_WORKERS), (64, 9, 32, 2), (64, 9, 100, 1), (64, 0, 0, 1)]
    {
        let chain = Chain::new(&stages, Shape { rows, ..SOURCE }).unwrap();
        assert_eq!(
            bands(&chain, workers, unit).len(),
            expected,
            "{rows} rows, {workers} workers, units of {unit}"
        );
    }
}

/// Each sample is its row, column and band, and the number of the source.
struct Counting(Shape, u8);

impl Source for Counting {
    type Error = ();

    fn shape(&self) -> Shape {
        self.0
    }

    fn read(&mut self, strip: &mut StripMut<'_>) -> Result<(), ()> {
        let (cols, bands) = (strip.cols(), u32::from(self.0.bands));
        for row in strip.rows().iter() {
            let samples =
                (cols.start() * bands..cols.end() * bands).map(|at| (row * 100 + at) as u8 ^ self.1 << 6);
            strip.row_bytes_mut(row).iter_mut().zip(samples).for_each(|(to, from)| *to = from);
        }
        Ok(())
    }
}

#[repr(align(64))]
struct Memory([u8; 1024]);

#[test]
fn a_group_is_one_image_with_the_bands_of_all() {
    let shape = |bands| Shape::new(9, 13, bands, SampleKind::U8);
    let mut sources = [Counting(shape(1), 0), Counting(shape(3), 1), Counting(shape(2), 2)];
    let shapes = || [1, 3, 2].map(shape);
    assert_eq!(shape_of(shapes()), Ok(shape(6)));
    let cols = Span::new(4, 11);
    assert_eq!(group_bytes(shapes(), cols), Layout::new().with::<u8>(7 * 3).bytes());
    let mut memory = Memory([0; 1024]);
    let mut budget = Budget::new(&mut memory.0);
    let mut group = Group::new(&mut sources[..], cols, &mut budget).unwrap();
    assert_eq!(group.shape(), shape(6));
    let mut bytes = [0; 7 * 6 * 3];
    let region = Region::new(Rows::new(5, 8), cols);
    group.read(&mut StripMut::new(&mut bytes, region, shape(6)).unwrap()).unwrap();
    let strip = StripMut::new(&mut bytes, region, shape(6)).unwrap();
    for row in 5..8 {
        for (at, col) in (4..11u32).enumerate() {
            let pixel = &strip.as_strip().row_bytes(row)[at * 6..][..6];
            let expected = [(0u8, 1u32, 0u32), (1, 3, 0), (1, 3, 1), (1, 3, 2), (2, 2, 0), (2, 2, 1)]
                .map(|(source, bands, band)| (row * 100 + col * bands + band) as u8 ^ source << 6);
            assert_eq!(pixel, expected, "row {row}, column {col}");
        }
    }
}

#[test]
fn sources_that_do_not_go_together_are_refused() {
    let shape = |cols, bands| Shape::new(9, cols, bands, SampleKind::U8);
    assert_eq!(shape_of([]), Err(GroupError::Empty));
    let differs = shape_of([shape(13, 1), shape(13, 2), shape(12, 1)]).unwrap_err();
    assert!(matches!(differs, GroupError::Shape { index: 2, .. }), "{differs}");
    let many = shape_of([shape(13, 65535), shape(13, 1)]).unwrap_err();
    assert_eq!(many, GroupError::Bands { bands: 65536 });
    let mut memory = Memory([0; 1024]);
    let mut sources = [Counting(shape(2000, 1), 0)];
    let small =
        Group::new(&mut sources[..], Span::new(0, 2000), &mut Budget::new(&mut memory.0)).err().unwrap();
    for (error, words) in [
        (GroupError::Empty, "at least one"),
        (differs, "source 2 of the group has 12 x 9"),
        (many, "65536 bands"),
        (small, "group row"),
    ] {
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn parts_of_a_slice_are_read_at_their_offsets() {
    let device: &[u8] = &[1, 2, 3, 4, 5, 6, 7, 8];
    assert_eq!(
        (ReadAt::len(&device), ReadAt::is_empty(&device), ReadAt::is_empty(&[][..])),
        (8, false, true)
    );
    let (mut a, mut b) = ([0; 3], [0; 2]);
    device.read_each(&mut [(5, &mut a[..]), (0, &mut b[..])].into_iter()).unwrap();
    device.release_before(8);
    assert_eq!((a, b), ([6, 7, 8], [1, 2]));
    for (offset, wanted) in [(6, 3), (9, 0), (u64::MAX, 1), (u64::MAX - 1, 9)] {
        let past = device.read_at(offset, &mut [0; 9][..wanted]).unwrap_err();
        assert_eq!(past, PastEnd { offset, wanted, len: 8 });
        assert!(past.to_string().contains(&format!("{wanted} bytes wanted at offset {offset}")), "{past}");
    }
    assert!(device.read_each(&mut [(0, &mut b[..]), (7, &mut a[..])].into_iter()).is_err());
}
