/// A text that always alerts, in capitals or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlwaysTerm {
    written: String,
    lowercase: String,
}

impl AlwaysTerm {
    /// The term that is written so.
    pub fn new(written: impl Into<String>) -> Self {
        let written = written.into();
        AlwaysTerm { lowercase: written.to_lowercase(), written }
    }

    /// The term as it is written in the document.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// Whether a text in small letters contains the term, inside of words too.
    pub(crate) fn is_in(&self, lowercase_text: &str) -> bool {
        lowercase_text.contains(&self.lowercase)
    }
}
