use jiff::Timestamp;
use maud::{Markup, html};
use modstream_events::Action;
use modstream_report::html::isolate_direction;
use plain_text::{agree, counted};

use super::words::{
    actions, ago, author, body, dated, decided, help, not_told, permalink, quoted, reported, said, severity, subreddit,
    terms,
};
use super::{Form, Width, alerts, button, numbers, shell};
use crate::company::{Company, Counts};
use crate::load::{Entry, MAX_SHOWN_AT_DESK, Queue};

/// How many characters of an undecided comment are shown.
const MAX_COMMENT_CHARS: usize = 600;
/// How many characters of a decided comment are shown.
const MAX_DECIDED_CHARS: usize = 90;
/// How many terms of an alert are shown.
const MAX_TERMS: usize = 4;

/// Alerts to decide about, and who decides.
pub(crate) struct Cards<'a> {
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

impl Cards<'_> {
    fn header(&self, title: &str) -> Markup {
        html! {
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
        }
    }

    /// What was just decided, and a way back.
    fn notice(&self) -> Markup {
        let Some(entry) = self.last else { return Markup::default() };
        html! {
            @match entry.log.standing().decided() {
                Some(decision) => {
                    div.notice role="status" {
                        span { (decided(decision, self.now)) ". " (not_told(decision)) " " (beginning(entry)) }
                        (self.form(entry, "undo", &[Action::Undo]))
                    }
                }
                None => { p.notice role="status" { "The decision was undone. The alert is waiting again." } }
            }
        }
    }

    fn list(&self, entries: &[Entry], company: &Company) -> Markup {
        html! { ol.items { @for entry in entries { (self.item(entry, company.counts(&entry.event))) } } }
    }

    fn item(&self, entry: &Entry, counts: Counts) -> Markup {
        let event = &*entry.event;
        let alert = &event.data;
        // What was undone is where one goes on.
        let is_last = self.last.is_some_and(|last| last.event.id == event.id);
        html! {
            li.item data-item data-last[is_last] tabindex="-1" {
                p.meta {
                    (severity(alert.severity)) " " (subreddit(&alert.comment)) " " (author(&alert.comment)) (company(counts))
                    (said(alert))
                    (ago(event.time, self.now)) (dated(alert, event.time))
                    (reported(entry.alert.reports))
                    @if alert.probe {
                        " " span { "probe" }
                    } @else if alert.exploration.is_some() {
                        " " span { "exploration" }
                    }
                    @if let Some(term) = &alert.matched { " " span { "contains " (quoted(term)) } }
                }
                (body(alert, MAX_COMMENT_CHARS))
                (help(alert))
                (terms(alert, MAX_TERMS))
                div.below {
                    (self.form(entry, "question", actions(alert)))
                    p.links { a href=(path(entry)) { "Why" } " " (permalink(&alert.comment, self.forum)) }
                }
            }
        }
    }

    fn form(&self, entry: &Entry, class: &str, actions: &[Action]) -> Markup {
        let hidden = [
            ("comment", entry.alert.key.comment.clone()),
            ("id", entry.alert.key.id.clone()),
            ("after", entry.log.last_number().to_string()),
            ("token", self.form_token.to_owned()),
        ];
        let buttons = html! { div.buttons { @for action in actions { (button(*action, false)) } } };
        Form { path: "/decide", hidden: &hidden }.html(class, &buttons)
    }
}

/// The queue and the day's numbers.
pub(crate) struct DeskPage<'a> {
    pub(crate) queue: &'a Queue,
    pub(crate) cards: Cards<'a>,
}

impl DeskPage<'_> {
    pub(crate) fn html(&self) -> String {
        let Queue { waiting, more, even_more, company, .. } = self.queue;
        let title = match waiting.len() + more {
            0 => "No alerts waiting".to_owned(),
            count if *even_more => format!("More than {} waiting", alerts(count)),
            count => format!("{} waiting", alerts(count)),
        };
        let content = html! {
            (self.cards.header(&title))
            (self.cards.notice())
            div.columns {
                main {
                    @if waiting.is_empty() {
                        p.empty { "Every alert is decided." }
                    } @else {
                        (self.cards.list(waiting, company))
                    }
                    (self.rest())
                    @if !waiting.is_empty() {
                        p.quiet {
                            "How many more there are by an author or in a thread is counted among the first "
                            (alerts(company.among)) " that wait."
                        }
                    }
                }
                aside { (numbers::section(&self.queue.numbers, self.queue.numbers_cut, self.queue.missed)) (self.decided_last()) }
            }
        };
        shell(&title, Width::Wide, &content)
    }

    fn rest(&self) -> Markup {
        let Queue { more, even_more, .. } = *self.queue;
        html! {
            @if more > 0 {
                p.quiet {
                    @if even_more { "More than " }
                    (counted(more, "more alert")) " " (agree(more, "is", "are")) " waiting. The first "
                    (MAX_SHOWN_AT_DESK) " are shown; the next ones follow as you decide these."
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
                            p.standing {
                                (decided(decision, self.cards.now)) ". " (not_told(decision))
                                @if entry.alert.superseded.is_some() { " Decided on an earlier text." }
                                @if entry.alert.withdrawn.is_some() { " The comment is gone." }
                            }
                            (beginning(entry))
                            (self.cards.form(entry, "undo", &[Action::Undo]))
                        }
                    }
                }
            }
        }
    }
}

/// How many others there are by the author, and in the thread.
fn company(counts: Counts) -> Markup {
    let Counts { more_by_author, in_thread } = counts;
    let by_author = (more_by_author > 0).then(|| format!("{more_by_author} more by them"));
    let in_thread = (in_thread > 1).then(|| format!("{in_thread} in this thread"));
    let said: Vec<String> = by_author.into_iter().chain(in_thread).collect();
    html! {
        @if !said.is_empty() {
            span title="Among the first alerts that wait" { (said.join(", ")) } " "
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
    format!("/alert/{}", entry.alert.key)
}

/// A few words of an alert; of a strong one none.
fn beginning(entry: &Entry) -> Markup {
    html! { (body(&entry.event.data, MAX_DECIDED_CHARS)) span.links { a href=(path(entry)) { "Open" } } }
}
