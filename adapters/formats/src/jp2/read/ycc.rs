//! sYCC (enumerated colour space 18, ISO/IEC 15444-1, table I.10) to RGB: no other format here says what its bands are.
//!
//! The matrix is that of IEC 61966-2-1, amendment 1, with three decimals and each product rounded towards zero, as
//! OpenJPEG's own program has it: so both give the same samples.

use plimsoll_core::shape::SampleKind;

/// Three bands of luma and chroma.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ycc {
    /// Bits of their samples: 16 at most.
    pub(super) bits: u8,
}

impl Ycc {
    /// Makes the first three of `bands` samples of each pixel red, green and blue.
    pub(super) fn to_rgb(self, kind: SampleKind, bands: usize, pixels: &mut [u8]) {
        match kind {
            SampleKind::U8 => {
                for pixel in pixels.chunks_exact_mut(bands.max(3)) {
                    if let Some(([y, cb, cr], _)) = pixel.split_first_chunk_mut::<3>() {
                        let rgb = self.rgb([i32::from(*y), i32::from(*cb), i32::from(*cr)]);
                        [*y, *cb, *cr] = rgb.map(|value| value as u8);
                    }
                }
            }
            SampleKind::U16 => {
                let (samples, _) = pixels.as_chunks_mut::<2>();
                for pixel in samples.chunks_exact_mut(bands.max(3)) {
                    if let Some((three, _)) = pixel.split_first_chunk_mut::<3>() {
                        let ycc = three.map(|sample| i32::from(u16::from_ne_bytes(sample)));
                        *three = self.rgb(ycc).map(|value| (value as u16).to_ne_bytes());
                    }
                }
            }
            _ => {}
        }
    }

    fn rgb(self, [y, cb, cr]: [i32; 3]) -> [i32; 3] {
        let (middle, most) = (1 << (self.bits - 1), (1 << self.bits) - 1);
        let (cb, cr) = (f64::from(cb - middle), f64::from(cr - middle));
        let towards_zero = |value: f64| value as i32;
        let red = y + towards_zero(1.402 * cr);
        let green = y - towards_zero(0.344 * cb + 0.714 * cr);
        let blue = y + towards_zero(1.772 * cb);
        [red, green, blue].map(|value| value.clamp(0, most))
    }
}
