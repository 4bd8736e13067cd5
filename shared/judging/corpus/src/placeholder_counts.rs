//! How many comments were left out for what stands in place of their texts.

use std::collections::BTreeMap;
use std::fmt;

use plain_text::counted;
use serde::Serialize;

/// How many forms a sentence names.
const NAMED_FORMS: usize = 8;

/// How many comments were left out because a placeholder stands in place of their text, by its form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct PlaceholderCounts {
    forms: BTreeMap<String, u64>,
}

impl PlaceholderCounts {
    /// Counts a placeholder.
    pub fn add(&mut self, form: String) {
        *self.forms.entry(form).or_default() += 1;
    }

    /// The number of comments.
    pub fn count(&self) -> u64 {
        self.forms.values().sum()
    }

    /// The forms, each with its number of comments.
    pub fn forms(&self) -> &BTreeMap<String, u64> {
        &self.forms
    }
}

/// The forms as a list, the most frequent first: `12 [removed], 3 [deleted]`.
impl fmt::Display for PlaceholderCounts {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut forms: Vec<(&String, &u64)> = self.forms.iter().collect();
        forms.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        for (place, (form, count)) in forms.iter().take(NAMED_FORMS).enumerate() {
            write!(to, "{}{count} {form}", if place == 0 { "" } else { ", " })?;
        }
        if forms.len() > NAMED_FORMS {
            write!(to, ", and {}", counted(forms.len() - NAMED_FORMS, "other form"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use normal_form::Placeholders;

    use super::*;

    #[test]
    fn they_are_counted_by_their_form() {
        let mut left_out = PlaceholderCounts::default();
        for text in ["[deleted]", "[removed]", "\\[Removed\\]"] {
            left_out.add(Placeholders::default().form(text).expect("a placeholder"));
        }
        assert_eq!((left_out.count(), left_out.to_string()), (3, "2 [removed], 1 [deleted]".to_owned()));
    }
}
