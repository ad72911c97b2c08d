//! Promise: infinities and what is no number are said by name, in JSON as in text, by all that measures.

mod command;

use command::Command;
use serde_json::json;

/// A grey PFM of two columns; its lowest row comes first.
fn pfm(samples: [f32; 4]) -> Vec<u8> {
    [b"Pf\n2 2\n-1.0\n".to_vec(), samples.into_iter().flat_map(f32::to_le_bytes).collect()].concat()
}

#[test]
fn json_names_them_as_the_text_does() {
    let command = Command::new();
    let write = |name, samples| std::fs::write(command.path(name), pfm(samples)).expect("it can be written");
    write("a.pfm", [1.0, f32::INFINITY, f32::NAN, -3.0]);
    write("b.pfm", [f32::NAN; 4]);
    let found = &command.json("stats a.pfm --json")["overall"];
    assert_eq!((&found["min"], &found["max"]), (&json!(-3.0), &json!("inf")));
    assert_eq!(
        (&found["mean"], &found["deviation"], &found["nans"]),
        (&json!("inf"), &json!("NaN"), &json!(1))
    );
    let found = &command.json("stats b.pfm --json")["overall"];
    assert_eq!((&found["min"], &found["mean"], &found["count"]), (&json!("NaN"), &json!("NaN"), &json!(0)));
    assert!(command.done("stats a.pfm").stdout.contains("min -3 max inf mean inf deviation NaN count 3 "));
    let found = &command.json("compare a.pfm b.pfm --ssim 0 --json")["overall"];
    assert_eq!(
        (&found["max_difference"], &found["psnr"], &found["count"]),
        (&json!(0.0), &json!("inf"), &json!(1))
    );
    write("b.pfm", [2.0; 4]);
    let found = &command.json("compare a.pfm b.pfm --ssim 0 --json")["overall"];
    assert_eq!((&found["max_difference"], &found["mse"]), (&json!("inf"), &json!("inf")));
    assert_eq!((&found["psnr"], &found["nans"]), (&json!("-inf"), &json!(1)));
}
