//! Several sources that advance together, seen as one image whose bands are theirs side by side.
//!
//! N astronomical frames of one band make an image of N bands, four microscope channels one of four: whatever works
//! on bands works on groups, and the planner needs to know nothing new.

use super::source::Source;
use crate::budget::{Budget, Exhausted, Layout};
use crate::shape::{Cols, Region, Rows, Shape};
use crate::strip::StripMut;

/// Sources of the same rows, columns and kind, read in step. Band order is source order. `C` holds the sources: a
/// slice, an array, a vector.
#[derive(Debug)]
pub struct Group<'a, S, C = &'a mut [S]> {
    sources: C,
    shape: Shape,
    row: &'a mut [u8],
    of: core::marker::PhantomData<fn() -> S>,
}

/// Sources that do not go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum GroupError {
    /// There is no source.
    Empty,
    /// One differs from the first in rows, columns or kind.
    Shape {
        /// Which, from zero.
        index: usize,
        /// The first one's shape.
        first: Shape,
        /// This one's shape.
        other: Shape,
    },
    /// More bands in all than an image may have.
    Bands {
        /// How many there would be.
        bands: u64,
    },
    /// The scratch row did not fit.
    Memory(Exhausted),
}

impl core::fmt::Display for GroupError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Empty => f.write_str("a group needs at least one source"),
            Self::Shape { index, first, other } => {
                write!(f, "source {index} of the group has {other}, the first has {first}")
            }
            Self::Bands { bands } => {
                write!(f, "the group would have {bands} bands, {} are the most", u16::MAX)
            }
            Self::Memory(exhausted) => exhausted.fmt(f),
        }
    }
}

impl core::error::Error for GroupError {}

/// The shape that images of these shapes have together.
///
/// # Errors
/// [`GroupError`] if they do not go together.
pub fn shape_of(shapes: impl IntoIterator<Item = Shape>) -> Result<Shape, GroupError> {
    let mut shapes = shapes.into_iter();
    let first = shapes.next().ok_or(GroupError::Empty)?;
    let mut bands = u64::from(first.bands);
    for (index, other) in shapes.enumerate() {
        if other.with_bands(0) != first.with_bands(0) {
            return Err(GroupError::Shape { index: index + 1, first, other });
        }
        bands += u64::from(other.bands);
    }
    let bands = u16::try_from(bands).map_err(|_| GroupError::Bands { bands })?;
    Ok(first.with_bands(bands))
}

/// Bytes that a group of images of these shapes leases for reading `cols` columns: one row of the widest.
pub fn bytes(shapes: impl IntoIterator<Item = Shape>, cols: Cols) -> u64 {
    let pixel = shapes.into_iter().map(|shape| shape.pixel_bytes()).max().unwrap_or(0);
    Layout::new().with::<u8>(u64::from(cols.len()) * pixel as u64).bytes()
}

impl<'a, S: Source, C: AsRef<[S]> + AsMut<[S]>> Group<'a, S, C> {
    /// Puts the sources in step; reads of up to `cols` columns are possible.
    ///
    /// # Errors
    /// [`GroupError`] if they do not go together or the scratch row does not fit.
    pub fn new(sources: C, cols: Cols, budget: &mut Budget<'a>) -> Result<Self, GroupError> {
        let shapes = || sources.as_ref().iter().map(Source::shape);
        let shape = shape_of(shapes())?;
        let bytes = usize::try_from(bytes(shapes(), cols)).unwrap_or(usize::MAX);
        let row = budget.lease("group row", bytes).map_err(GroupError::Memory)?;
        Ok(Self { sources, shape, row, of: core::marker::PhantomData })
    }
}

impl<S: Source, C: AsMut<[S]>> Source for Group<'_, S, C> {
    type Error = S::Error;

    fn shape(&self) -> Shape {
        self.shape
    }

    fn read(&mut self, strip: &mut StripMut<'_>) -> Result<(), S::Error> {
        let (rows, cols) = (strip.rows(), strip.cols());
        let pixel = self.shape.pixel_bytes();
        for row in rows.iter() {
            let mut offset = 0;
            for source in self.sources.as_mut() {
                let image = source.shape();
                let part = image.pixel_bytes();
                let bytes = cols.len() as usize * part;
                let scratch = self.row.get_mut(..bytes).unwrap_or_default();
                let region = Region::new(Rows::one(row), cols);
                if let Some(mut one) = StripMut::new(scratch, region, image) {
                    source.read(&mut one)?;
                }
                let target = strip.row_bytes_mut(row).chunks_exact_mut(pixel.max(1));
                for (to, from) in target.zip(self.row.chunks_exact(part.max(1))) {
                    let to = to.get_mut(offset..).unwrap_or_default();
                    to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
                }
                offset += part;
            }
        }
        Ok(())
    }
}
