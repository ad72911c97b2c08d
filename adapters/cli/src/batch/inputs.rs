//! The inputs of a batch: files, folders, and patterns of names.

use crate::failure::Failure;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// An input that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) path: PathBuf,
    /// Its folder below the one that was named, empty for a file that was named itself.
    pub(crate) folder: PathBuf,
}

/// Whether a word names several files.
pub(crate) fn names_several(word: &Path) -> bool {
    word.is_dir() || is_pattern(word)
}

/// A word with wildcards, unless a file has that very name.
fn is_pattern(word: &Path) -> bool {
    let wild = word.to_str().is_some_and(|text| text.contains(['*', '?', '[']));
    wild && word.symlink_metadata().is_err()
}

/// All files that `words` name, in their order; those of a folder or pattern by name. `output` is left out: what is in
/// there was made by a run like this.
///
/// # Errors
/// [`Failure::Usage`] for a pattern that is none or names nothing, [`Failure::Io`] for folders that cannot be listed.
pub(crate) fn find(words: &[PathBuf], recursive: bool, output: &Path) -> Result<Vec<Found>, Failure> {
    let mut found = Vec::new();
    let output = output.canonicalize().ok();
    for word in words {
        let before = found.len();
        if word.is_dir() {
            list(word, recursive, output.as_deref(), &mut found)?;
        } else if is_pattern(word) {
            expand(word, &mut found)?;
        } else {
            found.push(Found { path: word.clone(), folder: PathBuf::new() });
        }
        if found.len() == before {
            let hint = if word.is_dir() && !recursive { ": --recursive looks below it" } else { "" };
            return Err(Failure::Usage(format!("{}: no pictures are there{hint}", word.display())));
        }
    }
    let mut seen = HashSet::with_capacity(found.len());
    let first: Vec<bool> = found.iter().map(|one: &Found| seen.insert(one.path.as_path())).collect();
    let mut first = first.into_iter();
    found.retain(|_| first.next() == Some(true));
    found.shrink_to_fit();
    Ok(found)
}

/// The pictures in a folder, by their names' endings. Links to folders are not followed: they may lead in circles.
fn list(top: &Path, recursive: bool, output: Option<&Path>, found: &mut Vec<Found>) -> Result<(), Failure> {
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let here = top.join(&folder);
        let failed = |error: std::io::Error| Failure::io("list", &here, &error);
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&here).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            names.push((entry.file_name(), entry.file_type().map_err(failed)?));
        }
        names.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut below = Vec::new();
        for (name, kind) in names {
            let path = here.join(&name);
            if kind.is_dir() {
                let is_output = || output.is_some() && path.canonicalize().ok().as_deref() == output;
                if recursive && !is_output() {
                    below.push(folder.join(&name));
                }
            } else if is_picture(&path) && path.is_file() {
                found.push(Found { path, folder: folder.clone() });
            }
        }
        // The last one that is put there comes first.
        folders.extend(below.into_iter().rev());
    }
    Ok(())
}

/// Whether a file's name is that of a picture; temporary files of running jobs are none.
fn is_picture(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    plimsoll_formats::by_extension(ending).is_some()
}

/// The files that match a pattern: `*` and `?` within a name, `**` for folders within folders.
fn expand(pattern: &Path, found: &mut Vec<Found>) -> Result<(), Failure> {
    let text = pattern.to_str().unwrap_or_default();
    let top: PathBuf = pattern
        .parent()
        .into_iter()
        .flat_map(Path::components)
        .take_while(|part| !part.as_os_str().to_string_lossy().contains(['*', '?', '[']))
        .collect();
    let paths = glob::glob(text).map_err(|error| {
        Failure::Usage(format!("`{text}` is no pattern: {} at character {}", error.msg, error.pos))
    })?;
    for path in paths {
        let path = path.map_err(|error| Failure::io("list", error.path(), error.error()))?;
        if path.is_file() {
            let folder = path.parent().and_then(|folder| folder.strip_prefix(&top).ok());
            let folder = folder.unwrap_or(Path::new("")).to_owned();
            found.push(Found { path, folder });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_patterns_are_listed_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path();
        for name in [
            "b.tif",
            "a.png",
            "notes.txt",
            "sub/c.pgm",
            "sub/deep/d.tif",
            "out/a.png",
            ".a.png.plimsoll-1-0.tmp",
        ] {
            let path = top.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, b"").unwrap();
        }
        let out = top.join("out");
        let names = |words: &[PathBuf], recursive| -> Vec<String> {
            let found = find(words, recursive, &out).unwrap();
            let name = |one: &Found| {
                let name = one.path.file_name().unwrap().to_str().unwrap();
                format!("{}|{name}", one.folder.display())
            };
            found.iter().map(name).collect()
        };
        let words = [top.to_owned()];
        assert_eq!(names(&words, false), ["|a.png", "|b.tif"]);
        assert_eq!(names(&words, true), ["|a.png", "|b.tif", "sub|c.pgm", "sub/deep|d.tif"]);
        // A file that is named twice is taken once.
        let words = [top.join("b.tif"), top.join("*.tif"), top.join("s*/**/*.tif")];
        assert_eq!(names(&words, false), ["|b.tif", "sub/deep|d.tif"]);
        assert!(find(&[top.join("*.jpg")], true, &out).is_err());
        assert!(find(&[top.join("a[")], true, &out).is_err());
    }
}
