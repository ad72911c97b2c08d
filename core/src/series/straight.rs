//! Statements written once and compiled several times.

/// The same for each of a few, straight on: compiled for size, a loop would stay one, and small cores have no cheap loops.
macro_rules! straight {
    ([$($one:expr),*] => $each:ident => $do:expr) => {
        [$({
            let $each = $one;
            $do
        }),*]
    };
}

pub(super) use straight;
