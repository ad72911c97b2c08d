//! The numbers of a TIFF file, put down one after the other: TIFF 6.0, section 2, and its form with wider offsets
//! (BigTIFF).

/// Bytes in one of the two orders, with offsets of one of the two widths; they begin with the header.
pub(crate) struct Words {
    pub(crate) bytes: Vec<u8>,
    big_endian: bool,
    pub(crate) big: bool,
}

impl Words {
    /// The header but for its last field, the offset of the first directory.
    pub(crate) fn new(big_endian: bool, big: bool) -> Self {
        let mark: &[u8] = if big_endian { b"MM" } else { b"II" };
        let mut words = Self { bytes: mark.to_vec(), big_endian, big };
        words.push(2, if big { 43 } else { 42 });
        if big {
            words.push(2, 8);
            words.push(2, 0);
        }
        words
    }

    /// Bytes of an offset.
    pub(crate) fn word(&self) -> usize {
        if self.big { 8 } else { 4 }
    }

    /// Bytes of the number of a directory's entries.
    pub(crate) fn count_bytes(&self) -> usize {
        if self.big { 8 } else { 2 }
    }

    /// Where the next byte goes.
    pub(crate) fn at(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// A number in so many bytes.
    pub(crate) fn number(&self, width: usize, value: u64) -> Vec<u8> {
        let mut bytes = value.to_le_bytes()[..width].to_vec();
        if self.big_endian {
            bytes.reverse();
        }
        bytes
    }

    pub(crate) fn push(&mut self, width: usize, value: u64) {
        let bytes = self.number(width, value);
        self.bytes.extend(bytes);
    }
}
