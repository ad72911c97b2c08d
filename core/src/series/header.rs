//! The header of a block: what is in it, where it ends, when it was. `FORMAT.md`, section 2.

use super::crc::crc32c;
use super::error::Damage;
use super::lane::bits_wide;
use super::settings::{MAX_BLOCK_BYTES, MAX_COLUMNS, MAX_POINTS, TimeUnit};
use super::word::{Kind, Word};

/// The first two bytes of a block.
pub const SYNC: [u8; 2] = [0xD3, 0x9C];

/// Version of the format that this crate writes.
pub const VERSION: u8 = 1;

/// Bytes that a header has at most.
pub const MAX_HEADER_BYTES: usize = 4 + MAX_COLUMNS / 2 + 3 + 3 + 10 + 10 + 10 + MAX_COLUMNS * 24 + 1;

/// Bytes of the check sum behind the payload.
pub(crate) const CHECK_BYTES: usize = 4;

/// Points that one byte of payload stands for at most: it bounds the time that hostile bytes can take.
pub(crate) const POINTS_PER_BYTE: u32 = 4096;

/// How the points of a block are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Coding {
    /// Range coder, small model.
    ArithSmall,
    /// Range coder, large model.
    ArithLarge,
    /// Golomb-Rice codes.
    Rice,
    /// Bit-packing.
    Pack,
    /// Range coder, little work.
    ArithLean,
    /// Range coder, large model with second opinions.
    ArithLarger,
}

impl Coding {
    /// In the order of their numbers.
    pub(crate) const ALL: [Coding; 6] = [
        Coding::ArithSmall,
        Coding::ArithLarge,
        Coding::Rice,
        Coding::Pack,
        Coding::ArithLean,
        Coding::ArithLarger,
    ];

    pub(crate) fn code(self) -> u8 {
        Self::ALL.iter().position(|coding| *coding == self).unwrap_or(0) as u8
    }
}

/// What a column's values come to in one block. NaN do not count.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Range {
    /// The least value, as decoded; where all are NaN, one of them.
    pub min: Word,
    /// The largest value, as decoded.
    pub max: Word,
    /// The sum of the values, added one after the other in binary64.
    pub sum: f64,
}

/// What a block states of itself.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Header {
    /// How its points are coded.
    pub coding: Coding,
    /// What its timestamps count.
    pub unit: TimeUnit,
    /// Number of columns: 1 to 8.
    pub columns: usize,
    /// Points in it: 1 to [`MAX_POINTS`].
    pub points: u32,
    /// The first timestamp.
    pub first: i64,
    /// The least timestamp.
    pub min_time: i64,
    /// The largest timestamp.
    pub max_time: i64,
    /// Bytes of the header.
    pub header_bytes: usize,
    /// Bytes of the payload.
    pub payload_bytes: usize,
    pub(crate) kinds: [Kind; MAX_COLUMNS],
    pub(crate) lossy: u8,
    pub(crate) ranges: Option<[Range; MAX_COLUMNS]>,
}

impl Header {
    /// Bytes of the whole block.
    pub fn block_bytes(&self) -> usize {
        self.header_bytes + self.payload_bytes + CHECK_BYTES
    }

    /// What the values of each column are.
    pub fn kinds(&self) -> &[Kind] {
        self.kinds.get(..self.columns).unwrap_or_default()
    }

    /// Whether the values of `column` were coded with a tolerance.
    pub fn is_lossy(&self, column: usize) -> bool {
        column < MAX_COLUMNS && self.lossy >> column & 1 == 1
    }

    /// What the values of each column come to, where the block says so.
    pub fn ranges(&self) -> Option<&[Range]> {
        self.ranges.as_ref().and_then(|ranges| ranges.get(..self.columns))
    }

