//! A job under pressure slows down at strip boundaries, says so, and makes the same output: on machines made of a few
//! files, which a watcher changes while the job runs.

mod machine;

use machine::Machine;
use plimsoll::job::{Control, ConvertJob, Decision, Input, Io, Moment, Settings, Watcher};
use plimsoll_core::pipeline::governor::{Cause, Pace};
use plimsoll_formats::Wanted;
use plimsoll_os::probe::Probe;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const ROWS: u32 = 3000;
const COLS: u32 = 200;

/// Presses in the second third of the rows.
struct Weather {
    machine: Machine,
    change: Change,
    /// Pressed, and calm again.
    done: Mutex<[bool; 2]>,
}

impl Watcher for Weather {
    fn at(&self, moment: Moment) {
        // Workers wait for each other here: nobody runs on while the files change.
        let mut done = self.done.lock().unwrap();
        let [pressed, calmed] = &mut *done;
        // Whoever looks at the machine while others press on may be kept waiting by it: rows take their time meanwhile.
        if *pressed && !*calmed {
            std::thread::sleep(Duration::from_millis(2));
        }
        if moment.rows * 3 > moment.rows_in_all && !std::mem::replace(pressed, true) {
            (self.change)(&self.machine);
        }
        if moment.rows * 3 > moment.rows_in_all * 2 && !std::mem::replace(calmed, true) {
            self.machine.calm();
        }
    }
}

/// What happens to the machine.
type Change = fn(&Machine);

fn run(folder: &Path, output: &str, steps: &[&str], change: Option<Change>) -> (Vec<u8>, Vec<Decision>) {
    let input = Input::open(&folder.join("in.ppm"), Io::Read).unwrap();
    let settings = Settings {
        workers: Some(3),
        strip_rows: Some(16),
        overwrite: true,
        sync: false,
        ..Settings::default()
    };
    let steps = steps.iter().map(|step| step.parse().unwrap()).collect();
    let output = folder.join(output);
    let job = ConvertJob::plan(&input, 1, steps, &output, Wanted::default(), settings).unwrap();
    let machine = Machine(folder.join("machine"));
    machine.calm();
    let weather = change.map(|change| {
        Box::new(Weather { machine: machine.clone(), change, done: Mutex::default() }) as Box<dyn Watcher>
    });
    let control = Control::new(Arc::default(), weather).looking_at(Probe::at(&machine.0), Duration::ZERO);
    job.run(&control).unwrap();
    assert_eq!(control.adaptations() as usize, control.decisions().len());
    (std::fs::read(output).unwrap(), control.decisions())
}

#[test]
fn under_pressure_workers_go_and_then_rows_and_the_output_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let samples: Vec<u8> =
        (0..ROWS * COLS * 3).map(|at| (at.wrapping_mul(0x9e37_79b9) >> 24) as u8).collect();
    let picture = [format!("P6\n{COLS} {ROWS}\n255\n").into_bytes(), samples].concat();
    std::fs::write(folder.path().join("in.ppm"), picture).unwrap();
    for (output, steps) in
        // Bands of their own, and one sink whose own threads code.
        [
            ("out.ppm", &["blur:2"][..]),
            ("out.ppm", &[]),
            ("out.tif", &["blur:1", "invert"]),
            ("out.jp2", &[]),
        ]
    {
        let (calm, none) = run(folder.path(), output, steps, None);
        assert_eq!(none, [], "{output} {steps:?}");
        let changes: [(Change, Cause); 2] =
            [(Machine::press, Cause::Pressure), (Machine::lower, Cause::Scarcity)];
        for (change, cause) in changes {
            let (pressed, decisions) = run(folder.path(), output, steps, Some(change));
            assert!(calm == pressed, "{output} {steps:?}: {cause:?} changed the output");
            let first = decisions.first().expect("a decision");
            let planned = first.from;
            assert!(planned.workers >= 2, "{planned:?}");
            // Each follows from the one before, and workers go first.
            let mut pace = planned;
            for Decision { from, to, cause: why, rows, .. } in &decisions {
                assert_eq!(*from, pace);
                let Pace { strip_rows, workers } = *to;
                match why {
                    Cause::Calm => assert!(
                        strip_rows > from.strip_rows
                            || (workers > from.workers && strip_rows == planned.strip_rows)
                    ),
                    _ => {
                        assert_eq!(*why, cause);
                        assert!(*rows * 3 > u64::from(ROWS), "{rows}");
                        assert!(
                            workers + 1 == from.workers
                                || (from.workers == 1 && strip_rows < from.strip_rows)
                        );
                    }
                }
                pace = *to;
            }
            let slowest =
                decisions.iter().map(|decision| decision.to).min_by_key(|pace| pace.strip_rows).unwrap();
            assert_eq!(slowest.workers, 1, "{decisions:?}");
            assert!(slowest.strip_rows < planned.strip_rows, "{decisions:?}");
            assert!(decisions.iter().any(|decision| decision.cause == Cause::Calm), "{decisions:?}");
        }
    }
}
