//! Names of outputs in a folder, from a template.

use crate::job::PageName;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

/// A template that has been found to make sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Stem,
    Folder,
    Ending,
    /// The page's number, with so many digits at least.
    Page(usize),
}

/// What a name is made of.
pub(crate) struct Names<'a> {
    /// The input.
    pub(crate) input: &'a Path,
    /// Its folder below the one that was named.
    pub(crate) folder: &'a Path,
    pub(crate) page: PageName,
    pub(crate) ending: &'a str,
}

impl Template {
    /// The names of outputs where the user wants no others: with the page's number if the input has several.
    pub(crate) fn usual(several_pages: bool) -> Self {
        let text = |text: &str| Part::Text(text.to_owned());
        let mut parts = vec![Part::Folder, text("/"), Part::Stem];
        if several_pages {
            parts.extend([text("_p"), Part::Page(4)]);
        }
        parts.extend([text("."), Part::Ending]);
        Self(parts)
    }

    /// The name of one output, below the folder of all outputs.
    pub(crate) fn name(&self, names: &Names<'_>) -> PathBuf {
        let mut name = std::ffi::OsString::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => name.push(text),
                Part::Stem => name.push(names.input.file_stem().unwrap_or_default()),
                Part::Folder => name.push(names.folder),
                Part::Ending => name.push(names.ending),
                Part::Page(digits) => {
                    let numbers = names.page.numbers().iter().enumerate().map(|(level, number)| {
                        // `3/1` is written `0003-1`.
                        if level == 0 { format!("{number:0digits$}") } else { number.to_string() }
                    });
                    name.push(numbers.collect::<Vec<_>>().join("-"));
                }
            }
        }
        // An input that was named itself is in no folder: its name would begin with the slash behind it.
        let path = Path::new(&name);
        path.components().filter(|part| matches!(part, Component::Normal(_))).collect()
    }
}

impl FromStr for Template {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if Path::new(text).components().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir))
        {
            return Err(format!("`{text}` leads out of the folder of outputs"));
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('{') {
            let (word, after) = behind.split_once('}').ok_or_else(|| format!("`{text}`: a {{ without }}"))?;
            parts.push(Part::Text(before.to_owned()));
            parts.push(match word.split_once(':').unwrap_or((word, "")) {
                ("stem", "") => Part::Stem,
                ("folder", "") => Part::Folder,
                ("ext", "") => Part::Ending,
                ("page", "") => Part::Page(0),
                ("page", digits) => match digits.parse() {
                    Ok(digits @ 0..=20) => Part::Page(digits),
                    _ => return Err(format!("`{{{word}}}`: write {{page:4}} for four digits, 20 at most")),
                },
                _ => {
                    return Err(format!(
                        "`{{{word}}}` is no part of a name: there are {{stem}}, {{page}}, {{page:4}}, {{ext}}, {{folder}}"
                    ));
                }
            });
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        parts.retain(|part| *part != Part::Text(String::new()));
        if text.ends_with('/') || parts.is_empty() {
            return Err(format!("`{text}` names no file"));
        }
        Ok(Self(parts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(template: &Template, input: &str, folder: &str, page: &str) -> String {
        let (input, folder) = (Path::new(input), Path::new(folder));
        let names = Names { input, folder, page: page.parse().unwrap(), ending: "jp2" };
        template.name(&names).to_str().unwrap().to_owned()
    }

    #[test]
    fn pages_have_four_digits_and_folders_are_kept() {
        let (one, several) = (Template::usual(false), Template::usual(true));
        assert_eq!(name(&one, "a/scan.ome.tif", "", "1"), "scan.ome.jp2");
        assert_eq!(name(&several, "a/scan.tif", "x/y", "12"), "x/y/scan_p0012.jp2");
        assert_eq!(name(&several, "scan.tif", "", "12345"), "scan_p12345.jp2");
        assert_eq!(name(&several, "scan.tif", "", "3/1"), "scan_p0003-1.jp2");
    }

    #[test]
    fn templates_say_where_everything_is() {
        let made = |text: &str| name(&text.parse().unwrap(), "in/scan.tif", "f", "7");
        assert_eq!(made("{page:3}-{stem}.{ext}"), "007-scan.jp2");
        assert_eq!(made("{folder}/{stem}/page{page}.{ext}"), "f/scan/page7.jp2");
        for text in ["{stem", "{name}.{ext}", "/etc/{stem}", "../{stem}", "", "a/", "{page:x}", "{stem:3}"] {
            assert!(text.parse::<Template>().is_err(), "{text}");
        }
    }
}
