//! `doctor` and `--profile-memory`: what they say of a job is what the job does.

mod command;

use command::Command;
use roxmltree::{Document, ParsingOptions};

/// Jobs: picture, ending of the output, and flags that `convert` has, too.
const JOBS: [(&str, &str, &str); 4] = [
    ("in.pgm", "pgm", "--do blur:2"),
    ("in.pgm", "tif", "--do resize:0.5,linear --compression deflate --workers 2"),
    ("in.pgm", "jp2", ""),
    ("in.pgm", "png", "--do normalize --strip-rows 2"),
];

fn command() -> Command {
    let command = Command::new();
    command.grey("in.pgm", 1500, 1100);
    command
}

#[test]
fn the_smallest_budget_works_and_one_byte_less_is_refused() {
    let command = command();
    for (input, ending, flags) in JOBS {
        let found = command.json(&format!("doctor {input} --to {ending} {flags} --json"));
        let smallest = found["smallest_bytes"].as_u64().expect("a number");
        let job = format!("convert {input} -o out.{ending} --quiet {flags}");
        command.fails(3, &format!("{job} --within {}B", smallest - 1), &["does not fit"]);
        assert!(!command.exists(&format!("out.{ending}")), "{job}");
        command.done(&format!("{job} --within {smallest}B"));
        command.remove(&format!("out.{ending}"));
    }
}

#[test]
fn each_doubling_is_what_the_plan_says_of_that_budget() {
    let command = command();
    for (input, ending, flags) in JOBS {
        let found = command.json(&format!("doctor {input} --to {ending} {flags} --json"));
        let steps = found["doublings"].as_array().expect("a list");
        assert_eq!(steps[0]["budget_bytes"], found["smallest_bytes"]);
        assert!(steps.len() >= 2, "{found:#}");
        for (index, step) in steps.iter().enumerate() {
            let budget = step["budget_bytes"].as_u64().expect("a number");
            assert_eq!(budget, found["smallest_bytes"].as_u64().expect("a number") << index);
            let plan = command
                .json(&format!("plan convert {input} -o out.{ending} --json {flags} --within {budget}B"));
            assert_eq!(step["peak_bytes"], plan["peak_bytes"], "{input} {ending}");
            assert_eq!(step["passes"], plan["passes"]);
            assert_eq!(step["strip_rows"], plan["strip_rows"]);
            assert_eq!(step["workers"], plan["workers"]);
            let consumers = plan["consumers"].as_array().expect("consumers");
            let most = consumers.iter().map(|it| it["bytes"].as_u64()).max().flatten();
            assert_eq!(step["dominant"]["bytes"].as_u64(), most);
        }
        // The last one bought nothing, so no other will.
        let last = &steps[steps.len() - 1];
        let plenty =
            command.json(&format!("plan convert {input} -o out.{ending} --json {flags} --within 1TiB"));
        assert_eq!(last["peak_bytes"], plenty["peak_bytes"], "{found:#}");
        assert_eq!(found["thrice_bytes"], 1500 * 1100 * 3);
    }
    let text = command.done("doctor in.pgm --within 1MiB").stdout;
    for words in ["pgm", "1500", "smallest budget that works", "does not fit", "nothing more"] {
        assert!(text.to_lowercase().contains(words), "no `{words}`: {text}");
    }
    assert!(!command.exists("doctor.pgm"));
    command.fails(2, "doctor in.pgm --to xyz", &["xyz", "tif"]);
    command.fails(2, "doctor in.pgm --do blur:-1", &["blur:-1"]);
    command.fails(5, "doctor away.pgm", &["away.pgm"]);
}

/// What the input's own format does not hold is planned as a TIFF, which the diagnosis says.
#[test]
fn every_picture_that_can_be_read_has_a_diagnosis() {
    let command = command();
    command.done("convert in.pgm -o floats.tif --do to:f32");
    std::fs::rename(command.path("floats.tif"), command.path("floats.jp2")).expect("a new name");
    assert_eq!(command.json("doctor floats.jp2 --json")["planned_as"], "tif");
    assert_eq!(command.json("doctor in.pgm --json")["planned_as"], "pgm");
    assert!(command.done("doctor floats.jp2").stdout.contains("(writing tif)"));
    // What was asked for is not replaced.
    command.fails(2, "doctor floats.jp2 --to jp2", &["f32", "--do to:u8"]);
}

