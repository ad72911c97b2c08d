//! `plimsoll series`, from outside: files, pipes, ranges against brute force, and the system's own figure of memory.

mod harness;
mod tolerance;

use harness::{corpus, fails, names, run, run_with, table};

#[test]
fn files_of_the_corpus_come_back_as_text() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["machine_temp", "twitter_aapl", "traveltime", "power_kw"] {
        let Some(path) = corpus(&format!("series_bench/{name}.csv")) else { return };
        // Zeros at the end of decimals are not the shortest form.
        let shortest = |line: &str| match line.split_once('.') {
            Some(_) => line.trim_end_matches('0').trim_end_matches('.').to_owned(),
            None => line.to_owned(),
        };
        let text: String =
            std::fs::read_to_string(&path).unwrap().lines().map(|line| shortest(line) + "\n").collect();
        std::fs::write(folder.path().join("it.csv"), &text).unwrap();
        let path = "it.csv";
        let ways =
            [["--backend", "rice"], ["--backend", "pack"], ["--profile", "small"], ["--profile", "large"]];
        for [option, value] in ways {
            let plain = ["pack", path, "-o", "it.pls", "--overwrite", "--unit", "s", "-q", option, value];
            run(folder.path(), &plain);
            let back = run(folder.path(), &["unpack", "it.pls"]);
            assert!(back == text, "{name} is not the same text");
        }
        // As a pipe in, and as a pipe out.
        let packed = run_with(folder.path(), &["pack", "--unit", "s"], text.as_bytes());
        assert_eq!(packed.stdout, std::fs::read(folder.path().join("it.pls")).unwrap(), "{name}");
        let back = run_with(folder.path(), &["unpack"], &packed.stdout);
        assert!(back.stdout == text.as_bytes(), "{name} is not the same text through pipes");
    }
}

#[test]
fn info_adds_up() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("t.csv"), table(10_000)).unwrap();
    let said: serde_json::Value = serde_json::from_str(&run(
        folder.path(),
        &["pack", "t.csv", "-o", "t.pls", "--json", "--block-points", "1000"],
    ))
    .unwrap();
    let info: serde_json::Value =
        serde_json::from_str(&run(folder.path(), &["info", "t.pls", "--json"])).unwrap();
    let bytes = std::fs::metadata(folder.path().join("t.pls")).unwrap().len();
    assert_eq!(
        (said["points"].as_u64(), said["blocks"].as_u64(), said["bytes"].as_u64()),
        (Some(10_000), Some(10), Some(bytes))
    );
    assert_eq!((info["points"].as_u64(), info["blocks"].as_u64()), (Some(10_000), Some(10)));
    // 8 bytes of time, 8 of each column.
    assert_eq!(
        (info["original_size"].as_u64(), info["compressed_size"].as_u64()),
        (Some(240_000), Some(bytes))
    );
    assert_eq!(info["compression_ratio"].as_f64().unwrap(), 240_000.0 / bytes as f64);
    assert_eq!(info["min_time"].as_i64(), Some(1_396_310_400));
    assert_eq!(info["max_time"].as_i64(), Some(1_396_310_400 + 60 * 9999));
    let columns = info["columns"].as_array().unwrap();
    let bits = |value: &serde_json::Value| value["bits_per_point"].as_f64().unwrap();
    assert!(bits(&columns[0]) > 4.0 && bits(&columns[1]) < 0.5, "{info}");
    let sum = info["time_bits_per_point"].as_f64().unwrap() + bits(&columns[0]) + bits(&columns[1]);
    assert!((sum - bits(&info)).abs() < 1.0, "{sum} of {info}");
    assert!(run(folder.path(), &["info", "t.pls"]).contains("10000 points in 10 blocks"));
}

