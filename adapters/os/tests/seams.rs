//! Several workers on one picture: each source row is read once, and the answer is that of one worker.

use plimsoll_core::budget::{Budget, Layout};
use plimsoll_core::pipeline::bands::{bands, seam_bytes};
use plimsoll_core::pipeline::{Bands, Chain, Job, RunError, Sink, Source, Stage, StageError, View};
use plimsoll_core::shape::{Region, Rows, SampleKind, Shape};
use plimsoll_core::strip::{Strip, StripMut};
use plimsoll_os::memory::Arena;
use plimsoll_os::workers::{Seam, SeamError, SeamSource, seams};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Sums of `2 * radius + 1` by as many samples, edges repeated.
struct BoxSum(u32);

impl Stage for BoxSum {
    fn name(&self) -> &'static str {
        "box-sum"
    }
    fn output(&self, input: Shape) -> Result<Shape, StageError> {
        Ok(input)
    }
    fn input(&self, output: Region, input: Shape) -> Region {
        output.grown(self.0, &input)
    }
    fn reach(&self, _input: Shape) -> u32 {
        2 * self.0 + 1
    }
    fn process(
        &self,
        view: &View,
        _memory: &mut [u8],
        input: &Strip<'_>,
        output: &mut StripMut<'_>,
    ) -> Result<(), StageError> {
        let Shape { rows, cols, .. } = view.input_shape;
        let at = |y: i64, x: i64| {
            let (y, x) = (y.clamp(0, i64::from(rows) - 1) as u32, x.clamp(0, i64::from(cols) - 1) as u32);
            input.row::<u16>(y)[(x - input.cols().start()) as usize]
        };
        let radius = i64::from(self.0);
        for y in output.rows().iter() {
            for x in output.cols().iter() {
                let mut sum = 0u16;
                for dy in -radius..=radius {
                    for dx in -radius..=radius {
                        sum = sum.wrapping_add(at(i64::from(y) + dy, i64::from(x) + dx));
                    }
                }
                let first = output.cols().start();
                output.row_mut::<u16>(y)[(x - first) as usize] = sum;
            }
        }
        Ok(())
    }
}

/// Every `n`-th row: between the rows that it looks at lie rows that nobody needs.
struct EveryNth(u32);

impl Stage for EveryNth {
    fn name(&self) -> &'static str {
        "every-nth"
    }
    fn output(&self, input: Shape) -> Result<Shape, StageError> {
        Ok(Shape { rows: input.rows.div_ceil(self.0), ..input })
    }
    fn input(&self, output: Region, _input: Shape) -> Region {
        let last = output.rows.end().saturating_sub(1) * self.0;
        output.with_rows(Rows::new(output.rows.start() * self.0, last + 1))
    }
    fn process(
        &self,
        _view: &View,
        _memory: &mut [u8],
        input: &Strip<'_>,
        output: &mut StripMut<'_>,
    ) -> Result<(), StageError> {
        for y in output.rows().iter() {
            output.row_mut::<u16>(y).copy_from_slice(input.row::<u16>(y * self.0));
        }
        Ok(())
    }
}

fn sample(y: u32, x: u32) -> u16 {
    (y.wrapping_mul(0x9e37_79b9) ^ x.wrapping_mul(0x85eb_ca6b)).wrapping_mul(0x2c1b_3c6d).to_be_bytes()[0]
        .into()
}

/// An image that exists in formula only; counts how often each row is read and insists on order.
struct Counted<'c> {
    shape: Shape,
    next: u32,
    most_rows: u32,
    reads: &'c [AtomicU32],
    fail_at: Option<u32>,
}

impl Source for Counted<'_> {
    type Error = &'static str;
    fn shape(&self) -> Shape {
        self.shape
    }
    fn read(&mut self, strip: &mut StripMut<'_>) -> Result<(), Self::Error> {
        assert_eq!(strip.rows().start(), self.next, "rows are asked for in order");
        assert!((1..=self.most_rows).contains(&strip.rows().len()));
        self.next = strip.rows().end();
        for row in strip.rows().iter() {
            if self.fail_at == Some(row) {
                return Err("broken");
            }
            self.reads[row as usize].fetch_add(1, Ordering::Relaxed);
            let first = strip.cols().start();
            for (x, to) in strip.row_mut::<u16>(row).iter_mut().enumerate() {
                *to = sample(row, first + x as u32);
            }
        }
        Ok(())
    }
}

