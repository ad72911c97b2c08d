//! Bytes and fields: the three kinds of page that lie on the flash. FORMAT.md, sections 2 to 4.
//!
//! Reading past the end of a page gives zeros and writing there nothing: no page is shorter than its fields, because
//! [`super::Layout`] makes none below 64 bytes.

use super::crc::Crc;
use super::{FIRST_BYTES, MAX_PAGE, PAGE_BYTES, RETIRED, Record};

/// What the header of a sector begins with, behind its checksum. The last character is the format's version.
pub(super) const MAGIC: [u8; 3] = *b"PLJ";
pub(super) const VERSION: u8 = b'1';
const HEADER_BYTES: usize = 64;

const DATA: u8 = 0x40;
const FIRST: u8 = 1;
const LAST: u8 = 2;
const COPY: u8 = 4;
const MARK: u8 = 0x4D;

/// One page's bytes.
pub(super) type Page = [u8; MAX_PAGE];

fn get<const N: usize>(page: &[u8], at: usize) -> [u8; N] {
    page.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or([0; N])
}

fn put<const N: usize>(page: &mut [u8], at: usize, bytes: [u8; N]) {
    if let Some(field) = page.get_mut(at..).and_then(|rest| rest.first_chunk_mut()) {
        *field = bytes;
    }
}

/// Page 0 of a sector: what a mount needs to know without reading any other page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) page_log2: u8,
    pub(super) word_log2: u8,
    pub(super) sector_log2: u8,
    pub(super) erased: u8,
    pub(super) sectors: u16,
    /// The sector's own place.
    pub(super) position: u16,
    /// Counts the sectors that were opened: the order of the ring, and its laps.
    pub(super) turn: u32,
    /// The turn of the oldest sector that held records.
    pub(super) oldest: u32,
    /// The sector before this one in the ring, and its pages up to the last that counts.
    pub(super) before: Before,
    /// Above the number of every record in the sectors before.
    pub(super) above: u32,
    /// Records below are discarded.
    pub(super) floor: u32,
    pub(super) epoch: u32,
    /// Times that a mount had to recover.
    pub(super) recoveries: u32,
    /// Last time of the record before.
    pub(super) last_time: i64,
    pub(super) retired: [u16; RETIRED],
}

/// How much of an earlier sector counts. What lies behind was never acknowledged and may read this way or that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Before {
    pub(super) turn: u32,
    pub(super) end: u16,
}

/// What the first bytes of a sector say.
pub(super) enum Parsed {
    Header(Header),
    /// A journal's header, of a format that is not this one.
    Version(u8),
    /// No header.
    Nothing,
}

impl Header {
    pub(super) fn encode(&self, page: &mut [u8]) {
        let [a, b, c] = MAGIC;
        put(page, 4, [a, b, c, VERSION]);
        put(page, 8, [self.page_log2, self.word_log2, self.sector_log2, self.erased]);
        put(page, 12, self.sectors.to_le_bytes());
        put(page, 14, self.position.to_le_bytes());
        put(page, 16, self.before.end.to_le_bytes());
        for (at, retired) in self.retired.iter().enumerate() {
            put(page, 18 + 2 * at, retired.to_le_bytes());
        }
        let words =
            [self.turn, self.oldest, self.above, self.floor, self.epoch, self.recoveries, self.before.turn];
        for (at, word) in words.iter().enumerate() {
            put(page, 28 + 4 * at, word.to_le_bytes());
        }
        put(page, 56, self.last_time.to_le_bytes());
        let crc = Crc::new().of(page.get(4..HEADER_BYTES).unwrap_or_default()).finish();
        put(page, 0, crc.to_le_bytes());
    }

    pub(super) fn parse(page: &[u8]) -> Parsed {
        let (stored, magic) = (u32::from_le_bytes(get(page, 0)), get::<3>(page, 4));
        let crc = page.get(4..HEADER_BYTES).map(|bytes| Crc::new().of(bytes).finish());
        let [version] = get::<1>(page, 7);
        if crc != Some(stored) || magic != MAGIC {
            return Parsed::Nothing;
        }
        if version != VERSION {
            return Parsed::Version(version);
        }
        let [page_log2, word_log2, sector_log2, erased] = get(page, 8);
        let short = |at| u16::from_le_bytes(get(page, at));
        let word = |at| u32::from_le_bytes(get(page, at));
        Parsed::Header(Self {
            page_log2,
            word_log2,
            sector_log2,
            erased,
            sectors: short(12),
            position: short(14),
            turn: word(28),
            oldest: word(32),
            above: word(36),
            floor: word(40),
            epoch: word(44),
            recoveries: word(48),
            before: Before { turn: word(52), end: short(16) },
            last_time: i64::from_le_bytes(get(page, 56)),
            retired: core::array::from_fn(|at| short(18 + 2 * at)),
        })
    }
}

/// Any page but a sector's first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// A piece of a record.
    Data(Data),
    /// Everything before it is programmed for good.
    Mark(Mark),
}

/// The fields of every piece of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Data {
    pub(super) sequence: u32,
    /// Which piece of the record.
    pub(super) piece: u16,
    pub(super) last: bool,
    /// Programmed again by a recovery, because the one before may be weak.
    pub(super) copy: bool,
    /// Bytes of the page that count.
    pub(super) used: u8,
}

