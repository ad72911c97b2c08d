//! The boxes of a JP2 file (ISO/IEC 15444-1, annex I).
//!
//! Only the header box and the codestream's place are needed; every other box is stepped over, so metadata of any size
//! costs nothing.

use super::{malformed, read_at, unsupported};
use crate::{Bytes, FormatError};

/// The first bytes of a JP2 file: the signature box (I.5.1).
pub(super) const SIGNATURE: [u8; 12] = *b"\0\0\0\x0CjP  \r\n\x87\n";

/// The most boxes that are looked at, one within the other or side by side.
const MOST_BOXES: u32 = 4096;

/// The most columns of a palette.
const MOST_COLUMNS: usize = 16;

/// The most entries of a palette (I.5.3.4).
const MOST_ENTRIES: usize = 1024;

/// The head of a box.
#[derive(Clone, Copy, Debug)]
struct Head {
    name: [u8; 4],
    /// Where its content begins and ends.
    start: u64,
    end: u64,
}

/// Reads the head of the box at `at`, which ends at `end` at the latest.
fn head(bytes: &Bytes, at: u64, end: u64) -> Result<Head, FormatError> {
    let mut head = [0u8; 16];
    if end.saturating_sub(at) < 8 {
        return Err(malformed(
            format!("a box of {} bytes, which is less than a box has", end.saturating_sub(at)),
            at,
        ));
    }
    read_at(bytes, at, &mut head[..8])?;
    let [a, b, c, d, name @ ..] = head;
    let name = [name[0], name[1], name[2], name[3]];
    let (start, len) = match u32::from_be_bytes([a, b, c, d]) {
        0 => (at + 8, end - at),
        1 => {
            read_at(bytes, at, &mut head)?;
            let [.., e, f, g, h, i, j, k, l] = head;
            (at + 16, u64::from_be_bytes([e, f, g, h, i, j, k, l]))
        }
        len => (at + 8, u64::from(len)),
    };
    // The codestream says itself where it ends: a box around it that is too long does no harm.
    let most = if name == *b"jp2c" { u64::MAX } else { end };
    let box_end = at.checked_add(len).filter(|box_end| *box_end <= most && *box_end >= start);
    match box_end.map(|box_end| box_end.min(end)) {
        Some(end) => Ok(Head { name, start, end }),
        None => {
            let problem = format!("a box {} of {len} bytes where {} are left", name.escape_ascii(), end - at);
            Err(malformed(problem, at))
        }
    }
}

/// A palette: `entries` rows of `columns`.
#[derive(Clone, Debug)]
pub(super) struct Palette {
    columns: usize,
    entries: usize,
    /// Bits of the columns' values.
    pub(super) bits: u8,
    values: Vec<u16>,
}

impl Palette {
    /// The value of `column` at `index`; an index beyond the last entry is the last one.
    pub(super) fn value(&self, index: u32, column: usize) -> u16 {
        let index = (index as usize).min(self.entries.saturating_sub(1));
        self.values.get(index * self.columns + column).copied().unwrap_or(0)
    }
}

/// Where a channel comes from (I.5.3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Channel {
    /// The component.
    pub(super) component: usize,
    /// The palette's column that its samples are looked up in.
    pub(super) column: Option<usize>,
}

/// What the boxes before the codestream say.
#[derive(Clone, Debug, Default)]
pub(super) struct Boxes {
    /// Where the codestream begins and ends.
    pub(super) codestream: (u64, u64),
    /// The enumerated colour space, if it is one (I.5.3.3).
    pub(super) colour: Option<u32>,
    /// Bytes of the ICC profile, if there is one.
    pub(super) icc_bytes: u64,
    /// The palette.
    pub(super) palette: Option<Palette>,
    /// Channels, if components are mapped to them.
    pub(super) channels: Vec<Channel>,
    /// For each described channel: its number, type and association (I.5.3.6).
    pub(super) definitions: Vec<[u16; 3]>,
    /// Vertical and horizontal resolution in points a metre.
    pub(super) resolution: Option<[f64; 2]>,
}