    /// Reads the header at the start of `bytes`, which may end after it ([`MAX_HEADER_BYTES`] are always enough).
    ///
    /// # Errors
    /// [`Damage`] where there is no sound header; its check is of 8 bits only, the block's own is of 32.
    pub fn read(bytes: &[u8]) -> Result<Header, Damage> {
        let mut at = Cursor { bytes, at: 0 };
        for sync in SYNC {
            if at.byte()? != sync {
                return Err(Damage::NoSync);
            }
        }
        let version = at.byte()?;
        let coding = Coding::ALL.get(usize::from(version & 15)).copied();
        let (VERSION, Some(coding)) = (version >> 4, coding) else {
            return Err(Damage::Unsupported { version });
        };
        let shape = at.byte()?;
        let columns = usize::from(shape & 7) + 1;
        let unit = TimeUnit::ALL.get(usize::from(shape >> 3 & 7)).copied().ok_or(at.wrong())?;
        if shape & 0x80 != 0 {
            return Err(at.wrong());
        }
        let (mut kinds, mut lossy) = ([Kind::I32; MAX_COLUMNS], 0);
        for (pair, kinds) in kinds.chunks_mut(2).enumerate().take(columns.div_ceil(2)) {
            let byte = at.byte()?;
            for (half, kind) in kinds.iter_mut().enumerate() {
                let (nibble, column) = (byte >> (4 * half) & 15, 2 * pair + half);
                if nibble & 8 != 0 || (column >= columns && nibble != 0) {
                    return Err(at.wrong());
                }
                *kind = Kind::ALL[usize::from(nibble & 3)];
                lossy |= (nibble >> 2 & 1) << column;
            }
        }
        let payload_bytes = at.number()? as usize;
        let points = at.number()?;
        let first = at.number()?;
        let first = (first >> 1) as i64 ^ -((first & 1) as i64);
        let min_time = first.checked_sub_unsigned(at.number()?).ok_or(at.wrong())?;
        let max_time = first.checked_add_unsigned(at.number()?).ok_or(at.wrong())?;
        let mut ranges = None;
        if shape & 0x40 != 0 {
            let mut all = [Range { min: Word(0), max: Word(0), sum: 0.0 }; MAX_COLUMNS];
            for range in all.iter_mut().take(columns) {
                range.min = Word(at.word()?);
                range.max = Word(at.word()?);
                range.sum = f64::from_bits(at.word()?);
            }
            ranges = Some(all);
        }
        let check = crc32c(bytes.get(..at.at).unwrap_or_default()) as u8;
        if at.byte()? != check {
            return Err(at.wrong());
        }
        let header_bytes = at.at;
        let most = u64::from(POINTS_PER_BYTE).saturating_mul(payload_bytes as u64).min(u64::from(MAX_POINTS));
        if payload_bytes > MAX_BLOCK_BYTES
            || header_bytes + payload_bytes + CHECK_BYTES > MAX_BLOCK_BYTES
            || points == 0
            || points > most
        {
            return Err(at.wrong());
        }
        let points = points as u32;
        Ok(Header {
            coding,
            unit,
            columns,
            points,
            first,
            min_time,
            max_time,
            header_bytes,
            payload_bytes,
            kinds,
            lossy,
            ranges,
        })
    }

    /// Reads the header of the block at the start of `bytes` and checks all of the block; gives the payload, too.
    ///
    /// # Errors
    /// [`Damage`] where the block is not whole or not sound.
    pub fn check(bytes: &[u8]) -> Result<(Header, &[u8]), Damage> {
        let header = Header::read(bytes)?;
        let needed = header.block_bytes();
        let truncated = Damage::Truncated { bytes: bytes.len(), needed };
        let (content, check) =
            bytes.get(..needed).and_then(|block| block.split_last_chunk::<CHECK_BYTES>()).ok_or(truncated)?;
        let (stated, found) = (u32::from_le_bytes(*check), crc32c(content));
        if stated != found {
            return Err(Damage::Checksum { stated, found });
        }
        Ok((header, content.get(header.header_bytes..).ok_or(truncated)?))
    }

