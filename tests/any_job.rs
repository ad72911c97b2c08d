//! Four promises at once (known before, never passed, refused with a price, the cut never shows), on jobs that nobody
//! thought of: the smallest budget works and one byte less is refused before any output exists, no run passes its plan
//! by the system's books, and the answer is the same whatever the budget, the workers and the way to read.
//!
//! `PROPTEST_CASES=500 cargo test --release -p plimsoll-tests --test any_job` looks at more of them, without the
//! allowance for larger programs.

use plimsoll_tests::{Kind, Packing, Picture, Storage, Work, programs};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Steps that go with every picture.
const STEPS: [&str; 22] = [
    "invert",
    "linear:0.8,3",
    "gamma:1.8",
    "levels:16,235,1.2",
    "flip",
    "gray",
    "to:u8",
    "to:u16",
    "to:f32",
    "sharpen",
    "conv:3,16,1,2,1,2,4,2,1,2,1",
    "median:3",
    "median:5",
    "blur:0.6",
    "blur:7.5",
    "blur:40",
    "normalize",
    "normalize:percentiles,1,99",
    "normalize:deviations,2",
    "shrink:3",
    "resize:0.4,lanczos3",
    "resize:1.3,cubic",
];

/// Ways to store an output, and the step that its format needs at the end.
const OUTPUTS: [(&str, &str); 12] = [
    ("out.tif", ""),
    ("out.tif --verify", ""),
    ("out.tif --compression lzw --tile 64", ""),
    ("out.tif --compression deflate", ""),
    ("out.tif --compression zstd --tile 256 --verify", ""),
    ("out.tif --pyramid subifd", ""),
    ("out.tif --pyramid pages --tile 64 --compression deflate", ""),
    ("out.tif --upright", ""),
    ("out.pam", "--do to:u16"),
    ("out.png", "--do to:u8"),
    ("out.png --verify", "--do to:u8"),
    ("out.jp2 --tile 256", "--do to:u8"),
];

/// A job, but for its budget, its workers and its way to read.
#[derive(Clone, Debug)]
struct Any {
    picture: Picture,
    storage: Storage,
    job: String,
}

fn pictures() -> impl Strategy<Value = Picture> {
    // Narrow and high, wide and flat, and neither.
    let sides =
        prop_oneof![(40u32..200, 1000u32..6000), (1000u32..6000, 40u32..200), (200u32..1600, 200u32..1600)];
    let kinds = prop::sample::select(vec![Kind::U8, Kind::U8, Kind::U16, Kind::F32]);
    (sides, 1u16..5, kinds).prop_map(|((rows, cols), bands, kind)| Picture::new(rows, cols, bands, kind))
}

fn storages() -> impl Strategy<Value = Storage> {
    let packings = prop::sample::select(vec![Packing::None, Packing::Lzw, Packing::Deflate]);
    let cut = prop_oneof![
        prop::sample::select(vec![64u32, 128, 256, 512]).prop_map(Err),
        prop::sample::select(vec![1u32, 16, 100, 10_000]).prop_map(Ok),
    ];
    (cut, packings, 1u16..=8).prop_map(|(cut, packing, seen)| match cut {
        Ok(rows) => Storage::strips(rows, packing).seen(seen),
        Err(side) => Storage::tiles(side, packing).seen(seen),
    })
}

fn jobs() -> impl Strategy<Value = String> {
    let steps = prop::collection::vec(prop::sample::select(&STEPS[..]), 0..5);
    let steps = steps.prop_map(|steps| steps.iter().map(|step| format!(" --do {step}")).collect::<String>());
    let convert = (steps, prop::sample::select(&OUTPUTS[..])).prop_map(|(steps, (output, last))| {
        format!("convert in.tif -o {output}{steps} {last} --overwrite --no-sync")
    });
    let thumbnail = (1u32..700, prop::sample::select(vec!["area", "lanczos3"])).prop_map(|(size, kernel)| {
        format!("thumbnail in.tif -o out.tif --size {size} --kernel {kernel} --overwrite --no-sync")
    });
    prop_oneof![6 => convert, 1 => thumbnail]
}

fn any_job() -> impl Strategy<Value = Any> {
    (pictures(), storages(), jobs()).prop_map(|(picture, storage, job)| Any { picture, storage, job })
}

/// More than the smallest budget in 256ths, workers, and a way to read.
fn runs() -> impl Strategy<Value = Vec<(u64, u32, &'static str)>> {
    let more = prop_oneof![Just(0u64), 0u64..30, 0u64..2000];
    prop::collection::vec((more, 1u32..4, prop::sample::select(vec!["read", "mmap"])), 3)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.min(if cfg!(debug_assertions) { 48 } else { u32::MAX }),
        failure_persistence: None,
        max_shrink_iters: 60,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_job_keeps_its_plan_and_its_answer(any in any_job(), runs in runs()) {
        let work = Work::new(programs!());
        work.picture("in.tif", &any.picture, &any.storage);
        let job = &any.job;
        let smallest = work.plan(job)["smallest_bytes"].as_u64().expect("a number");

        let refused = work.run(&format!("{job} --within {}B", smallest - 1));
        refused.fails(3, &[&format!("--within {smallest}B")]);
        prop_assert_eq!(work.outputs(), [""; 0], "{}", refused.line);

        let mut hashes = BTreeSet::new();
        let mut check = |options: &str| {
            let done = work.run(&format!("{job} {options} --receipt receipt.json"));
            // More workers, and mappings, may take more than the smallest budget has.
            if done.code == 3 && options.contains("--workers") {
                return Ok(());
            }
            prop_assert_eq!(done.code, 0, "{}: {}", done.line, done.stderr);
            prop_assert_eq!(done.passed(), None);
            hashes.insert(done.text("/output/sha256_pixels"));
            Ok(())
        };
        check(&format!("--within {smallest}B"))?;
        for (more, workers, io) in runs {
            check(&format!("--within {}B --workers {workers} --io {io}", smallest + smallest * more / 256))?;
        }
        prop_assert_eq!(hashes.len(), 1, "{}", job);
    }
}
