use jiff::Timestamp;
use maud::{Markup, html};
use modstream_events::Action;
use modstream_report::html::isolate_direction;

use super::words::{ago, body, decided, percent, permalink, quoted, severity, subreddit, terms};
use super::{Form, Width, alerts, button, numbers, shell};
use crate::load::{DAYS, Entry, MAX_SHOWN_AT_DESK, Queue};

/// How many characters of an undecided comment are shown.
const MAX_COMMENT_CHARS: usize = 600;
/// How many characters of a decided comment are shown.
const MAX_DECIDED_CHARS: usize = 90;
/// How many terms of an alert are shown.
const MAX_TERMS: usize = 4;

/// The queue and the day's numbers.
pub(crate) struct DeskPage<'a> {
    pub(crate) queue: &'a Queue,
    pub(crate) moderator: &'a str,
    /// Proves that a form is of this page.
    pub(crate) form_token: &'a str,
    /// What was decided just now.
    pub(crate) last: Option<&'a Entry>,
    /// Whether there is a session to end.
    pub(crate) has_session: bool,
    pub(crate) forum: &'a str,
    pub(crate) now: Timestamp,
}

impl DeskPage<'_> {
    pub(crate) fn html(&self) -> String {
        let Queue { waiting, more, .. } = self.queue;
        let title = match waiting.len() + more {
            0 => "No alerts waiting".to_owned(),
            count => format!("{} waiting", alerts(count)),
        };
        let content = html! {
            header {
                h1 { (title) }
                div.who {
                    span { (isolate_direction(self.moderator)) }
                    @if self.has_session {
                        form method="post" action="/sign-out" { button.plain { "Sign out" } }
                    }
                }
                (keys())
            }
            (self.notice())
            div.columns {
                main {
                    @if waiting.is_empty() {
                        p.empty { "Every alert of the last " (DAYS) " days is decided." }
                    } @else {
                        ol.items { @for entry in waiting { (self.item(entry)) } }
                    }
                    (self.rest())
                }
                aside { (numbers::section(&self.queue.numbers)) (self.decided_last()) }
            }
        };
        shell(&title, Width::Wide, &content)
    }

    /// What was just decided, and a way back.
    fn notice(&self) -> Markup {
        let Some(entry) = self.last else { return Markup::default() };
        html! {
            @match entry.log.standing().decided() {
                Some(decision) => {
                    div.notice role="status" {
                        span { (decided(decision, self.now)) ". " (beginning(entry)) }
                        (self.form(entry, "undo", &[Action::Undo]))
                    }
                }
                None => { p.notice role="status" { "The decision was undone. The alert is waiting again." } }
            }
        }
    }

    fn item(&self, entry: &Entry) -> Markup {
        let event = &*entry.event;
        let alert = &event.data;
        // What was undone is where one goes on.
        let is_last = self.last.is_some_and(|last| last.event.id == event.id);
        html! {
            li.item data-item data-last[is_last] tabindex="-1" {
                p.meta {
                    (severity(alert.severity)) " " (subreddit(&alert.comment)) " "
                    span { (percent(alert.probability)) " likely to be removed" } " " (ago(event.time, self.now))
                    @if alert.probe {
                        " " span { "probe" }
                    } @else if alert.exploration.is_some() {
                        " " span { "exploration" }
                    }
                    @if let Some(term) = &alert.matched { " " span { "contains " (quoted(term)) } }
                }
                (body(alert, MAX_COMMENT_CHARS))
                (terms(alert, MAX_TERMS))
                div.below {
                    (self.form(entry, "question", &[Action::Remove, Action::Keep]))
                    p.links { a href=(path(entry)) { "Why" } " " (permalink(&alert.comment, self.forum)) }
                }
            }
        }
    }

    fn form(&self, entry: &Entry, class: &str, actions: &[Action]) -> Markup {
        let hidden = [
            ("hour", entry.hour.to_string()),
            ("id", entry.event.id.to_string()),
            ("after", entry.log.last_number().to_string()),
            ("token", self.form_token.to_owned()),
        ];
        let buttons = html! { div.buttons { @for action in actions { (button(*action, false)) } } };
        Form { path: "/decide", hidden: &hidden }.html(class, &buttons)
    }

    fn rest(&self) -> Markup {
        let Queue { more, unread, .. } = *self.queue;
        html! {
            @if more > 0 {
                p.quiet {
                    (more) (if more == 1 { " more alert is" } else { " more alerts are" }) " waiting. The first "
                    (MAX_SHOWN_AT_DESK) " are shown; the next ones follow as you decide these."
                    @if unread > 0 {
                        " Of these, " (unread) " are older than what the desk reads at once, so their severity is not known yet."
                    }
                }
            }
        }
    }

    fn decided_last(&self) -> Markup {
        let all = self.queue.decided_last.iter();
        let all = all.filter_map(|entry| Some((entry, entry.log.standing().decided()?)));
        html! {
            @if !self.queue.decided_last.is_empty() {
                h2 { "Decided last" }
                ol.lately {
                    @for (entry, decision) in all {
                        li {
                            p.standing { (decided(decision, self.now)) }
                            (beginning(entry))
                            (self.form(entry, "undo", &[Action::Undo]))
                        }
                    }
                }
            }
        }
    }
}

/// What the keys do.
fn keys() -> Markup {
    html! {
        p.keys {
            span { kbd { "j" } " " kbd { "k" } " next, previous" } " "
            span { kbd { "r" } " remove" } " "
            span { kbd { "x" } " keep" } " "
            span { kbd { "u" } " undo the last decision" }
        }
    }
}

/// Where an alert's page is.
fn path(entry: &Entry) -> String {
    format!("/alert/{}/{}", entry.hour, entry.event.id)
}

/// A few words of an alert; of a strong one none.
fn beginning(entry: &Entry) -> Markup {
    html! { (body(&entry.event.data, MAX_DECIDED_CHARS)) span.links { a href=(path(entry)) { "Open" } } }
}
