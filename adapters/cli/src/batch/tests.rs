//! A batch on a machine made of a few files, on which tasks wait for memory: what its reports say of that.

#[path = "../../tests/machine/mod.rs"]
mod machine;

use super::{Job, Outputs, Reports, Talk, run, survey};
use crate::command::Session;
use crate::job::{Request, Settings};
use crate::progress::ProgressArg;
use machine::Machine;
use plimsoll_formats::Wanted;
use plimsoll_os::memory::CountingAllocator;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;

static HEAP: CountingAllocator = CountingAllocator::new();

/// Runs three files on a machine where tasks wait for memory or do not; gives the report, the page, and the outputs.
fn report(folder: &Path, pressed: bool) -> (Value, String, Vec<Vec<u8>>) {
    let root = folder.join("machine");
    let machine = Machine(root.clone());
    machine.calm();
    if pressed {
        machine.press();
    }
    let (out, json, page) = (folder.join("out"), folder.join("report.json"), folder.join("report.html"));
    let words: Vec<PathBuf> = ["a.pgm", "b.pgm", "c.pgm"].iter().map(|name| folder.join(name)).collect();
    for (word, tone) in words.iter().zip(1u32..) {
        let samples: Vec<u8> =
            (0..300_000).map(|at: u32| (at.wrapping_mul(tone * 40_503) >> 13) as u8).collect();
        std::fs::write(word, [b"P5\n100 3000\n255\n".to_vec(), samples].concat()).unwrap();
    }
    let request = Request {
        steps: vec!["blur:2".parse().unwrap()],
        output: PathBuf::new(),
        wanted: Wanted::default(),
        format: None,
        metadata: true,
        upright: false,
    };
    let job = Job {
        words: &words,
        recursive: false,
        pages: None,
        outputs: Outputs { folder: out.clone(), ending: Some("pgm".to_owned()), template: None },
        request,
        settings: Settings {
            workers: Some(3),
            strip_rows: Some(16),
            overwrite: true,
            sync: false,
            ..Settings::default()
        },
        checks: None,
        keep_going: false,
        skip_existing: false,
    };
    let session = Session::new(&HEAP, Arc::default()).on(&root);
    let reports = Reports::create(&[json.clone(), page.clone()], None).unwrap();
    let mut plan = survey(&job).unwrap();
    let flown = run(&job, &mut plan, &session, Talk { lines: false, json: false });
    let mut actual = session.actual(&[], Vec::new(), &session.control(ProgressArg::Never));
    actual.adaptations = flown.adaptations;
    reports.write((&job, &plan), (&actual, &flown)).unwrap();
    flown.result.unwrap();
    let outputs = ["a.pgm", "b.pgm", "c.pgm"].map(|name| std::fs::read(out.join(name)).unwrap());
    let json = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    (json, std::fs::read_to_string(page).unwrap(), outputs.into())
}

#[test]
fn each_file_of_a_report_has_the_changes_of_its_pace() {
    let (calm, pressed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (json, page, outputs) = report(calm.path(), false);
    let decisions = |json: &Value| -> Vec<Vec<Value>> {
        let files = json["files"].as_array().unwrap().iter();
        files.map(|file| file["decisions"].as_array().unwrap().clone()).collect()
    };
    assert!(decisions(&json).iter().all(Vec::is_empty) && json["actual"]["adaptations"] == 0, "{json}");
    assert!(page.contains("<dt>changes of pace</dt><dd>0</dd>") && !page.contains("; 1 change of pace"));

    let (json, page, same) = report(pressed.path(), true);
    assert!(outputs == same, "pressure changed an output");
    let decisions = decisions(&json);
    let count: usize = decisions.iter().map(Vec::len).sum();
    assert_eq!(json["actual"]["adaptations"].as_u64().unwrap() as usize, count, "{json}");
    assert!(page.contains(&format!("<dt>changes of pace</dt><dd>{count}</dd>")), "{page}");
    for (file, own) in json["files"].as_array().unwrap().iter().zip(&decisions) {
        assert!(!own.is_empty(), "{file}");
        let text = if own.len() == 1 { "1 change".to_owned() } else { format!("{} changes", own.len()) };
        assert!(page.contains(&format!("done; {text} of pace</td>")), "{text}: {page}");
        // Each goes on from the one before, from what was planned on, and each is a smaller pace.
        let pace = |it: &Value| [it["workers"].as_u64().unwrap(), it["strip_rows"].as_u64().unwrap()];
        let mut from = [file["workers"].as_u64().unwrap(), file["strip_rows"].as_u64().unwrap()];
        for decision in own {
            assert_eq!(decision["because"], "tasks wait for memory");
            assert_eq!(pace(&decision["from"]), from, "{file}");
            let to = pace(&decision["to"]);
            assert!(to < from && to[0] >= 1 && to[1] >= 1, "{file}");
            let rows = decision["rows"].as_u64().unwrap();
            assert!(decision["pass"] == 1 && (1..=3000).contains(&rows), "{file}");
            from = to;
        }
    }
}
