//! An output whose own threads go at the pace of the job: where rows come in order through one sink, most of the work
//! and of the memory is theirs.

use super::control::Control;
use plimsoll_core::pipeline::Sink;
use plimsoll_core::strip::Strip;
use plimsoll_formats::{FormatError, RowSink, Writer};

/// A sink that passes the pace on to its writer, strip by strip.
pub(crate) struct Paced<'a> {
    pub(crate) sink: RowSink<'a>,
    pub(crate) writer: &'a dyn Writer,
    pub(crate) control: &'a Control,
}

impl Sink for Paced<'_> {
    type Error = FormatError;

    fn write(&mut self, strip: &Strip<'_>) -> Result<(), FormatError> {
        self.writer.allow_compressors(self.control.compressors());
        self.sink.write(strip)
    }

    fn finish(&mut self) -> Result<(), FormatError> {
        self.sink.finish()
    }
}
