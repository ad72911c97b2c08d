//! What a file says beside its pixels, as fields that another file can hold as they are.
//!
//! The fields are those of TIFF (TIFF 6.0, section 2): a tag, a type and values. Their values may be of any size and
//! are never held whole: whoever writes them asks for them piece by piece.

use crate::FormatError;

/// One field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// What it says: a tag of TIFF.
    pub tag: u16,
    /// The number of the values' type in TIFF.
    pub kind: u16,
    /// Bytes of one value.
    pub value_bytes: u8,
    /// How many values there are: one at least.
    pub count: u64,
}

impl Field {
    /// Bytes of all its values; more than there can be if 64 bits do not hold the number.
    pub const fn bytes(&self) -> u64 {
        self.count.saturating_mul(self.value_bytes as u64)
    }
}

/// The fields of one page.
pub trait Metadata: Send + Sync {
    /// The fields, in ascending order of their tags.
    fn fields(&self) -> &[Field];

    /// Fills `into` with bytes of the values of field `index` from byte `offset` on, numbers with their least
    /// significant byte first. Both are multiples of 8, unless the values end before.
    ///
    /// # Errors
    /// [`FormatError`] if they cannot be read.
    fn read(&self, index: usize, offset: u64, into: &mut [u8]) -> Result<(), FormatError>;
}