/// The journal's state, as of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) next: u32,
    pub(super) floor: u32,
    pub(super) epoch: u32,
    pub(super) last_time: i64,
}

/// What the first piece of a record says of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct First {
    pub(super) kind: u8,
    pub(super) len: u32,
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) epoch: u32,
    pub(super) crc: u32,
}

impl First {
    /// As the caller sees it.
    pub(super) const fn record<'b>(&self, sequence: u32, bytes: &'b [u8]) -> Record<'b> {
        let Self { kind, first, last, epoch, .. } = *self;
        Record { sequence, epoch, kind, first, last, bytes }
    }
}

/// The checksum of a record's bytes.
pub(super) fn checksum(bytes: &[u8]) -> u32 {
    Crc::new().of(bytes).finish()
}

/// A page's place goes into its checksum: what another lap left behind is never taken for this one's.
fn seal(page: &mut [u8], turn: u32, number: u16) {
    let crc = crc(page, turn, number);
    put(page, 0, crc.to_le_bytes());
}

fn crc(page: &[u8], turn: u32, number: u16) -> u32 {
    let bytes = page.get(4..).unwrap_or_default();
    Crc::new().of(&turn.to_le_bytes()).of(&number.to_le_bytes()).of(bytes).finish()
}

impl Body {
    /// The page with this number of the sector of that turn, if it is whole.
    pub(super) fn parse(page: &[u8], turn: u32, number: u16) -> Option<Self> {
        let [tag, used] = get(page, 4);
        if u32::from_le_bytes(get(page, 0)) != crc(page, turn, number) {
            return None;
        }
        let word = |at| u32::from_le_bytes(get(page, at));
        if tag == MARK {
            return Some(Self::Mark(Mark {
                next: word(8),
                floor: word(12),
                epoch: word(16),
                last_time: i64::from_le_bytes(get(page, 24)),
            }));
        }
        let piece = u16::from_le_bytes(get(page, 6));
        let first = tag & FIRST != 0;
        let fits =
            PAGE_BYTES + usize::from(used) <= page.len() && (!first || usize::from(used) >= FIRST_BYTES);
        if tag & !(FIRST | LAST | COPY) != DATA || first != (piece == 0) || !fits {
            return None;
        }
        let (last, copy) = (tag & LAST != 0, tag & COPY != 0);
        Some(Self::Data(Data { sequence: word(8), piece, last, copy, used }))
    }
}

impl Mark {
    pub(super) fn encode(&self, page: &mut [u8], turn: u32, number: u16) {
        put(page, 4, [MARK, 0, 0, 0]);
        for (at, word) in [self.next, self.floor, self.epoch, 0].iter().enumerate() {
            put(page, 8 + 4 * at, word.to_le_bytes());
        }
        put(page, 24, self.last_time.to_le_bytes());
        seal(page, turn, number);
    }
}

/// The bytes of a record that a piece of it carries, `rest` being those from this piece on.
pub(super) fn encode_piece<'b>(
    page: &mut [u8],
    at: (u32, u16),
    sequence: u32,
    piece: u16,
    first: &First,
    rest: &'b [u8],
) -> &'b [u8] {
    let skip = if piece == 0 { FIRST_BYTES } else { 0 };
    let room = page.len().saturating_sub(PAGE_BYTES + skip);
    let (now, rest) = rest.split_at(room.min(rest.len()));
    let flags = if piece == 0 { FIRST } else { 0 } | if rest.is_empty() { LAST } else { 0 };
    // At most 256 - 12.
    let used = u8::try_from(skip + now.len()).unwrap_or(u8::MAX);
    put(page, 4, [DATA | flags, used]);
    put(page, 6, piece.to_le_bytes());
    put(page, 8, sequence.to_le_bytes());
    if piece == 0 {
        put(page, 12, (first.len << 8 | u32::from(first.kind)).to_le_bytes());
        put(page, 16, first.first.to_le_bytes());
        put(page, 24, first.last.to_le_bytes());
        put(page, 32, first.epoch.to_le_bytes());
        put(page, 36, first.crc.to_le_bytes());
    }
    if let Some(field) = page.get_mut(PAGE_BYTES + skip..).and_then(|rest| rest.get_mut(..now.len())) {
        field.copy_from_slice(now);
    }
    seal(page, at.0, at.1);
    rest
}

/// Makes the copy of a record's last page that a recovery programs elsewhere.
pub(super) fn turn_into_copy(page: &mut [u8], turn: u32, number: u16) {
    let [tag] = get::<1>(page, 4);
    put(page, 4, [tag | COPY]);
    seal(page, turn, number);
}

/// What the first piece says, and the bytes of the record in this piece.
pub(super) fn parse_first(page: &[u8]) -> First {
    let word = |at| u32::from_le_bytes(get(page, at));
    let [kind] = get::<1>(page, 12);
    First {
        kind,
        len: word(12) >> 8,
        first: i64::from_le_bytes(get(page, 16)),
        last: i64::from_le_bytes(get(page, 24)),
        epoch: word(32),
        crc: word(36),
    }
}

/// The bytes of the record in a piece.
pub(super) fn payload(page: &[u8], data: Data) -> &[u8] {
    let skip = if data.piece == 0 { FIRST_BYTES } else { 0 };
    page.get(PAGE_BYTES + skip..PAGE_BYTES + usize::from(data.used)).unwrap_or_default()
}
