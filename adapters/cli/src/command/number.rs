//! Numbers that were measured, as they are printed: exactly, where an integer says more than the double next to it.

use serde_json::{Number, Value};

/// For JSON. It has no infinities and nothing for what is no number: they are words, as in the text.
pub(super) fn json(exact: Option<i128>, double: f64) -> Value {
    match exact.map_or_else(|| Number::from_f64(double), Number::from_i128) {
        Some(number) => Value::Number(number),
        None => Value::String(text(exact, double)),
    }
}

/// The same as a text.
pub(super) fn text(exact: Option<i128>, double: f64) -> String {
    exact.map_or_else(|| double.to_string(), |exact| exact.to_string())
}
