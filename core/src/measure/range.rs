//! The range of values that a picture uses, as a stage asks for it.

/// Which range is meant.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum RangeOf {
    /// From the smallest sample to the largest.
    MinMax,
    /// From one percentile to another, 0.0 to 100.0 each.
    Percentiles {
        /// The lower one.
        low: f64,
        /// The upper one.
        high: f64,
    },
    /// So many standard deviations to both sides of the mean.
    Deviations(f64),
}

/// A range of values.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Range {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

impl RangeOf {
    /// Whether statistics can only tell it from a histogram.
    pub const fn needs_histogram(self) -> bool {
        matches!(self, Self::Percentiles { .. })
    }
}
