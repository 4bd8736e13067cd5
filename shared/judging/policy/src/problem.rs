//! What is wrong with a document, and where.

use std::fmt;

use crate::locate::Keys;

/// One thing that is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line of the problem, where it is known.
    pub line: Option<usize>,
    /// The field, such as `subreddits.science.threshold`; empty where the problem is the whole text's.
    pub field: String,
    /// What is wrong, and what to write.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(to, "line {line}: ")?;
        }
        if !self.field.is_empty() {
            write!(to, "{}: ", self.field)?;
        }
        to.write_str(&self.what)
    }
}

/// All that is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// The same problems with the lines on which their fields stand in the document's text.
    #[must_use]
    pub fn in_text(self, text: &str) -> Self {
        let keys = Keys::of(text);
        let placed = self.0.into_iter().map(|problem| Problem {
            line: problem.line.or_else(|| keys.place_of(&problem.field).map(|place| place.line)),
            ..problem
        });
        Problems(placed.collect())
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, problem) in self.0.iter().enumerate() {
            write!(to, "{}{problem}", if position == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}
