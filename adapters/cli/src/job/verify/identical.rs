//! Whether two pictures are the same, bit for bit.

use plimsoll_core::pipeline::Sink;
use plimsoll_core::strip::Strip;
use plimsoll_formats::FormatError;

/// Compares the first half of the bands with the second, bit for bit.
#[derive(Default)]
pub(super) struct Identical {
    /// Samples that differ.
    pub(super) differing: u64,
    /// Row, column and band of the first sample that differs.
    pub(super) first: Option<[u64; 3]>,
}

impl Sink for Identical {
    type Error = FormatError;

    fn write(&mut self, strip: &Strip<'_>) -> Result<(), FormatError> {
        let image = strip.image();
        let (sample, pixel) = (image.kind.bytes(), image.pixel_bytes());
        for row in strip.rows().iter() {
            for (pixel, col) in strip.row_bytes(row).chunks_exact(pixel.max(1)).zip(0u64..) {
                let Some((a, b)) = pixel.split_at_checked(pixel.len() / 2).filter(|(a, b)| a != b) else {
                    continue;
                };
                let samples = a.chunks_exact(sample.max(1)).zip(b.chunks_exact(sample.max(1)));
                for (band, _) in (0u64..).zip(samples).filter(|(_, (a, b))| a != b) {
                    self.differing += 1;
                    // Tiles come before those below them: what comes first need not be the first.
                    let place = [u64::from(row), col, band];
                    self.first = Some(self.first.map_or(place, |first| first.min(place)));
                }
            }
        }
        Ok(())
    }
}
