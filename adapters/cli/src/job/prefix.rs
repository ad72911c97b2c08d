//! The first stages of a chain as part of the source of each worker, so that bands meet behind them: there the rows
//! that two neighbours share are few and small, where at the source they may be hundreds.
//!
//! Invariant: no two output rows of these stages share a source row, so each is still read once over all workers.

use super::columns::Columns;
use plimsoll_core::budget::{Budget, Layout};
use plimsoll_core::pipeline::plan::{Each, Place};
use plimsoll_core::pipeline::{Bands, Chain, Need, RunError, Source, Stage, StageError, Staged};
use plimsoll_core::shape::{Region, Rows, Shape};
use plimsoll_core::strip::StripMut;
use plimsoll_formats::{Facts, FormatError, Page, RowSource};
use plimsoll_os::timing::{Stopwatch, Timed};

/// A stage at the end of a prefix makes at most two rows of so many: otherwise the seams would hardly shrink.
const WORTHWHILE_REDUCTION: u64 = 3;

/// Program and libraries as touched beside those of a job that is one chain, as far as they are measured (see
/// [`price`](super::price)): the loop over these stages is code of its own, and so is what threads need.
const CODE_BYTES: u64 = 256 << 10;

/// At how many places of a picture rows are compared with their neighbours.
const LOOKS: u32 = 1024;

/// Which stages are part of the source, and how it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix {
    /// How many stages, from the first.
    pub stages: usize,
    /// Source rows that each worker reads at once.
    pub strip_rows: u32,
    /// Whether the source is read by columns of blocks.
    pub by_columns: bool,
}

/// The longest row of first stages of `chain`, and not all of them, that shrinks a picture's height at its end and
/// lets no two rows share any before it.
pub(crate) fn longest(chain: &Chain<'_>) -> Option<usize> {
    let reduces = |at: usize| {
        let view = chain.view(at)?;
        let (rows, made) = (u64::from(view.input_shape.rows), u64::from(view.output_shape.rows));
        (2 * rows >= WORTHWHILE_REDUCTION * made).then_some(at + 1)
    };
    let ends = (0..chain.stages().len().saturating_sub(1)).rev().filter_map(reduces);
    ends.into_iter().find(|end| is_disjoint(chain.stages().get(..*end).unwrap_or_default(), chain.source()))
}

/// Whether no two of the rows looked at share a source row. Where workers meet it is made sure of: see [`meet_well`].
fn is_disjoint(stages: &[&dyn Stage], source: Shape) -> bool {
    let Ok(chain) = Chain::new(stages, source) else { return false };
    let rows = chain.output_shape().rows;
    let looks =
        (1..rows).step_by((rows / LOOKS).max(1) as usize).chain(rows.checked_sub(1).filter(|row| *row > 0));
    looks.into_iter().all(|row| parts(&chain, row))
}

/// Whether row `row` of a chain's output and the one above it share no source row.
fn parts(chain: &Chain<'_>, row: u32) -> bool {
    let above = chain.source_rows(Rows::one(row - 1));
    let here = chain.source_rows(Rows::one(row));
    !here.is_empty() && above.end() <= here.start()
}

/// A page behind some stages.
pub(crate) struct PrefixedPage<'a> {
    page: &'a dyn Page,
    stages: &'a [&'a dyn Stage],
    prefix: Prefix,
    facts: Facts,
    watch: Stopwatch,
}

