//! What predicts the indices of a column.

use super::lane::Lane;

/// Expects the next index and learns from the one that came. Any indices are legal: sums of them wrap.
pub(crate) trait Predict<L: Lane>: Copy + core::fmt::Debug {
    /// What is expected, and what is needed to learn from what comes.
    type Forecast;
    /// After a first index.
    fn new(first: L) -> Self;
    /// What comes next.
    fn forecast(&self) -> Self::Forecast;
    /// The index that is expected.
    fn expected(forecast: &Self::Forecast) -> L;
    /// What the second best expects, for those who want to know.
    fn runner_up(&self, forecast: &Self::Forecast) -> L;
    /// Learns that `index` came where `forecast` was made.
    fn learn(&mut self, forecast: &Self::Forecast, index: L);
}
