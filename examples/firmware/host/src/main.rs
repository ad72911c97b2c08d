//! The host's side of the examples: makes their input, runs them here, and reads sizes and symbols from their images.
//!
//! usage: host input FOLDER | run FOLDER | sizes IMAGE | symbols IMAGE

mod image;
mod input;
mod run;

use std::path::Path;
use std::process::ExitCode;

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["input", folder] => input::write(Path::new(folder)),
        ["run", folder] => run::all(Path::new(folder)),
        ["sizes", path] => image::sizes(Path::new(path)),
        ["symbols", path] => image::symbols(Path::new(path)),
        _ => Err("usage: host input FOLDER | run FOLDER | sizes IMAGE | symbols IMAGE".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
