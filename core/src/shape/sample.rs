//! The kinds of sample, and what generic kernels may ask of one.

/// What one number of an image is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SampleKind {
    /// Unsigned 8-bit.
    U8,
    /// Unsigned 16-bit.
    U16,
    /// Signed 16-bit.
    I16,
    /// Unsigned 32-bit.
    U32,
    /// Signed 32-bit.
    I32,
    /// IEEE 754 single precision.
    F32,
    /// Unsigned 64-bit.
    U64,
    /// Signed 64-bit.
    I64,
    /// IEEE 754 double precision.
    F64,
}

impl SampleKind {
    /// Every kind, smallest first.
    pub const ALL: [SampleKind; 9] =
        [Self::U8, Self::U16, Self::I16, Self::U32, Self::I32, Self::F32, Self::U64, Self::I64, Self::F64];

    /// Bytes of one sample.
    pub const fn bytes(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }

    /// Its short name: `u8`, `f32` ...
    pub const fn name(self) -> &'static str {
        match self {
            Self::U8 => "u8",
            Self::U16 => "u16",
            Self::I16 => "i16",
            Self::U32 => "u32",
            Self::I32 => "i32",
            Self::F32 => "f32",
            Self::U64 => "u64",
            Self::I64 => "i64",
            Self::F64 => "f64",
        }
    }

    /// The kind with this short name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether it is a floating-point kind.
    pub const fn is_float(self) -> bool {
        matches!(self, Self::F32 | Self::F64)
    }

    /// Whether it is an integer of 64 bits.
    pub const fn is_long(self) -> bool {
        matches!(self, Self::U64 | Self::I64)
    }

    /// The value that stands for white: the largest integer, or 1.0 for floats. For integers of 64 bits the double
    /// next to it, which is a power of two and one more.
    pub const fn white(self) -> f64 {
        match self {
            Self::U8 => u8::MAX as f64,
            Self::U16 => u16::MAX as f64,
            Self::I16 => i16::MAX as f64,
            Self::U32 => u32::MAX as f64,
            Self::I32 => i32::MAX as f64,
            Self::U64 => u64::MAX as f64,
            Self::I64 => i64::MAX as f64,
            Self::F32 | Self::F64 => 1.0,
        }
    }
}

impl core::fmt::Display for SampleKind {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

/// A number that a kernel can work on. Implemented for the nine kinds and nothing else.
pub trait Sample:
    bytemuck::Pod + PartialOrd + Default + core::fmt::Debug + Send + Sync + sealed::Sealed + 'static
{
    /// Its kind.
    const KIND: SampleKind;

    /// Its value: exact but for integers of 64 bits, which become the nearest double, ties to even.
    fn to_f64(self) -> f64;

    /// The nearest value of this kind: ties to even, saturated at the ends, NaN to zero for integers.
    fn from_f64(value: f64) -> Self;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! integer {
    ($($t:ty => $kind:ident),*) => {$(
        impl sealed::Sealed for $t {}
        impl Sample for $t {
            const KIND: SampleKind = SampleKind::$kind;
            #[inline(always)]
            fn to_f64(self) -> f64 {
                self as f64
            }
            #[inline(always)]
            fn from_f64(value: f64) -> Self {
                libm::rint(value) as $t
            }
        }
    )*};
}

macro_rules! float {
    ($($t:ty => $kind:ident),*) => {$(
        impl sealed::Sealed for $t {}
        impl Sample for $t {
            const KIND: SampleKind = SampleKind::$kind;
            #[inline(always)]
            fn to_f64(self) -> f64 {
                self as f64
            }
            #[inline(always)]
            fn from_f64(value: f64) -> Self {
                value as $t
            }
        }
    )*};
}

integer!(u8 => U8, u16 => U16, i16 => I16, u32 => U32, i32 => I32, u64 => U64, i64 => I64);
float!(f32 => F32, f64 => F64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_f64_rounds_ties_to_even_and_saturates() {
        assert_eq!([0.5, 1.5, 2.5, -3.0, 300.0].map(u8::from_f64), [0, 2, 2, 0, 255]);
        assert_eq!([f64::NAN, 1e300].map(i32::from_f64), [0, i32::MAX]);
        assert_eq!([-1.0, SampleKind::U64.white(), 1e300].map(u64::from_f64), [0, u64::MAX, u64::MAX]);
        assert_eq!([-1e300, SampleKind::I64.white()].map(i64::from_f64), [i64::MIN, i64::MAX]);
        // The largest double below white.
        assert_eq!(u64::from_f64(18_446_744_073_709_549_568.0), u64::MAX - 2047);
    }

    #[test]
    fn names_are_read_back() {
        for kind in SampleKind::ALL {
            assert_eq!(SampleKind::from_name(kind.name()), Some(kind));
        }
    }
}
