//! Picks a type parameter from a kind of sample: how one gets from an image's kind to the right kernel.

/// `by_kind!(kind, T => body)` is `body` with `T` standing for the type of samples of `kind`. With `else other` behind it
/// integers of 64 bits have no `body` of their own, but `other`.
macro_rules! by_kind {
    ($kind:expr, $t:ident => $body:expr, else $other:expr) => {
        by_kind!(@match $kind, $t => $body, U8: u8, U16: u16, I16: i16, U32: u32, I32: i32, F32: f32, F64: f64; $other)
    };
    ($kind:expr, $t:ident => $body:expr) => {
        by_kind!(@match $kind, $t => $body,
            U8: u8, U16: u16, I16: i16, U32: u32, I32: i32, F32: f32, U64: u64, I64: i64, F64: f64)
    };
    (@match $kind:expr, $t:ident => $body:expr, $($name:ident: $type:ty),* $(; $other:expr)?) => {
        match $kind {
            $(crate::shape::SampleKind::$name => {
                type $t = $type;
                $body
            })*
            $(_ => $other,)?
        }
    };
}

/// `by_width!(kind, T => body)` is `body` with `T` standing for an unsigned type as wide as samples of `kind`: for what
/// only moves samples, and needs one kernel for all kinds of a width.
macro_rules! by_width {
    ($kind:expr, $t:ident => $body:expr) => {
        $crate::shape::by_width!(@match $kind.bytes(), $t => $body, 1: u8, 2: u16, 4: u32; u64)
    };
    (@match $bytes:expr, $t:ident => $body:expr, $($width:literal: $type:ty),*; $widest:ty) => {
        match $bytes {
            $($width => {
                type $t = $type;
                $body
            })*
            _ => {
                type $t = $widest;
                $body
            }
        }
    };
}

pub(crate) use by_kind;
pub(crate) use by_width;
