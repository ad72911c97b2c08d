//! `plimsoll info`: what the headers of a file say.

use super::args::InfoArgs;
use super::session::print;
use crate::failure::Failure;
use crate::job::{Input, Io};
use crate::report;
use crate::size::Bytes;
use plimsoll_formats::Facts;
use serde_json::{Map, Value, json};

/// `plimsoll info`
pub(crate) fn info(args: &InfoArgs) -> Result<(), Failure> {
    let input = Input::open(&args.input, Io::Read)?;
    let head = json!({
        "path": report::path_text(input.path()),
        "format": input.format(),
        "bytes": input.bytes(),
    });
    // Page by page, so that a file of very many pages costs no more than one of few.
    if args.json {
        print(&format!("{{\"file\":{head},\"pages\":["))?;
    } else {
        let bytes = input.bytes();
        print(&format!(
            "{}: {}, {} ({bytes} bytes)\n",
            input.path().display(),
            input.format(),
            Bytes(bytes)
        ))?;
    }
    let mut number = 1;
    while let Some(page) = input.find_page(number)? {
        let comma = if number > 1 { "," } else { "" };
        print(&match args.json {
            true => format!("{comma}{}", page_json(number, page.facts())),
            false => page_text(number, page.facts()),
        })?;
        number += 1;
    }
    if args.json {
        print("]}\n")?;
    }
    Ok(())
}

fn page_json(number: u32, facts: &Facts) -> Value {
    let more: Map<String, Value> =
        facts.more.iter().map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str()))).collect();
    let shape = facts.shape;
    json!({
        "page": number,
        "rows": shape.rows,
        "cols": shape.cols,
        "bands": shape.bands,
        "kind": shape.kind.name(),
        "image_bytes": shape.image_bytes(),
        "compression": facts.compression,
        "colour": facts.colour,
        "unit_rows": facts.unit_rows,
        "more": more,
    })
}

fn page_text(number: u32, facts: &Facts) -> String {
    let more: Vec<String> = facts.more.iter().map(|(name, value)| format!("{name} {value}")).collect();
    let shape = facts.shape;
    format!(
        "page {number}: {shape} ({}), {}, compression {}; {}\n",
        facts.colour,
        Bytes(shape.image_bytes()),
        facts.compression,
        more.join(", ")
    )
}
