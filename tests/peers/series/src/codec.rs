//! What every codec here can do.

use crate::load::Series;

/// A codec under measurement. Its output is in parts where it stands in parts (columns, blocks).
pub trait Codec: std::panic::RefUnwindSafe {
    /// Its name and settings.
    fn name(&self) -> String;
    /// The series packed; none where it cannot.
    fn encode(&self, series: &Series) -> Option<Vec<Vec<u8>>>;
    /// So many points again.
    fn decode(&self, packed: &[Vec<u8>], points: usize) -> Option<(Vec<i64>, Vec<f64>)>;
}
