//! Settings in layers, as a user meets them: which layer is heard, what profiles and rules come to, what is refused.

mod command;

use command::Command;
use serde_json::Value;

const MIB: u64 = 1 << 20;

/// A folder with a small picture, and no settings of anybody.
fn command() -> Command {
    let command = Command::new();
    command.grey("in.pgm", 60, 40);
    command
}

/// The plan of a conversion under `flags`.
fn plan(command: &Command, flags: &str) -> Value {
    command.json(&format!("plan convert in.pgm -o out.pgm --json {flags}"))
}

/// One setting of a plan: its value, the kind of its layer, and the place.
fn setting(plan: &Value, name: &str) -> [String; 3] {
    let settings = plan["settings"].as_array().expect("a plan lists its settings");
    let found = settings.iter().find(|it| it["setting"] == name).expect("every setting is listed");
    ["value", "layer", "from"].map(|key| found[key].as_str().expect("words").to_owned())
}

#[test]
fn the_first_layer_that_says_something_is_heard() {
    let mut command = command();
    let heard = |command: &Command, flags: &str| {
        let plan = plan(command, flags);
        let [_, layer, from] = setting(&plan, "within");
        (plan["budget_bytes"].as_u64().expect("a number"), layer, from)
    };
    let (_, layer, from) = heard(&command, "");
    assert_eq!((layer.as_str(), from.as_str()), ("default", ""));
    // From the bottom up: each new layer is heard over all below it.
    command.write("config/plimsoll/plimsoll.toml", "within = \"31MiB\"\nworkers = 3\nprofile = \"low\"\n[profiles.low]\nwithin = \"30MiB\"\nstrip_rows = 7\n");
    let (bytes, layer, from) = heard(&command, "");
    assert_eq!((bytes, layer.as_str()), (31 * MIB, "file"));
    assert!(from.ends_with("config/plimsoll/plimsoll.toml"), "{from}");
    command.write("plimsoll.toml", "within = \"33MiB\"\n");
    assert_eq!(heard(&command, ""), (33 * MIB, "file".to_owned(), "plimsoll.toml".to_owned()));
    // What the nearer file does not say, the farther one still does; so does a profile that it names.
    let whole = plan(&command, "");
    assert_eq!(setting(&whole, "workers")[..2], ["3", "file"]);
    assert_eq!(setting(&whole, "strip_rows")[..2], ["7", "profile"]);
    command.set("PLIMSOLL_MEMORY_LIMIT_MB", "35");
    let from = "PLIMSOLL_MEMORY_LIMIT_MB".to_owned();
    assert_eq!(heard(&command, ""), (35 * MIB, "environment".to_owned(), from));
    let (bytes, layer, from) = heard(&command, "--profile jp2-4g");
    assert_eq!((bytes, layer.as_str(), from.as_str()), (1536 * MIB, "profile", "profile jp2-4g"));
    let flag = (36 * MIB, "flag".to_owned(), "--within".to_owned());
    assert_eq!(heard(&command, "--profile jp2-4g --within 36MiB"), flag);
    let flag = (36 * MIB, "flag".to_owned(), "--memory-limit-mb".to_owned());
    assert_eq!(heard(&command, "--memory-limit-mb 36"), flag);
    // A file that is named stands for both others.
    command.unset("PLIMSOLL_MEMORY_LIMIT_MB");
    command.write("mine.toml", "memory_limit_mb = 37\n");
    let named = plan(&command, "--config mine.toml");
    assert_eq!(setting(&named, "within"), ["37MiB", "file", "mine.toml"]);
    assert_eq!(setting(&named, "workers")[1], "default");
    command.set("PLIMSOLL_CONFIG", "mine.toml");
    assert_eq!(heard(&command, "").0, 37 * MIB);
    // An empty variable says nothing.
    command.set("PLIMSOLL_WITHIN", "");
    assert_eq!(heard(&command, "").0, 37 * MIB);
}

#[test]
fn every_layer_reaches_every_setting() {
    let mut command = command();
    let lines = [
        ("strip_pixels", "120", "chunk_size = 120", "--chunk-size 120"),
        ("strip_rows", "3", "strip_rows = 3", "--strip-rows 3"),
        ("workers", "2", "max_workers = 2", "--max-workers 2"),
        ("io", "mmap", "use_memory_mapping = true", "--use-memory-mapping"),
        ("progress", "json", "progress = \"json\"", "--progress json"),
        ("log_level", "debug", "log_level = \"debug\"", "--log-level debug"),
        ("log_file", "in.log", "log_file = \"in.log\"", "--log-file in.log"),
        ("profile_memory", "in.html", "profile_memory = \"in.html\"", "--profile-memory in.html"),
    ];
    for (name, value, file, flag) in lines {
        let check = |command: &Command, flags: &str, layer: &str| {
            assert_eq!(setting(&plan(command, flags), name)[..2], [value, layer], "{name}");
        };
        check(&command, flag, "flag");
        let (key, text) = file.split_once(" = ").expect("a line");
        let variable = format!("PLIMSOLL_{}", key.to_uppercase());
        command.set(&variable, text.trim_matches('"'));
        check(&command, "", "environment");
        command.unset(&variable);
        command.write("plimsoll.toml", &format!("{file}\n"));
        check(&command, "", "file");
        command.remove("plimsoll.toml");
    }
    // And what is set is done: a strip has as many pixels as the file says.
    command.write("plimsoll.toml", "chunk_size = 180\n");
    assert_eq!(plan(&command, "")["strip_rows"], 3);
    assert_eq!(plan(&command, "")["binding"], "strip-pixels");
    assert_eq!(plan(&command, "--strip-pixels 600")["strip_rows"], 10);
}

