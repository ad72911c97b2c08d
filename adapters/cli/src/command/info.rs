//! `plimsoll info`: what the headers of a file say.

use super::args::InfoArgs;
use super::session::{print, print_plan};
use crate::failure::Failure;
use crate::job::{Budgeted, Input, Io, JobPlan, PageName, Settings};
use crate::report;
use crate::size::Bytes;
use plimsoll_formats::{Facts, FormatError};
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
    let mut list = Listing { input: &input, json: args.json, listed: 0, broken: 0, first: None };
    list.all(None, None)?;
    if args.json {
        print("]}\n")?;
    }
    match list.first {
        None => Ok(()),
        Some(line) if list.broken > 1 => {
            Err(Failure::Input(format!("{line}; and {} more of its pages cannot be read", list.broken - 1)))
        }
        Some(line) => Err(Failure::Input(line)),
    }
}

/// `plimsoll plan info`: only headers are read, and one page after the other is held.
pub(crate) fn plan(args: &InfoArgs, json: bool) -> Result<(), Failure> {
    let input = Input::open(&args.input, Io::Read)?;
    let picture = input.page(1)?.facts().shape;
    let budget = Budgeted::resolve(&Settings::default());
    print_plan(&JobPlan::of_headers(budget, picture), json)
}

/// Prints pages, and those below them, one after the other.
struct Listing<'a> {
    input: &'a Input,
    json: bool,
    listed: u64,
    /// Pages that cannot be read, and what is wrong with the first of them.
    broken: u64,
    first: Option<String>,
}

impl Listing<'_> {
    /// All pages of the file, or all below one. The depth is that of names: a handful.
    ///
    /// A page that cannot be read takes its own line and is no reason not to list those behind it, unless what is wrong
    /// is the way there: then the same place of the file is wrong for the next page, as it was `before`.
    fn all(&mut self, above: Option<PageName>, mut before: Option<String>) -> Result<(), Failure> {
        for number in 1..=u32::MAX {
            let name = match above {
                None => PageName::from(number),
                Some(above) => match above.below(number) {
                    Some(name) => name,
                    None => return Ok(()),
                },
            };
            let page = match self.input.look(name) {
                Ok(None) => break,
                Ok(Some(page)) => Ok(page),
                Err(error) => {
                    let place = matches!(error, FormatError::Malformed { offset: Some(_), .. });
                    let Failure::Input(line) = Failure::input(self.input.path(), &error) else {
                        return Err(Failure::input(self.input.path(), &error));
                    };
                    if place && before.as_ref() == Some(&line) {
                        break;
                    }
                    before = place.then(|| line.clone());
                    Err(line)
                }
            };
            self.listed += 1;
            if self.listed > self.input.most_pages() {
                let path = self.input.path().display();
                let line = format!("{path}: malformed: page {name} leads back to an earlier one");
                self.first.get_or_insert(line);
                self.broken += 1;
                return Ok(());
            }
            let comma = if self.listed > 1 { "," } else { "" };
            print(&match (self.json, &page) {
                (true, Ok(page)) => format!("{comma}{}", page_json(name, page.facts())),
                (true, Err(line)) => {
                    format!("{comma}{}", json!({ "page": page_number(name), "error": one_line(line) }))
                }
                (false, Ok(page)) => page_text(name, page.facts()),
                (false, Err(line)) => format!("page {name} cannot be read: {}\n", one_line(line)),
            })?;
            let wrong = page.err();
            self.broken += u64::from(wrong.is_some());
            self.first = self.first.take().or(wrong);
            self.all(Some(name), before.clone())?;
            if self.listed > self.input.most_pages() {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// As [`Failure`] prints it.
fn one_line(line: &str) -> String {
    Failure::Input(line.to_owned()).to_string()
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
