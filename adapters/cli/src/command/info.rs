//! `plimsoll info`: what the headers of a file say.

use super::args::InfoArgs;
use super::session::print;
use crate::failure::Failure;
use crate::job::{Input, Io, PageName};
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
    let mut list = Listing { input: &input, json: args.json, listed: 0 };
    list.all(None)?;
    if args.json {
        print("]}\n")?;
    }
    Ok(())
}

/// Prints pages, and those below them, one after the other.
struct Listing<'a> {
    input: &'a Input,
    json: bool,
    listed: u64,
}

impl Listing<'_> {
    /// All pages of the file, or all below one. The depth is that of names: a handful.
    fn all(&mut self, above: Option<PageName>) -> Result<(), Failure> {
        for number in 1..=u32::MAX {
            let name = match above {
                None => PageName::from(number),
                Some(above) => match above.below(number) {
                    Some(name) => name,
                    None => return Ok(()),
                },
            };
            let Some(page) = self.input.find_page(name)? else { break };
            self.listed += 1;
            if self.listed > self.input.most_pages() {
                let path = self.input.path().display();
                return Err(Failure::Input(format!(
                    "{path}: malformed: page {name} leads back to an earlier one"
                )));
            }
            let comma = if self.listed > 1 { "," } else { "" };
            print(&match self.json {
                true => format!("{comma}{}", page_json(name, page.facts())),
                false => page_text(name, page.facts()),
            })?;
            drop(page);
            self.all(Some(name))?;
        }
        Ok(())
    }
}

fn page_json(name: PageName, facts: &Facts) -> Value {
    let more: Map<String, Value> =
        facts.more.iter().map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str()))).collect();
    let shape = facts.shape;
    json!({
        "page": page_number(name),
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

/// A page's number; the name of one below another.
fn page_number(name: PageName) -> Value {
    match name.numbers() {
        [number] => Value::from(*number),
        _ => Value::from(name.to_string()),
    }
}

fn page_text(name: PageName, facts: &Facts) -> String {
    let more: Vec<String> = facts.more.iter().map(|(name, value)| format!("{name} {value}")).collect();
    let shape = facts.shape;
    format!(
        "page {name}: {shape} ({}), {}, compression {}; {}\n",
        facts.colour,
        Bytes(shape.image_bytes()),
        facts.compression,
        more.join(", ")
    )
}
