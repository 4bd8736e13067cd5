//! A digest as people read it: an email, and a short text for phones.

mod email;
mod plain;
mod sms;

use std::collections::BTreeMap;

use modstream_events::{Alert, Event};
use modstream_ledger::digests::Digest;
use modstream_platform::Message;

use crate::Links;

/// How many alerts an email shows.
pub const SHOWN: usize = 10;

/// A digest, with what the ledger has of its strongest alerts; none where it has nothing that can be shown.
#[derive(Debug)]
pub struct Rendering<'a> {
    /// The digest's id.
    pub id: &'a str,
    /// The digest's position in its window.
    pub position: usize,
    /// The digest.
    pub digest: &'a Digest,
    /// The digest's first [`SHOWN`] alerts.
    pub shown: &'a [Option<Event<'a, Alert<'a>>>],
    /// The makers of its links.
    pub links: &'a Links,
    /// The forum's address, for permalinks that are paths.
    pub forum: &'a str,
}

impl Rendering<'_> {
    /// The message to publish.
    pub fn message(&self) -> Message {
        let Digest { subreddit, severity, .. } = self.digest;
        // SNS refuses an attribute without a value.
        let subreddit = subreddit.as_ref().filter(|name| !name.is_empty());
        let attributes = [("severity", Some(severity.as_str())), ("subreddit", subreddit.map(String::as_str))];
        let set = attributes.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
        Message {
            id: self.id.to_owned(),
            subject: Some(email::subject(self.digest)),
            body: email::body(self),
            by_protocol: BTreeMap::from([(
                "sms".to_owned(),
                sms::text(self.digest, self.first(), self.page().as_deref()),
            )]),
            attributes: set.collect(),
        }
    }

    /// The first alert, where it can be shown.
    fn first(&self) -> Option<&Alert<'_>> {
        Some(&self.shown.first()?.as_ref()?.data)
    }

    fn page(&self) -> Option<String> {
        self.links.digest(self.digest, self.position)
    }
}
