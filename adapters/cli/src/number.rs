//! Numbers that were measured, as they are printed: exactly, where an integer says more than the double next to it.

use serde_json::{Number, Value};

/// For JSON. It has no infinities and nothing for what is no number: they are words, as in the text.
pub(crate) fn json(double: f64) -> Value {
    Number::from_f64(double).map_or_else(|| Value::String(double.to_string()), Value::Number)
}

/// The same of a number that is known exactly.
pub(crate) fn exact_json(exact: Option<i128>, double: f64) -> Value {
    exact.and_then(Number::from_i128).map_or_else(|| json(double), Value::Number)
}

/// The same as a text.
pub(crate) fn exact_text(exact: Option<i128>, double: f64) -> String {
    exact.map_or_else(|| double.to_string(), |exact| exact.to_string())
}
