//! A resize of the whole picture in double precision, from the definitions of the kernels alone.

use super::super::Kernel;
use crate::harness::Image;
use crate::shape::{Sample, Shape};
use std::vec;
use std::vec::Vec;

/// The weights of the input pixels for output pixel `at`, from the definition alone.
fn weights(input: u32, output: u32, factor: f64, kernel: Kernel, block: u32, at: u32) -> Vec<(i64, f64)> {
    let (n, m) = (f64::from(input), f64::from(output));
    let pixels = 1.0 / factor;
    // In pixels, from the centre of the first.
    let centre = (f64::from(at) + 0.5 - m / 2.0) * pixels + n / 2.0 - 0.5;
    let centre = (centre + 0.5) / f64::from(block) - 0.5;
    let step = pixels / f64::from(block);
    let last = i64::from(input.div_ceil(block)) - 1;
    let reach = (6.0 * step.max(1.0)) as i64 + 8;
    let mut weights = Vec::new();
    for pixel in centre as i64 - reach..=centre as i64 + reach {
        let x = pixel as f64 - centre;
        let weight = match kernel {
            Kernel::Box if !(0..=last).contains(&pixel) => 0.0,
            Kernel::Box => ((x + 0.5).min(step / 2.0) - (x - 0.5).max(-step / 2.0)).max(0.0),
            _ => {
                let x = (x / step.max(1.0)).abs();
                let sinc = |x: f64| {
                    if x == 0.0 {
                        1.0
                    } else {
                        (core::f64::consts::PI * x).sin() / (core::f64::consts::PI * x)
                    }
                };
                match kernel {
                    Kernel::Linear => (1.0 - x).max(0.0),
                    Kernel::Cubic if x <= 1.0 => 1.5 * x.powi(3) - 2.5 * x.powi(2) + 1.0,
                    Kernel::Cubic if x <= 2.0 => -0.5 * x.powi(3) + 2.5 * x.powi(2) - 4.0 * x + 2.0,
                    Kernel::Lanczos3 if x <= 3.0 => sinc(x) * sinc(x / 3.0),
                    _ => 0.0,
                }
            }
        };
        weights.push((pixel.clamp(0, last), weight));
    }
    let sum: f64 = weights.iter().map(|(_, weight)| weight).sum();
    weights.into_iter().map(|(pixel, weight)| (pixel, weight / sum)).collect()
}

/// Resizes in double precision. `factors` and `blocks` are those of rows and columns.
pub(super) fn naive<T: Sample>(
    image: &Image<T>,
    output: Shape,
    factors: [f64; 2],
    blocks: [u32; 2],
    kernel: Kernel,
) -> Vec<f64> {
    let Shape { rows, cols, bands, .. } = image.shape;
    let blocked = |y: i64, x: i64, b: u16| {
        let ys = y * i64::from(blocks[0])..((y + 1) * i64::from(blocks[0])).min(rows.into());
        let xs = x * i64::from(blocks[1])..((x + 1) * i64::from(blocks[1])).min(cols.into());
        let (mut sum, mut count) = (0.0, 0.0);
        for y in ys {
            for x in xs.clone() {
                sum += image.at(y, x, b).to_f64();
                count += 1.0;
            }
        }
        sum / count
    };
    let (small_rows, small_cols) = (rows.div_ceil(blocks[0]), cols.div_ceil(blocks[1]));
    let mut averaged = Vec::new();
    for y in 0..small_rows {
        for x in 0..small_cols {
            averaged.extend((0..bands).map(|b| blocked(y.into(), x.into(), b)));
        }
    }
    let across: Vec<_> =
        (0..output.cols).map(|at| weights(cols, output.cols, factors[1], kernel, blocks[1], at)).collect();
    let mut result = Vec::new();
    for row in 0..output.rows {
        let down = weights(rows, output.rows, factors[0], kernel, blocks[0], row);
        let mut line = vec![0.0; small_cols as usize * bands as usize];
        for (y, weight) in down {
            let start = y as usize * line.len();
            for (sum, sample) in line.iter_mut().zip(&averaged[start..]) {
                *sum += weight * sample;
            }
        }
        for across in &across {
            for band in 0..usize::from(bands) {
                let products =
                    across.iter().map(|(x, weight)| weight * line[*x as usize * usize::from(bands) + band]);
                result.push(products.sum());
            }
        }
    }
    result
}
