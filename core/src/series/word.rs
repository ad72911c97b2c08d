//! One value of one column, as bits: what the codec stores and gives back exactly.

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Kind {
    /// Signed, 32 bits. Coded without 64-bit arithmetic.
    I32,
    /// Signed, 64 bits.
    I64,
    /// IEEE 754 binary32.
    F32,
    /// IEEE 754 binary64.
    #[default]
    F64,
}

impl Kind {
    /// All of them, at the place of their code in a block.
    pub const ALL: [Kind; 4] = [Kind::I32, Kind::I64, Kind::F32, Kind::F64];

    /// Its code in a block: 0 to 3.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Kind::I32 => 0,
            Kind::I64 => 1,
            Kind::F32 => 2,
            Kind::F64 => 3,
        }
    }

    /// Whether its values are floats.
    pub const fn is_float(self) -> bool {
        matches!(self, Kind::F32 | Kind::F64)
    }

    /// Bits of one value.
    pub const fn bits(self) -> u32 {
        match self {
            Kind::I32 | Kind::F32 => 32,
            Kind::I64 | Kind::F64 => 64,
        }
    }
}

/// The bits of one value; its column's [`Kind`] says what they mean.
///
/// Narrow kinds take the low 32 bits, and the others are zero: words of the same value are equal, and words are equal
/// only where the values have the same bits (so a NaN equals itself, and 0.0 is not -0.0).
///
/// ```
/// use plimsoll_core::series::Word;
/// assert_eq!(Word::from(-3_i32).i32(), -3);
/// assert_eq!(Word::from(0.1_f64).f64(), 0.1);
/// assert_ne!(Word::from(0.0_f64), Word::from(-0.0_f64));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Word(pub u64);

impl Word {
    /// As a value of kind [`Kind::I32`].
    pub const fn i32(self) -> i32 {
        self.0 as i32
    }

    /// As a value of kind [`Kind::I64`].
    pub const fn i64(self) -> i64 {
        self.0 as i64
    }

    /// As a value of kind [`Kind::F32`].
    pub const fn f32(self) -> f32 {
        f32::from_bits(self.0 as u32)
    }

    /// As a value of kind [`Kind::F64`].
    pub const fn f64(self) -> f64 {
        f64::from_bits(self.0)
    }

    /// Without the bits that `kind` does not have.
    pub(crate) const fn of(self, kind: Kind) -> Word {
        match kind {
            Kind::I32 | Kind::F32 => Word(self.0 as u32 as u64),
            Kind::I64 | Kind::F64 => self,
        }
    }

    /// The number it is, as near as a float of 64 bits comes to it.
    pub const fn number(self, kind: Kind) -> f64 {
        match kind {
            Kind::I32 => self.i32() as f64,
            Kind::I64 => self.i64() as f64,
            Kind::F32 => self.f32() as f64,
            Kind::F64 => self.f64(),
        }
    }
}

impl From<i32> for Word {
    fn from(value: i32) -> Self {
        Word(u64::from(value as u32))
    }
}

impl From<i64> for Word {
    fn from(value: i64) -> Self {
        Word(value as u64)
    }
}

impl From<f32> for Word {
    fn from(value: f32) -> Self {
        Word(u64::from(value.to_bits()))
    }
}

impl From<f64> for Word {
    fn from(value: f64) -> Self {
        Word(value.to_bits())
    }
}
