//! The blocks among bytes that may be damaged: what is sound is found again behind what is not.

use super::error::Damage;
use super::header::{Header, SYNC};
use super::search::Search;

/// A whole, sound block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Block<'b> {
    /// What it states.
    pub header: Header,
    /// All of its bytes.
    pub bytes: &'b [u8],
    /// Where it starts.
    pub offset: usize,
}

/// Bytes in which there is no sound block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Where they start.
    pub offset: usize,
    /// How many they are.
    pub bytes: usize,
    /// What is wrong with the first of them.
    pub damage: Damage,
}

impl core::fmt::Display for Lost {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} bytes from byte {} on hold no sound block: {}", self.bytes, self.offset, self.damage)
    }
}

impl core::error::Error for Lost {}

/// Goes through the blocks of `bytes`; see [`Blocks::of`].
#[derive(Clone, Debug)]
pub struct Blocks<'b> {
    bytes: &'b [u8],
    at: usize,
    search: Search,
}

impl<'b> Blocks<'b> {
    /// The blocks that lie one behind the other in `bytes`, each checked. Damaged bytes are given as one [`Lost`] up to
    /// the next sound block.
    ///
    /// The time it takes is linear in the length, whatever the bytes are: see [`Search`].
    ///
    /// ```
    /// # use plimsoll_core::series::*;
    /// # let mut buffer = [0; 512];
    /// # let settings = Settings::new(TimeUnit::Seconds, [Column::new(Kind::I32)]);
    /// # let mut encoder = Encoder::<Small, 1>::try_new(settings, &mut buffer).unwrap();
    /// # let _ = encoder.push(1_700_000_000, &[Word::from(20)]).unwrap();
    /// # let block = encoder.seal().unwrap();
    /// let mut blocks = Blocks::of(block);
    /// assert_eq!(blocks.next().unwrap()?.header.points, 1);
    /// assert!(blocks.next().is_none());
    /// # Ok::<(), Lost>(())
    /// ```
    pub fn of(bytes: &'b [u8]) -> Self {
        Blocks { bytes, at: 0, search: Search::default() }
    }

    fn at(&self, offset: usize) -> Result<Block<'b>, Damage> {
        let bytes = self.bytes.get(offset..).unwrap_or_default();
        let (header, _) = Header::check(bytes)?;
        Ok(Block { header, bytes: bytes.get(..header.block_bytes()).unwrap_or_default(), offset })
    }
}

impl<'b> Iterator for Blocks<'b> {
    type Item = Result<Block<'b>, Lost>;

    fn next(&mut self) -> Option<Self::Item> {
        let offset = self.at;
        let mut first = None;
        while self.at < self.bytes.len() {
            let damage = match (self.at(self.at), first) {
                (Ok(block), None) => {
                    self.at += block.bytes.len();
                    return Some(Ok(block));
                }
                // It is given by the next call.
                (Ok(_), Some(_)) => break,
                (Err(damage), _) => damage,
            };
            first = first.or(Some(damage));
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let skip = match (damage, Header::read(rest)) {
                (Damage::Checksum { .. }, Ok(header)) => self.search.failed(header.block_bytes()),
                _ => 1,
            };
            let behind = rest.get(skip..).unwrap_or_default();
            let next = behind.windows(SYNC.len()).position(|bytes| bytes == SYNC);
            let passed = skip + next.unwrap_or(behind.len());
            self.search.passed(passed);
            self.at += passed;
        }
        first.map(|damage| Err(Lost { offset, bytes: self.at - offset, damage }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::crc::crc32c;
    use super::super::{Column, Encoder, Kind, Settings, Small, TimeUnit, Word};
    use super::*;
    use std::vec::Vec;

    /// Headers that pass their check, one behind the other, each of a block of 60,000 bytes.
    fn headers(bytes: usize) -> Vec<u8> {
        let mut all = Vec::new();
        while all.len() < bytes {
            // One column of i32, seconds; 60,000 bytes of payload (LEB128), one point at 0.
            let mut header = std::vec![0xD3, 0x9C, 0x10, 0x08, 0, 0xE0, 0xD4, 0x03, 1, 0, 0, 0];
            header.push(crc32c(&header) as u8);
            assert!(Header::read(&header).is_ok_and(|header| header.payload_bytes == 60_000));
            all.extend(header);
        }
        all
    }

    /// Its steps are counted; an interpreter, a thousand times slower, counts the same ones.
    #[test]
    #[cfg_attr(miri, ignore)]
    fn candidates_that_overlap_do_not_make_the_search_longer_than_linear() {
        let length = 4_000_000;
        let mut bytes = headers(length);
        bytes.extend(std::vec![0; 65_536]);
        let hostile = bytes.len();
        let mut buffer = [0; 512];
        let settings = Settings::new(TimeUnit::Seconds, [Column::new(Kind::I32)]);
        let mut encoder = Encoder::<Small, 1>::try_new(settings, &mut buffer).unwrap();
        let _ = encoder.push(7, &[Word::from(20)]).unwrap();
        bytes.extend_from_slice(encoder.seal().unwrap());

        let mut blocks = Blocks::of(&bytes);
        assert_eq!(blocks.next().unwrap().unwrap_err().bytes, hostile);
        assert_eq!(blocks.next().unwrap().unwrap().header.first, 7);
        assert!(blocks.next().is_none());
        // Each candidate once would be 4600 times the bytes.
        let steps = blocks.search.checked_bytes();
        let bound = 8 * hostile as u64 + (1 << 20) + 65_536;
        assert!(steps <= bound, "{steps} bytes checked in vain among {hostile}");
        assert!(steps > hostile as u64, "the headers led nowhere");
    }
}
