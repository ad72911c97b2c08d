//! The heap and the resident memory of this very process, so it is a program of its own without a test harness, whose
//! threads would allocate in between.

use plimsoll_core::budget::{Budget, Exhausted};
use plimsoll_core::pipeline::bands::{bands, seam_bytes};
use plimsoll_core::pipeline::{Chain, Job, Sink, Source, Stage, Step};
use plimsoll_core::shape::{SampleKind, Shape};
use plimsoll_core::strip::{Strip, StripMut};
use plimsoll_core::transform::invert::Invert;
use plimsoll_os::cpu::Dispatched;
use plimsoll_os::input::{Io, MAPPED_WINDOW_BYTES, open_input};
use plimsoll_os::memory::{Arena, CountingAllocator};
use plimsoll_os::probe::{CpuMeter, Probe};
use plimsoll_os::timing::{Stopwatch, Timed};
use plimsoll_os::workers::{SeamSource, seams};

#[global_allocator]
static HEAP: CountingAllocator = CountingAllocator::new();

const MIB: u64 = 1 << 20;

/// Rows of a file without a header.
struct Raw<'f>(&'f dyn plimsoll_os::input::Input, Shape);

impl Source for Raw<'_> {
    type Error = std::io::Error;
    fn shape(&self) -> Shape {
        self.1
    }
    fn read(&mut self, strip: &mut StripMut<'_>) -> Result<(), Self::Error> {
        for row in strip.rows().iter() {
            self.0.read_at(u64::from(row) * self.1.row_bytes(), strip.row_bytes_mut(row))?;
        }
        Ok(())
    }
}

struct Nowhere;

impl Sink for Nowhere {
    type Error = ();
    fn write(&mut self, _strip: &Strip<'_>) -> Result<(), ()> {
        Ok(())
    }
}

fn resident() -> u64 {
    Probe::system().process_memory().resident_bytes.unwrap()
}

/// How often `work` asked the heap.
fn allocations(work: impl FnOnce()) -> u64 {
    let before = HEAP.snapshot().allocations;
    work();
    HEAP.snapshot().allocations - before
}

fn main() {
    if !cfg!(target_os = "linux") {
        println!("skipped: resident memory is read as Linux tells it");
        return;
    }
    an_arena_costs_what_it_says_and_is_resident_where_it_was_touched();
    the_cap_refuses_in_a_way_that_can_be_handled();
    nothing_is_allocated_while_a_job_runs();
    println!("heap: ok");
}

fn an_arena_costs_what_it_says_and_is_resident_where_it_was_touched() {
    let before = resident();
    let heap = HEAP.snapshot();
    let mut arena = Arena::new(256 << 20).unwrap();
    let now = HEAP.snapshot();
    assert_eq!(now.current_bytes - heap.current_bytes, (256 << 20) + Arena::SLACK_BYTES);
    assert_eq!(now.allocations - heap.allocations, 1);
    assert!(resident() - before < MIB);
    arena.as_mut()[..16 << 20].fill(1);
    let touched = resident() - before;
    assert!((16 * MIB..17 * MIB).contains(&touched), "{touched}");
    drop(arena);
    assert!(resident() < before + MIB);
    assert_eq!(HEAP.snapshot().current_bytes, heap.current_bytes);
}

fn the_cap_refuses_in_a_way_that_can_be_handled() {
    HEAP.set_cap(HEAP.snapshot().current_bytes + (1 << 20));
    HEAP.reset_peak();
    let refused = Arena::new(2 << 20).map(|arena| arena.len());
    let vec = Vec::<u8>::new().try_reserve(2 << 20);
    let small = Arena::new(1 << 19).map(|arena| arena.len());
    HEAP.set_cap(usize::MAX);
    assert_eq!(refused, Err(Exhausted { consumer: "arena", requested: 2 << 20, available: 0 }));
    assert!(vec.is_err());
    assert_eq!(small, Ok(1 << 19));
    assert!(HEAP.snapshot().peak_bytes < HEAP.snapshot().current_bytes + (1 << 20));
}

fn nothing_is_allocated_while_a_job_runs() {
    let shape = Shape::new(4000, 1000, 3, SampleKind::U8);
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(shape.image_bytes()).unwrap();
    let folder = file.path().parent().unwrap();
    let watch = Stopwatch::new();
    let invert = Timed::new(Dispatched::new(Invert::<u8>::new()), watch.clone());
    let stages: [&dyn Stage; 1] = [&invert];
    let chain = Chain::new(&stages, shape).unwrap();
    let bands = bands(&chain, 1, 1);
    let probe = Probe::system();
    let mut meter = CpuMeter::new();
    for io in [Io::Read, Io::Mmap] {
        let input = open_input(file.path(), io).unwrap();
        let mut seam_arena = Arena::new(seam_bytes(&bands, &chain) as usize).unwrap();
        let seams = seams(&bands, &chain, &mut Budget::new(seam_arena.as_mut())).unwrap();
        let mut arena = Arena::new(chain.bytes(16) as usize).unwrap();
        let mut budget = Budget::new(arena.as_mut());
        let raw = Timed::new(Raw(&*input, shape), watch.clone());
        let source = SeamSource::new(raw, 0, &bands, &seams, 16);
        let mut job = Job::new(&chain, 16, &mut budget, source, Nowhere).unwrap();
        job.step().unwrap();
        let before = resident();
        let mut readings = Default::default();
        let asked = allocations(|| while let Step::More(_) = job.step().unwrap() {});
        assert_eq!(asked, 0, "{io:?}");
        assert_eq!(allocations(|| readings = probe.readings(&mut meter, Some(folder))), 0);
        assert!(readings.resident_bytes.is_some() && readings.disk_free_bytes.is_some());
        assert_eq!(input.bytes_read(), shape.image_bytes());
        // What came with the run: at most the window of the mapping, and pages of the program itself.
        assert!(resident() < before + MAPPED_WINDOW_BYTES + MIB / 2);
    }
    assert!(watch.seconds() > 0.0);
}
