//! Least, largest and sum of what a column decodes to in one block.

use super::header::Range;
use super::word::{Kind, Word};

/// So far.
#[derive(Clone, Copy, Debug)]
pub struct Summary {
    min: Word,
    max: Word,
    sum: f64,
}

impl Summary {
    pub(crate) const NONE: Summary = Summary { min: Word(0), max: Word(0), sum: 0.0 };

    /// Takes one more value, the `first` one or another.
    pub(crate) fn see(&mut self, kind: Kind, word: Word, first: bool) {
        // Numbers take the place of NaN, NaN that of nothing.
        if first || self.min.number(kind).is_nan() {
            (self.min, self.max) = (word, word);
        }
        if less(kind, word, self.min) {
            self.min = word;
        }
        if less(kind, self.max, word) {
            self.max = word;
        }
        let number = word.number(kind);
        self.sum += if number.is_nan() { 0.0 } else { number };
    }

    pub(crate) fn range(&self) -> Range {
        Range { min: self.min, max: self.max, sum: self.sum }
    }
}

fn less(kind: Kind, a: Word, b: Word) -> bool {
    match kind {
        Kind::I32 => a.i32() < b.i32(),
        Kind::I64 => a.i64() < b.i64(),
        Kind::F32 | Kind::F64 => a.number(kind) < b.number(kind),
    }
}
