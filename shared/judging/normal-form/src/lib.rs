//! One normal form of text: what a reader takes for the same is the same, however it was typed, hidden or sent.
//!
//! Two things ask for it. Whoever looks a text up (terms that always alert, placeholders) compares [`fold`]ed texts. The
//! classifier keeps what it counts, capitals and line breaks, and takes the steps before: [`undo_transport`], then
//! [`Letters`]. Names of people and communities are compared by their [`name_key`], which takes none for another that merely
//! looks like it.
//!
//! | step | what | by |
//! |---|---|---|
//! | [`undo_transport`] | HTML entities, Markdown's backslashes, code points such as `<U+1F44F>`, as often as a text was escaped; what has no glyph goes | HTML's table, `Default_Ignorable_Code_Point`, control characters |
//! | [`Letters`] | letters and digits in one form (NFKC); marks that a letter does not have go; words of mixed script become words of one | ICU4X, the skeleton of [UTS #39](https://www.unicode.org/reports/tr39/#Confusable_Detection) |
//! | [`fold`] | all of it, and case, quotation marks, dashes, white space, Markdown's quotes | full case folding, `Dash`, `White_Space` |
//!
//! A word whose letters are all of another script (`сосо`, Cyrillic throughout) is a word of that script, and stays.
//!
//! ```
//! assert_eq!(normal_form::fold("STRA\u{1E9E}E &amp; f\u{43E}l\u{200B}lowers"), "strasse & followers");
//! assert_eq!(normal_form::name_key("\u{DC}nal"), normal_form::name_key("u\u{308}nal"));
//! ```

mod blank;
mod emphasis;
mod fold;
mod letters;
mod look_alikes;
mod placeholder;
mod properties;
mod transport;

pub use blank::has_text;
pub use emphasis::without_emphasis;
pub use fold::{composed, each_folded, fold, name_key};
pub use letters::Letters;
pub use placeholder::Placeholders;
pub use properties::{is_mark, is_unspaced, is_word_boundary};
pub use transport::undo_transport;