#[test]
fn plans_show_the_layers_in_words_and_the_estimate_of_three() {
    let command = command();
    command.write("plimsoll.toml", "within = \"31MiB\"\n");
    let text = command.done("plan convert in.pgm -o out.pgm --workers 1").stdout;
    assert!(text.contains("settings: within 31MiB (plimsoll.toml), workers 1 (--workers)"), "{text}");
    assert!(text.contains("31.0 MiB (plimsoll.toml)"), "{text}");
    // The estimate in the founding document: columns * rows * bands * bytes * 3.
    assert_eq!(plan(&command, "")["thrice_bytes"], 60 * 40 * 3);
    assert!(text.contains("three times the source is 7200 B"), "{text}");
    for other in [
        "plan stats in.pgm --json",
        "plan compare in.pgm in.pgm --json",
        "plan thumbnail in.pgm -o out.pgm --json",
    ] {
        assert_eq!(command.json(other)["budget_bytes"], 31 * MIB, "{other}");
    }
}

#[test]
fn profiles_are_the_four_recommended_configurations() {
    let command = command();
    for (name, mebibytes, pixels) in [
        ("jp2-4g", 1536, "250000"),
        ("jp2-8g", 4096, "500000"),
        ("jp2-16g", 8192, "1000000"),
        ("jp2-32g", 4096, "1000000"),
    ] {
        let plan = plan(&command, &format!("--profile {name}"));
        assert_eq!(plan["budget_bytes"], mebibytes * MIB, "{name}");
        assert_eq!(setting(&plan, "strip_pixels"), [pixels, "profile", &format!("profile {name}")]);
    }
    command.write("plimsoll.toml", "[profiles.scans]\nworkers = 2\n[profiles.jp2-4g]\nwithin = \"9MiB\"\n");
    let scans = plan(&command, "--profile scans");
    assert_eq!(setting(&scans, "workers"), ["2", "profile", "profile scans of plimsoll.toml"]);
    // A user's own profile stands for the one of that name.
    assert_eq!(plan(&command, "--profile jp2-4g")["budget_bytes"], 9 * MIB);
    command.fails(
        2,
        "plan convert in.pgm -o out.pgm --profile jp2-64g",
        &["--profile", "`jp2-64g`", "the nearest is `jp2-"],
    );
    command.fails(2, "plan convert in.pgm -o out.pgm --profile scan", &["`scans`"]);
}

/// The thresholds and figures of the founding document's function for folders of mixed files.
#[test]
fn rules_apply_by_size_and_the_lower_figure_counts() {
    let mut command = command();
    command.grey("in-50.pgm", 10_000, 5_000);
    command.grey("in-over-50.pgm", 10_000, 5_001);
    command.grey("in-100.pgm", 10_000, 10_000);
    command.grey("in-over-100.pgm", 10_000, 10_001);
    command.write(
        "plimsoll.toml",
        "[[rules]]\nover_pixels = 50_000_000\nmemory_limit_mb = 4096\nchunk_size = 500_000\n\
         [[rules]]\nover_pixels = 100_000_000\nmemory_limit_mb = 2048\nchunk_size = 250_000\n",
    );
    let plan = |command: &Command, name: &str, flags: &str| {
        command.json(&format!("plan stats {name}.pgm --json {flags}"))
    };
    for (name, mebibytes, pixels) in [
        ("in-50", 9999, ""),
        ("in-over-50", 4096, "500000"),
        ("in-100", 4096, "500000"),
        ("in-over-100", 2048, "250000"),
    ] {
        // The file's own figure is higher than any rule's.
        command.set("PLIMSOLL_PROFILE", "wide");
        let wide = "[profiles.wide]\nworkers = 3\n";
        let rules = String::from_utf8(command.read("plimsoll.toml")).expect("text");
        command.write("all.toml", &format!("memory_limit_mb = 9999\n{wide}{rules}"));
        let plan = plan(&command, name, "--config all.toml");
        assert_eq!(plan["budget_bytes"], mebibytes * MIB, "{name}");
        let [value, layer, from] = setting(&plan, "strip_pixels");
        match pixels {
            "" => assert_eq!(layer, "default"),
            _ => assert_eq!((value.as_str(), layer.as_str()), (pixels, "rule"), "{from}"),
        }
        command.unset("PLIMSOLL_PROFILE");
    }
    // A lower figure of the file's own counts, and what stands above the file is free of its rules.
    let lower = plan(&command, "in-over-100", "--config plimsoll.toml --within 77MiB --strip-rows 2");
    assert_eq!((lower["budget_bytes"].as_u64(), lower["strip_rows"].as_u64()), (Some(77 * MIB), Some(2)));
    assert_eq!(setting(&lower, "strip_pixels")[1], "rule");
    let free = plan(&command, "in-over-100", "--memory-limit-mb 5000 --chunk-size 900000");
    assert_eq!(free["budget_bytes"], 5000 * MIB);
    assert_eq!(setting(&free, "strip_pixels")[..2], ["900000", "flag"]);
}

