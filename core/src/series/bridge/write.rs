//! Points in, blocks out to a stream: a serial port, a card, a pipe.

use crate::series::encoder::{Encoder, Pushed};
use crate::series::error::{Misuse, Unsealed};
use crate::series::profile::Profile;
use crate::series::settings::Settings;
use crate::series::word::Word;
use embedded_io::Write;

/// Why a point or block did not go out.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum WriteError<E> {
    /// The point or the settings.
    Misuse(Misuse),
    /// The block.
    Unsealed(Unsealed),
    /// The stream; the block is lost.
    Stream(E),
}

/// An encoder that writes each block to a stream when it is full.
///
/// Its memory is the encoder's and the block buffer. Blocks go out whole, one behind the other, which is what
/// [`ReadBlocks`](super::ReadBlocks) and [`Blocks`](crate::series::Blocks) read.
///
/// ```
/// use plimsoll_core::series::*;
/// let (mut buffer, mut port) = ([0; 256], [0_u8; 1024]);
/// let settings = Settings::new(TimeUnit::Seconds, [Column::new(Kind::I32)]).block_points(100);
/// let mut log = WriteBlocks::<_, Small, 1>::try_new(&mut port[..], settings, &mut buffer)?;
/// for second in 0..250 {
///     log.push(second, &[Word::from(20 + second as i32 / 50)]).expect("the port takes it");
/// }
/// let left = log.finish().expect("the port takes it").len();
/// assert!(left > 900, "three blocks are small");
/// # Ok::<(), Misuse>(())
/// ```
#[derive(Debug)]
pub struct WriteBlocks<'b, W, P: Profile, const COLUMNS: usize> {
    stream: W,
    encoder: Encoder<'b, P, COLUMNS>,
}

impl<'b, W: Write, P: Profile, const COLUMNS: usize> WriteBlocks<'b, W, P, COLUMNS> {
    /// Blocks of `settings` go to `stream`; `buffer` is what a block has at most.
    ///
    /// # Errors
    /// As [`Encoder::try_new`].
    pub fn try_new(stream: W, settings: Settings<COLUMNS>, buffer: &'b mut [u8]) -> Result<Self, Misuse> {
        Ok(WriteBlocks { stream, encoder: Encoder::try_new(settings, buffer)? })
    }

    /// Adds a point; writes the block before it if that was full.
    ///
    /// # Errors
    /// [`WriteError`]. After one of the stream, the point is not added and may be pushed again.
    pub fn push(&mut self, time: i64, values: &[Word]) -> Result<(), WriteError<W::Error>> {
        if self.encoder.push(time, values).map_err(WriteError::Misuse)? == Pushed::Full {
            self.seal()?;
            // An empty block has room for a point: the buffer was checked for it.
            let _ = self.encoder.push(time, values).map_err(WriteError::Misuse)?;
        }
        Ok(())
    }

    /// Points that wait for their block to be full.
    pub fn waiting(&self) -> u32 {
        self.encoder.points()
    }

    /// Ends the block and writes it: what was pushed has reached the stream then.
    ///
    /// # Errors
    /// [`WriteError::Stream`], and [`WriteError::Unsealed`], which no points lead to.
    pub fn seal(&mut self) -> Result<(), WriteError<W::Error>> {
        match self.encoder.seal() {
            Ok(block) => self.stream.write_all(block).map_err(WriteError::Stream),
            Err(Unsealed::Empty) => Ok(()),
            Err(unsealed) => Err(WriteError::Unsealed(unsealed)),
        }
    }

    /// Writes the last block and gives the stream back.
    ///
    /// # Errors
    /// [`WriteError::Stream`], and [`WriteError::Unsealed`], which no points lead to.
    pub fn finish(mut self) -> Result<W, WriteError<W::Error>> {
        self.seal()?;
        self.stream.flush().map_err(WriteError::Stream)?;
        Ok(self.stream)
    }
}
