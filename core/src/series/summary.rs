//! Least, largest and sum of what a column decodes to in one block.

use super::header::Range;
use super::word::{Kind, Word};

/// So far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Summary {
    min: Word,
    max: Word,
    sum: f64,
    /// Whether `min` and `max` are of a value that is a number.
    seen: bool,
}

impl Summary {
    pub(crate) const NONE: Summary = Summary { min: Word(0), max: Word(0), sum: 0.0, seen: false };

    pub(crate) fn see(&mut self, kind: Kind, word: Word) {
        let number = word.number(kind);
        if number.is_nan() {
            if !self.seen {
                (self.min, self.max) = (word, word);
            }
            return;
        }
        if !self.seen || less(kind, word, self.min) {
            self.min = word;
        }
        if !self.seen || less(kind, self.max, word) {
            self.max = word;
        }
        self.sum += number;
        self.seen = true;
    }

    pub(crate) fn range(&self, _kind: Kind) -> Range {
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
