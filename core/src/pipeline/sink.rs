//! Where rows go.

use crate::strip::Strip;

/// Takes the rows of one image, in order, each once.
pub trait Sink {
    /// Its error.
    type Error;

    /// Takes all rows of the strip, which follow those of the last call.
    ///
    /// # Errors
    /// The sink's own, when the rows cannot be taken. No more rows may be given then.
    fn write(&mut self, strip: &Strip<'_>) -> Result<(), Self::Error>;

    /// No more rows will come: completes what was written. Called once.
    ///
    /// # Errors
    /// The sink's own, when the output cannot be completed.
    fn finish(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

impl<S: Sink + ?Sized> Sink for &mut S {
    type Error = S::Error;

    fn write(&mut self, strip: &Strip<'_>) -> Result<(), Self::Error> {
        (**self).write(strip)
    }

    fn finish(&mut self) -> Result<(), Self::Error> {
        (**self).finish()
    }
}
