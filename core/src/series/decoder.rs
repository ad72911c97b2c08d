//! Blocks in, points out.

use super::arith::range::{ReadState, Reader};
use super::error::Damage;
use super::header::{Coding, Header};
use super::points::Points;
use super::profile::{Profile, Small};
use super::settings::Column;
use super::word::Word;

/// Reads the points of one block.
///
/// ```
/// # use plimsoll_core::series::*;
/// # let mut buffer = [0; 512];
/// # let settings = Settings::new(TimeUnit::Seconds, [Column::new(Kind::F64)]);
/// # let mut encoder = Encoder::<Small, 1>::try_new(settings, &mut buffer).unwrap();
/// # let _ = encoder.push(1_700_000_000, &[Word::from(20.5)]).unwrap();
/// # let block = encoder.seal().unwrap();
/// let mut decoder = Decoder::<Small, 1>::try_new(block)?;
/// let mut values = [Word::default()];
/// while let Some(time) = decoder.next_into(&mut values)? {
///     assert_eq!((time, values[0].f64()), (1_700_000_000, 20.5));
/// }
/// # Ok::<(), Damage>(())
/// ```
#[derive(Clone, Debug)]
pub struct Decoder<'b, P: Profile = Small, const COLUMNS: usize = 1> {
    payload: &'b [u8],
    columns: [Column; COLUMNS],
    points: Points<P, COLUMNS>,
    reader: ReadState,
    used: u8,
    stored: bool,
    /// Points left in the group and in the block.
    group: u32,
    left: u32,
    done: u32,
}

impl<'b, P: Profile, const COLUMNS: usize> Decoder<'b, P, COLUMNS> {
    /// Bytes of state, without the block.
    pub const STATE_BYTES: usize = size_of::<Self>();

    /// Checks the block at the start of `bytes`; more may follow it.
    ///
    /// # Errors
    /// [`Damage`] where the block is not whole, not sound, or not of this profile and room.
    pub fn try_new(bytes: &'b [u8]) -> Result<Self, Damage> {
        let (header, payload) = Header::check(bytes)?;
        Self::of(&header, payload)
    }

    /// For the payload of a block that was checked before, by [`Header::check`].
    ///
    /// # Errors
    /// [`Damage`] where the block is not of this profile and room.
    pub fn of(header: &Header, payload: &'b [u8]) -> Result<Self, Damage> {
        let coding = if P::CODE == 0 { Coding::ArithSmall } else { Coding::ArithLarge };
        if header.coding != coding {
            return Err(Damage::Unsupported { version: super::VERSION << 4 | header.coding.code() });
        }
        let room = Damage::Columns { columns: header.columns, room: COLUMNS };
        if header.columns > COLUMNS {
            return Err(room);
        }
        let mut columns = [Column::new(header.kinds().first().copied().unwrap_or_default()); COLUMNS];
        for (column, kind) in columns.iter_mut().zip(header.kinds()) {
            column.kind = *kind;
        }
        Ok(Decoder {
            payload,
            columns,
            points: Points::new(header.first, &columns, header.columns).ok_or(room)?,
            reader: ReadState::new(payload),
            used: header.columns as u8,
            stored: false,
            group: 0,
            left: header.points,
            done: 0,
        })
    }

    /// Points that are still to come.
    pub fn left(&self) -> u32 {
        self.left
    }

    /// The next point: its timestamp, its values into the start of `values`; none after the last one.
    ///
    /// # Errors
    /// [`Damage::Content`] where the bytes pass the check sum and are still not what an encoder writes, and
    /// [`Damage::Columns`] where `values` has less room than the block has columns. The block is over then.
    #[inline]
    pub fn next_into(&mut self, values: &mut [Word]) -> Result<Option<i64>, Damage> {
        if self.left == 0 {
            return Ok(None);
        }
        let used = usize::from(self.used);
        let room = Damage::Columns { columns: used, room: values.len() };
        let (Some(values), Some(columns)) = (values.get_mut(..used), self.columns.get(..used)) else {
            return Err(room);
        };
        let mut reader = Reader::new(self.reader, self.payload);
        if self.group == 0 {
            let head = self.points.unchanged(0);
            let read = self.points.head(&mut reader, columns, &head);
            let Some((points, stored)) = read.filter(|(points, _)| *points as u32 <= self.left) else {
                self.left = 0;
                return Err(Damage::Content { point: self.done });
            };
            (self.group, self.stored) = (points as u32, stored);
        }
        let time = match self.stored {
            false => self.points.point(&mut reader, columns, 0, values),
            true => self.points.stored_point(&mut reader, columns, 0, values),
        };
        self.reader = reader.state;
        self.group -= 1;
        self.left -= 1;
        self.done += 1;
        Ok(Some(time))
    }
}
