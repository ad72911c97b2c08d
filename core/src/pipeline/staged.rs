//! Stages as part of a source: rows go through them as they are read, in strips of their own height.
//!
//! Workers whose sources hold the first stages of a chain meet behind those stages, where rows are smaller and fewer.
//!
//! Source rows up to the last one that an output row needs complete that row, and of those after it only the ones that
//! need no more: there are some where an image is enlarged, and at its lower border. So a few rows of room are enough.
//! Workers that are to meet behind these stages need more of them: see [`Staged::new`].

use super::chain::Chain;
use super::run::{Job, RunError, Step};
use super::sink::Sink;
use super::source::Source;
use super::stage::StageError;
use crate::budget::{Budget, Layout};
use crate::shape::{Region, Rows, Shape};
use crate::strip::{Strip, StripMut};

/// A source of what comes out of a chain. It gives the rows of the chain's output region once, in order, however many
/// at a time.
///
/// Memory: [`Staged::bytes`]. It reads at most so many rows at once from `S` as it was planned with.
pub struct Staged<'a, S> {
    job: Job<'a, S, Finished<'a>>,
    strip_rows: u32,
    /// Output rows made by one step.
    batch: u32,
}

/// Rows that were made and not asked for yet, in a ring.
struct Finished<'a> {
    bytes: &'a mut [u8],
    image: Shape,
    region: Region,
    rows: Rows,
}

impl Sink for Finished<'_> {
    type Error = StageError;

    fn write(&mut self, strip: &Strip<'_>) -> Result<(), StageError> {
        let rows = Rows::new(self.rows.start(), strip.rows().end());
        let Some(mut ring) = StripMut::new(&mut *self.bytes, self.region.with_rows(rows), self.image) else {
            return Err(StageError::Geometry {
                stage: "source",
                problem: "more rows were completed at once than there is room for",
                wanted: u64::from(rows.len()),
                there: u64::from(self.rows.len()),
            });
        };
        copy(strip, &mut ring.narrowed(strip.rows()));
        self.rows = rows;
        Ok(())
    }
}

impl Finished<'_> {
    /// Moves as many of its rows into `strip`, from row `next` on, as there are. Returns the row after them.
    fn take(&mut self, next: u32, strip: &mut StripMut<'_>) -> u32 {
        let rows = self.rows.intersect(Rows::new(next, strip.rows().end()));
        if let Some(ring) = Strip::new(&*self.bytes, self.region.with_rows(self.rows), self.image) {
            copy(&ring.narrowed(rows), &mut strip.narrowed(rows));
        }
        self.rows = Rows::new(rows.end(), self.rows.end());
        rows.end()
    }
}

/// Copies the rows of one strip to another of the same rows and columns.
fn copy(from: &Strip<'_>, to: &mut StripMut<'_>) {
    for row in from.rows().iter() {
        for (to, from) in to.row_bytes_mut(row).iter_mut().zip(from.row_bytes(row)) {
            *to = *from;
        }
    }
}

/// Output rows that are made at once from `strip_rows` source rows.
fn batch(chain: &Chain<'_>, strip_rows: u32) -> u32 {
    let (rows, source) = (u64::from(chain.output_shape().rows), u64::from(chain.source().rows));
    let rows = (u64::from(strip_rows) * rows).checked_div(source).unwrap_or(1);
    // At most as many rows as a strip has, as they need source rows of their own.
    rows.clamp(1, u64::from(strip_rows.max(1))) as u32
}

/// Output rows that may be completed together with the last one of a batch: those that end with the same source row.
fn together(chain: &Chain<'_>) -> u32 {
    let (made, source) = (chain.output_shape().rows, chain.source().rows);
    let enlarged = made.div_ceil(source.max(1));
    let rows = chain.output().rows;
    let end = |row: u32| chain.source_rows(Rows::one(row)).end();
    let Some(last) = rows.end().checked_sub(1).filter(|last| *last >= rows.start()) else { return 0 };
    // The first row that needs the last source row, too: what rows need never moves up.
    let (mut low, mut high) = (rows.start(), last);
    while low < high {
        let middle = low + (high - low) / 2;
        if end(middle) < end(last) { low = middle + 1 } else { high = middle }
    }
    (last - low).max(enlarged.saturating_sub(1))
}

/// Finished rows that there is room for.
fn room(chain: &Chain<'_>, strip_rows: u32) -> u64 {
    u64::from(batch(chain, strip_rows)) + u64::from(together(chain))
}

impl<'a, S: Source> Staged<'a, S> {
    /// Puts the stages of `chain` behind `source`, which is read in strips of at most `strip_rows` rows. Where several
    /// workers each have such a source for a band of their own, no two rows of the chain's output should share a source
    /// row: it would be read by both.
    ///
    /// # Errors
    /// As [`Job::new`], if `budget` holds less than [`Staged::bytes`].
    pub fn new(
        chain: &Chain<'a>,
        strip_rows: u32,
        budget: &mut Budget<'a>,
        source: S,
    ) -> Result<Self, RunError<S::Error, StageError>> {
        let batch = batch(chain, strip_rows);
        let bytes = chain.window_row_bytes(chain.windows() - 1).saturating_mul(room(chain, strip_rows));
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        let region = chain.output();
        let first = region.rows.start();
        let finished = Finished {
            bytes: budget.lease("finished rows", bytes).map_err(RunError::Budget)?,
            image: chain.output_shape(),
            region,
            rows: Rows::new(first, first),
        };
        let job = Job::new(chain.clone(), strip_rows, budget, source, finished)?;
        Ok(Self { job, strip_rows, batch })
    }

