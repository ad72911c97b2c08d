//! How good an output must be, and what was found of it.

/// How good an output must be.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Checks {
    /// The least peak signal-to-noise ratio in decibels, over all bands.
    pub min_psnr: Option<f64>,
    /// The least mean structural similarity, over all bands (Gaussian windows of 11 x 11).
    pub min_ssim: Option<f64>,
    /// What becomes of an output that is not good enough.
    pub on_miss: OnMiss,
}

/// What becomes of an output that is not good enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnMiss {
    /// It is written once more, without loss.
    Lossless,
    /// It never appears.
    #[default]
    Fail,
    /// It is kept, and the receipt says so.
    Keep,
}

/// What was found when an output was read back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Checked {
    /// Whether every sample came back bit for bit; of lossy outputs, whether every sample has the same value.
    pub identical: bool,
    /// Mean squared error over all bands.
    pub mse: f64,
    /// Peak signal-to-noise ratio over all bands, in decibels: infinite if nothing differs.
    pub psnr: f64,
    /// Mean structural similarity over all bands, if it was asked for.
    pub ssim: Option<f64>,
    /// The largest difference of two samples.
    pub max_difference: f64,
    /// Whether it is less than was asked for, and kept all the same.
    pub missed: bool,
    /// PSNR and SSIM of the lossy output that was written once more without loss, as they were not enough.
    pub before: Option<(f64, Option<f64>)>,
}

impl Checks {
    /// Why an output is not good enough, if it is not.
    pub(super) fn missed(&self, found: &Checked) -> Option<String> {
        let psnr = self.min_psnr.filter(|least| found.psnr.is_nan() || found.psnr < *least);
        let ssim = self.min_ssim.zip(found.ssim).filter(|(least, ssim)| ssim.is_nan() || ssim < least);
        match (psnr, ssim) {
            (Some(least), _) => Some(format!("its PSNR is {:.3} dB, {least} dB is the least", found.psnr)),
            (None, Some((least, ssim))) => Some(format!("its SSIM is {ssim:.6}, {least} is the least")),
            (None, None) => None,
        }
    }
}
