//! Contiguous bands of the output, one for each worker, and the seams between them.
//!
//! Two neighbours both look at the source rows around their seam. The lower worker reads those rows once, at its
//! very start, and the upper one takes them over at its end: so each source row is read once whatever the number of
//! workers.

use super::chain::Chain;
use crate::shape::{Region, Rows};

/// The most workers a job may have.
pub const MAX_WORKERS: usize = 64;

/// What one worker does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Band {
    /// Output rows it makes.
    pub output: Rows,
    /// Source rows it looks at.
    pub input: Rows,
    /// Source rows it reads itself: those up to where the next worker begins to read.
    pub reads: Rows,
    /// Source rows at its end that the next worker reads first, for both.
    pub seam: Rows,
}

/// The bands of one run, in order.
pub type Bands = heapless::Vec<Band, MAX_WORKERS>;

/// Cuts the output of `chain` into at most `workers` bands of about the same height.
///
/// `unit_rows` says that the source is stored in units of so many rows that are decoded as a whole or from their
/// start (1 where any row can be read alone): a seam then begins with such a unit, so that no unit is decoded twice.
/// There are fewer bands than workers where the image has too few rows or units for them.
pub fn bands(chain: &Chain<'_>, workers: u32, unit_rows: u32) -> Bands {
    let output = chain.output().rows;
    let most = workers.clamp(1, MAX_WORKERS as u32).min(output.len().max(1));
    (1..=most).rev().find_map(|count| cut(chain, count, unit_rows.max(1))).unwrap_or_default()
}

/// The bands for exactly `count` workers, if that many go together.
fn cut(chain: &Chain<'_>, count: u32, unit_rows: u32) -> Option<Bands> {
    let output = chain.output().rows;
    let mut bands = Bands::new();
    let mut start = output.start();
    for index in 1..=count {
        let ideal = output.start() + (u64::from(output.len()) * u64::from(index) / u64::from(count)) as u32;
        let end = if index == count { output.end() } else { unit_start(chain, ideal, unit_rows) };
        if end <= start {
            return None;
        }
        let output = Rows::new(start, end);
        bands.push(Band { output, input: input_rows(chain, output)?, ..Band::default() }).ok()?;
        start = end;
    }
    // The lower worker begins to read at the start of its unit.
    let mut read_end = chain.input().rows.end();
    let mut seam_end = read_end;
    for (index, band) in bands.iter_mut().enumerate().rev() {
        let first = band.input.start();
        let read_start = if index == 0 { chain.input().rows.start() } else { first - first % unit_rows };
        band.reads = Rows::new(read_start, read_end);
        band.seam = Rows::new(read_end, band.input.end().max(read_end));
        // What it takes over must be all that its neighbour reads first, and no more than that has.
        if band.reads.is_empty() || band.seam.end() > seam_end {
            return None;
        }
        seam_end = read_end;
        read_end = read_start;
    }
    Some(bands)
}

/// The source rows that some output rows need.
fn input_rows(chain: &Chain<'_>, output: Rows) -> Option<Rows> {
    let region = Region::new(output, chain.output().cols);
    Chain::for_region(chain.stages(), chain.source(), region).ok().map(|chain| chain.input().rows)
}

/// The first output row near `ideal` whose source rows begin at or after the start of a unit.
fn unit_start(chain: &Chain<'_>, ideal: u32, unit_rows: u32) -> u32 {
    let first = |row: u32| input_rows(chain, Rows::one(row)).map_or(0, |rows| rows.start());
    if unit_rows == 1 {
        return ideal;
    }
    let middle = first(ideal);
    let wanted = (u64::from(middle) + u64::from(unit_rows) / 2) / u64::from(unit_rows) * u64::from(unit_rows);
    let (mut low, mut high) = (chain.output().rows.start(), chain.output().rows.end());
    while low < high {
        let row = low + (high - low) / 2;
        if u64::from(first(row)) < wanted {
            low = row + 1;
        } else {
            high = row;
        }
    }
    low
}

/// Bytes of the buffers in which the rows of the seams are handed over.
pub fn seam_bytes(bands: &Bands, chain: &Chain<'_>) -> u64 {
    let row = chain.source_row_bytes();
    bands
        .iter()
        .map(|band| {
            crate::budget::Layout::new().with::<u8>(u64::from(band.seam.len()).saturating_mul(row)).bytes()
        })
        .fold(0, u64::saturating_add)
}