impl<'a> PrefixedPage<'a> {
    /// `page` behind `stages`, read as `prefix` says.
    ///
    /// # Errors
    /// [`StageError`] if the stages cannot work on the page.
    pub(crate) fn new(
        page: &'a dyn Page,
        stages: &'a [&'a dyn Stage],
        prefix: Prefix,
    ) -> Result<Self, StageError> {
        let chain = Chain::new(stages, page.facts().shape)?;
        let unit_rows = unit_rows(&chain, page.facts().unit_rows);
        let facts = Facts { shape: chain.output_shape(), unit_rows, ..page.facts().clone() };
        Ok(Self { page, stages, prefix, facts, watch: Stopwatch::new() })
    }

    /// The time spent in the page's own sources.
    pub(crate) fn watch(&self) -> &Stopwatch {
        &self.watch
    }

    /// Whether each source row is read by one of `bands` alone.
    pub(crate) fn meet_well(&self, bands: &Bands) -> bool {
        let Ok(chain) = Chain::new(self.stages, self.page.facts().shape) else { return false };
        bands.iter().skip(1).all(|band| band.reads.start() > 0 && parts(&chain, band.reads.start()))
    }

    /// The only stage over columns of blocks, if that is how the page is read.
    fn columns(&self, region: Region) -> Result<Option<Columns<'a>>, StageError> {
        match self.stages {
            [stage] if self.prefix.by_columns => {
                Columns::new(self.page, *stage, region, self.prefix.strip_rows).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn chain(&self, region: Region) -> Result<Chain<'a>, StageError> {
        Chain::for_region(self.stages, self.page.facts().shape, region)
    }
}

/// Rows that a worker reads at once where the windows of `chain` are to hold about `window_bytes`: such that some
/// strips make one output row, or a strip makes some.
pub(crate) fn strip_rows(chain: &Chain<'_>, window_bytes: u64, most: u32) -> u32 {
    let row: u64 = (0..chain.windows()).map(|index| chain.window_row_bytes(index)).sum();
    let rows = (window_bytes / row.max(1)).clamp(1, u64::from(most.max(1))) as u32;
    // All output rows but the first and the last need the same number.
    let each = chain.source_rows(Rows::one(chain.output_shape().rows / 2)).len().max(1);
    match rows / each {
        0 => each.div_ceil(each.div_ceil(rows)),
        whole => whole * each,
    }
}

/// After how many rows of the chain's output the source rows start with a unit again; all of them if they never do.
fn unit_rows(chain: &Chain<'_>, unit: u32) -> u32 {
    let rows = chain.output_shape().rows.max(1);
    let starts = |row: u32| chain.source_rows(Rows::one(row)).start().checked_rem(unit) == Some(0);
    let repeats = |period: &u32| (*period..rows).step_by(*period as usize).all(starts);
    if unit <= 1 { 1 } else { (1..rows).find(repeats).unwrap_or(rows) }
}

impl Page for PrefixedPage<'_> {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn needs(&self, region: Region) -> Vec<Need> {
        let code = Need::fixed("program before the seams", CODE_BYTES, Each::Job, Place::Process);
        if let Ok(Some(columns)) = self.columns(region) {
            let mut needs = columns.needs();
            needs.push(code);
            return needs;
        }
        let Ok(chain) = self.chain(region) else { return Vec::new() };
        let mut needs = self.page.needs(chain.input());
        for need in &mut needs {
            // Whoever plans counts other strips.
            let strip = need.per_strip_row.saturating_mul(u64::from(self.prefix.strip_rows));
            *need = Need { bytes: need.bytes.saturating_add(strip), per_strip_row: 0, ..*need };
        }
        let windows =
            (0..chain.windows()).map(|index| chain.window_bytes(index, self.prefix.strip_rows)).sum();
        let states = (0..chain.stages().len()).map(|index| chain.stage_bytes(index)).sum();
        let all = Staged::<Read<'_>>::bytes(&chain, self.prefix.strip_rows);
        let rows = all.saturating_sub(windows).saturating_sub(states);
        let arena = |consumer, bytes| Need::fixed(consumer, bytes, Each::Worker, Place::Arena);
        let heap = Layout::new().with::<Prefixed<'_>>(1).bytes();
        needs.extend([
            arena("windows before the seams", windows),
            arena("states before the seams", states),
            arena("finished rows before the seams", rows),
            Need::fixed("job before the seams", heap, Each::Worker, Place::Heap),
            code,
        ]);
        needs
    }

    fn source<'b>(&'b self, region: Region, budget: &mut Budget<'b>) -> Result<RowSource<'b>, FormatError> {
        if let Some(columns) = self.columns(region).map_err(of_stage)? {
            return columns.source(&self.watch, budget);
        }
        let chain: Chain<'b> = self.chain(region).map_err(of_stage)?;
        let source = Read(self.page.source(chain.input(), budget)?);
        let source = Timed::new(source, self.watch.clone());
        let staged = Staged::new(&chain, self.prefix.strip_rows, budget, source).map_err(explain)?;
        Ok(Box::new(Prefixed(staged)))
    }
}

