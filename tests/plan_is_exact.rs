//! Promise: the plan states the exact peak of every buffer before the first byte of pixels is read.

use plimsoll_core::budget::{ALIGN, Budget};
use plimsoll_core::pipeline::plan::{Each, Need, Place, Plan, Refusal, Request, plan};
use plimsoll_core::pipeline::{Chain, Job, MAX_STAGES, Sink, Source, Stage};
use plimsoll_core::shape::{Region, Rows, SampleKind, Shape};
use plimsoll_core::strip::{Strip, StripMut};
use plimsoll_os::cpu::build;
use plimsoll_os::timing::processor_time;
use plimsoll_tests::{Kind, Packing, Picture, Storage, Work, programs};
use proptest::prelude::*;
use std::convert::Infallible;
use std::time::Duration;

/// Transforms as a user writes them: every way in which rows and memory move.
const WORDS: [&str; 20] = [
    "invert",
    "sharpen",
    "blur:0.7",
    "blur:2",
    "blur:30",
    "median:3",
    "median:5",
    "shrink:3",
    "shrink:16",
    "resize:0.9,linear",
    "resize:0.01,lanczos3",
    "resize:2.5,cubic",
    "resize:3,box",
    "crop:1,1,5,5",
    "crop:0,3,40,30",
    "flip",
    "to:f32",
    "to:u8",
    "normalize",
    "thumbnail:9",
];

/// The stages that `words` stand for, up to the most of a chain. Those that do not go with the shape they meet are left
/// out.
fn stages(words: &[&'static str], source: Shape) -> Vec<Box<dyn Stage>> {
    let mut shape = source;
    let mut stages = Vec::new();
    for words in words {
        let (name, settings) = words.split_once(':').unwrap_or((words, ""));
        let Ok(built) = build(name, settings, shape, &[]) else { continue };
        // A word may be two stages: what there is no room for is left out, too.
        if stages.len() + built.stages.len() > MAX_STAGES {
            continue;
        }
        for stage in built.stages {
            let Ok(output) = stage.output(shape) else { break };
            shape = output;
            stages.push(stage);
        }
    }
    stages
}

fn refs(stages: &[Box<dyn Stage>]) -> Vec<&dyn Stage> {
    stages.iter().map(|stage| &**stage).collect()
}

/// What is planned beside shape and chain.
#[derive(Clone, Debug)]
struct Settings {
    budget_bytes: u64,
    needs: Vec<Need>,
    strip_rows: Option<u32>,
    strip_pixels: Option<u64>,
    workers: u32,
    unit_rows: u32,
    floor_bytes: u64,
}

impl Settings {
    fn plan(&self, chain: &Chain<'_>, budget_bytes: u64) -> Result<Plan, Refusal> {
        plan(&Request {
            chain,
            needs: &self.needs,
            budget_bytes,
            strip_rows: self.strip_rows,
            strip_pixels: self.strip_pixels,
            workers: self.workers,
            unit_rows: self.unit_rows,
            floor_bytes: self.floor_bytes,
        })
    }
}

fn shapes(most: u32) -> impl Strategy<Value = Shape> {
    let kinds = prop::sample::select(&SampleKind::ALL[..]);
    (1..=most, 1..=most, 1u16..5, kinds)
        .prop_map(|(rows, cols, bands, kind)| Shape::new(rows, cols, bands, kind))
}

fn chains() -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(prop::sample::select(&WORDS[..]), 0..=MAX_STAGES)
}

prop_compose! {
    fn need()(bytes in 0u64..100_000, per_strip_row in 0u64..5000, worker in any::<bool>(), arena in any::<bool>()) -> Need {
        Need {
            consumer: "something",
            bytes,
            per_strip_row,
            each: if worker { Each::Worker } else { Each::Job },
            place: if arena { Place::Arena } else { Place::Heap },
        }
    }
}

