use jiff::Timestamp;
use maud::{Markup, html};
use modstream_decisions::Standing;
use modstream_events::{Action, MAX_MODERATOR_CHARS};
use modstream_ledger::{Entry as Alerted, Withheld, Withholding};
use modstream_report::html::isolate_direction;

use super::words::{
    actions, ago, author, body, dated, decided, help, list, moment, not_told, percent, permalink, reported, severity,
    subreddit, why,
};
use super::{Form, Width, button, shell};
use crate::load::Entry;

/// How many characters of a comment are shown: more than an alert carries.
const MAX_COMMENT_CHARS: usize = 2_100;

/// Who is asked.
pub(crate) enum Asker<'a> {
    /// Somebody with a link, who says a name; this is the last one.
    Anybody { name: &'a str },
    /// A moderator at the desk.
    Moderator { name: &'a str },
}

/// One alert, and the question.
pub(crate) struct AlertPage<'a> {
    pub(crate) entry: &'a Entry,
    pub(crate) form: Form<'a>,
    pub(crate) asker: Asker<'a>,
    /// What the link proposes.
    pub(crate) proposed: Option<Action>,
    /// What to say first.
    pub(crate) notice: Option<&'a str>,
    pub(crate) forum: &'a str,
    pub(crate) now: Timestamp,
}

impl AlertPage<'_> {
    pub(crate) fn html(&self) -> String {
        let alert = &self.entry.event.data;
        let content = html! {
            main data-item {
                @if let Asker::Moderator { .. } = self.asker { p.back { a href="/" { "Back to the desk" } } }
                @if let Some(notice) = self.notice { p.notice role="status" { (notice) } }
                p.meta {
                    (severity(alert.severity)) " " (subreddit(&alert.comment)) " "
                    @if let Asker::Moderator { .. } = self.asker { (author(&alert.comment)) }
                    (ago(self.entry.event.time, self.now)) (dated(alert, self.entry.event.time))
                    (reported(self.entry.alert.reports))
                }
                h1 { (self.heading()) }
                (body(alert, MAX_COMMENT_CHARS))
                (help(alert))
                (self.question())
                p.links { (permalink(&alert.comment, self.forum)) }
                (self.explanation())
            }
        };
        shell(self.heading(), Width::Narrow, &content)
    }

    fn heading(&self) -> &'static str {
        match self.entry.log.standing() {
            Standing::Undecided if self.entry.alert.withdrawn.is_some() => "This comment is gone",
            Standing::Undecided if self.entry.alert.superseded.is_some() => "This comment says something else by now",
            Standing::Undecided if self.entry.event.data.self_harm.is_some() => "Somebody may need help",
            Standing::Undecided => "Should this comment stay?",
            Standing::Decided(decision) if decision.action == Action::Remove => "Decided: remove",
            Standing::Decided(_) => "Decided: keep",
        }
    }

    fn question(&self) -> Markup {
        let (standing, actions): (Markup, &[Action]) = match self.entry.log.standing() {
            Standing::Undecided if !self.entry.alert.is_open() => {
                return html! { p.standing { (since(&self.entry.alert)) } };
            }
            Standing::Undecided => (Markup::default(), actions(&self.entry.event.data)),
            Standing::Decided(decision) => {
                let (decided, moment) = (decided(decision, self.now), moment(decision.time));
                let not_told = not_told(decision);
                let said =
                    html! { p.standing { (decided) ", on " (moment) ". " (not_told) " " (since(&self.entry.alert)) } };
                (said, &[Action::Undo])
            }
        };
        let fields = html! {
            @if let Asker::Anybody { name } = self.asker {
                label {
                    "Your name as a moderator "
                    input name="moderator" value=(name) required maxlength=(MAX_MODERATOR_CHARS) autocomplete="nickname"
                        spellcheck="false";
                }
            }
            div.buttons { @for action in actions { (button(*action, self.proposed == Some(*action))) } }
        };
        html! { (standing) (self.form.html("question", &fields)) }
    }

    fn explanation(&self) -> Markup {
        let alert = &self.entry.event.data;
        let point = alert.operating_point;
        let version = alert.model.version.get(..12).unwrap_or(&alert.model.version);
        html! {
            section {
                h2 { "Why" }
                p { (why(alert)) }
                @for label in alert.labels.iter().flatten().filter(|label| !label.terms.is_empty()) {
                    p {
                        "These terms moved the log-odds of " q { (isolate_direction(&label.label.replace('_', " "))) }
                        " most. A number above zero speaks for it."
                    }
                    (list(&label.terms, ["speaks for it", "speaks against it"]))
                }
                @if !alert.terms.is_empty() && !alert.is_beside_a_guess() {
                    p { "These terms moved the log-odds most. A number above zero speaks for removal." }
                    (list(&alert.terms, ["speaks for removal", "speaks for keeping"]))
                }
                @if !alert.is_beside_a_guess() {
                    p {
                        "Of comments with this probability or a higher one, the model expects moderators to remove "
                        (percent(point.precision)) ", where they remove " (percent(point.base_rate)) " of all comments."
                    }
                }
                @if let Some(withheld) = self.entry.alert.withheld() { (held_back(withheld)) }
                @if self.entry.log.all().len() > 1 {
                    h2 { "What happened" }
                    ol.history { @for one in self.entry.log.all() { li { (decided(one, self.now)) } } }
                }
                p.quiet {
                    "Policy " code { (alert.policy.condition) } ", " (isolate_direction(&alert.policy.name)) ". Model "
                    (isolate_direction(&alert.model.name)) ", version " code { (version) }
                    @if let Some(harm) = &alert.harm_model {
                        "; harm model " (isolate_direction(&harm.name)) ", version "
                        code { (harm.version.get(..12).unwrap_or(&harm.version)) }
                    }
                    "."
                }
            }
        }
    }
}

/// What happened to the comment, where a decision is about something else than is there now.
fn since(alert: &Alerted) -> &'static str {
    if alert.withdrawn.is_some() {
        "The comment was deleted, and its text with it."
    } else if alert.superseded.is_some() {
        "This is about an earlier text: the comment was edited. Its latest text is judged by itself."
    } else {
        ""
    }
}

/// Why nobody was told at once. Of an exploration the page has said so.
fn held_back(withheld: &Withheld) -> Markup {
    let detail = withheld.detail.trim_end_matches('.');
    html! {
        @if withheld.reason != Withholding::Exploration {
            p.quiet { "This alert was held back" @if !detail.is_empty() { ": " (detail) } "." }
        }
    }
}
