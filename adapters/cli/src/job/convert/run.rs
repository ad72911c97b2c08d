//! Runs a conversion: the output appears whole, or not at all.

use super::{ConvertJob, Converted};
use crate::failure::Failure;
use crate::job::control::Control;
use crate::job::hash::{Hashing, hex};
use crate::job::hash_back::hash_back;
use crate::job::measure::find_ranges;
use crate::job::output::{begin, commit};
use crate::job::paced::Paced;
use crate::job::pass::Pass;
use crate::job::plan::PassPlan;
use crate::job::route::Route;
use crate::job::verify::Checked;
use crate::stages::Stages;
use plimsoll_core::measure::Range;
use plimsoll_formats::{FormatError, Output, Tail, Writer};
use plimsoll_os::output::AtomicOutput;
use sha2::{Digest, Sha256};
use std::path::Path;
use std::sync::Arc;

/// A page of an output that is being written.
pub(in crate::job) struct Written {
    pub(in crate::job) stored: String,
    /// Where the next page may begin.
    pub(in crate::job) tail: Tail,
    pub(in crate::job) hasher: Option<Sha256>,
    /// Bytes of the input that were read once more for it.
    pub(in crate::job) bytes_hashed: u64,
    /// The ranges that steps asked for.
    pub(in crate::job) ranges: Vec<Range>,
    pub(in crate::job) seconds: Vec<(String, f64)>,
}

impl ConvertJob {
    /// Runs it. The output appears whole, or not at all.
    ///
    /// # Errors
    /// [`Failure`] by culprit; nothing is left behind then.
    pub fn run(&self, control: &Control) -> Result<Converted, Failure> {
        self.run_checked(control, |_, _| Ok(None))
    }

    /// The same, and the output appears only if `check` finds it good: it is given the finished file's path, which is
    /// not yet the output's, and the ranges that steps asked for.
    pub(in crate::job) fn run_checked(
        &self,
        control: &Control,
        check: impl FnOnce(&Path, &[Range]) -> Result<Option<Checked>, Failure>,
    ) -> Result<Converted, Failure> {
        let output = &self.request.output;
        let file = begin(output, self.file_size()?, &self.settings)?;
        let hasher = self.settings.hash.then(Sha256::new);
        let written = self.write(&file, (1, Tail::default()), hasher, control)?;
        let checked = check(file.temporary(), &written.ranges)?;
        commit(file, output, &self.settings, control)?;
        Ok(Converted {
            path: output.clone(),
            shape: self.output_shape,
            pages: 1,
            stored: written.stored,
            sha256_pixels: written.hasher.map(hex),
            bytes_hashed: written.bytes_hashed,
            checked,
            seconds: written.seconds,
        })
    }

    /// Runs it into page `number`, counted from 1, of a file whose other pages end at `after`.
    pub(in crate::job) fn write(
        &self,
        file: &Arc<AtomicOutput>,
        (number, after): (u32, Tail),
        hasher: Option<Sha256>,
        control: &Control,
    ) -> Result<Written, Failure> {
        let source = self.page.facts().shape;
        let mut seconds = Vec::new();
        let ranges = find_ranges(
            &self.request.steps,
            &self.asked,
            &*self.page,
            &self.input_path,
            &self.plan,
            control,
            &mut seconds,
        )?;
        let Some(writing) = self.plan.passes.last() else {
            return Err(Failure::Usage("nothing to do".to_owned()));
        };
        let stages = Stages::build(&self.request.steps, source, &ranges)?;
        let target = self.target(writing.compressors)?;
        let output = Arc::clone(file) as Output;
        let writer = match number {
            1 => target.create(output),
            _ => target.append(output, after),
        };
        let writer = writer.map_err(|error| self.failed(&error))?;
        // Tiles come in an order of their own: what they were made of is hashed by rows.
        let tile_order = self.request.wanted.tile_order;
        let inline = writing.plan.workers == 1 && !tile_order;
        let (mut hasher, later) = if inline { (hasher, None) } else { (None, hasher) };
        hasher = self.write_rows(writing, &stages, &*writer, hasher, control, &mut seconds)?;
        let tail = writer.tail();
        writer.finish().map_err(|error| self.failed(&error))?;
        let mut bytes_hashed = 0;
        if let Some(later) = later {
            let hash = |path: &Path, page, hasher| {
                hash_back(path, page, writing, &self.plan, &self.settings, hasher)
            };
            hasher = if tile_order {
                self.by_rows(hash(&self.input_path, self.page_name, later))?.map(|(hasher, bytes)| {
                    bytes_hashed = bytes;
                    hasher
                })
            } else {
                Some(hash(file.temporary(), number.into(), later)?.0)
            };
        }
        stages.add_seconds(&mut seconds);
        Ok(Written { stored: target.describe(), tail, hasher, bytes_hashed, ranges, seconds })
    }

    /// The hash of the rows that tiles were made of; none where a row of them needs more than the plan allows.
    fn by_rows(&self, hashed: Result<(Sha256, u64), Failure>) -> Result<Option<(Sha256, u64)>, Failure> {
        match hashed {
            Err(Failure::Refused(why)) => {
                tracing::warn!("{}: its pixels are not hashed: {why}", self.request.output.display());
                Ok(None)
            }
            hashed => hashed.map(Some),
        }
    }

    /// What went wrong with the writer: it reads metadata from the input.
    fn failed(&self, error: &FormatError) -> Failure {
        match error {
            FormatError::Io { operation: "read", .. } | FormatError::Malformed { .. } => {
                Failure::input(&self.input_path, error)
            }
            _ => Failure::output(&self.request.output, error),
        }
    }

    /// The pass that writes. Goes on with the hash, where rows come in order.
    fn write_rows(
        &self,
        writing: &PassPlan,
        stages: &Stages,
        writer: &dyn Writer,
        hasher: Option<Sha256>,
        control: &Control,
        seconds: &mut Vec<(String, f64)>,
    ) -> Result<Option<Sha256>, Failure> {
        let refs = stages.refs();
        let route = Route::of(writing, &*self.written_page, &refs)?;
        let chain = route.chain()?;
        let passes = self.plan.passes.len();
        let pass = Pass::new(&chain, writing, route.page(), (passes, passes), &self.plan, control);
        let pass = pass.between(&self.input_path, &self.request.output).watched(route.watch());
        let mut arena = writing.arena()?;
        let hasher = match hasher {
            Some(hasher) => {
                let sinks = pass.run(arena.as_mut(), &|_, rows, budget| {
                    let sink = Paced { sink: writer.sink(rows, budget)?, writer, control };
                    Ok(Hashing::new(sink, hasher.clone()))
                })?;
                sinks.into_iter().next().map(Hashing::into_hasher)
            }
            None => {
                let paced = |sink| Paced { sink, writer, control };
                pass.run(arena.as_mut(), &|_, rows, budget| writer.sink(rows, budget).map(paced))?;
                None
            }
        };
        pass.add_seconds(seconds);
        Ok(hasher)
    }
}
