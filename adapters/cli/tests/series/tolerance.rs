//! What `--max-error` promises: no value further off than allowed, and no file longer than a lossless one.

use crate::harness::{corpus, run, run_with};

#[test]
fn errors_stay_within_what_was_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let text: String =
        (0..5000).map(|at| format!("{at},{}\n", (f64::from(at) * 0.37).sin() * 12.5)).collect();
    std::fs::write(folder.path().join("t.csv"), &text).unwrap();
    run(folder.path(), &["pack", "t.csv", "-o", "exact.pls", "-q"]);
    let exact = std::fs::metadata(folder.path().join("exact.pls")).unwrap().len();
    let mut before = exact;
    for error in ["1e-9", "0.001", "0.05", "rel:0.01"] {
        run(folder.path(), &["pack", "t.csv", "-o", "near.pls", "--overwrite", "-q", "--max-error", error]);
        let back = run(folder.path(), &["unpack", "near.pls"]);
        for (old, new) in text.lines().zip(back.lines()) {
            let value = |line: &str| line.split_once(',').unwrap().1.parse::<f64>().unwrap();
            let (old, new) = (value(old), value(new));
            let allowed = match error.strip_prefix("rel:") {
                Some(part) => part.parse::<f64>().unwrap() * old.abs(),
                None => error.parse().unwrap(),
            };
            assert!((old - new).abs() <= allowed, "{old} became {new} with {error}");
        }
        let bytes = std::fs::metadata(folder.path().join("near.pls")).unwrap().len();
        assert!(bytes <= before.max(exact / 2), "{bytes} bytes with {error}");
        before = if error.starts_with("rel") { before } else { bytes };
        assert!(run(folder.path(), &["info", "near.pls"]).contains("worst error"));
    }
}

/// Tables of the corpus, shortened so that a test takes seconds.
fn tables() -> Vec<(String, String)> {
    let mut tables = Vec::new();
    for folder in ["series", "series_bench"] {
        let Some(folder) = corpus(folder) else { continue };
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.extension().is_some_and(|extension| extension == "csv") {
                let text = std::fs::read_to_string(&path).unwrap();
                let short = text.lines().take(800).map(|line| line.to_owned() + "\n").collect();
                tables.push((path.file_name().unwrap().to_string_lossy().into_owned(), short));
            }
        }
    }
    tables
}

#[test]
fn no_value_of_the_corpus_is_further_off_than_allowed_and_no_file_longer() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = |name: &str| std::fs::metadata(folder.path().join(name)).unwrap().len();
    let numbers = |text: &str| -> Vec<Vec<Result<f64, String>>> {
        let field = |field: &str| field.parse().map_err(|_| field.to_owned());
        text.lines().map(|line| line.split([',', ';', '\t', ' ']).map(field).collect()).collect()
    };
    let mut tried = 0;
    for (name, text) in tables() {
        std::fs::write(folder.path().join("t.csv"), &text).unwrap();
        let packed = run_with(folder.path(), &["pack", "t.csv", "-o", "exact.pls", "--overwrite", "-q"], b"");
        if !packed.status.success() {
            println!("{name}: left out: {}", String::from_utf8_lossy(&packed.stderr).trim());
            continue;
        }
        let exact = numbers(&run(folder.path(), &["unpack", "exact.pls"]));
        // The last column is one of values, whether there is one of time or not.
        let last =
            exact.iter().filter_map(|line| line.last()?.clone().ok()).filter(|value| value.is_finite());
        let range = last.clone().fold(f64::MIN, f64::max) - last.fold(f64::MAX, f64::min);
        for part in [1e-6, 1e-4, 1e-3, 1e-2] {
            for (error, relative) in [(range * part, false), (part, true)] {
                if error <= 0.0 {
                    continue;
                }
                let word = if relative { format!("rel:{error}") } else { error.to_string() };
                let pack = ["pack", "t.csv", "-o", "near.pls", "--overwrite", "-q", "--max-error", &word];
                run(folder.path(), &pack);
                assert!(
                    bytes("near.pls") <= bytes("exact.pls"),
                    "{name} within {word}: {} bytes, {} lossless",
                    bytes("near.pls"),
                    bytes("exact.pls")
                );
                let near = numbers(&run(folder.path(), &["unpack", "near.pls"]));
                assert_eq!(near.len(), exact.len(), "{name} within {word}");
                for (near, exact) in near.iter().flatten().zip(exact.iter().flatten()) {
                    match (near, exact) {
                        (Ok(near), Ok(exact)) => {
                            let allowed = if relative { error * exact.abs() } else { error };
                            let off = (near - exact).abs();
                            let same = near.to_bits() == exact.to_bits() || (near.is_nan() && exact.is_nan());
                            assert!(same || off <= allowed, "{name} within {word}: {exact} became {near}");
                        }
                        (near, exact) => assert_eq!(near, exact, "{name} within {word}"),
                    }
                }
                tried += 1;
            }
        }
    }
    println!("{tried} files within tolerances");
}
