use jiff::Timestamp;
use modstream_decisions::{Log, Standing};
use modstream_events::{Action, Alert, Event, MAX_MODERATOR_CHARS};
use modstream_ledger::Withheld;
use modstream_report::escape::{escape, foreign};

use super::words::{ago, body, decided, moment, percent, permalink, severity, subreddit, terms, why};
use super::{Form, shell};

/// More than an alert carries.
const WHOLE: usize = 2_100;

/// Who is asked.
pub(crate) enum Asker<'a> {
    /// Somebody with a link, who says a name; this is the last one.
    Anybody { name: &'a str },
    /// A moderator at the desk.
    Moderator { name: &'a str },
}

/// One alert, and the question.
pub(crate) struct AlertPage<'a> {
    pub(crate) event: &'a Event<'a, Alert<'a>>,
    pub(crate) log: &'a Log,
    pub(crate) withheld: Option<&'a Withheld>,
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
        let alert = &self.event.data;
        let notice = self
            .notice
            .map_or_else(String::new, |text| format!("<p class=\"notice\" role=\"status\">{}</p>", escape(text)));
        let back = match self.asker {
            Asker::Moderator { .. } => "<p class=\"back\"><a href=\"/\">Back to the desk</a></p>",
            Asker::Anybody { .. } => "",
        };
        let content = format!(
            "<main data-item>{back}{notice}<p class=\"meta\">{} {} {}</p>\n<h1>{}</h1>\n{}\n{}\n<p class=\"links\">{}</p>\n{}</main>",
            severity(alert.severity),
            subreddit(&alert.comment),
            ago(self.event.time, self.now),
            self.heading(),
            body(alert, WHOLE),
            self.question(),
            permalink(&alert.comment, self.forum),
            self.explanation(),
        );
        shell(self.heading(), "narrow", &content)
    }

    fn heading(&self) -> &'static str {
        match self.log.standing() {
            Standing::Undecided => "Does this comment stay?",
            Standing::Decided(decision) if decision.action == Action::Remove => "Decided: remove",
            Standing::Decided(_) => "Decided: keep",
        }
    }

    fn question(&self) -> String {
        let name = match self.asker {
            Asker::Moderator { .. } => String::new(),
            Asker::Anybody { name } => format!(
                "<label>Your name among moderators <input name=\"moderator\" value=\"{}\" required \
                 maxlength=\"{MAX_MODERATOR_CHARS}\" autocomplete=\"nickname\" spellcheck=\"false\"></label>",
                escape(name)
            ),
        };
        let button = |action: Action, label: &str| {
            let class = if self.proposed == Some(action) { "first " } else { "" };
            format!("<button name=\"action\" value=\"{action}\" class=\"{class}{action}\">{label}</button>")
        };
        let open = self.form.open("question");
        match self.log.standing() {
            Standing::Undecided => {
                let buttons = [button(Action::Remove, "Remove"), button(Action::Keep, "Keep")];
                format!("{open}{name}<div class=\"buttons\">{}</div></form>", buttons.concat())
            }
            Standing::Decided(decision) => format!(
                "<p class=\"standing\">{}, on {}.</p>{open}{name}<div class=\"buttons\">{}</div></form>",
                decided(decision, self.now),
                moment(decision.time),
                button(Action::Undo, "Undo")
            ),
        }
    }

    fn explanation(&self) -> String {
        let alert = &self.event.data;
        let point = alert.operating_point;
        let claim = format!(
            "Of comments with this probability or a higher one, the model expects moderators to remove {}, where they remove {} \
             of all comments.",
            percent(point.precision),
            percent(point.base_rate)
        );
        let terms = terms(alert, usize::MAX);
        let terms = if terms.is_empty() {
            String::new()
        } else {
            format!("<p>What moved it most, in log-odds; above zero speaks for removal:</p>{terms}")
        };
        let policy = format!(
            "Policy <code>{}</code>, {}. Model {}, version <code>{}</code>.",
            escape(&alert.policy.condition),
            foreign(&alert.policy.name),
            foreign(&alert.model.name),
            escape(alert.model.version.get(..12).unwrap_or(&alert.model.version)),
        );
        let withheld = self.withheld.map_or_else(String::new, |withheld| {
            format!("<p class=\"quiet\">It was not sent by itself: {}</p>", escape(&withheld.detail))
        });
        let history = self.log.all();
        let history = if history.len() < 2 {
            String::new()
        } else {
            let all = history.iter().map(|one| format!("<li>{}</li>", decided(one, self.now))).collect::<String>();
            format!("<h2>What happened</h2><ol class=\"history\">{all}</ol>")
        };
        format!(
            "<section><h2>Why</h2><p>{}</p>{terms}<p>{claim}</p>{withheld}{history}<p class=\"quiet\">{policy}</p></section>",
            why(alert)
        )
    }
}