#[test]
fn what_is_not_known_is_refused_by_name_with_the_nearest() {
    let mut command = command();
    let job = "convert in.pgm -o out.pgm";
    for (text, said) in [
        ("chunksize = 3", &["plimsoll.toml", "line 1", "`chunksize`", "`chunk_size`"][..]),
        ("\n\nworkers = 2\nmax_memory = 3", &["line 4", "`max_memory`", "the nearest is"]),
        ("within = 8192", &["within", "no unit", "8192MiB"]),
        ("workers = 65", &["workers", "65", "64"]),
        ("io = \"pipe\"", &["io", "read, mmap"]),
        ("within = \"8MiB\"\nmemory_limit_mb = 8", &["within", "twice"]),
        ("log_file = \"../x\"", &["log_file", "../x", "--config"]),
        ("profile = \"fast\"", &["`fast`", "profile"]),
        ("[[rules]]\nover_pixels = 1\nio = \"mmap\"", &["`io`", "rule"]),
        ("= 3", &["line 1"]),
    ] {
        command.write("plimsoll.toml", text);
        command.fails(2, job, said);
    }
    // Neither does a link lead outside.
    std::fs::create_dir(command.path("below")).expect("made");
    std::os::unix::fs::symlink("..", command.path("up")).expect("linked");
    std::os::unix::fs::symlink("in.pgm", command.path("x.log")).expect("linked");
    for name in ["up/y.log", "x.log"] {
        command.write("plimsoll.toml", &format!("log_file = {name:?}"));
        command.fails(2, job, &["log_file", name, "--config"]);
    }
    command.write("plimsoll.toml", "log_file = \"below/y.log\"");
    command.done("convert in.pgm -o below/out.pgm");
    // Commands that read no settings are not stopped by them.
    command.done("completions bash");
    command.remove("plimsoll.toml");
    command.set("PLIMSOLL_CHUNKSIZE", "3");
    command.fails(2, job, &["`PLIMSOLL_CHUNKSIZE`", "`PLIMSOLL_CHUNK_SIZE`"]);
    command.unset("PLIMSOLL_CHUNKSIZE");
    command.set("PLIMSOLL_WORKERS", "none");
    command.fails(2, job, &["PLIMSOLL_WORKERS", "`none`"]);
    command.unset("PLIMSOLL_WORKERS");
    command.fails(5, &format!("{job} --config away.toml"), &["away.toml"]);
    command.fails(2, &format!("{job} --config ."), &["regular file"]);
    command.write("large.toml", &"#\n".repeat(40_000));
    command.fails(2, &format!("{job} --config large.toml"), &["large.toml", "65536 bytes"]);
    assert!(!command.exists("out.pgm"));
}

#[test]
fn a_log_says_what_is_done() {
    let command = command();
    command.done("convert in.pgm -o out.pgm --log-file info.log --log-level info");
    let log = String::from_utf8(command.read("info.log")).expect("text");
    for words in ["plan: peak", "write the output", "receipt: peak resident", "wrote out.pgm"] {
        assert!(log.contains(words), "no `{words}` in {log}");
    }
    command.done("stats in.pgm --log-file debug.log --log-level debug");
    let log = String::from_utf8(command.read("debug.log")).expect("text");
    assert!(
        log.contains("DEBUG measure: 1 worker(s), strips of") || log.contains("DEBUG measure: 2 worker(s)"),
        "{log}"
    );
    command.done("convert in.pgm -o out/ --to png --log-file batch.log --log-level info");
    let log = String::from_utf8(command.read("batch.log")).expect("text");
    for words in ["[1/1] in.pgm", "batch: 1 done"] {
        assert!(log.contains(words), "no `{words}` in {log}");
    }
    command.done("stats in.pgm --log-file warn.log");
    assert!(command.read("warn.log").is_empty());
}

#[test]
fn a_log_file_may_come_from_the_settings() {
    let command = command();
    command.write("config/plimsoll/plimsoll.toml", "log_file = \"x.log\"\nlog_level = \"debug\"\n");
    command.fails(5, "convert away.pgm -o out.pgm", &["away.pgm"]);
    let log = String::from_utf8(command.read("config/plimsoll/x.log")).expect("text");
    assert!(log.contains("away.pgm"), "{log}");
}
