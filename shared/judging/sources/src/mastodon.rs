//! Mastodon, and what speaks its API: statuses by its streams, timelines and webhooks.

use jiff::Timestamp;
use modstream_events::{Comment, ids};
use serde_json::Value;

use crate::html::text_of;
use crate::json::{self, is_name};
use crate::said::{NoPage, Origin, Said, Skip, Version, time};

/// What an event of the [stream](https://docs.joinmastodon.org/methods/streaming/) says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Streamed {
    /// What it says.
    pub said: Said,
    /// The status that is new by it, behind which a timeline goes on.
    pub newest: Option<String>,
}

/// Reads an event of this name and data that came now.
pub fn read(name: &str, data: &str, origin: &Origin, now: Timestamp) -> Streamed {
    let skipped = |skip| Streamed { said: Said::Skipped(skip), newest: None };
    match name {
        "update" | "status.update" => match json::read(data) {
            None => skipped(Skip::NotJson),
            Some(read) => Streamed {
                said: status(&read, origin, now),
                newest: (name == "update").then(|| id_of(&read)).flatten(),
            },
        },
        "delete" => match Some(data.trim()).filter(|id| is_name(id, 256)) {
            // It does not say by whom.
            Some(id) => Streamed { said: origin.gone(id, now), newest: None },
            None => skipped(Skip::OddShape),
        },
        _ => skipped(Skip::OtherKind),
    }
}

/// Reads a page of a timeline, newest first as it comes: what each status says, with its id.
///
/// # Errors
/// Where it is no list.
pub fn page(text: &str, origin: &Origin, now: Timestamp) -> Result<Vec<(Option<String>, Said)>, NoPage> {
    let page = json::read(text);
    let statuses = page.as_ref().and_then(Value::as_array).ok_or(NoPage("a timeline of Mastodon"))?;
    Ok(statuses.iter().map(|read| (id_of(read), status(read, origin, now))).collect())
}

fn id_of(status: &Value) -> Option<String> {
    json::id(status, "id").filter(|id| is_name(id, 256))
}

fn status(status: &Value, origin: &Origin, now: Timestamp) -> Said {
    let Some(id) = id_of(status) else { return Said::Skipped(Skip::OddShape) };
    if status.get("reblog").is_some_and(|reblog| !reblog.is_null()) {
        return Said::Skipped(Skip::Repost);
    }
    if json::text(status, "visibility").is_some_and(|seen| !matches!(seen, "public" | "unlisted")) {
        return Said::Skipped(Skip::NotPublic);
    }
    let said_at = |name| json::text(status, name).and_then(|text| time(text, now));
    // Whether it was edited counts where the time of it can't be true, too.
    let is_edited = json::text(status, "edited_at").is_some();
    let text = text_of(status.get("content").and_then(Value::as_str).unwrap_or_default());
    // What a reader sees before they open it is said as well.
    let warning = status.get("spoiler_text").and_then(Value::as_str).unwrap_or_default().trim();
    let body = match (warning.is_empty(), text.is_empty()) {
        (true, _) => text,
        (false, true) => warning.to_owned(),
        (false, false) => format!("{warning}\n\n{text}"),
    };
    if body.is_empty() && !is_edited {
        return Said::Skipped(Skip::NoText);
    }
    let (edited, of_text) = (said_at("edited_at"), ids::text_version(&body, 0));
    let account = status.get("account").unwrap_or(&Value::Null);
    let comment = Comment {
        id: Some(id.clone().into()),
        parent_id: json::id(status, "in_reply_to_id").filter(|id| is_name(id, 256)).map(Into::into),
        link_id: None,
        subreddit: None,
        author: json::text(account, "acct").map(Into::into),
        body: Some(body.into()),
        created_utc: said_at("created_at"),
        edited,
        score: None,
        permalink: json::text(account, "acct")
            .filter(|acct| is_name(acct, 512))
            .map(|acct| format!("/@{acct}/{id}").into()),
    };
    let version = match (is_edited, edited) {
        (false, _) => Version::First(of_text),
        (true, Some(edited)) => Version::Later(ids::edit_version(edited, &of_text)),
        (true, None) => Version::Later(of_text),
    };
    origin.comment(comment, version, now)
}