/// A rule of the settings lowers the budget that is given, and not the budgets that are tried.
#[test]
fn rules_do_not_hide_what_more_memory_would_buy() {
    let command = command();
    let free = command.json("doctor in.pgm --json");
    command.write("plimsoll.toml", "[[rules]]\nover_pixels = 1000\nwithin = \"1MiB\"\n");
    let ruled = command.json("doctor in.pgm --json");
    assert_eq!(ruled["doublings"], free["doublings"]);
    assert!(
        ruled["given"]["refused"].as_str().is_some_and(|line| line.contains("the rule of plimsoll.toml"))
    );
}

#[test]
fn the_memory_profile_is_a_page_that_agrees_with_the_receipt() {
    let command = command();
    let job = "convert in.pgm -o out.png --do normalize --do blur:3 --within 12MiB --receipt in.json";
    command.done(&format!("{job} --profile-memory in.html"));
    let page = String::from_utf8(command.read("in.html")).expect("text");
    let options = ParsingOptions { allow_dtd: true, ..Default::default() };
    let page = Document::parse_with_options(&page, options).expect("a well-formed page");
    let receipt: serde_json::Value = serde_json::from_slice(&command.read("in.json")).expect("JSON");
    let with =
        |class: &str| page.descendants().filter(move |node| node.attribute("class") == Some(class)).count();
    let passes = receipt["plan"]["pass_plans"].as_array().expect("passes");
    assert_eq!(passes.len(), 2);
    assert_eq!(with("plan"), passes.len());
    let consumers = |pass: &serde_json::Value| pass["consumers"].as_array().map_or(0, Vec::len);
    assert_eq!(with("consumer"), passes.iter().map(consumers).sum::<usize>());
    // The profile has its own place in the plan, and the table says each consumer's bytes.
    let cells: Vec<&str> = page.descendants().filter_map(|node| node.text()).collect();
    for pass in passes {
        let consumers = pass["consumers"].as_array().expect("consumers");
        assert!(consumers.iter().any(|consumer| consumer["name"] == "memory profile"));
        for consumer in consumers {
            let bytes = consumer["bytes"].to_string();
            assert!(cells.contains(&bytes.as_str()), "{consumer}");
        }
    }
    let plain = command.json("plan convert in.pgm -o out.tif --json");
    let names = plain["consumers"].as_array().expect("consumers");
    assert!(names.iter().all(|consumer| consumer["name"] != "memory profile"));
    // The heap stays in the plan with the profile, too.
    let heap = |place: &str| receipt.pointer(place).and_then(serde_json::Value::as_u64).expect("a number");
    assert!(heap("/actual/peak_heap_bytes") <= heap("/plan/heap_bytes"), "{receipt:#}");
    // The line of what was resident has more than one point, all of them in the chart.
    let line = page.descendants().find(|node| node.attribute("class") == Some("resident")).expect("a line");
    let points: Vec<(f64, f64)> = line
        .attribute("points")
        .expect("points")
        .split(' ')
        .map(|point| point.split_once(',').expect("x,y"))
        .map(|(x, y)| (x.parse().expect("a number"), y.parse().expect("a number")))
        .collect();
    assert!(points.len() > 1 && points.is_sorted_by(|a, b| a.0 <= b.0));
    assert!(points.iter().all(|(x, y)| (84.0..=984.0).contains(x) && (16.0..380.0).contains(y)));
}

#[test]
fn a_page_is_named_as_one_and_comes_only_with_a_job() {
    let command = command();
    let before = command.read("in.pgm");
    command.fails(2, "convert in.pgm -o out.pgm --profile-memory in.pgm", &["in.pgm", ".html"]);
    assert_eq!(command.read("in.pgm"), before);
    command.fails(3, "convert in.pgm -o out.pgm --within 1B --profile-memory out.html", &["does not fit"]);
    assert!(!command.exists("out.html") && !command.exists("out.pgm"));
    command.done("stats in.pgm --profile-memory out.html");
    command.done("stats in.pgm --profile-memory out.html");
    assert!(command.exists("out.html"));
}