impl Boxes {
    /// Reads up to the codestream.
    ///
    /// # Errors
    /// [`FormatError`] for boxes that are malformed, and files without header or codestream.
    pub(super) fn read(bytes: &Bytes) -> Result<Self, FormatError> {
        let mut signature = [0u8; 12];
        read_at(bytes, 0, &mut signature)?;
        if signature != SIGNATURE {
            return Err(malformed("it does not begin with the signature box", 0));
        }
        let mut boxes = Self::default();
        let (mut at, mut header) = (12, false);
        for _ in 0..MOST_BOXES {
            if at >= bytes.len() {
                return Err(malformed("there is no codestream in it", at));
            }
            let found = head(bytes, at, bytes.len())?;
            match &found.name {
                b"jp2h" if !header => {
                    boxes.header(bytes, found)?;
                    header = true;
                }
                b"jp2c" => {
                    if !header {
                        return Err(malformed("no header box stands before the codestream", at));
                    }
                    boxes.codestream = (found.start, found.end);
                    return Ok(boxes);
                }
                _ => {}
            }
            at = found.end;
        }
        Err(unsupported(format!("more than {MOST_BOXES} boxes")))
    }

    /// The header box (I.5.3).
    fn header(&mut self, bytes: &Bytes, outer: Head) -> Result<(), FormatError> {
        let (mut at, mut image, mut colour) = (outer.start, false, false);
        for _ in 0..MOST_BOXES {
            if at == outer.end {
                break;
            }
            let found = head(bytes, at, outer.end)?;
            let len = found.end - found.start;
            match &found.name {
                b"ihdr" if len == 14 => image = true,
                // Of several the first one that is understood counts.
                b"colr" if !colour && len >= 3 => colour = self.colour(bytes, found)?,
                b"pclr" if self.palette.is_none() => self.palette = Some(palette(bytes, found)?),
                b"cmap" if self.channels.is_empty() => self.channels = channels(bytes, found)?,
                b"cdef" if self.definitions.is_empty() => self.definitions = definitions(bytes, found)?,
                b"res " => self.resolution(bytes, found),
                _ => {}
            }
            at = found.end;
        }
        if !image {
            return Err(malformed("the header box has no image header of 14 bytes", outer.start));
        }
        Ok(())
    }

