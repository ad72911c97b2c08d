//! Slices for loops over lanes: named one by one and cut to one length.
//!
//! Then an index below that length needs no check and the vectoriser sees plain addresses. Zips nested eight deep and
//! more do the same only while the compiler chooses to inline each of their `next`s, which it stops doing in a program
//! with many kinds of samples.

/// Names `$n` samples of each row at every tap, `$bands` samples apart; leaves the function if a row is too short.
macro_rules! taps {
    ($n:expr, $bands:expr; $($row:expr => $($tap:ident)+;)+) => {$(
        let mut at = 0usize;
        $(
            let Some($tap) = $row.get(at..).and_then(|row| row.get(..$n)) else { return };
            at = at.saturating_add($bands);
        )+
        let _ = at;
    )+};
}

/// Cuts slices to `$n` samples under their own names; leaves the function if one is too short.
macro_rules! cut {
    ($n:expr; mut $($slice:ident)+) => {$(
        let Some($slice) = $slice.get_mut(..$n) else { return };
    )+};
    ($n:expr; $($slice:ident)+) => {$(
        let Some($slice) = $slice.get(..$n) else { return };
    )+};
}

pub(super) use {cut, taps};