/// Takes rows into one image that all workers write.
struct Into<'c>(&'c Mutex<Vec<u16>>, Region);

impl Sink for Into<'_> {
    type Error = ();
    fn write(&mut self, strip: &Strip<'_>) -> Result<(), ()> {
        let mut image = self.0.lock().unwrap();
        let cols = self.1.cols.len() as usize;
        for row in strip.rows().iter() {
            let start = (row - self.1.rows.start()) as usize * cols;
            image[start..start + cols].copy_from_slice(strip.row::<u16>(row));
        }
        Ok(())
    }
}

type Outcome = Result<(), RunError<SeamError<&'static str>, ()>>;

struct Run {
    image: Vec<u16>,
    reads: Vec<u32>,
    outcomes: Vec<Outcome>,
    bands: Bands,
}

/// Runs a chain over one region with so many workers, each on its own thread; one of them may fail at a source row or
/// never begin.
fn run(
    stages: &[&dyn Stage],
    source: Shape,
    output: Option<Region>,
    (workers, unit_rows, strip_rows): (u32, u32, u32),
    fail_at: Option<u32>,
    absent: Option<usize>,
) -> Run {
    let whole = Chain::new(stages, source).unwrap();
    let output = output.unwrap_or(whole.output());
    let chain = Chain::for_region(stages, source, output).unwrap();
    let bands = bands(&chain, workers, unit_rows);
    let bytes = seam_bytes(&bands, &chain);
    let mut seam_arena = Arena::new(bytes as usize).unwrap();
    let mut budget = Budget::new(seam_arena.as_mut());
    let seams: Vec<Seam<'_>> = seams(&bands, &chain, &mut budget).unwrap();
    assert_eq!(budget.stats().used as u64, bytes, "the seams take what the plan says");
    let reads: Vec<AtomicU32> = (0..source.rows).map(|_| AtomicU32::new(0)).collect();
    let image = Mutex::new(vec![0; (output.rows.len() * output.cols.len()) as usize]);
    let work = |index: usize| -> Outcome {
        let band = bands[index];
        // Upper workers come to their seam first.
        std::thread::sleep(Duration::from_micros(50 * index as u64));
        if absent == Some(index) {
            seams[index - 1].abandon();
            return Ok(());
        }
        let chain = Chain::for_region(stages, source, output.with_rows(band.output)).unwrap();
        assert_eq!(chain.input().rows, band.input);
        let counted = Counted {
            shape: source,
            next: band.reads.start(),
            most_rows: strip_rows,
            reads: &reads,
            fail_at,
        };
        let inner = SeamSource::new(counted, index, &bands, &seams, strip_rows);
        let mut arena =
            Arena::new(Layout::new().with::<u8>(chain.bytes(strip_rows)).bytes() as usize).unwrap();
        let mut budget = Budget::new(arena.as_mut());
        let mut job = Job::new(&chain, strip_rows, &mut budget, inner, Into(&image, output))?;
        job.run()?;
        let (source, _) = job.finish()?;
        assert!(source.into_inner().next <= band.reads.end());
        Ok(())
    };
    let outcomes = std::thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = (0..bands.len()).map(|index| scope.spawn(move || work(index))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let image = image.into_inner().unwrap();
    Run { image, reads: reads.into_iter().map(AtomicU32::into_inner).collect(), outcomes, bands }
}

const SHAPE: Shape = Shape::new(97, 11, 1, SampleKind::U16);

#[test]
fn every_row_is_read_once_and_the_answer_is_that_of_one_worker() {
    let chains: [&[&dyn Stage]; 4] =
        [&[], &[&BoxSum(1)], &[&BoxSum(3), &BoxSum(2)], &[&BoxSum(0), &BoxSum(6)]];
    let mut shared_rows = 0;
    let mut several = 0;
    for stages in chains {
        for region in [None, Some(Region::new(Rows::new(13, 90), Rows::new(2, 9)))] {
            let one = run(stages, SHAPE, region, (1, 1, 97), None, None);
            for workers in 1..=5 {
                for (unit_rows, strip_rows) in [(1, 1), (1, 8), (4, 3), (7, 16), (16, 5), (97, 2)] {
                    let cut = (workers, unit_rows, strip_rows);
                    let many = run(stages, SHAPE, region, cut, None, None);
                    assert!(many.outcomes.iter().all(Result::is_ok), "{cut:?}: {:?}", many.outcomes);
                    assert_eq!(many.image, one.image, "{cut:?}");
                    assert_eq!(many.reads, one.reads, "{cut:?}");
                    shared_rows += many.bands.iter().map(|band| band.seam.len()).sum::<u32>();
                    several += u32::from(many.bands.len() == 5);
                }
            }
            assert!(one.reads.iter().all(|reads| *reads <= 1));
        }
    }
    // The test is worth something only if there were seams and many bands.
    assert!(shared_rows > 1000 && several > 10, "{shared_rows} {several}");
}

#[test]
fn rows_that_nobody_looks_at_do_not_break_the_order() {
    let chains: [&[&dyn Stage]; 2] = [&[&EveryNth(7)], &[&BoxSum(1), &EveryNth(9)]];
    for stages in chains {
        let one = run(stages, SHAPE, None, (1, 1, 4), None, None);
        for workers in 2..=5 {
            for (unit_rows, strip_rows) in [(1, 2), (5, 3), (16, 16)] {
                let many = run(stages, SHAPE, None, (workers, unit_rows, strip_rows), None, None);
                assert!(many.outcomes.iter().all(Result::is_ok));
                assert_eq!(many.image, one.image);
                assert!(many.reads.iter().all(|reads| *reads <= 1));
            }
        }
    }
}

#[test]
fn a_neighbour_that_fails_wakes_who_waits() {
    let stages: [&dyn Stage; 1] = [&BoxSum(5)];
    let cut = (3, 1, 4);
    let bands = run(&stages, SHAPE, None, cut, None, None).bands;
    // In the rows that the second worker reads for both.
    let failed = run(&stages, SHAPE, None, cut, Some(bands[0].seam.end() - 1), None);
    assert_eq!(failed.outcomes[0], Err(RunError::Source(SeamError::Neighbour)));
    assert_eq!(failed.outcomes[1], Err(RunError::Source(SeamError::Source("broken"))));
    assert_eq!(failed.outcomes[2], Ok(()));
    // Behind them: the first worker has what it needs.
    let failed = run(&stages, SHAPE, None, cut, Some(bands[1].reads.end() - 1), None);
    assert_eq!(failed.outcomes[0], Ok(()));
    assert_eq!(failed.outcomes[1], Err(RunError::Source(SeamError::Source("broken"))));
    // A worker that never begins: its seam is abandoned by whoever could not start it.
    let failed = run(&stages, SHAPE, None, cut, None, Some(1));
    assert_eq!(failed.outcomes[0], Err(RunError::Source(SeamError::Neighbour)));
    assert_eq!(failed.outcomes[2], Ok(()));
}

#[test]
fn a_source_that_is_dropped_unread_wakes_who_waits() {
    let stages: [&dyn Stage; 1] = [&BoxSum(2)];
    let chain = Chain::new(&stages, SHAPE).unwrap();
    let bands = bands(&chain, 2, 1);
    let mut arena = Arena::new(seam_bytes(&bands, &chain) as usize).unwrap();
    let seams = seams(&bands, &chain, &mut Budget::new(arena.as_mut())).unwrap();
    let reads: Vec<AtomicU32> = (0..SHAPE.rows).map(|_| AtomicU32::new(0)).collect();
    let counted = |index: usize| {
        let next = bands[index].reads.start();
        Counted { shape: SHAPE, next, most_rows: 97, reads: &reads, fail_at: None }
    };
    let mut upper = SeamSource::new(counted(0), 0, &bands, &seams, 97);
    let lower = SeamSource::new(counted(1), 1, &bands, &seams, 97);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(move || {
            let mut bytes = vec![0; SHAPE.image_bytes() as usize];
            let region = SHAPE.region().with_rows(bands[0].input);
            upper.read(&mut StripMut::new(&mut bytes, region, SHAPE).unwrap())
        });
        std::thread::sleep(Duration::from_millis(20));
        assert!(!waiting.is_finished(), "the rows of the seam are not there yet");
        drop(lower);
        assert_eq!(waiting.join().unwrap(), Err(SeamError::Neighbour));
    });
}