    fn colour(&mut self, bytes: &Bytes, found: Head) -> Result<bool, FormatError> {
        let mut method = [0u8; 7];
        let len = (found.end - found.start).min(7) as usize;
        read_at(bytes, found.start, &mut method[..len])?;
        match method {
            [1, _, _, a, b, c, d] if len == 7 => self.colour = Some(u32::from_be_bytes([a, b, c, d])),
            [2 | 3, ..] => self.icc_bytes = found.end - found.start - 3,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Capture or display resolution (I.5.3.7); one that makes no sense says nothing.
    fn resolution(&mut self, bytes: &Bytes, found: Head) {
        let Ok(inner) = head(bytes, found.start, found.end) else { return };
        let mut data = [0u8; 10];
        if inner.end - inner.start != 10 || read_at(bytes, inner.start, &mut data).is_err() {
            return;
        }
        let [a, b, c, d, e, f, g, h, down, across] = data;
        let value = |high, low, over_high, over_low, exponent: u8| {
            let over = f64::from(u16::from_be_bytes([over_high, over_low]));
            f64::from(u16::from_be_bytes([high, low])) / over * 10f64.powi(i32::from(exponent as i8))
        };
        let resolution = [value(a, b, c, d, down), value(e, f, g, h, across)];
        if resolution.iter().all(|value| value.is_finite() && *value > 0.0) {
            self.resolution = Some(resolution);
        }
    }
}

/// All of a small box.
fn content(bytes: &Bytes, found: Head, most: usize) -> Result<Vec<u8>, FormatError> {
    let len = found.end - found.start;
    if len > most as u64 {
        let problem = format!("a box {} of {len} bytes: {most} are the most", found.name.escape_ascii());
        return Err(malformed(problem, found.start));
    }
    let mut content = vec![0; len as usize];
    read_at(bytes, found.start, &mut content)?;
    Ok(content)
}

/// The palette box (I.5.3.4).
fn palette(bytes: &Bytes, found: Head) -> Result<Palette, FormatError> {
    let data = content(bytes, found, 3 + MOST_COLUMNS + MOST_ENTRIES * MOST_COLUMNS * 2)?;
    let wrong = |problem: String| malformed(problem, found.start);
    let [high, low, columns, rest @ ..] = data.as_slice() else {
        return Err(wrong(format!("a palette of {} bytes", data.len())));
    };
    let (entries, columns) = (usize::from(u16::from_be_bytes([*high, *low])), usize::from(*columns));
    if entries == 0 || entries > MOST_ENTRIES || columns == 0 || columns > MOST_COLUMNS {
        return Err(wrong(format!("a palette of {entries} entries in {columns} columns")));
    }
    let Some((depths, mut rest)) = rest.split_at_checked(columns) else {
        return Err(wrong("a palette without depths".into()));
    };
    if depths.iter().any(|depth| depth & 0x80 != 0 || *depth > 15) {
        return Err(unsupported("a palette of signed values or of more than 16 bits"));
    }
    let mut values = Vec::with_capacity(entries * columns);
    for _ in 0..entries {
        for depth in depths {
            let value = if *depth < 8 {
                rest.split_first().map(|(value, after)| (u16::from(*value), after))
            } else {
                rest.split_first_chunk::<2>().map(|(value, after)| (u16::from_be_bytes(*value), after))
            };
            let Some((value, after)) = value else {
                return Err(wrong(format!("a palette that ends before its {entries} entries")));
            };
            values.push(value);
            rest = after;
        }
    }
    let bits = depths.iter().max().map_or(8, |depth| depth + 1);
    Ok(Palette { columns, entries, bits, values })
}

/// The component mapping box (I.5.3.5).
fn channels(bytes: &Bytes, found: Head) -> Result<Vec<Channel>, FormatError> {
    let data = content(bytes, found, 4 * 64)?;
    let (records, rest) = data.as_chunks::<4>();
    if records.is_empty() || !rest.is_empty() {
        return Err(malformed(format!("a component mapping of {} bytes", data.len()), found.start));
    }
    let channel = |[high, low, kind, column]: &[u8; 4]| match kind {
        0 | 1 => Ok(Channel {
            component: usize::from(u16::from_be_bytes([*high, *low])),
            column: (*kind == 1).then_some(usize::from(*column)),
        }),
        other => Err(malformed(format!("a component mapping of type {other}"), found.start)),
    };
    records.iter().map(channel).collect()
}

/// The channel definition box (I.5.3.6).
fn definitions(bytes: &Bytes, found: Head) -> Result<Vec<[u16; 3]>, FormatError> {
    let data = content(bytes, found, 2 + 6 * 64)?;
    let Some(([high, low], rest)) = data.split_first_chunk::<2>() else {
        return Err(malformed("an empty channel definition", found.start));
    };
    let count = usize::from(u16::from_be_bytes([*high, *low]));
    let (records, _) = rest.as_chunks::<6>();
    if records.len() < count {
        return Err(malformed(format!("{count} channel definitions in {} bytes", data.len()), found.start));
    }
    let two = |high: u8, low: u8| u16::from_be_bytes([high, low]);
    Ok(records.iter().take(count).map(|[a, b, c, d, e, f]| [two(*a, *b), two(*c, *d), two(*e, *f)]).collect())
}

impl Palette {
    /// Columns of an entry.
    pub(super) fn columns(&self) -> usize {
        self.columns
    }
}
