/// What is to be said of the comments themselves, before any number of theirs is believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is, in a few words.
    pub title: String,
    /// What was found, and what to do about it.
    pub text: String,
    /// Rows to look at: their places, and the beginnings of their texts.
    pub rows: Vec<(String, String)>,
}
