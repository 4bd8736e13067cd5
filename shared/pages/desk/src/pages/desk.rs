use jiff::Timestamp;
use modstream_events::Action;
use modstream_report::escape::{escape, foreign};

use super::words::{ago, body, decided, percent, permalink, severity, subreddit, terms};
use super::{Form, numbers, shell};
use crate::load::{DAYS, Entry, Queue, SHOWN};

/// How many characters of a comment.
const SOME: usize = 600;
/// How many of one that is decided.
const LITTLE: usize = 90;

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
        let count = waiting.len() + more;
        let title = if count == 0 { "Nothing waits".to_owned() } else { format!("{count} waiting") };
        let sign_out = if self.has_session {
            "<form method=\"post\" action=\"/sign-out\"><button class=\"plain\">Sign out</button></form>"
        } else {
            ""
        };
        let items: String = waiting.iter().map(|entry| self.item(entry)).collect();
        let list = if waiting.is_empty() {
            format!("<p class=\"empty\">Every alert of the last {DAYS} days is decided.</p>")
        } else {
            format!("<ol class=\"items\">{items}</ol>")
        };
        let content = format!(
            "<header><h1>{title}</h1><div class=\"who\"><span>{}</span>{sign_out}</div>\
             <p class=\"keys\"><span><kbd>j</kbd> <kbd>k</kbd> next, previous</span> <span><kbd>r</kbd> remove</span> \
             <span><kbd>x</kbd> keep</span> <span><kbd>u</kbd> undo the last</span></p></header>\n{}\
             <div class=\"columns\"><main>{list}{}</main>\n<aside>{}{}</aside></div>",
            foreign(self.moderator),
            self.notice(),
            self.rest(),
            numbers::section(&self.queue.numbers),
            self.lately(),
        );
        shell(&title, "wide", &content)
    }

    /// What was just decided, and a way back.
    fn notice(&self) -> String {
        let Some(entry) = self.last else { return String::new() };
        let Some(decision) = entry.log.standing().decided() else {
            return "<p class=\"notice\" role=\"status\">Undone: it waits again.</p>\n".to_owned();
        };
        format!(
            "<div class=\"notice\" role=\"status\"><span>{}. {}</span>{}</div>\n",
            decided(decision, self.now),
            self.beginning(entry),
            self.form(entry, "undo", &[(Action::Undo, "Undo")]),
        )
    }

    /// A few words of an alert; of a strong one none.
    fn beginning(&self, entry: &Entry) -> String {
        let Some(event) = entry.event() else { return String::new() };
        let text = body(&event.data, LITTLE);
        let link = format!("/alert/{}/{}", entry.hour, event.id);
        format!("{text}<span class=\"links\"><a href=\"{}\">Open</a></span>", escape(&link))
    }

    fn item(&self, entry: &Entry) -> String {
        let Some(event) = entry.event() else { return String::new() };
        let alert = &event.data;
        let note = if alert.probe {
            " <span>probe</span>"
        } else if alert.exploration.is_some() {
            " <span>asked to learn</span>"
        } else {
            ""
        };
        let always = alert
            .matched
            .as_ref()
            .map_or_else(String::new, |term| format!(" <span>contains <q>{}</q></span>", foreign(term)));
        // What was undone is where one goes on.
        let last = self.last.and_then(Entry::event).is_some_and(|last| last.id == event.id);
        let last = if last { " data-last" } else { "" };
        format!(
            "<li class=\"item\" data-item{last} tabindex=\"-1\">\
             <p class=\"meta\">{} {} <span>{} likely to be removed</span> {}{note}{always}</p>\
             {}{}<div class=\"below\">{}<p class=\"links\"><a href=\"/alert/{}/{}\">Why</a> {}</p></div></li>\n",
            severity(alert.severity),
            subreddit(&alert.comment),
            percent(alert.probability),
            ago(event.time, self.now),
            body(alert, SOME),
            terms(alert, 4),
            self.form(entry, "question", &[(Action::Remove, "Remove"), (Action::Keep, "Keep")]),
            entry.hour,
            escape(&event.id),
            permalink(&alert.comment, self.forum),
        )
    }

    fn form(&self, entry: &Entry, class: &str, actions: &[(Action, &str)]) -> String {
        let Some(event) = entry.event() else { return String::new() };
        let hidden = [
            ("hour", entry.hour.to_string()),
            ("id", event.id.to_string()),
            ("after", entry.log.last_number().to_string()),
            ("token", self.form_token.to_owned()),
        ];
        let form = Form { path: "/decide", hidden: &hidden };
        let buttons = actions.iter().map(|(action, label)| {
            format!("<button name=\"action\" value=\"{action}\" class=\"{action}\">{label}</button>")
        });
        format!("{}<div class=\"buttons\">{}</div></form>", form.open(class), buttons.collect::<String>())
    }

    fn rest(&self) -> String {
        let Queue { more, unread, .. } = *self.queue;
        let unread = if unread > 0 {
            format!(" {unread} of them are older than what is read at once, so their severity is not known yet.")
        } else {
            String::new()
        };
        if more == 0 {
            String::new()
        } else {
            format!(
                "<p class=\"quiet\">{more} more wait. The first {SHOWN} are shown; the next come as these are decided.{unread}</p>"
            )
        }
    }

    fn lately(&self) -> String {
        if self.queue.lately.is_empty() {
            return String::new();
        }
        let item = |entry: &Entry| {
            let Some(decision) = entry.log.standing().decided() else { return String::new() };
            format!(
                "<li><p class=\"standing\">{}</p>{}{}</li>",
                decided(decision, self.now),
                self.beginning(entry),
                self.form(entry, "undo", &[(Action::Undo, "Undo")]),
            )
        };
        let items: String = self.queue.lately.iter().map(item).collect();
        format!("<h2>Decided last</h2><ol class=\"lately\">{items}</ol>")
    }
}
