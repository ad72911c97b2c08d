//! Picks a type parameter from a kind of sample: how one gets from an image's kind to the right kernel.

/// `by_kind!(kind, T => body)` is `body` with `T` standing for the type of samples of `kind`.
macro_rules! by_kind {
    ($kind:expr, $t:ident => $body:expr) => {
        by_kind!(@match $kind, $t => $body,
            U8: u8, U16: u16, I16: i16, U32: u32, I32: i32, F32: f32, F64: f64)
    };
    (@match $kind:expr, $t:ident => $body:expr, $($name:ident: $type:ty),*) => {
        match $kind {
            $(crate::shape::SampleKind::$name => {
                type $t = $type;
                $body
            })*
        }
    };
}

pub(crate) use by_kind;
