//! Who makes a change to what is in use, why, and who is told.

use clap::builder::{ArgPredicate, NonEmptyStringValueParser};
use clap::{ArgGroup, Args};
use modstream_decisions::{Announced, Decisions};
use modstream_events::{Cause, MAX_REASON_CHARS};
use modstream_in_use::history::Change;
use modstream_platform::aws::SystemClock;
use modstream_platform::deliver::DeliveryError;
use serde_json::{Value, json};

use super::connection::deadline;
use super::display::one_line;
use super::reached::{HERE, Kind, Reached};

/// What a command takes that changes what is in use.
#[derive(Clone, Debug, Args)]
#[command(group(ArgGroup::new("kept in").args(["table", "data"]).multiple(true)))]
pub(crate) struct CauseArgs {
    /// Who makes the change; the credentials' ARN is recorded in any case
    #[arg(long, value_name = "NAME", env = "MODSTREAM_OPERATOR", value_parser = operator)]
    pub(crate) by: Option<String>,
    /// Why; it is kept with the change, and shown with it
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    pub(crate) reason: Option<String>,
    /// The decisions' stream, which gets an event about the change
    #[arg(long, value_name = "NAME", env = "MODSTREAM_DECISIONS_STREAM", value_parser = NonEmptyStringValueParser::new(),
        requires = "kept in", default_value_if("data", ArgPredicate::IsPresent, HERE))]
    pub(crate) decisions_stream: Option<String>,
    /// The system's table, which keeps the event until the stream has it
    #[arg(long, value_name = "NAME", env = "MODSTREAM_TABLE", value_parser = NonEmptyStringValueParser::new(),
        default_value_if("data", ArgPredicate::IsPresent, HERE))]
    pub(crate) table: Option<String>,
}

/// The most characters of an operator's name.
const MAX_OPERATOR_CHARS: usize = 100;

fn operator(text: &str) -> Result<String, String> {
    let name = text.trim();
    let is_plain = !name.chars().any(|c| c.is_control() || plain_text::unseen(c).is_some());
    if is_plain && (1..=MAX_OPERATOR_CHARS).contains(&name.chars().count()) {
        Ok(name.to_owned())
    } else {
        Err(format!("a name has 1 to {MAX_OPERATOR_CHARS} characters in one line, all of which can be seen"))
    }
}

fn reason(text: &str) -> Result<String, String> {
    let text = text.trim();
    let chars = text.chars().count();
    if chars > MAX_REASON_CHARS {
        return Err(format!("a reason of {chars} characters is too long: use at most {MAX_REASON_CHARS}"));
    }
    Ok(text.to_owned())
}

impl CauseArgs {
    /// Who makes the change, and why: what was said, and what AWS says of the credentials. Nothing is made up.
    pub(crate) async fn cause(&self, system: &Reached) -> Cause<'static> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty()).map(Into::into);
        let identity = system.identity().await.map(Into::into);
        if self.by.is_none() && identity.is_none() {
            eprintln!(
                "who makes this change is not recorded: AWS does not say whose credentials these are; say --by NAME"
            );
        }
        Cause { by: given(&self.by), identity, reason: given(&self.reason) }
    }

    /// Makes a change, and tells the decisions' stream where it is named. Whether it was made.
    ///
    /// # Errors
    /// Where it is not made.
    pub(crate) async fn make<E: From<DeliveryError>>(
        &self,
        system: &Reached,
        event: &[u8],
        make: impl Future<Output = Result<bool, E>>,
    ) -> Result<bool, E> {
        let (Some(stream), Some(table)) = (&self.decisions_stream, &self.table) else { return make.await };
        let (table, stream) = (system.table(table), system.stream(Kind::Decisions, stream));
        let announcing = Decisions::new(&table, &stream, &SystemClock, deadline());
        let announced = Box::pin(announcing.announce(event, make)).await?;
        if announced == Announced::Unsent {
            eprintln!(
                "the event about it is not on the decisions' stream yet: digest-alerts puts it there within an hour"
            );
        }
        Ok(announced != Announced::NotMade)
    }
}

/// Who made a change, and why, as a line ends with it.
pub(crate) fn in_words(cause: &Cause<'_>) -> String {
    let Cause { by, identity, reason } = cause;
    let who = match (by, identity) {
        (Some(by), Some(identity)) => format!("by {} ({})", one_line(by), one_line(identity)),
        (Some(one), None) | (None, Some(one)) => format!("by {}", one_line(one)),
        (None, None) => "by somebody who is not recorded".to_owned(),
    };
    let why = reason.as_ref().map_or_else(|| "no reason given".to_owned(), |reason| one_line(reason));
    format!("{who}: {why}")
}

/// The same for a program.
pub(crate) fn in_json(cause: &Cause<'_>) -> Value {
    json!({ "by": cause.by, "identity": cause.identity, "reason": cause.reason })
}

/// A change for a program.
pub(crate) fn change_in_json(change: &Change) -> Value {
    let mut line = in_json(&change.cause());
    line["time"] = change.time.to_string().into();
    line["before"] = change.before.as_deref().into();
    line["number"] = change.number.into();
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_said_is_said_to_be_missing() {
        let said = |by: Option<&'static str>, identity: Option<&'static str>, reason: Option<&'static str>| {
            in_words(&Cause {
                by: by.map(Into::into),
                identity: identity.map(Into::into),
                reason: reason.map(Into::into),
            })
        };
        assert_eq!(said(None, None, None), "by somebody who is not recorded: no reason given");
        assert_eq!(said(Some("maja"), None, Some("raid\nover")), "by maja: raid over");
        assert_eq!(said(Some("maja"), Some("arn:x"), None), "by maja (arn:x): no reason given");
        assert_eq!(said(None, Some("arn:x"), None), "by arn:x: no reason given");
    }

    #[test]
    fn a_name_can_be_seen_and_a_reason_has_an_end() {
        assert_eq!(operator(" maja@example.org "), Ok("maja@example.org".to_owned()));
        for name in ["", "  ", "a\nb", "a\u{202E}b", &"x".repeat(101)] {
            assert!(operator(name).is_err(), "{name:?}");
        }
        assert_eq!(reason("  "), Ok(String::new()));
        assert!(reason(&"x".repeat(500)).is_ok() && reason(&"x".repeat(501)).is_err());
    }
}
