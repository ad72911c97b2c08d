//! Picks a type parameter from a kind of sample: how one gets from an image's kind to the right kernel.

/// `by_kind!(kind, T => body)` is `body` with `T` standing for the type of samples of `kind`. With `else other` behind
/// it integers of 64 bits have no `body` of their own, but `other`; with `short S => narrow` before it those of 8 and
/// 16 bits have `narrow` with `S`.
macro_rules! by_kind {
    ($kind:expr, $t:ident => $body:expr) => {
        $crate::shape::by_kind!(@all $kind; $t => $body; $t => $body; $t => $body)
    };
    ($kind:expr, $t:ident => $body:expr, else $other:expr) => {
        $crate::shape::by_kind!(@all $kind; $t => $body; $t => $body; _Long => $other)
    };
    ($kind:expr, short $s:ident => $narrow:expr, $t:ident => $body:expr) => {
        $crate::shape::by_kind!(@all $kind; $s => $narrow; $t => $body; $t => $body)
    };
    (@all $kind:expr; $s:ident => $narrow:expr; $t:ident => $body:expr; $l:ident => $long:expr) => {
        $crate::shape::by_kind!(@match $kind;
            $s => $narrow, U8: u8, U16: u16, I16: i16;
            $t => $body, U32: u32, I32: i32, F32: f32, F64: f64;
            $l => $long, U64: u64, I64: i64)
    };
    (@match $kind:expr; $($t:ident => $body:expr, $($name:ident: $type:ty),*);*) => {
        match $kind {
            $($($crate::shape::SampleKind::$name => {
                type $t = $type;
                $body
            })*)*
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
