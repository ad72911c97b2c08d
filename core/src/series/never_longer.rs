//! Blocks within tolerances that are never longer than lossless ones: both are written side by side.

use super::encoder::{Encoder, Pushed};
use super::error::{Misuse, Unsealed};
use super::profile::{Profile, Small};
use super::settings::{Settings, Tolerance};
use super::word::Word;

/// Writes each block within the tolerances of its columns and losslessly, too, and gives the shorter of both.
///
/// What a tolerance saves depends on all points of a block, and one [`Encoder`] has to decide after each group of them:
/// where data are all but incompressible, or a tolerance is near to their own step, it may be some bytes off. Here that
/// cannot be: blocks end where lossless ones would, with the same points, and none has more bytes.
///
/// It costs twice the state, the time and the buffers of an [`Encoder`].
///
/// ```
/// use plimsoll_core::series::*;
/// let (mut buffer, mut lossless) = ([0; 512], [0; 512]);
/// let column = Column::new(Kind::F64).within(Tolerance::Absolute(0.01));
/// let settings = Settings::new(TimeUnit::Seconds, [column]);
/// let mut encoder = NeverLonger::<Small, 1>::try_new(settings, &mut buffer, &mut lossless)?;
/// for i in 0..20 {
///     let pushed = encoder.push(60 * i, &[Word::from(20.0 + 0.123_456_7 * i as f64)])?;
///     assert_eq!(pushed, Pushed::Taken);
/// }
/// let block = encoder.seal().expect("it has points");
/// assert_eq!(Header::read(block).unwrap().points, 20);
/// # Ok::<(), Misuse>(())
/// ```
#[derive(Debug)]
pub struct NeverLonger<'b, P: Profile = Small, const COLUMNS: usize = 1> {
    within: Encoder<'b, P, COLUMNS>,
    lossless: Encoder<'b, P, COLUMNS>,
}

impl<'b, P: Profile, const COLUMNS: usize> NeverLonger<'b, P, COLUMNS> {
    /// Bytes of state, without the buffers.
    pub const STATE_BYTES: usize = size_of::<Self>();

    /// Blocks of `settings`; the length of `lossless` is what a block has at most.
    ///
    /// # Errors
    /// As for [`Encoder::try_new`], for either buffer.
    pub fn try_new(
        settings: Settings<COLUMNS>,
        within: &'b mut [u8],
        lossless: &'b mut [u8],
    ) -> Result<Self, Misuse> {
        let columns = settings.columns.map(|column| column.within(Tolerance::Lossless));
        Ok(NeverLonger {
            within: Encoder::try_new(settings, within)?,
            lossless: Encoder::try_new(Settings { columns, ..settings }, lossless)?,
        })
    }

    /// Points in the block so far.
    pub fn points(&self) -> u32 {
        self.lossless.points()
    }

    /// Adds a point; see [`Encoder::push`].
    ///
    /// # Errors
    /// [`Misuse::Values`] where there are not as many values as columns; nothing is changed.
    pub fn push(&mut self, time: i64, values: &[Word]) -> Result<Pushed, Misuse> {
        let taken = self.push_slice(&[time], values)?;
        Ok(if taken == 1 { Pushed::Taken } else { Pushed::Full })
    }

    /// Adds points, as many as the block takes; see [`Encoder::push_slice`].
    ///
    /// # Errors
    /// [`Misuse::Values`] where there are not as many values for each timestamp as columns; nothing is changed.
    pub fn push_slice(&mut self, times: &[i64], values: &[Word]) -> Result<usize, Misuse> {
        let before = self.lossless.points();
        let taken = self.lossless.push_slice(times, values)?;
        let used = values.len() / times.len().max(1);
        // One that was full before the other has not all points any more, and is not taken.
        if self.within.points() == before {
            let values = values.get(..taken * used).unwrap_or_default();
            self.within.push_slice(times.get(..taken).unwrap_or_default(), values)?;
        }
        Ok(taken)
    }

    /// Ends the block and gives the shorter one's bytes. The next push starts another one.
    ///
    /// # Errors
    /// [`Unsealed::Empty`] where no point was pushed since the last block.
    pub fn seal(&mut self) -> Result<&[u8], Unsealed> {
        let whole = self.within.points() == self.lossless.points();
        let within = self.within.seal();
        let lossless = self.lossless.seal()?;
        Ok(match within {
            Ok(within) if whole && within.len() <= lossless.len() => within,
            _ => lossless,
        })
    }

    /// The buffers, for an encoder of other settings; points that were not sealed are lost.
    pub fn into_buffers(self) -> (&'b mut [u8], &'b mut [u8]) {
        (self.within.into_buffer(), self.lossless.into_buffer())
    }
}