#[test]
fn ranges_and_steps_equal_brute_force() {
    let folder = tempfile::tempdir().unwrap();
    let text = table(20_000);
    std::fs::write(folder.path().join("t.csv"), &text).unwrap();
    run(folder.path(), &["pack", "t.csv", "-o", "t.pls", "--unit", "s", "--block-points", "300", "-q"]);
    let rows: Vec<(i64, f64, i64)> = text
        .lines()
        .skip(1)
        .map(|line| {
            let mut fields = line.split(',');
            let mut next = || fields.next().unwrap();
            (next().parse().unwrap(), next().parse().unwrap(), next().parse().unwrap())
        })
        .collect();
    let (from, to) = (1_396_310_400 + 6_000, 1_396_310_400 + 700_001);
    let wanted: Vec<_> = rows.iter().filter(|row| (from..to).contains(&row.0)).collect();

    let got = run(folder.path(), &["get", "t.pls", "--from", &from.to_string(), "--to", &to.to_string()]);
    let expected: String = wanted.iter().map(|row| format!("{},{},{}\n", row.0, row.1, row.2)).collect();
    assert_eq!(got, format!("time,level,count\n{expected}"));
    // The same bounds as dates.
    let dates = run(
        folder.path(),
        &["get", "t.pls", "--from", "2014-04-01T01:40:00Z", "--to", "2014-04-09T02:26:41"],
    );
    assert_eq!(dates, got);

    let (from_text, to_text) = (from.to_string(), to.to_string());
    let every = ["--every", "1h", "--agg", "min,max,mean,first,last,count"];
    let args = [&["get", "t.pls", "--from", &from_text, "--to", &to_text][..], &every].concat();
    let mut expected = String::from("time");
    for name in ["level", "count"] {
        for aggregate in ["min", "max", "mean", "first", "last", "count"] {
            expected += &format!(",{name}_{aggregate}");
        }
    }
    expected += "\n";
    for hour in wanted.chunk_by(|a, b| a.0 / 3600 == b.0 / 3600) {
        let level: Vec<f64> = hour.iter().map(|row| row.1).collect();
        let count: Vec<f64> = hour.iter().map(|row| row.2 as f64).collect();
        expected += &(hour[0].0 / 3600 * 3600).to_string();
        for values in [level, count] {
            let min = values.iter().copied().fold(f64::INFINITY, f64::min);
            let max = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let [first, last] = [values[0], values[values.len() - 1]];
            expected += &format!(",{min},{max},{mean},{first},{last},{}", values.len());
        }
        expected += "\n";
    }
    assert_eq!(run(folder.path(), &args), expected);
    assert_eq!(run(folder.path(), &["get", "t.pls", "--from", "1", "--to", "2"]), "time,level,count\n");
    assert!(
        fails(folder.path(), &["get", "t.pls", "--from", "noon"], 2).contains("--from noon: it is neither")
    );
}

#[test]
fn blocks_that_lie_in_a_step_are_summed_by_their_headers() {
    use plimsoll_core::series::{Blocks, crc32c};
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("t.csv"), table(6_000)).unwrap();
    // Blocks of 60 minutes, and of 7: some of these lie across the hour.
    for points in ["60", "7"] {
        let pack = |out: &str, more: &[&str]| {
            let plain =
                ["pack", "t.csv", "-o", out, "--overwrite", "--unit", "s", "-q", "--block-points", points];
            run(folder.path(), &[&plain[..], more].concat());
        };
        pack("plain.pls", &[]);
        pack("ranges.pls", &["--ranges"]);
        for aggregates in ["min,max", "mean,count", "first,max,count,last,mean"] {
            let get = |file: &str| {
                let steps =
                    ["--every", "1h", "--agg", aggregates, "--from", "1396314300", "--to", "1396614300"];
                run(folder.path(), &[&["get", file][..], &steps].concat())
            };
            assert_eq!(get("plain.pls"), get("ranges.pls"), "{aggregates} of {points}");
        }
    }
    // A header that says something else than its points, with checks that fit, is what is believed.
    std::fs::write(folder.path().join("c.csv"), "time,count\n0,5\n60,7\n").unwrap();
    run(folder.path(), &["pack", "c.csv", "-o", "c.pls", "--unit", "s", "-q", "--ranges"]);
    let path = folder.path().join("c.pls");
    let mut bytes = std::fs::read(&path).unwrap();
    let (start, header) =
        Blocks::of(&bytes).flatten().map(|block| (block.offset, block.header)).next().unwrap();
    let (sum, end) = (start + header.header_bytes - 9, start + header.block_bytes());
    assert_eq!(bytes[sum..sum + 8], 12_f64.to_le_bytes());
    bytes[sum..sum + 8].copy_from_slice(&40_f64.to_le_bytes());
    bytes[sum + 8] = crc32c(&bytes[start..sum + 8]) as u8;
    let check = crc32c(&bytes[start..end - 4]).to_le_bytes();
    bytes[end - 4..end].copy_from_slice(&check);
    std::fs::write(&path, &bytes).unwrap();
    let mean = |more: &str| run(folder.path(), &["get", "c.pls", "--every", "1h", "--agg", more]);
    assert_eq!(mean("mean,count"), "time,count_mean,count_count\n0,20,2\n");
    assert_eq!(mean("mean,first"), "time,count_mean,count_first\n0,6,5\n");
}

