//! Blocks in, points out.

use super::back::{Places, ReadSide};
use super::error::Damage;
use super::header::Header;
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
    read: P::Read<COLUMNS>,
    used: u8,
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
        if header.coding != P::CODING {
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
            read: P::Read::new(header, payload, &columns).ok_or(room)?,
            used: header.columns as u8,
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
        let mut time = [0];
        let used = usize::from(self.used);
        let room = Damage::Columns { columns: used, room: values.len() };
        let taken = self.decode_into(&mut time, values.get_mut(..used).ok_or(room)?)?;
        Ok((taken == 1).then_some(time[0]))
    }

    /// The next points, as many as there are and fit; returns how many. `values` are those of the first point, then
    /// those of the second, and so on.
    ///
    /// Whole groups at once are fastest: room for a multiple of 64 points, from the start of the block on.
    ///
    /// # Errors
    /// As for [`next_into`](Self::next_into); how many points before are sound is not said.
    pub fn decode_into(&mut self, times: &mut [i64], values: &mut [Word]) -> Result<usize, Damage> {
        let used = usize::from(self.used);
        let Some(columns) = self.columns.get(..used) else { return Ok(0) };
        let room = times.len().min(values.len() / used.max(1));
        let mut taken = 0;
        while taken < room && self.left > 0 {
            let damage = Damage::Content { point: self.done };
            if self.group == 0 {
                let read = self.read.head(self.payload, columns);
                let Some(points) = read.filter(|points| (1..=self.left).contains(points)) else {
                    self.left = 0;
                    return Err(damage);
                };
                self.group = points;
            }
            let now = (room - taken).min(self.group as usize);
            let (Some(times), Some(values)) =
                (times.get_mut(taken..taken + now), values.get_mut(taken * used..(taken + now) * used))
            else {
                break;
            };
            if self.read.points(self.payload, columns, Places { times, values }).is_none() {
                self.left = 0;
                return Err(damage);
            }
            taken += now;
            self.group -= now as u32;
            self.left -= now as u32;
            self.done += now as u32;
        }
        Ok(taken)
    }
}
