//! Outputs that are less than was asked for, as their users hear of them: in the line, the receipt, the report and its
//! page, and how the program ends.

use serde_json::Value;
use std::process::{Command, Stdio};
use tempfile::TempDir;

struct Work(TempDir);

impl Work {
    /// A picture that loses something at any ratio.
    fn new() -> Self {
        let work = Self(tempfile::tempdir().unwrap());
        let noise = (0..120 * 160 * 3u32).map(|at| (at.wrapping_mul(0x9e37_79b9) >> 24) as u8);
        let picture: Vec<u8> = b"P6\n160 120\n255\n".iter().copied().chain(noise).collect();
        std::fs::write(work.0.path().join("in.ppm"), picture).unwrap();
        work
    }

    /// What a command says on both outputs, if it ends with `code`.
    fn run(&self, line: &str, code: i32) -> [String; 2] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        command.args(line.split_whitespace()).current_dir(self.0.path()).stdin(Stdio::null());
        let output = command.output().unwrap();
        let said = [output.stdout, output.stderr].map(|said| String::from_utf8(said).unwrap());
        assert_eq!(output.status.code(), Some(code), "{line}: {said:?}");
        said
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.path().join(name)).unwrap()
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.text(name)).unwrap()
    }

    fn has(&self, name: &str) -> bool {
        self.0.path().join(name).exists()
    }
}

/// What is asked for, and what is said of it when it is not reached.
const ASKED: [(&str, &str); 2] =
    [("--min-psnr 90", "dB, 90 dB is the least"), ("--min-ssim 0.9999", ", 0.9999 is the least")];

/// The figures that a report has, as its lines write them.
fn figures(quality: &Value, decimals: usize) -> String {
    let ssim = quality["ssim"].as_f64().map_or(String::new(), |ssim| format!(", SSIM {ssim:.decimals$}"));
    format!("PSNR {:.2} dB{ssim}", quality["psnr"].as_f64().unwrap())
}

#[test]
fn what_is_kept_although_it_is_less_is_called_so() {
    for (asked, _) in ASKED {
        let work = Work::new();
        let options = format!("--ratio 20 --within 24MiB {asked} --on-miss keep");
        work.run(&format!("convert in.ppm -o one.jp2 {options} --receipt one.json"), 0);
        let one = work.json("one.json")["output"]["quality"].clone();
        assert_eq!([&one["missed"], &one["identical"], &one["written_again"]], [true, false, false], "{one}");
        assert_eq!(one["psnr_before"], Value::Null);

        let [said, _] = work
            .run(&format!("convert in.ppm -o out/ --to jp2 {options} --report r.json --report r.html"), 0);
        let report = work.json("r.json");
        let file = &report["files"][0];
        assert_eq!((&file["status"], &file["why"]), (&Value::from("done"), &Value::Null));
        assert_eq!(file["quality"], one, "a batch and a job find the same");
        let line = format!("; read back: {}, less than asked for;", figures(&one, 4));
        assert!(said.contains(&line), "{line}: {said}");
        let cell = format!("<td>{}, less than asked for</td>", figures(&one, 5));
        assert!(work.text("r.html").contains(&cell), "{cell}");
        // What is enough is not called less.
        let [said, _] = work.run("convert in.ppm -o out/ --to jp2 --ratio 20 --min-psnr 5 --overwrite", 0);
        assert!(said.contains("; read back: PSNR ") && !said.contains("less than asked for"), "{said}");
    }
}

#[test]
fn what_is_written_again_without_loss_says_what_it_was_before() {
    for (asked, _) in ASKED {
        let work = Work::new();
        let options = format!("--ratio 20 --within 24MiB {asked}");
        work.run(&format!("convert in.ppm -o lossy.jp2 {options} --on-miss keep --receipt lossy.json"), 0);
        let lossy = work.json("lossy.json")["output"]["quality"].clone();
        let [said, _] = work.run(
            &format!(
                "convert in.ppm -o out/ --to jp2 {options} --on-miss lossless --report r.json --report r.html"
            ),
            0,
        );
        assert!(said.contains("; written once more without loss, identical;"), "{said}");
        let quality = work.json("r.json")["files"][0]["quality"].clone();
        assert_eq!(
            [&quality["missed"], &quality["identical"], &quality["written_again"]],
            [false, true, true]
        );
        assert_eq!(quality["psnr"], "inf");
        assert_eq!([&quality["psnr_before"], &quality["ssim_before"]], [&lossy["psnr"], &lossy["ssim"]]);
        assert!(work.text("r.html").contains("<td>identical, written once more</td>"));
    }
}

#[test]
fn what_fails_says_what_was_found_and_what_was_asked_for() {
    for (asked, least) in ASKED {
        let work = Work::new();
        let options = format!("--ratio 20 --within 24MiB {asked} --on-miss fail");
        let [_, said] = work.run(&format!("convert in.ppm -o one.jp2 {options}"), 6);
        assert!(said.contains("one.jp2") && said.contains(least) && said.lines().count() == 1, "{said}");
        assert!(!work.has("one.jp2"));
        let found = if asked.contains("psnr") { "its PSNR is " } else { "its SSIM is " };
        let line =
            format!("convert in.ppm -o out/ --to jp2 {options} --keep-going --report r.json --report r.html");
        work.run(&line, 4);
        let file = work.json("r.json")["files"][0].clone();
        let why = file["why"].as_str().unwrap();
        assert!(file["status"] == "failed" && why.contains(found) && why.contains(least), "{file}");
        assert!(work.text("r.html").contains(&format!("failed: {why}")), "{why}");
        assert!(!work.has("out/in.jp2"));
    }
}