prop_compose! {
    fn settings()(
        log_bytes in 8u32..44,
        fraction in 0u64..256,
        needs in prop::collection::vec(need(), 0..4),
        strip_rows in prop::option::of(1u32..200),
        strip_pixels in prop::option::of(1u64..2_000_000),
        workers in 1u32..9,
        unit_rows in prop_oneof![Just(1u32), 1u32..300],
        floor_bytes in prop_oneof![Just(0u64), 0u64..10_000_000],
    ) -> Settings {
        let budget_bytes = (256 + fraction) << log_bytes >> 8;
        Settings { budget_bytes, needs, strip_rows, strip_pixels, workers, unit_rows, floor_bytes }
    }
}

/// What must be true of any plan that there is.
fn check_plan(plan: &Plan, chain: &Chain<'_>, settings: &Settings, budget_bytes: u64) {
    let sum: u64 = plan.consumers.iter().map(|consumer| consumer.bytes).sum();
    assert_eq!(sum, plan.peak_bytes, "the consumers are the peak");
    assert!(plan.peak_bytes <= budget_bytes && plan.smallest_bytes <= plan.peak_bytes);
    assert!(
        plan.workers >= 1 && plan.workers <= settings.workers && plan.workers as usize == plan.bands.len()
    );
    assert!(plan.strip_rows >= 1 && settings.strip_rows.is_none_or(|rows| plan.strip_rows <= rows));
    // Every output row is made by one worker, in order; what each reads and takes over is what its rows need.
    let mut output = chain.output().rows.start();
    let mut read = chain.input().rows.start();
    for band in &plan.bands {
        assert_eq!(band.output.start(), output);
        assert!(!band.output.is_empty());
        output = band.output.end();
        assert_eq!(band.reads.start(), read, "each row is read once");
        read = band.reads.end();
        let own = Region::new(band.output, chain.output().cols);
        let needed =
            Chain::for_region(chain.stages(), chain.source(), own).expect("a part of a chain").input().rows;
        assert_eq!(band.input, needed);
        assert!(needed.start() >= band.reads.start());
        assert!(needed.end() <= band.seam.end().max(band.reads.end()));
    }
    assert_eq!((output, read), (chain.output().rows.end(), chain.input().rows.end()));
    assert_eq!(plan.reads_per_row, 1.0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn consumers_sum_to_the_peak_and_the_smallest_budget_is_the_smallest(
        source in shapes(20_000),
        words in chains(),
        settings in settings(),
    ) {
        let stages = stages(&words, source);
        let refs = refs(&stages);
        let chain = Chain::new(&refs, source).expect("stages that go together");
        let smallest = match settings.plan(&chain, settings.budget_bytes) {
            Ok(plan) => {
                check_plan(&plan, &chain, &settings, settings.budget_bytes);
                // More is never refused, and never means lower strips and fewer workers at once.
                for more in [settings.budget_bytes + 1, settings.budget_bytes.saturating_mul(3), u64::MAX] {
                    let larger = settings.plan(&chain, more).expect("more is never refused");
                    check_plan(&larger, &chain, &settings, more);
                    prop_assert!(larger.workers > plan.workers || larger.strip_rows >= plan.strip_rows);
                }
                plan.smallest_bytes
            }
            Err(refusal) => {
                prop_assert_eq!(refusal.given_bytes, settings.budget_bytes);
                prop_assert!(refusal.required_bytes > settings.budget_bytes);
                refusal.required_bytes
            }
        };
        let plan = settings.plan(&chain, smallest).expect("the smallest budget works");
        check_plan(&plan, &chain, &settings, smallest);
        prop_assert_eq!(plan.peak_bytes, smallest);
        let refusal = settings.plan(&chain, smallest - 1).expect_err("one byte less does not");
        prop_assert_eq!(refusal.required_bytes, smallest);
        prop_assert!(refusal.largest.bytes <= smallest);
    }
}

/// A source of nothing in particular that counts how often each row is read.
struct Counting {
    shape: Shape,
    cols: u32,
    read: Vec<u32>,
}

impl Source for Counting {
    type Error = Infallible;

    fn shape(&self) -> Shape {
        self.shape
    }

    fn read(&mut self, strip: &mut StripMut<'_>) -> Result<(), Infallible> {
        assert_eq!(strip.cols().len(), self.cols);
        for row in strip.rows().iter() {
            self.read[row as usize] += 1;
            let bytes = strip.row_bytes_mut(row);
            bytes.iter_mut().zip(0u32..).for_each(|(byte, x)| *byte = (row * 7 + x) as u8 & 0x3f);
        }
        Ok(())
    }
}

/// Asserts that rows come in order.
struct InOrder(u32);

impl Sink for InOrder {
    type Error = Infallible;

    fn write(&mut self, strip: &Strip<'_>) -> Result<(), Infallible> {
        assert_eq!(strip.rows().start(), self.0);
        self.0 = strip.rows().end();
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_job_leases_exactly_what_was_planned(
        source in shapes(70),
        words in chains(),
        strip_rows in 1u32..40,
        part in (0u32..70, 1u32..70),
    ) {
        let stages = stages(&words, source);
        let refs = refs(&stages);
        let whole = Chain::new(&refs, source).expect("stages that go together");
        let output = whole.output_shape();
        if output.image_bytes() > 1 << 20 {
            return Ok(());
        }
        let start = part.0 % output.rows;
        let rows = Rows::new(start, start.saturating_add(part.1).min(output.rows));
        let region = Region::new(rows, output.all_cols());
        let chain = Chain::for_region(&refs, source, region).expect("a region inside");
        let bytes = chain.bytes(strip_rows) as usize;
        let mut arena = vec![0u8; bytes + ALIGN];
        let skip = arena.as_ptr().align_offset(ALIGN);
        let counting = || Counting { shape: source, cols: chain.input().cols.len(), read: vec![0; source.rows as usize] };
        {
            // One byte less must be refused: nothing in the sum is idle. (A chain of nothing has no bytes to miss.)
            let short = bytes.saturating_sub(ALIGN);
            let mut budget = Budget::new(&mut arena[skip..skip + short]);
            prop_assert!(bytes == 0 || Job::new(&chain, strip_rows, &mut budget, counting(), InOrder(start)).is_err());
        }
        let mut budget = Budget::new(&mut arena[skip..skip + bytes]);
        let mut job = Job::new(&chain, strip_rows, &mut budget, counting(), InOrder(start)).expect("planned");
        prop_assert_eq!(budget.stats().peak, bytes);
        prop_assert_eq!((budget.stats().free, budget.stats().failed), (0, 0));
        let progress = job.run().expect("it runs");
        prop_assert_eq!(progress.rows_written, rows.len());
        let (source, sink) = job.finish().expect("it ends");
        prop_assert_eq!(sink.0, rows.end());
        for (row, times) in (0u32..).zip(source.read) {
            prop_assert_eq!(times, u32::from(chain.input().rows.contains(row)), "row {}", row);
        }
    }
}

#[test]
fn ten_billion_pixels_are_planned_in_no_time() {
    let source = Shape::new(100_000, 100_000, 3, SampleKind::U8);
    let words = [
        "crop:100,100,90000,90000",
        "resize:0.9,linear",
        "sharpen",
        "blur:2",
        "median:5",
        "invert",
        "to:u16",
        "blur:30",
        "shrink:3",
        "flip",
        "resize:2.5,cubic",
        "linear:1.5,-20",
        "to:f32",
        "gamma:2.2",
        "normalize",
        "sharpen",
    ];
    let stages = stages(&words, source);
    assert_eq!(stages.len(), 16);
    let refs = refs(&stages);
    let chain = Chain::new(&refs, source).expect("stages that go together");
    for (workers, unit_rows) in [(1, 1), (2, 256), (64, 1), (64, 512)] {
        let settings = Settings {
            budget_bytes: 4 << 30,
            needs: Vec::new(),
            strip_rows: None,
            strip_pixels: None,
            workers,
            unit_rows,
            floor_bytes: 5 << 20,
        };
        let began = processor_time();
        let plan = settings.plan(&chain, settings.budget_bytes).expect("it fits");
        let took = processor_time() - began;
        check_plan(&plan, &chain, &settings, settings.budget_bytes);
        println!("{workers} workers, units of {unit_rows} rows: {took:?}");
        assert!(took < Duration::from_millis(250), "{workers} workers: {took:?}");
    }
}

/// What the command says of its plan.
#[test]
fn the_command_states_every_byte() {
    let work = Work::new(programs!());
    work.picture("in.tif", &Picture::new(900, 800, 3, Kind::U8), &Storage::strips(16, Packing::Lzw));
    for line in [
        "convert in.tif -o out.ppm --do blur:2 --do resize:0.5,linear",
        "convert in.tif -o out.png --do normalize:percentiles,1,99 --workers 2",
        "thumbnail in.tif -o out.ppm --size 64",
        "stats in.tif --histogram",
        "compare in.tif in.tif",
    ] {
        for within in ["", " --within 16MiB", " --within 64MiB"] {
            let plan = work.plan(&format!("{line}{within}"));
            let sum = |consumers: &serde_json::Value, place: &str| -> u64 {
                let consumers = consumers.as_array().expect("consumers");
                assert!(consumers.iter().all(|consumer| consumer["name"].is_string()));
                let there = consumers
                    .iter()
                    .filter(|consumer| place.contains(consumer["place"].as_str().expect("a place")));
                there.map(|consumer| consumer["bytes"].as_u64().expect("bytes")).sum()
            };
            assert_eq!(plan["peak_bytes"], sum(&plan["consumers"], "arena heap process"), "{line}: {plan}");
            assert!(plan["peak_bytes"].as_u64() <= plan["budget_bytes"].as_u64());
            let passes = plan["pass_plans"].as_array().expect("passes");
            assert_eq!(plan["passes"], passes.len());
            for pass in passes {
                assert_eq!(
                    pass["peak_bytes"],
                    sum(&pass["consumers"], "arena heap process"),
                    "{line}: {pass}"
                );
            }
            let heap = passes.iter().map(|pass| sum(&pass["consumers"], "arena heap")).max();
            assert_eq!(plan["heap_bytes"].as_u64(), heap, "{line}");
        }
    }
    assert_eq!(work.outputs(), [""; 0]);
}

/// Planning needs headers and nothing else: the kernel counts what the process reads, and where the pixels are missing
/// or destroyed the plan is the same.
#[test]
fn a_plan_reads_headers_only() {
    let work = Work::new(programs!());
    let picture = Picture::new(1800, 1600, 3, Kind::U8);
    work.picture("in.ppm", &picture, &Storage::strips(16, Packing::None));
    work.picture("in-strips.tif", &picture, &Storage::strips(16, Packing::Deflate));
    work.picture("in-tiles.tif", &picture, &Storage::tiles(256, Packing::Lzw));
    for name in ["in.ppm", "in-strips.tif", "in-tiles.tif"] {
        let line = format!("convert {name} -o out.ppm --within 32MiB --do normalize --do blur:2");
        let planned = work.run(&format!("plan {line} --json"));
        assert_eq!(planned.code, 0, "{}", planned.stderr);
        // Libraries, the machine's own figures, and the headers.
        assert!(planned.bytes_read < 64 << 10, "{name}: {} bytes were read", planned.bytes_read);
        assert_eq!(work.run(&line).code, 0);
        work.remove("out.ppm");
        // Zeroes where the pixels were, but for what lies in front (a header) and behind (a directory).
        let mut content = work.read(name);
        let end = content.len() - if name.ends_with("tif") { 8192 } else { 0 };
        content[64..end].fill(0);
        std::fs::write(work.path(name), &content).expect("written");
        assert_eq!(work.run(&format!("plan {line} --json")).stdout, planned.stdout, "{name}");
        if name.ends_with("tif") {
            work.run(&line).fails(4, &[name]);
            assert_eq!(work.outputs(), [""; 0]);
        }
    }
}
