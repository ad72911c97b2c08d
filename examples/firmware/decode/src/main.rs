//! Prints the logs that an image sends. usage: decode IMAGE < frames

use anyhow::Context;
use defmt_decoder::{DecodeError, Table};
use std::io::Read;

fn main() -> anyhow::Result<()> {
    let path = std::env::args().nth(1).context("usage: decode IMAGE < frames")?;
    let image = std::fs::read(&path).with_context(|| path.clone())?;
    let table = Table::parse(&image)?.with_context(|| format!("{path} has no logs"))?;
    let mut frames = Vec::new();
    std::io::stdin().read_to_end(&mut frames)?;
    let mut decoder = table.new_stream_decoder();
    decoder.received(&frames);
    loop {
        match decoder.decode() {
            Ok(frame) => {
                let level = frame.level().map_or("", |level| level.as_str());
                println!("{level:5} {}", frame.display_message());
            }
            Err(DecodeError::UnexpectedEof) => return Ok(()),
            Err(DecodeError::Malformed) => anyhow::bail!("bytes that are no log of {path}"),
        }
    }
}
