//! The planner on any shape, chain, budget and settings.
#![no_main]

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use plimsoll_core::pipeline::plan::{Each, Need, Place, Request, plan};
use plimsoll_core::pipeline::{Chain, Stage};
use plimsoll_core::shape::{Region, Rows, SampleKind, Shape};
use plimsoll_os::cpu::build;

/// Stages by the words of a user. One that is not there, or does not go with the shape, is left out.
const STAGES: [(&str, &str); 12] = [
    ("invert", ""),
    ("sharpen", ""),
    ("blur", "2"),
    ("blur", "40"),
    ("median", "3"),
    ("median", "5"),
    ("shrink", "3"),
    ("resize", "0.9,linear"),
    ("resize", "2.5,lanczos3"),
    ("crop", "1,1,5,5"),
    ("flip", ""),
    ("to", "f32"),
];

#[derive(Debug, Arbitrary)]
struct Input {
    rows: u32,
    cols: u32,
    bands: u16,
    kind: u8,
    stages: Vec<u8>,
    /// Part of the output, in 256ths from the top.
    part: (u8, u8),
    budget_bytes: u64,
    needs: [(u64, u64, bool); 2],
    strip_rows: Option<u32>,
    strip_pixels: Option<u64>,
    workers: u8,
    unit_rows: u32,
}

fn check(input: Input) {
    let kind = SampleKind::ALL[usize::from(input.kind) % SampleKind::ALL.len()];
    let source = Shape::new(input.rows, input.cols, input.bands, kind);
    let mut shape = source;
    let mut stages = Vec::new();
    for index in input.stages.iter().take(16) {
        let (name, settings) = STAGES[usize::from(*index) % STAGES.len()];
        let Ok(built) = build(name, settings, shape, &[]) else { continue };
        for stage in built.stages {
            let Ok(output) = stage.output(shape) else { break };
            shape = output;
            stages.push(stage);
        }
    }
    let stages: Vec<&dyn Stage> = stages.iter().map(|stage| &**stage).collect();
    let row = |part: u8| (u64::from(shape.rows) * u64::from(part) / 256) as u32;
    let (start, end) = (input.part.0.min(input.part.1), input.part.0.max(input.part.1));
    let region = match start == end {
        true => shape.region(),
        false => Region::new(Rows::new(row(start), row(end)), shape.all_cols()),
    };
    let Ok(chain) = Chain::for_region(&stages, source, region) else { return };
    let needs = input.needs.map(|(bytes, per_strip_row, worker)| Need {
        consumer: "need",
        bytes,
        per_strip_row,
        each: if worker { Each::Worker } else { Each::Job },
        place: Place::Heap,
    });
    let with = |budget_bytes: u64| {
        plan(&Request {
            chain: &chain,
            needs: &needs,
            budget_bytes,
            floor_bytes: 0,
            strip_rows: input.strip_rows,
            strip_pixels: input.strip_pixels,
            workers: u32::from(input.workers),
            unit_rows: input.unit_rows,
        })
    };
    let smallest = match with(input.budget_bytes) {
        Ok(plan) => {
            assert!(plan.peak_bytes <= input.budget_bytes, "the peak passes the budget");
            assert!(plan.smallest_bytes <= plan.peak_bytes, "the peak is below the smallest one");
            // An empty output is nobody's work.
            assert!(plan.strip_rows >= 1 && (plan.workers >= 1 || region.rows.is_empty()));
            plan.smallest_bytes
        }
        Err(refusal) => {
            assert!(refusal.required_bytes > input.budget_bytes, "it would have fitted");
            refusal.required_bytes
        }
    };
    let plan = with(smallest).expect("the smallest budget works");
    assert!(plan.peak_bytes <= smallest);
    if let Some(less) = smallest.checked_sub(1) {
        assert!(with(less).is_err(), "less than the smallest budget works");
    }
}

fuzz_target!(|input: Input| check(input));
