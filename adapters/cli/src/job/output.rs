//! Where a job writes to: what may be replaced, in which format, whether there is room, and when it gets its name.

use super::control::Control;
use super::pages::Input;
use super::settings::Settings;
use crate::failure::Failure;
use plimsoll_core::shape::Shape;
use plimsoll_formats::{Format, FormatError, Metadata, Target, Wanted};
use plimsoll_os::FileError;
use plimsoll_os::output::AtomicOutput;
use std::path::Path;
use std::sync::Arc;

/// How an output is stored.
pub(super) fn target_of(
    format: &dyn Format,
    shape: Shape,
    wanted: Wanted,
    kept: Option<&Arc<dyn Metadata>>,
) -> Result<Box<dyn Target>, FormatError> {
    let target = format.target(shape, wanted)?;
    Ok(kept.and_then(|kept| target.carry(kept)).unwrap_or(target))
}

/// Gives the finished output its name.
pub(super) fn commit(
    file: Arc<AtomicOutput>,
    output: &Path,
    settings: &Settings,
    control: &Control,
) -> Result<(), Failure> {
    let file =
        Arc::into_inner(file).ok_or_else(|| Failure::Io(format!("{}: still in use", output.display())))?;
    if control.is_cancelled() {
        return Err(Failure::Cancelled);
    }
    file.commit(settings.sync).map_err(|error| Failure::Io(error.to_string()))
}

/// The format that an output's name asks for.
pub(super) fn format_of(output: &Path) -> Result<&'static dyn Format, Failure> {
    let extension = output.extension().and_then(|extension| extension.to_str()).unwrap_or("");
    by_ending(extension, &output.display())
}

/// The format of files with this ending, which `whose` has.
///
/// # Errors
/// [`Failure::Usage`] that lists the endings that there are.
pub(crate) fn by_ending(ending: &str, whose: &dyn std::fmt::Display) -> Result<&'static dyn Format, Failure> {
    plimsoll_formats::by_extension(ending).ok_or_else(|| {
        let known: Vec<&str> =
            plimsoll_formats::FORMATS.iter().flat_map(|format| format.extensions()).copied().collect();
        Failure::Usage(format!("{whose}: no format has this ending: write one of {}", known.join(", ")))
    })
}

/// An output never replaces its own input, and another file only if the user says so.
pub(super) fn check_output(input: &Input, output: &Path, settings: &Settings) -> Result<(), Failure> {
    let real = |path: &Path| std::fs::canonicalize(path).ok();
    if real(output).is_some_and(|output| real(input.path()) == Some(output)) {
        return Err(Failure::Usage(format!("{}: the output would replace the input", output.display())));
    }
    if output.exists() && !settings.overwrite {
        return Err(Failure::Usage(format!("{}: exists already: --overwrite replaces it", output.display())));
    }
    Ok(())
}

/// The size of an output before it is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct FileSize {
    /// The most bytes that it may have.
    pub(super) bytes: u64,
    /// Whether it has all of them, whatever its samples are.
    pub(super) known: bool,
}

/// Begins the output; takes the disk's room for it, where its size is known.
///
/// # Errors
/// [`Failure::Io`] that says what is missing.
pub(super) fn begin(
    output: &Path,
    size: FileSize,
    settings: &Settings,
) -> Result<Arc<AtomicOutput>, Failure> {
    let failed = |error: FileError| Failure::Io(error.to_string());
    let mut file = AtomicOutput::create(output, settings.overwrite).map_err(failed)?;
    if size.known {
        file.reserve(size.bytes).map_err(failed)?;
    }
    Ok(Arc::new(file))
}