/// A boxed source is a source, too; core has no heap and cannot say so.
pub(super) struct Read<'a>(pub(super) RowSource<'a>);

impl Source for Read<'_> {
    type Error = FormatError;

    fn shape(&self) -> Shape {
        self.0.shape()
    }

    fn read(&mut self, strip: &mut StripMut<'_>) -> Result<(), FormatError> {
        self.0.read(strip)
    }
}

/// The page's source behind the stages, with a page's errors.
struct Prefixed<'a>(Staged<'a, Timed<Read<'a>>>);

impl Source for Prefixed<'_> {
    type Error = FormatError;

    fn shape(&self) -> Shape {
        self.0.shape()
    }

    fn read(&mut self, strip: &mut StripMut<'_>) -> Result<(), FormatError> {
        self.0.read(strip).map_err(explain)
    }
}

fn explain(error: RunError<FormatError, StageError>) -> FormatError {
    match error {
        RunError::Source(error) => error,
        RunError::Budget(exhausted) => FormatError::Memory(exhausted),
        RunError::Stage(error) | RunError::Sink(error) => of_stage(error),
        other => FormatError::Usage { format: "stages", problem: other.to_string() },
    }
}

pub(super) fn of_stage(error: StageError) -> FormatError {
    match error {
        StageError::Memory(exhausted) => FormatError::Memory(exhausted),
        other => FormatError::Usage { format: "stages", problem: other.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_core::shape::SampleKind;
    use plimsoll_core::transform::crop::Crop;
    use plimsoll_core::transform::invert::Invert;
    use plimsoll_core::transform::shrink::Shrink;

    fn source(rows: u32) -> Shape {
        Shape::new(rows, 1000, 1, SampleKind::U8)
    }

    #[test]
    fn only_stages_that_part_rows_are_taken() {
        let (invert, two, six) = (Invert::<u8>::new(), Shrink::<u8>::new(2), Shrink::<u8>::new(6));
        let crop = Crop::new(10, 10, 980, 980);
        let [invert, two, six, crop]: [&dyn Stage; 4] = [&invert, &two, &six, &crop];
        for (stages, expected) in [
            (&[invert, six, invert, two, invert][..], Some(4)),
            (&[invert, six, invert, invert], Some(2)),
            (&[six, invert, six, two], Some(3)),
            (&[invert, two], None),
            // Behind the last stage there is nothing to meet for.
            (&[invert, six], None),
            // A few rows less are not half of them.
            (&[crop, invert], None),
        ] {
            assert_eq!(longest(&Chain::new(stages, source(1000)).unwrap()), expected, "{stages:?}");
        }
    }

    #[test]
    fn units_start_where_both_do() {
        let thirteen = Shrink::<u8>::new(13);
        let stages: [&dyn Stage; 1] = [&thirteen];
        let chain = Chain::new(&stages, source(2600)).unwrap();
        for (unit, expected) in [(1, 1), (8, 8), (13, 1), (26, 2), (39, 3), (2600, 200), (5000, 200)] {
            assert_eq!(unit_rows(&chain, unit), expected, "units of {unit} rows");
        }
    }

    #[test]
    fn strips_make_whole_rows_or_equal_parts_of_one() {
        let thirteen = Shrink::<u8>::new(13);
        let stages: [&dyn Stage; 1] = [&thirteen];
        let chain = Chain::new(&stages, source(2600)).unwrap();
        // A row is of 1000 bytes and of 77 behind the stage.
        for (bytes, most, expected) in
            [(0, 99, 1), (8 << 10, 99, 7), (8 << 10, 5, 5), (64 << 10, 99, 52), (64 << 10, 20, 13)]
        {
            assert_eq!(strip_rows(&chain, bytes, most), expected, "{bytes} bytes, {most} rows");
        }
    }
}
