use jiff::Timestamp;
use maud::{Markup, html};
use modstream_ledger::digests::Digest;
use modstream_report::html::isolate_direction;
use plain_text::agree;

use super::words::{ago, body, dated, decided, help, said, severity, terms};
use super::{Width, alerts, shell};
use crate::load::{Entry, MAX_SHOWN_OF_DIGEST};

/// How many characters of a comment are shown.
const MAX_COMMENT_CHARS: usize = 280;
/// How many terms of an alert are shown.
const MAX_TERMS: usize = 4;

/// The alerts of a digest.
pub(crate) struct DigestPage<'a> {
    pub(crate) digest: &'a Digest,
    pub(crate) entries: &'a [Entry],
    /// Where an alert's page is.
    pub(crate) link: &'a dyn Fn(&Entry) -> Option<String>,
    pub(crate) now: Timestamp,
}

impl DigestPage<'_> {
    pub(crate) fn html(&self) -> String {
        let Digest { subreddit, start, end, .. } = self.digest;
        let covered = self.digest.count;
        let undecided = self.entries.iter().filter(|entry| entry.log.standing().decided().is_none()).count();
        let more = covered.saturating_sub(MAX_SHOWN_OF_DIGEST);
        let content = html! {
            main {
                p.meta {
                    span { (start.strftime("%-d %B, %H:%M").to_string()) " to " (end.strftime("%H:%M UTC").to_string()) }
                }
                h1 {
                    (alerts(covered)) " in "
                    @match subreddit {
                        Some(name) => { "r/" (isolate_direction(name)) }
                        None => "comments without a subreddit",
                    }
                }
                p.quiet {
                    @match undecided {
                        0 => "All alerts shown here are decided.",
                        some => {
                            (alerts(some)) " " (agree(some, "is", "are")) " undecided. Open "
                            (agree(some, "it", "one")) " to decide."
                        }
                    }
                    @if more > 0 {
                        " The " (MAX_SHOWN_OF_DIGEST) " strongest are shown; " (more) " more "
                        (agree(more, "is", "are")) " at the desk."
                    }
                }
                ol.items { @for entry in self.entries { (self.item(entry)) } }
            }
        };
        shell("Digest", Width::Narrow, &content)
    }

    fn item(&self, entry: &Entry) -> Markup {
        let event = &*entry.event;
        let alert = &event.data;
        html! {
            li.item data-item tabindex="-1" {
                p.meta {
                    (severity(alert.severity)) " " (said(alert))
                    (ago(event.time, self.now)) (dated(alert, event.time)) " "
                    span {
                        @match entry.log.standing().decided() {
                            Some(decision) => (decided(decision, self.now)),
                            None => "undecided",
                        }
                    }
                }
                (body(alert, MAX_COMMENT_CHARS))
                (help(alert))
                (terms(alert, MAX_TERMS))
                @if let Some(link) = (self.link)(entry) { p.links { a href=(link) { "Open" } } }
            }
        }
    }
}
