use std::str::FromStr;

/// Words whose comments are looked at apart, to see whether a model treats them alike.
///
/// ```
/// let subgroup: modstream_report::Subgroup = "gender=woman,man".parse()?;
/// assert_eq!((subgroup.name(), subgroup.words()), ("gender", &["woman".to_owned(), "man".to_owned()][..]));
/// # Ok::<(), modstream_report::SubgroupError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subgroup {
    name: String,
    words: Vec<String>,
}

/// A text that names no subgroup.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no subgroup: write a name, `=`, and words with commas between them, such as `gender=woman,man`")]
pub struct SubgroupError(String);

impl Subgroup {
    /// What its words have in common.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The words, lowercase, each once.
    pub fn words(&self) -> &[String] {
        &self.words
    }
}

impl FromStr for Subgroup {
    type Err = SubgroupError;

    fn from_str(text: &str) -> Result<Self, SubgroupError> {
        let bad = || SubgroupError(text.to_owned());
        let (name, list) = text.split_once('=').ok_or_else(bad)?;
        let mut words: Vec<String> = Vec::new();
        for word in list.split(',').map(|word| folded(word.trim())) {
            if !word.contains(char::is_alphanumeric) || word.contains('=') {
                return Err(bad());
            }
            if !words.contains(&word) {
                words.push(word);
            }
        }
        let name = name.trim().to_owned();
        if name.is_empty() { Err(bad()) } else { Ok(Subgroup { name, words }) }
    }
}

/// A text as words are looked for in it: lowercase, with one kind of apostrophe.
pub(crate) fn folded(text: &str) -> String {
    text.to_lowercase().replace('\u{2019}', "'")
}

/// Whether a word stands in a text by itself, not as a part of another. Both are [`folded`].
pub(crate) fn holds(text: &str, word: &str) -> bool {
    let joins = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    text.match_indices(word).any(|(start, _)| {
        !joins(text[..start].chars().next_back()) && !joins(text[start + word.len()..].chars().next())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subgroup_is_a_name_and_words() {
        let found: Subgroup = " faith = Muslim, jewish people ,muslim".parse().expect("a subgroup");
        assert_eq!((found.name(), found.words()), ("faith", &["muslim".to_owned(), "jewish people".to_owned()][..]));
    }

    #[test]
    fn anything_else_is_refused_with_an_example() {
        for text in ["", "gender", "gender=", "=woman", "gender=woman,,man", "gender=a=b", "gender=!"] {
            let error = text.parse::<Subgroup>().expect_err(text).to_string();
            assert!(error.contains("such as `gender=woman,man`"), "{error}");
        }
    }

    #[test]
    fn a_word_is_found_by_itself_only() {
        for (text, word, found) in [
            ("A MAN's word", "man", true),
            ("women and woman", "man", false),
            ("man", "man", true),
            ("mankind, man-made", "man", true),
            ("mankind", "man", false),
            ("Übermänner, über", "über", true),
            ("Jewish people", "jewish people", true),
            ("i don\u{2019}t", "don't", true),
            ("", "man", false),
        ] {
            assert_eq!(holds(&folded(text), word), found, "{text}");
        }
    }
}
