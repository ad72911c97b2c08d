//! The blocks among bytes that may be damaged: what is sound is found again behind what is not.

use super::error::Damage;
use super::header::{Header, SYNC};

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
}

impl<'b> Blocks<'b> {
    /// The blocks that lie one behind the other in `bytes`, each checked. Damaged bytes are given as one [`Lost`] up to
    /// the next sound block.
    ///
    /// The time it takes is linear in the length: no place is looked at as the start of a block twice, and a block has
    /// at most 64 KiB.
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
        Blocks { bytes, at: 0 }
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
        if offset >= self.bytes.len() {
            return None;
        }
        let damage = match self.at(offset) {
            Ok(block) => {
                self.at = offset + block.bytes.len();
                return Some(Ok(block));
            }
            Err(damage) => damage,
        };
        self.at = self.bytes.len();
        for next in offset + 1..self.bytes.len() {
            if self.bytes.get(next..).is_some_and(|bytes| bytes.starts_with(&SYNC)) && self.at(next).is_ok() {
                self.at = next;
                break;
            }
        }
        Some(Err(Lost { offset, bytes: self.at - offset, damage }))
    }
}
