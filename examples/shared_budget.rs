//! Several conversions at once that share one limit: what a service does inside its container.
//!
//! `cargo run -p plimsoll-examples --example shared_budget`
//! prints one line for each conversion, then: `the limit of 24 MiB was never passed: at most ... bytes were granted`
//!
//! Each job is planned first (headers only), takes a lease of its exact peak, runs, and gives the lease back. Who does
//! not get one waits: nobody is killed, nothing swaps.

use plimsoll::job::{Control, ConvertJob, Input, Io, Settings};
use plimsoll::{Failure, Within};
use plimsoll_core::budget::SharedBudget;
use plimsoll_formats::Wanted;
use std::path::{Path, PathBuf};
use std::time::Duration;

static LIMIT: SharedBudget = SharedBudget::new(24 << 20);

const CHAINS: [&[&str]; 4] = [
    &["resize:0.5", "sharpen"],
    &["blur:3", "gray"],
    &["median:3", "levels:10,240"],
    &["crop:100,100,800,600", "invert", "flip"],
];

fn main() -> Result<(), Failure> {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/harbour.tif");
    let folder = std::env::temp_dir().join(format!("plimsoll-shared-budget-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for temporary files");
    let results: Vec<Result<(), Failure>> = std::thread::scope(|scope| {
        let convert = |index: usize| {
            let (sample, output) = (&sample, folder.join(format!("{index}.png")));
            move || convert(sample, output, CHAINS[index])
        };
        let threads: Vec<_> = (0..CHAINS.len()).map(|index| scope.spawn(convert(index))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no job panics")).collect()
    });
    std::fs::remove_dir_all(&folder).expect("the folder was ours");
    results.into_iter().collect::<Result<Vec<()>, Failure>>()?;
    let stats = LIMIT.stats();
    assert!(stats.peak <= LIMIT.limit() && stats.used == 0);
    println!("the limit of 24 MiB was never passed: at most {} bytes were granted", stats.peak);
    Ok(())
}

fn convert(sample: &Path, output: PathBuf, steps: &[&str]) -> Result<(), Failure> {
    let settings =
        Settings { within: Some(Within::Bytes(10 << 20)), workers: Some(1), ..Settings::default() };
    let input = Input::open(sample, Io::Read)?;
    let steps = steps.iter().map(|step| step.parse().map_err(Failure::Usage)).collect::<Result<_, _>>()?;
    let job = ConvertJob::plan(&input, 1, steps, &output, Wanted::default(), settings)?;
    let peak = job.job_plan().peak_bytes() as usize;
    let lease = loop {
        match LIMIT.lease("conversion", peak) {
            Ok(lease) => break lease,
            Err(_) => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    let done = job.run(&Control::default())?;
    println!("{peak:>9} bytes: {} ({})", done.path.display(), done.shape);
    drop(lease);
    Ok(())
}

#[test]
fn runs() {
    main().expect("all four conversions fit");
}
