use modstream_events::Comment;

/// One comment of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The record's first line, from 1; the header of a CSV is line 1 and no row.
    pub line: u64,
    /// What the file says of it. Without a `body` where JSON has none.
    pub comment: Comment<'static>,
    /// Whether a moderator removed it, where the file says so.
    pub removed: Option<bool>,
}
