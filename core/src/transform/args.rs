//! The settings of a transform as a user writes them: `100,100,4800,4800` or `0.9,linear`.

use crate::pipeline::StageError;

/// Comma-separated settings, taken from the front.
#[derive(Clone, Debug)]
pub struct Args<'a> {
    stage: &'static str,
    rest: Option<&'a str>,
}

impl<'a> Args<'a> {
    /// The settings `text` of `stage`; an empty text is no settings.
    pub fn new(stage: &'static str, text: &'a str) -> Self {
        Self { stage, rest: (!text.trim().is_empty()).then_some(text) }
    }

    /// The same settings under the name of the stage that reads them.
    pub fn of(self, stage: &'static str) -> Self {
        Self { stage, ..self }
    }

    /// Whether all have been taken.
    pub fn is_empty(&self) -> bool {
        self.rest.is_none()
    }

    /// The next one as text, if there is one.
    pub fn next_word(&mut self) -> Option<&'a str> {
        let rest = self.rest?;
        let (word, rest) = match rest.split_once(',') {
            Some((word, rest)) => (word, Some(rest)),
            None => (rest, None),
        };
        self.rest = rest;
        Some(word.trim())
    }

    /// The error that says `setting` must be `needed`.
    pub fn wrong(&self, setting: &'static str, needed: &'static str) -> StageError {
        StageError::Setting { stage: self.stage, setting, needed }
    }

    /// The next one as a value of `T`.
    ///
    /// # Errors
    /// [`StageError::Setting`] with `setting` and `needed` if it is missing, no such value, or `accept` refuses it.
    pub fn required<T: core::str::FromStr>(
        &mut self,
        setting: &'static str,
        needed: &'static str,
        accept: impl FnOnce(&T) -> bool,
    ) -> Result<T, StageError> {
        let word = self.next_word();
        word.and_then(|word| word.parse().ok()).filter(accept).ok_or(self.wrong(setting, needed))
    }

    /// The next one as a value of `T`, or `default` if there are no more.
    ///
    /// # Errors
    /// [`StageError::Setting`] if there is one and it is no such value, or `accept` refuses it.
    pub fn optional<T: core::str::FromStr>(
        &mut self,
        setting: &'static str,
        needed: &'static str,
        default: T,
        accept: impl FnOnce(&T) -> bool,
    ) -> Result<T, StageError> {
        if self.is_empty() { Ok(default) } else { self.required(setting, needed, accept) }
    }

    /// All must have been taken.
    ///
    /// # Errors
    /// [`StageError::Setting`] if some are left.
    pub fn end(&self) -> Result<(), StageError> {
        if self.is_empty() { Ok(()) } else { Err(self.wrong("the number of settings", "smaller")) }
    }
}