    /// Writes it to the start of `into`; returns its bytes, or none if they do not fit.
    pub(crate) fn write(&self, into: &mut [u8]) -> Option<usize> {
        let mut out = Output { into, at: 0 };
        out.bytes(&SYNC)?;
        out.bytes(&[VERSION << 4 | self.coding.code()])?;
        let ranges = u8::from(self.ranges.is_some());
        out.bytes(&[(self.columns - 1) as u8 | self.unit.code() << 3 | ranges << 6])?;
        for pair in 0..self.columns.div_ceil(2) {
            let mut byte = 0;
            for half in 0..2 {
                let column = 2 * pair + half;
                if let Some(kind) = self.kinds().get(column) {
                    byte |= (kind.code() | (self.lossy >> column & 1) << 2) << (4 * half);
                }
            }
            out.bytes(&[byte])?;
        }
        out.number(self.payload_bytes as u64)?;
        out.number(u64::from(self.points))?;
        out.number(((self.first << 1) ^ (self.first >> 63)) as u64)?;
        out.number(self.first.abs_diff(self.min_time))?;
        out.number(self.max_time.abs_diff(self.first))?;
        for range in self.ranges().unwrap_or_default() {
            out.bytes(&range.min.0.to_le_bytes())?;
            out.bytes(&range.max.0.to_le_bytes())?;
            out.bytes(&range.sum.to_bits().to_le_bytes())?;
        }
        let check = crc32c(out.into.get(..out.at)?) as u8;
        out.bytes(&[check])?;
        Some(out.at)
    }
}

/// Bytes that a header takes whose numbers are these.
pub(crate) fn header_bytes(
    columns: usize,
    ranges: bool,
    payload: usize,
    points: u32,
    times: [i64; 3],
) -> usize {
    let [first, min, max] = times;
    let numbers = [
        payload as u64,
        u64::from(points),
        ((first << 1) ^ (first >> 63)) as u64,
        first.abs_diff(min),
        max.abs_diff(first),
    ];
    let numbers: usize = numbers.into_iter().map(number_bytes).sum();
    4 + columns.div_ceil(2) + numbers + if ranges { 24 * columns } else { 0 } + 1
}

/// Bits that a number may have and take no more bytes than `number`, in groups of 7 bits.
pub(crate) fn number_room(number: u64) -> u32 {
    7 * number_bytes(number) as u32
}

/// Bytes of a number in groups of 7 bits (LEB128).
fn number_bytes(number: u64) -> usize {
    // A seventh, rounded up: of at most 64, this product gives it.
    (((bits_wide(number | 1) + 6) * 37) >> 8) as usize
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn byte(&mut self) -> Result<u8, Damage> {
        let byte = self.bytes.get(self.at).copied();
        self.at += 1;
        byte.ok_or(Damage::Truncated { bytes: self.bytes.len(), needed: self.at })
    }

    fn word(&mut self) -> Result<u64, Damage> {
        let mut word = 0;
        for place in 0..8 {
            word |= u64::from(self.byte()?) << (8 * place);
        }
        Ok(word)
    }

    /// LEB128, in its shortest form only.
    fn number(&mut self) -> Result<u64, Damage> {
        let mut number = 0;
        for place in 0..10 {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7F);
            if place == 9 && bits > 1 {
                return Err(self.wrong());
            }
            number |= bits << (7 * place);
            if byte < 0x80 {
                return if byte == 0 && place > 0 { Err(self.wrong()) } else { Ok(number) };
            }
        }
        Err(self.wrong())
    }

    fn wrong(&self) -> Damage {
        Damage::Header { offset: self.at.saturating_sub(1) }
    }
}

struct Output<'a> {
    into: &'a mut [u8],
    at: usize,
}

impl Output<'_> {
    fn bytes(&mut self, bytes: &[u8]) -> Option<()> {
        let end = self.at.checked_add(bytes.len())?;
        self.into.get_mut(self.at..end)?.copy_from_slice(bytes);
        self.at = end;
        Some(())
    }

    fn number(&mut self, mut number: u64) -> Option<()> {
        while number >= 0x80 {
            self.bytes(&[number as u8 | 0x80])?;
            number >>= 7;
        }
        self.bytes(&[number as u8])
    }
}
