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

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_core::shape::SampleKind;
    use std::collections::BTreeMap;

    #[derive(Default)]
    struct Seen(BTreeMap<(u32, u32), Vec<u8>>);

    impl Sink for Seen {
        type Error = FormatError;

        fn write(&mut self, strip: &Strip<'_>) -> Result<(), FormatError> {
            let pixel = strip.image().pixel_bytes();
            for row in strip.rows().iter() {
                for (col, samples) in strip.cols().iter().zip(strip.row_bytes(row).chunks(pixel)) {
                    assert!(self.0.insert((row, col), samples.to_vec()).is_none(), "row {row}, column {col}");
                }
            }
            Ok(())
        }
    }

    #[test]
    fn each_pixel_comes_once_and_from_its_place() {
        let shape = Shape::new(7, 11, 2, SampleKind::U8);
        let grid = TileGrid { shape, side: 4 };
        let order = grid.order_shape().unwrap();
        let rows: Vec<u8> = (0..order.rows)
            .flat_map(|row| {
                let tile = grid.tile(u64::from(row / 4));
                (0..4).flat_map(move |col| [tile.rows.start() + row % 4, tile.cols.start() + col])
            })
            .map(|place| place as u8)
            .collect();
        let mut placed = Placed::new(Seen::default(), Some(grid));
        // Cuts within tiles and across them.
        for (start, end) in [(0, 3), (3, 9), (9, order.rows)] {
            let region = order.region().with_rows(Rows::new(start, end));
            placed.write(&Strip::new(&rows, region, order).unwrap()).unwrap();
        }
        let seen = placed.into_inner().0;
        assert_eq!(seen.len(), 7 * 11);
        assert!(seen.iter().all(|((row, col), samples)| *samples == [*row as u8, *col as u8]));
    }
}
