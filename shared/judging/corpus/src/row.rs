use modstream_events::Comment;

/// One comment of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The record's first line, counted from 1; the header of a CSV is line 1 and no row. In Parquet, the number of the row.
    pub line: u64,
    /// The comment, as the file has it; without a `body` where JSON has none.
    pub comment: Comment<'static>,
    /// Whether a moderator removed the comment, where the file says so.
    pub removed: Option<bool>,
}
