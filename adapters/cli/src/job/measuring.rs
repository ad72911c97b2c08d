//! Core's measuring sinks as sinks of a pass, behind the processor's best instructions.

use plimsoll_core::pipeline::{Sink, StageError};
use plimsoll_core::strip::Strip;
use plimsoll_formats::FormatError;
use plimsoll_os::cpu::DispatchedSink;

/// A measuring sink, wrapped.
pub(crate) struct Measuring<K>(DispatchedSink<K>);

impl<K: Sink<Error = StageError>> Measuring<K> {
    pub(crate) fn new(sink: K) -> Self {
        Self(DispatchedSink::new(sink))
    }

    /// What was measured.
    pub(crate) fn into_inner(self) -> K {
        self.0.into_inner()
    }
}

impl<K: Sink<Error = StageError>> Sink for Measuring<K> {
    type Error = FormatError;

    fn write(&mut self, strip: &Strip<'_>) -> Result<(), FormatError> {
        self.0.write(strip).map_err(explain)
    }

    fn finish(&mut self) -> Result<(), FormatError> {
        self.0.finish().map_err(explain)
    }
}

pub(crate) fn explain(error: StageError) -> FormatError {
    match error {
        StageError::Memory(exhausted) => FormatError::Memory(exhausted),
        other => FormatError::Usage { format: "measuring", problem: other.to_string() },
    }
}