    /// Bytes that it leases for a chain: those of a [`Job`], and a few finished rows.
    pub fn bytes(chain: &Chain<'_>, strip_rows: u32) -> u64 {
        let row = chain.window_row_bytes(chain.windows() - 1);
        let rows = room(chain, strip_rows).saturating_mul(row);
        Layout::new().with::<u8>(rows).bytes().saturating_add(chain.bytes(strip_rows))
    }

    /// Reads a strip, at most as far as a batch of output rows from `next` on needs.
    fn step(&mut self, next: u32) -> Result<Step, RunError<S::Error, StageError>> {
        let chain = self.job.chain();
        let end = next.saturating_add(self.batch).min(chain.output().rows.end());
        let last = Rows::new(end.saturating_sub(1), end);
        let read = chain.input().rows.start().saturating_add(self.job.progress().rows_read);
        let left = chain.source_rows(last).end().saturating_sub(read);
        self.job.set_strip_rows(left.min(self.strip_rows));
        self.job.step()
    }
}

impl<S: Source> Source for Staged<'_, S> {
    type Error = RunError<S::Error, StageError>;

    fn shape(&self) -> Shape {
        self.job.chain().output_shape()
    }

    fn read(&mut self, strip: &mut StripMut<'_>) -> Result<(), Self::Error> {
        let rows = strip.rows();
        let mut next = self.job.sink_mut().take(rows.start(), strip);
        while next < rows.end() {
            let step = self.step(next)?;
            next = self.job.sink_mut().take(next, strip);
            if matches!(step, Step::Done(_)) && next < rows.end() {
                return Err(RunError::Stage(StageError::Geometry {
                    stage: "source",
                    problem: "rows beyond the last one were asked for",
                    wanted: u64::from(rows.end()),
                    there: u64::from(next),
                }));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::harness::{Image, region, staged};
    use crate::pipeline::Stage;
    use crate::shape::Span;
    use crate::transform::invert::Invert;
    use crate::transform::median::Median;
    use crate::transform::resize::{Geometry, Kernel, Resize, Target};
    use crate::transform::shrink::Shrink;

    /// Rows of a strip in the source, and behind it.
    const HEIGHTS: &[(u32, u32)] =
        if cfg!(miri) { &[(4, 2)] } else { &[(1, 1), (1, 9), (4, 2), (5, 1), (11, 3), (83, 83)] };

    #[test]
    fn stages_that_look_at_neighbours_or_enlarge_may_be_in_a_source() {
        let image = Image::<u8>::noise(83, if cfg!(miri) { 3 } else { 31 }, 1, 4);
        let (median, larger) = (
            Median::<u8, 5>::new(),
            Resize::<u8>::new(Geometry::new(Target::Factor { num: 27, den: 10 }, Kernel::Linear)),
        );
        let stages: [&dyn Stage; 4] = [&median, &larger, &median, &Invert::<u8>::new()];
        let whole = region::<u8, u8>(&stages, &image, 83, None);
        let width = whole.shape.row_samples() as usize;
        for at in 1..4 {
            for heights in HEIGHTS.iter().copied() {
                let all = staged::<u8, u8>(&stages, at, &image, heights, None);
                assert_eq!(all, whole.samples, "{at} stages, strips of {heights:?} rows");
                let part = staged::<u8, u8>(&stages, at, &image, heights, Some(Span::new(2, 70)));
                assert_eq!(part, &whole.samples[2 * width..70 * width], "{at} stages, {heights:?}");
            }
        }
    }

    #[test]
    fn stages_in_the_source_change_nothing() {
        let image = Image::<u8>::noise(83, if cfg!(miri) { 11 } else { 31 }, 3, 4);
        let (invert, shrink) = (Invert::<u8>::new(), Shrink::<u8>::new(5));
        let stages: [&dyn Stage; 4] = [&invert, &shrink, &invert, &Shrink::<u8>::new(2)];
        let whole = region::<u8, u8>(&stages, &image, 83, None);
        let width = whole.shape.row_samples() as usize;
        for at in 1..4 {
            for heights in HEIGHTS.iter().copied() {
                let all = staged::<u8, u8>(&stages, at, &image, heights, None);
                assert_eq!(all, whole.samples, "{at} stages, strips of {heights:?} rows");
                let part = staged::<u8, u8>(&stages, at, &image, heights, Some(Span::new(2, 7)));
                assert_eq!(part, &whole.samples[2 * width..7 * width], "{at} stages, {heights:?}");
            }
        }
    }
}
