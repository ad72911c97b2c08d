//! Files of the host that runs the emulator, as streams.

use core::ffi::CStr;
use embedded_io::{ErrorType, Read, Write};
use semihosting::fs::File;
use semihosting::io::{Read as _, Write as _};

/// A file in the emulator's working directory: stands for a sensor, a camera, a radio.
#[derive(Debug)]
pub struct HostFile(File);

/// The host did not do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, defmt::Format)]
pub struct HostError;

impl core::fmt::Display for HostError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the host did not do it")
    }
}

impl core::error::Error for HostError {}

impl embedded_io::Error for HostError {
    fn kind(&self) -> embedded_io::ErrorKind {
        embedded_io::ErrorKind::Other
    }
}

impl HostFile {
    /// One that is there, to be read.
    ///
    /// # Errors
    /// [`HostError`].
    pub fn open(path: &CStr) -> Result<Self, HostError> {
        File::open(path).map(Self).map_err(|_| HostError)
    }

    /// A new or emptied one, to be written.
    ///
    /// # Errors
    /// [`HostError`].
    pub fn create(path: &CStr) -> Result<Self, HostError> {
        File::create(path).map(Self).map_err(|_| HostError)
    }

    /// Its length in bytes.
    ///
    /// # Errors
    /// [`HostError`].
    pub fn bytes(&self) -> Result<u32, HostError> {
        self.0.metadata().map(|data| data.len() as u32).map_err(|_| HostError)
    }
}

impl ErrorType for HostFile {
    type Error = HostError;
}

impl Read for HostFile {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, HostError> {
        self.0.read(into).map_err(|_| HostError)
    }
}

impl Write for HostFile {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, HostError> {
        // A stream that takes nothing has ended.
        self.0.write(bytes).ok().filter(|written| *written > 0 || bytes.is_empty()).ok_or(HostError)
    }

    fn flush(&mut self) -> Result<(), HostError> {
        Ok(())
    }
}
