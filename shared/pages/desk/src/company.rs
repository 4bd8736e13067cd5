//! What there is besides an alert: others about the same author, others in the same thread.

use std::collections::HashMap;

use modstream_events::Comment;

use crate::load::AlertEvent;

/// How many alerts there are by author and by thread, among those that the desk has read.
#[derive(Default)]
pub(crate) struct Company {
    by_author: HashMap<(String, String), usize>,
    by_thread: HashMap<(String, String), usize>,
    /// The number of alerts among which they were counted.
    pub(crate) among: usize,
}

/// Where an alert stands among others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Alerts about other comments of the author.
    pub(crate) more_by_author: usize,
    /// Alerts in the thread, this one included.
    pub(crate) in_thread: usize,
}

impl Company {
    pub(crate) fn of<'a>(alerts: impl Iterator<Item = &'a AlertEvent>) -> Self {
        let mut company = Company::default();
        for event in alerts {
            let (source, comment) = (&event.data.comment_event.source, &event.data.comment);
            company.among += 1;
            for (counts, name) in [(&mut company.by_author, author(comment)), (&mut company.by_thread, thread(comment))]
            {
                if let Some(name) = name {
                    *counts.entry((source.to_string(), name.to_owned())).or_default() += 1;
                }
            }
        }
        company
    }

    /// The counts of an alert that is among them; none are 0.
    pub(crate) fn counts(&self, event: &AlertEvent) -> Counts {
        let (source, comment) = (&event.data.comment_event.source, &event.data.comment);
        let count = |counts: &HashMap<(String, String), usize>, name: Option<&str>| {
            name.and_then(|name| counts.get(&(source.to_string(), name.to_owned())).copied()).unwrap_or_default()
        };
        Counts {
            more_by_author: count(&self.by_author, author(comment)).saturating_sub(1),
            in_thread: count(&self.by_thread, thread(comment)),
        }
    }
}

/// Who wrote a comment; none where it is not known. What stands in brackets is in place of many names.
fn author<'a>(comment: &'a Comment<'_>) -> Option<&'a str> {
    let name = comment.author.as_deref()?.trim();
    let is_placeholder = name.starts_with('[') && name.ends_with(']');
    (!name.is_empty() && !is_placeholder).then_some(name)
}

/// The thread that a comment is in: that of its link, or its parent where that is a link.
fn thread<'a>(comment: &'a Comment<'_>) -> Option<&'a str> {
    let link = comment.link_id.as_deref().map(str::trim).filter(|link| !link.is_empty());
    link.or_else(|| comment.parent_id.as_deref().map(str::trim).filter(|parent| parent.starts_with("t3_")))
}
