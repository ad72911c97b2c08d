//! The points of a block as an iterator.

use crate::series::decoder::Decoder;
use crate::series::error::Damage;
use crate::series::profile::Profile;
use crate::series::word::Word;

/// A point: when, and what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Point<const COLUMNS: usize> {
    /// The timestamp.
    pub time: i64,
    /// The values of the block's columns; those that it does not have are zero.
    pub values: [Word; COLUMNS],
}

/// Gives the points of a block in order; ends after the last one, or after the first that is damaged.
///
/// ```
/// use plimsoll_core::series::*;
/// let mut buffer = [0; 512];
/// let settings = Settings::new(TimeUnit::Seconds, [Column::new(Kind::I32)]);
/// let mut encoder = Encoder::<Small, 1>::try_new(settings, &mut buffer)?;
/// for minute in 0..10 {
///     let _ = encoder.push(60 * minute, &[Word::from(minute as i32)])?;
/// }
/// let block = encoder.seal().expect("it has points");
/// let points = Decoder::<Small, 1>::try_new(block).expect("it is sound");
/// let sum: i32 = points.into_iter().flatten().map(|point| point.values[0].i32()).sum();
/// assert_eq!(sum, 45);
/// # Ok::<(), Misuse>(())
/// ```
#[derive(Clone, Debug)]
pub struct PointIter<'b, P: Profile, const COLUMNS: usize> {
    decoder: Decoder<'b, P, COLUMNS>,
    failed: bool,
}

impl<'b, P: Profile, const COLUMNS: usize> IntoIterator for Decoder<'b, P, COLUMNS> {
    type Item = Result<Point<COLUMNS>, Damage>;
    type IntoIter = PointIter<'b, P, COLUMNS>;

    fn into_iter(self) -> Self::IntoIter {
        PointIter { decoder: self, failed: false }
    }
}

impl<P: Profile, const COLUMNS: usize> Iterator for PointIter<'_, P, COLUMNS> {
    type Item = Result<Point<COLUMNS>, Damage>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let mut values = [Word::default(); COLUMNS];
        match self.decoder.next_into(&mut values) {
            Ok(time) => time.map(|time| Ok(Point { time, values })),
            Err(damage) => {
                self.failed = true;
                Some(Err(damage))
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = if self.failed { 0 } else { self.decoder.left() as usize };
        (left.min(1), Some(left))
    }
}
