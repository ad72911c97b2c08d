//! The resampling kernels: how much a pixel counts at a distance from where the output looks.

/// A resampling kernel. When an axis shrinks, it is stretched by the inverse of the factor, so that nothing is
/// skipped and fine texture does not alias.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Kernel {
    /// Area average: each input pixel counts by the part of it that the output pixel covers, exactly.
    Box,
    /// A triangle of radius 1: linear interpolation.
    Linear,
    /// Catmull-Rom, the cubic with a = -0.5 of Keys, "Cubic convolution interpolation for digital image processing"
    /// (IEEE TASSP 29, 1981): radius 2.
    Cubic,
    /// Lanczos-windowed sinc of radius 3 (Duchon, "Lanczos filtering in one and two dimensions", J. Appl. Meteor. 18,
    /// 1979): the sharpest here, with slight ringing at hard edges.
    #[default]
    Lanczos3,
}

impl Kernel {
    /// Every kernel.
    pub const ALL: [Self; 4] = [Self::Box, Self::Linear, Self::Cubic, Self::Lanczos3];

    /// Its name in settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Box => "box",
            Self::Linear => "linear",
            Self::Cubic => "cubic",
            Self::Lanczos3 => "lanczos3",
        }
    }

    /// Twice its radius, in pixels of the coarser side.
    pub(super) const fn diameter(self) -> i64 {
        match self {
            Self::Box => 1,
            Self::Linear => 2,
            Self::Cubic => 4,
            Self::Lanczos3 => 6,
        }
    }

    /// Its value at distance `x` from the centre, before normalisation. The box is not asked: its weights are lengths.
    pub(super) fn value(self, x: f64) -> f64 {
        let x = libm::fabs(x);
        match self {
            Self::Box => f64::from(u8::from(x < 0.5)),
            Self::Linear => (1.0 - x).max(0.0),
            Self::Cubic if x < 1.0 => (1.5 * x - 2.5) * x * x + 1.0,
            Self::Cubic if x < 2.0 => ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0,
            Self::Cubic => 0.0,
            Self::Lanczos3 if x < 3.0 => sinc(x) * sinc(x / 3.0),
            Self::Lanczos3 => 0.0,
        }
    }
}

impl core::str::FromStr for Kernel {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|kernel| kernel.name() == name).ok_or(())
    }
}

/// `sin(pi x) / (pi x)`.
fn sinc(x: f64) -> f64 {
    let angle = core::f64::consts::PI * x;
    if angle < 1e-9 { 1.0 } else { libm::sin(angle) / angle }
}
