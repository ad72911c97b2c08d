//! Rows over byte streams: what firmware has where a desktop has files. Raw samples in the machine's own byte order,
//! rows from top to bottom, all columns, bands interleaved.

use crate::pipeline::{Sink, Source};
use crate::shape::Shape;
use crate::strip::{Strip, StripMut};
use embedded_io::{Read, ReadExactError, Write};

/// A source that reads each row from a stream: a camera link, a pipe, a file through semihosting.
///
/// Rows must be asked for in order, each once, with all columns, as a job over the whole image does.
#[derive(Debug)]
pub struct ReadRows<R> {
    stream: R,
    shape: Shape,
}

impl<R: Read> ReadRows<R> {
    /// A picture of this shape that `stream` gives.
    pub const fn new(stream: R, shape: Shape) -> Self {
        Self { stream, shape }
    }

    /// The stream, behind the last row that was read.
    pub fn into_inner(self) -> R {
        self.stream
    }
}

impl<R: Read> Source for ReadRows<R> {
    type Error = ReadExactError<R::Error>;

    fn shape(&self) -> Shape {
        self.shape
    }

    fn read(&mut self, strip: &mut StripMut<'_>) -> Result<(), Self::Error> {
        strip.parts_mut().into_iter().try_for_each(|part| self.stream.read_exact(part))
    }
}

/// A sink that writes each row to a stream and flushes it at the end.
#[derive(Debug)]
pub struct WriteRows<W> {
    stream: W,
}

impl<W: Write> WriteRows<W> {
    /// Rows go to `stream`.
    pub const fn new(stream: W) -> Self {
        Self { stream }
    }

    /// The stream, behind the last row that was written.
    pub fn into_inner(self) -> W {
        self.stream
    }
}

impl<W: Write> Sink for WriteRows<W> {
    type Error = W::Error;

    fn write(&mut self, strip: &Strip<'_>) -> Result<(), W::Error> {
        strip.parts().into_iter().try_for_each(|part| self.stream.write_all(part))
    }

    fn finish(&mut self) -> Result<(), W::Error> {
        self.stream.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Budget;
    use crate::pipeline::{Chain, Job, RunError, Stage};
    use crate::shape::SampleKind;
    use crate::transform::invert::Invert;

    #[test]
    fn rows_flow_from_stream_to_stream() {
        let shape = Shape::new(5, 4, 1, SampleKind::U8);
        let input: [u8; 20] = core::array::from_fn(|at| at as u8);
        let invert = Invert::<u8>::new();
        let stages: [&dyn Stage; 1] = [&invert];
        let chain = Chain::new(&stages, shape).expect("it fits");
        for (given, whole) in [(20, true), (19, false)] {
            let (mut arena, mut output) = ([0u8; 512], [0u8; 20]);
            let mut budget = Budget::new(&mut arena);
            let source = ReadRows::new(&input[..given], shape);
            let mut job =
                Job::new(&chain, 2, &mut budget, source, WriteRows::new(&mut output[..])).expect("it fits");
            match job.run() {
                Ok(_) => assert!(whole && job.finish().is_ok()),
                Err(error) => assert!(!whole && error == RunError::Source(ReadExactError::UnexpectedEof)),
            }
            let rows = if whole { 20 } else { 16 };
            assert!(output.iter().zip(&input).take(rows).all(|(out, x)| *out == !x));
        }
    }
}