#[test]
fn appending_and_putting_together_give_one_table() {
    let folder = tempfile::tempdir().unwrap();
    let text = table(3000);
    let lines: Vec<&str> = text.lines().collect();
    let part = |range: std::ops::Range<usize>| format!("{}\n{}\n", lines[0], lines[range].join("\n"));
    for (name, range) in [("a", 1..1000), ("b", 1000..1001), ("c", 1001..3001)] {
        std::fs::write(folder.path().join(format!("{name}.csv")), part(range)).unwrap();
        run(folder.path(), &["pack", &format!("{name}.csv"), "-o", &format!("{name}.pls"), "-q"]);
    }
    run(folder.path(), &["cat", "a.pls", "b.pls", "c.pls", "-o", "all.pls"]);
    assert_eq!(run(folder.path(), &["unpack", "all.pls"]), text);
    run(folder.path(), &["pack", "b.csv", "--append", "a.pls", "-q"]);
    run(folder.path(), &["pack", "c.csv", "--append", "a.pls", "-q"]);
    assert_eq!(run(folder.path(), &["unpack", "a.pls"]), text);
    // The shell's way.
    let [b, c] = ["b.pls", "c.pls"].map(|name| std::fs::read(folder.path().join(name)).unwrap());
    let joined = run_with(folder.path(), &["unpack"], &[b, c].concat());
    assert_eq!(String::from_utf8(joined.stdout).unwrap(), part(1000..3001));

    std::fs::write(folder.path().join("d.csv"), "time,other\n1,2\n").unwrap();
    run(folder.path(), &["pack", "d.csv", "-o", "d.pls", "-q"]);
    assert!(
        fails(folder.path(), &["cat", "a.pls", "d.pls", "-o", "no.pls"], 4)
            .contains("they make no one table")
    );
    assert!(fails(folder.path(), &["pack", "d.csv", "--append", "a.pls"], 2).contains("other columns"));
    assert!(!folder.path().join("no.pls").exists());
}

#[test]
fn names_with_delimiters_are_in_quotes_in_sums_too() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("t.csv"), "time,\"a,b\"\n1,2\n2,4\n").unwrap();
    run(folder.path(), &["pack", "t.csv", "-o", "t.pls", "-q"]);
    let sums = run(folder.path(), &["get", "t.pls", "--every", "10", "--agg", "min,mean"]);
    assert_eq!(sums, "time,\"a,b_min\",\"a,b_mean\"\n0,2,3\n");
}

#[test]
fn appending_keeps_what_came_before_a_failure_and_goes_on_counting() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("t.csv"), "v\n0.5\n1.5\n").unwrap();
    run(folder.path(), &["pack", "t.csv", "-o", "t.pls", "-q"]);
    let more: String = (0..5000).map(|at| format!("{at}.25\n")).collect();
    let output =
        run_with(folder.path(), &["pack", "--append", "t.pls", "-q"], format!("v\n{more}oops\n").as_bytes());
    assert_eq!(output.status.code(), Some(4));
    assert!(String::from_utf8(output.stderr).unwrap().contains("line 5002, column `v`: `oops` is no number"));
    assert_eq!(run(folder.path(), &["unpack", "t.pls"]), format!("v\n0.5\n1.5\n{more}"));
    // Points are numbered through, and the index is there again.
    let got = run(folder.path(), &["get", "t.pls", "--from", "1", "--to", "4"]);
    assert_eq!(got, "v\n1.5\n0.25\n1.25\n");
    run(folder.path(), &["pack", "t.csv", "--append", "t.pls", "-q"]);
    assert_eq!(run(folder.path(), &["get", "t.pls", "--from", "5002"]), "v\n0.5\n1.5\n");
}

