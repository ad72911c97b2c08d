//! The source of one worker: its own rows from the file, and those around its seams read once for both neighbours.
//!
//! Invariant: over all workers every source row is read at most once, and each worker asks its inner source for the
//! rows of `band.reads` in order from the first. A worker waits for the one below it only, and that one publishes
//! before it waits for anybody, so nobody waits in a circle.

use super::seam::Seam;
use plimsoll_core::pipeline::{Bands, Source};
use plimsoll_core::shape::{Region, Rows, Shape};
use plimsoll_core::strip::{Strip, StripMut};

/// Why a worker's rows cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SeamError<E> {
    /// The inner source failed.
    Source(E),
    /// The worker below gave up before it had read the rows that both need: its own error says why.
    Neighbour,
}

impl<E: std::fmt::Display> std::fmt::Display for SeamError<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Source(error) => error.fmt(f),
            Self::Neighbour => f.write_str("the neighbouring worker gave up"),
        }
    }
}

impl<E: std::error::Error> std::error::Error for SeamError<E> {}

/// The source of the worker of one band. `inner` gives the rows of `band.reads` and the columns of the chain's input,
/// each once, in order. Allocates nothing.
///
/// All workers of a job must get going: one that is held back before its first read holds up the one above it at the
/// end of its band. Where workers may be held back, [`read_seam`](SeamSource::read_seam) is called for each first.
#[derive(Debug)]
pub struct SeamSource<'s, 'a, S> {
    inner: S,
    /// The first row that the inner source was not asked for yet.
    next: u32,
    strip_rows: u32,
    above: Option<Upper<'s, 'a>>,
    below: Option<&'s Seam<'a>>,
}

/// The seam to the worker above, which this worker fills.
#[derive(Debug)]
struct Upper<'s, 'a> {
    seam: &'s Seam<'a>,
    rows: Option<&'a [u8]>,
}

impl Drop for Upper<'_, '_> {
    fn drop(&mut self) {
        self.seam.abandon();
    }
}

impl<'s, 'a, S: Source> SeamSource<'s, 'a, S> {
    /// The source of band `index`; `seams` are those that [`seams`](super::seams) made for `bands`. The inner source
    /// is asked for at most `strip_rows` rows at once.
    ///
    /// # Panics
    /// If there is no such band, or no seam for it.
    pub fn new(inner: S, index: usize, bands: &Bands, seams: &'s [Seam<'a>], strip_rows: u32) -> Self {
        let seam = |index: usize| Some(&seams[index]).filter(|seam| !seam.region().rows.is_empty());
        let above = index.checked_sub(1).and_then(seam).map(|seam| Upper { seam, rows: None });
        Self {
            inner,
            next: bands[index].reads.start(),
            strip_rows: strip_rows.max(1),
            above,
            below: seam(index),
        }
    }

    /// Reads and publishes the rows that the worker above waits for, if that was not done yet. The first `read` does
    /// it, too.
    ///
    /// # Errors
    /// [`SeamError::Source`]; the worker above is woken with an error then. [`SeamError::Neighbour`] if the seam was
    /// abandoned.
    pub fn read_seam(&mut self) -> Result<(), SeamError<S::Error>> {
        let Some(Upper { seam, rows: rows @ None }) = &mut self.above else { return Ok(()) };
        let buffer = seam.begin().ok_or(SeamError::Neighbour)?;
        let region = seam.region();
        let image = self.inner.shape();
        let mut strip = StripMut::new(&mut *buffer, region, image).ok_or(SeamError::Neighbour)?;
        while self.next < region.rows.end() {
            let end = region.rows.end().min(self.next.saturating_add(self.strip_rows));
            let read = self.inner.read(&mut strip.narrowed(Rows::new(self.next, end)));
            if let Err(error) = read {
                seam.abandon();
                return Err(SeamError::Source(error));
            }
            self.next = end;
        }
        let buffer: &'a [u8] = buffer;
        seam.publish(buffer);
        *rows = Some(buffer);
        Ok(())
    }

    /// The inner source, for what it counted. What was not published is abandoned.
    pub fn into_inner(self) -> S {
        self.inner
    }

    /// Fills the rows of the strip from the inner source.
    fn read_own(&mut self, mut strip: StripMut<'_>) -> Result<(), S::Error> {
        let rows = strip.rows();
        // Rows of the first unit that no output row of this worker looks at, nor its neighbour's: the source gives its
        // rows in order, so they are read into a row of the strip that is overwritten afterwards.
        while self.next < rows.start() {
            let region = Region::new(Rows::one(self.next), strip.cols());
            let image = strip.image();
            let [space, _] = strip.parts_mut();
            if let Some(mut row) = StripMut::new(space, region, image) {
                self.inner.read(&mut row)?;
            }
            self.next += 1;
        }
        self.inner.read(&mut strip)?;
        self.next = rows.end();
        Ok(())
    }
}

/// Copies the rows of a strip out of a seam.
fn copy(seam: &Seam<'_>, buffer: &[u8], mut strip: StripMut<'_>) {
    debug_assert_eq!(seam.region().cols, strip.cols(), "seams have the columns of the chain's input");
    let Some(from) = Strip::new(buffer, seam.region(), strip.image()) else { return };
    for row in strip.rows().iter() {
        strip.row_bytes_mut(row).copy_from_slice(from.row_bytes(row));
    }
}

impl<S: Source> Source for SeamSource<'_, '_, S> {
    type Error = SeamError<S::Error>;

    fn shape(&self) -> Shape {
        self.inner.shape()
    }

    fn read(&mut self, strip: &mut StripMut<'_>) -> Result<(), Self::Error> {
        self.read_seam()?;
        let rows = strip.rows();
        let mut own = rows;
        if let Some(Upper { seam, rows: Some(buffer) }) = &self.above {
            let shared = rows.intersect(seam.region().rows);
            if !shared.is_empty() {
                copy(seam, buffer, strip.narrowed(shared));
                own = Rows::new(shared.end(), own.end());
            }
        }
        let below = self.below.map(|seam| (seam, rows.intersect(seam.region().rows)));
        if let Some((seam, shared)) = below.filter(|(_, shared)| !shared.is_empty()) {
            own = Rows::new(own.start(), shared.start());
            if !own.is_empty() {
                self.read_own(strip.narrowed(own)).map_err(SeamError::Source)?;
            }
            let buffer = seam.wait().ok_or(SeamError::Neighbour)?;
            copy(seam, buffer, strip.narrowed(shared));
        } else if !own.is_empty() {
            self.read_own(strip.narrowed(own)).map_err(SeamError::Source)?;
        }
        Ok(())
    }
}
