use std::collections::HashMap;

use modstream_events::ids;
use uuid::Uuid;

/// How many comments are remembered at least; at most, twice as many. A comment takes about 100 bytes.
const REMEMBERED: usize = 500_000;

/// Which version of its comment a text is, where the forum tells none: what was said of each comment so far: the comments seen last, and those before.
#[derive(Debug, Default)]
pub struct Versions {
    latest: HashMap<Uuid, Said>,
    before: HashMap<Uuid, Said>,
}

/// What a comment said.
#[derive(Clone, Debug)]
struct Said {
    /// The latest text, and its number among the comment's versions of that text.
    text: Uuid,
    number: u32,
    /// The texts of all versions, once there is more than one.
    all: Vec<Uuid>,
}

/// A version of a comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The name, within the comment.
    pub name: String,
    /// Whether an earlier version came before.
    pub is_later: bool,
}

impl Versions {
    /// The version that a text of this edit is. Forums round the times of edits, so two edits of one second, or day, are told apart
    /// by their texts.
    pub fn edited(&mut self, source: &str, id: &str, edited: i64, text: &str) -> Version {
        let edit = ids::comment(source, id, &edited.to_string());
        let Version { name, .. } = self.of(edit, text);
        Version { name: ids::edit_version(edited, &name), is_later: true }
    }

    /// The version that this text is. A text that the comment has already is its version again; one that it had before another
    /// is a new one.
    pub fn of(&mut self, comment: Uuid, text: &str) -> Version {
        let hash = Uuid::new_v5(&ids::NAMESPACE, text.as_bytes());
        let said = self.latest.remove(&comment).or_else(|| self.before.remove(&comment));
        let said = match said {
            None => Said { text: hash, number: 0, all: Vec::new() },
            Some(said) if said.text == hash => said,
            Some(Said { text: earlier, mut all, .. }) => {
                if all.is_empty() {
                    all.push(earlier);
                }
                let number = all.iter().filter(|said| **said == hash).count();
                all.push(hash);
                Said { text: hash, number: u32::try_from(number).unwrap_or(u32::MAX), all }
            }
        };
        let version = Version { name: ids::text_version(text, said.number), is_later: !said.all.is_empty() };
        if self.latest.len() >= REMEMBERED {
            self.before = std::mem::take(&mut self.latest);
        }
        self.latest.insert(comment, said);
        version
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(texts: &[&str]) -> Vec<String> {
        let mut versions = Versions::default();
        texts.iter().map(|text| versions.of(Uuid::nil(), text).name).collect()
    }

    #[test]
    fn the_first_text_is_a_comment_and_the_next_one_a_later_version() {
        let mut versions = Versions::default();
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert!(!versions.of(one, "a").is_later);
        assert!(!versions.of(other, "b").is_later, "another comment");
        assert!(!versions.of(one, "a").is_later, "a repeat of the first is what the first was");
        assert!(versions.of(one, "b").is_later);
        assert!(versions.of(one, "b").is_later, "a repeat of a later version is one");
    }

    #[test]
    fn a_text_that_comes_back_after_another_is_new() {
        let all = names(&["a", "b", "a", "b", "b", "a"]);
        assert_eq!(all[3], all[4], "said twice at once");
        let different: std::collections::BTreeSet<&String> = all.iter().collect();
        assert_eq!(different.len(), 5, "{all:?}");
    }

    #[test]
    fn texts_of_one_edit_time_are_versions_of_their_own_and_a_repeat_is_none() {
        let mut versions = Versions::default();
        let mut of = |edited, text| versions.edited("urn:example:forum", "k", edited, text);
        let (one, other) = (of(1_767_607_500, "a"), of(1_767_607_500, "b"));
        assert_ne!(one.name, other.name);
        assert!(one.is_later && other.is_later && one.name.starts_with("1767607500+"), "{one:?}");
        assert_eq!(of(1_767_607_500, "b"), other, "a repeat");
        let later = of(1_767_607_501, "a");
        assert_ne!(later.name, one.name, "another edit, back to an earlier text");
        assert_ne!(of(1_767_607_500, "a").name, one.name, "back within the time that an edit is rounded to");
        assert_eq!(of(1_767_607_501, "a"), later, "a repeat after an earlier edit");
    }

    proptest! {
        /// Reading the same comments again gives the same versions: that is what makes a repeat one.
        #[test]
        fn versions_follow_from_the_texts_alone(texts in prop::collection::vec("[ab]", 1..12)) {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let once = names(&texts);
            prop_assert_eq!(&once, &names(&texts));
            for (pair, names) in texts.windows(2).zip(once.windows(2)) {
                prop_assert_eq!(pair[0] == pair[1], names[0] == names[1]);
            }
        }
    }
}