/// Wherever a file was cut, what is appended is all there, though its columns are of another kind.
#[test]
fn appending_behind_a_torn_index_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.pls");
    std::fs::write(folder.path().join("t.csv"), "time,v\n1,2\n2,3\n").unwrap();
    std::fs::write(folder.path().join("more.csv"), "time,v\n3,4.5\n4,5\n").unwrap();
    run(folder.path(), &["pack", "t.csv", "-o", "t.pls", "-q"]);
    let whole = std::fs::read(&path).unwrap();
    for cut in 1..=68 {
        std::fs::write(&path, &whole[..whole.len() - cut]).unwrap();
        run(folder.path(), &["pack", "more.csv", "--append", "t.pls", "-q"]);
        let text = run(folder.path(), &["unpack", "t.pls"]);
        assert_eq!(text, "time,v\n1,2\n2,3\n3,4.5\n4,5\n", "{cut} bytes cut");
    }
}

#[test]
fn failures_are_one_line_and_leave_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &[u8]| std::fs::write(folder.path().join(name), text).unwrap();
    put("bad.csv", b"time,a\n1,2\n2,x\n");
    put("text.csv", b"hello\nworld\n");
    put("good.csv", table(100).as_bytes());
    put("there.pls", b"mine");
    let before = names(folder.path());
    assert!(
        fails(folder.path(), &["pack", "bad.csv", "-o", "o.pls"], 2)
            .contains("line 3, column `a`: `x` is no number")
    );
    assert!(
        fails(folder.path(), &["pack", "text.csv", "-o", "o.pls"], 2)
            .contains("line 1, column `value`: `hello` is no number")
    );
    assert!(fails(folder.path(), &["pack", "none.csv", "-o", "o.pls"], 5).contains("cannot open none.csv"));
    assert!(
        fails(folder.path(), &["pack", "good.csv", "-o", "there.pls"], 5).contains("--overwrite replaces it")
    );
    assert!(fails(folder.path(), &["unpack", "good.csv"], 4).contains("this is no series file"));
    assert!(
        fails(folder.path(), &["pack", "good.csv", "-o", "o.pls", "--within", "1MiB"], 3)
            .contains("is enough")
    );
    assert_eq!(names(folder.path()), before);
    assert_eq!(std::fs::read(folder.path().join("there.pls")).unwrap(), b"mine");
}

#[test]
fn the_budget_does_not_show() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("t.csv"), table(30_000)).unwrap();
    let mut outputs = Vec::new();
    for within in ["6040KiB", "6440KiB", "16MiB", "1GiB"] {
        run(folder.path(), &["pack", "t.csv", "-o", "t.pls", "--overwrite", "-q", "--within", within]);
        let text = run(folder.path(), &["unpack", "t.pls", "--within", within]);
        outputs.push((std::fs::read(folder.path().join("t.pls")).unwrap(), text));
    }
    assert!(outputs.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(outputs[0].1, table(30_000));
}

#[test]
fn a_damaged_file_gives_the_rest_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("t.csv"), table(3000)).unwrap();
    run(folder.path(), &["pack", "t.csv", "-o", "t.pls", "--block-points", "100", "-q"]);
    let path = folder.path().join("t.pls");
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 3;
    bytes[middle] ^= 0x40;
    std::fs::write(&path, &bytes).unwrap();
    let output = run_with(folder.path(), &["unpack", "t.pls"], b"");
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 1 + 2900);
    assert!(String::from_utf8(output.stderr).unwrap().contains("are damaged"));
}
