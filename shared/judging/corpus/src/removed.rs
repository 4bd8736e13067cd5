//! Reads a verdict in the ways that dumps, data frames and people write it.

use json_text::Scalar;

use crate::{Labels, RowErrorKind};

/// What R and pandas write where there is no value. It counts only where no text stands: someone may be called None.
pub(crate) const MISSING: [&str; 5] = ["NA", "NaN", "nan", "null", "None"];
/// The words for a comment that was removed, beside the number 1, in whatever case.
const WORDS_FOR_REMOVED: [&str; 6] = ["true", "t", "yes", "y", "removed", "remove"];
/// The words for a comment that was kept, beside the number 0, in whatever case.
const WORDS_FOR_KEPT: [&str; 9] = ["false", "f", "no", "n", "kept", "keep", "approved", "approve", "not removed"];

impl Labels {
    /// The verdict of a text. An empty text is no verdict.
    pub(crate) fn verdict(&self, text: &str) -> Result<Option<bool>, RowErrorKind> {
        let text = text.trim();
        if text.is_empty() || MISSING.contains(&text) {
            return Ok(None);
        }
        if let Some(removed) = &self.removed_value {
            return Ok(Some(is_same(text, removed.trim())));
        }
        let is_one_of = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
        if is_one_of(&WORDS_FOR_REMOVED) || is_same(text, "1") {
            Ok(Some(true))
        } else if is_one_of(&WORDS_FOR_KEPT) || is_same(text, "0") {
            Ok(Some(false))
        } else {
            Err(self.unknown())
        }
    }

    /// The verdict of a value in JSON.
    pub(crate) fn verdict_of(&self, value: Scalar<'_>) -> Result<Option<bool>, RowErrorKind> {
        match value {
            Scalar::Null => Ok(None),
            Scalar::Boolean(value) => self.verdict(if value { "true" } else { "false" }),
            Scalar::Integer(number) => self.verdict(&number.to_string()),
            Scalar::Float(number) => self.verdict(&number.to_string()),
            Scalar::Text(text) => self.verdict(&text),
            Scalar::Nested => Err(self.unknown()),
        }
    }

    fn unknown(&self) -> RowErrorKind {
        RowErrorKind::UnknownVerdict { field: self.column.clone() }
    }
}

/// Whether two values are one: the same text in whatever case, or the same number, as data frames make 1.0 of 1.
fn is_same(one: &str, other: &str) -> bool {
    let number = |text: &str| text.parse::<f64>().ok();
    one.to_lowercase() == other.to_lowercase() || number(one).is_some_and(|one| number(other) == Some(one))
}
