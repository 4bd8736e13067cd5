use crate::{Row, RowErrorKind};

/// How a file is written, where it is not as most are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadOptions {
    /// What separates the columns of a CSV: a comma where it is not set, or what a first line such as `sep=;` says.
    pub delimiter: Option<u8>,
    /// The column, or JSON's field, that holds the text.
    pub text_column: String,
    /// How verdicts are written; without it, they are not looked at.
    pub labels: Option<Labels>,
}

impl Default for ReadOptions {
    fn default() -> Self {
        ReadOptions { delimiter: None, text_column: BODY.to_owned(), labels: Some(Labels::default()) }
    }
}

impl ReadOptions {
    /// A file that is read as most are, without its verdicts: none of them costs a comment its score.
    pub fn without_labels() -> Self {
        ReadOptions { labels: None, ..ReadOptions::default() }
    }

    /// The text of a row that was read so.
    ///
    /// # Errors
    /// [`RowErrorKind::NoText`] where there is none.
    pub fn text<'r>(&self, row: &'r Row) -> Result<&'r str, RowErrorKind> {
        row.comment.body.as_deref().ok_or_else(|| RowErrorKind::NoText { field: self.text_column.clone() })
    }

    /// The column, or field, of verdicts.
    pub(crate) fn label_column(&self) -> &str {
        self.labels.as_ref().map_or(REMOVED, |labels| &labels.column)
    }
}

/// How verdicts are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels {
    /// The column, or JSON's field, that holds them.
    pub column: String,
    /// The value that means that a moderator removed the comment, where it is none of those that everybody understands. All others
    /// mean that it was kept then.
    pub removed_value: Option<String>,
}

impl Default for Labels {
    fn default() -> Self {
        Labels { column: REMOVED.to_owned(), removed_value: None }
    }
}

/// Reddit's name of the text.
pub(crate) const BODY: &str = "body";
/// The name of verdicts.
pub(crate) const REMOVED: &str = "removed";
