//! Where rows come from.

use crate::shape::Shape;
use crate::strip::StripMut;

/// Gives the rows of one image.
///
/// In row-order work a source is asked for every row once, in order, always with the same columns. A source that
/// can also go back, or give any columns, says so in its documentation.
pub trait Source {
    /// Its error.
    type Error;

    /// The shape of the whole image.
    fn shape(&self) -> Shape;

    /// Fills the strip: its rows and columns are the image's own.
    ///
    /// # Errors
    /// The source's own, when the rows cannot be had. The strip's content is undefined then.
    fn read(&mut self, strip: &mut StripMut<'_>) -> Result<(), Self::Error>;
}

impl<S: Source + ?Sized> Source for &mut S {
    type Error = S::Error;

    fn shape(&self) -> Shape {
        (**self).shape()
    }

    fn read(&mut self, strip: &mut StripMut<'_>) -> Result<(), Self::Error> {
        (**self).read(strip)
    }
}
