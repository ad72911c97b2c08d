//! Rows that come tile after tile, put where they belong in the picture, for sinks that do not mind the order.

use plimsoll_core::pipeline::Sink;
use plimsoll_core::shape::{Region, Rows, Shape};
use plimsoll_core::strip::Strip;
use plimsoll_formats::{FormatError, TileGrid};

/// A sink of a picture's rows, or of those of its tiles.
pub(super) struct Placed<K> {
    inner: K,
    /// The tiles, if rows come in their order.
    grid: Option<TileGrid>,
}

impl<K> Placed<K> {
    pub(super) fn new(inner: K, grid: Option<TileGrid>) -> Self {
        Self { inner, grid }
    }

    pub(super) fn into_inner(self) -> K {
        self.inner
    }
}

impl<K: Sink<Error = FormatError>> Sink for Placed<K> {
    type Error = FormatError;

    fn write(&mut self, strip: &Strip<'_>) -> Result<(), FormatError> {
        let Some(grid) = self.grid else { return self.inner.write(strip) };
        let image = Shape { rows: grid.shape.rows, cols: grid.shape.cols, ..strip.image() };
        for row in strip.rows().iter() {
            let tile = grid.tile(u64::from(row / grid.side));
            let at = tile.rows.start().saturating_add(row % grid.side);
            let samples = strip.row_bytes(row).get(..tile.cols.len() as usize * image.pixel_bytes());
            let region = Region::new(Rows::one(at), tile.cols);
            // What lies beyond the picture's edges is no part of it.
            if tile.rows.contains(at)
                && let Some(part) = samples.and_then(|samples| Strip::new(samples, region, image))
            {
                self.inner.write(&part)?;
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), FormatError> {
        self.inner.finish()
    }
}
