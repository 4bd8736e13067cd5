//! Bluesky, by the frames of [Jetstream](https://github.com/bluesky-social/jetstream): JSON, a frame each.

use jiff::Timestamp;
use modstream_events::{Comment, DeletedBy, ids};
use serde_json::Value;

use crate::json::{self, is_name};
use crate::said::{Origin, Said, Skip, Version, plausible};

/// The `source` of Bluesky's comments, wherever their frames come from: their ids name their authors' repositories.
pub const SOURCE: &str = "https://bsky.app";

/// The collection that posts lie in.
pub const POSTS: &str = "app.bsky.feed.post";

/// How many links of a post are told: the app shows fewer, and what others write has no such bound.
const MAX_LINKS: usize = 16;

/// What a frame says, and the place in the stream that it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// What it says.
    pub said: Said,
    /// Its time in microseconds since 1970, which is the cursor of whoever goes on behind it; none where it says no time that can
    /// be true, so that nobody would go on from there.
    pub cursor: Option<i64>,
}

/// Reads a frame that came now.
pub fn read(text: &str, origin: &Origin, now: Timestamp) -> Frame {
    let Some(frame) = json::read(text) else {
        return Frame { said: Said::Skipped(Skip::NotJson), cursor: None };
    };
    let cursor = frame.get("time_us").and_then(Value::as_i64);
    let cursor = cursor.filter(|cursor| plausible(cursor.div_euclid(1_000_000), now).is_some());
    Frame { said: said(&frame, cursor, origin, now).unwrap_or(Said::Skipped(Skip::OddShape)), cursor }
}

fn said(frame: &Value, cursor: Option<i64>, origin: &Origin, now: Timestamp) -> Option<Said> {
    let skipped = |skip| Some(Said::Skipped(skip));
    match json::text(frame, "kind")? {
        "commit" => commit(frame, cursor, origin, now),
        "identity" => skipped(Skip::Identity),
        "account" => {
            let account = frame.get("account")?;
            match (json::is(account, "active"), json::text(account, "status")) {
                (false, Some("deleted" | "takendown")) => skipped(Skip::AccountGone),
                _ => skipped(Skip::AccountActive),
            }
        }
        _ => skipped(Skip::OtherKind),
    }
}

fn commit(frame: &Value, cursor: Option<i64>, origin: &Origin, now: Timestamp) -> Option<Said> {
    let commit = frame.get("commit")?;
    if json::text(commit, "collection")? != POSTS {
        return Some(Said::Skipped(Skip::OtherKind));
    }
    let did = json::text(frame, "did").filter(|did| did.starts_with("did:") && is_name(did, 256))?;
    let key = json::text(commit, "rkey").filter(|key| is_name(key, 512) && !key.contains('/'))?;
    let id = format!("at://{did}/{POSTS}/{key}");
    let seen = cursor.and_then(|cursor| Timestamp::from_microsecond(cursor).ok()).unwrap_or(now);
    let is_first = match json::text(commit, "operation")? {
        "create" => true,
        "update" => false,
        "delete" => return Some(origin.deleted(&id, None, DeletedBy::Author, seen)),
        _ => return Some(Said::Skipped(Skip::OtherKind)),
    };
    let record = commit.get("record").filter(|record| record.is_object())?;
    let text = record.get("text").and_then(Value::as_str).unwrap_or_default();
    let body = with_links(text, record);
    // An edit that takes all text away says so: what was said before is no longer said.
    if is_first && body.trim().is_empty() {
        return Some(Said::Skipped(Skip::NoText));
    }
    let version = version(commit, &body);
    let of_reply = |which: &str| {
        let uri = json::text(record.get("reply")?.get(which)?, "uri")?;
        is_name(uri, 1_024).then(|| uri.to_owned().into())
    };
    let seconds = seen.as_second();
    let comment = Comment {
        id: Some(id.into()),
        parent_id: of_reply("parent"),
        link_id: of_reply("root"),
        subreddit: language(record).map(Into::into),
        author: Some(did.into()),
        body: Some(body.into()),
        // Of the frame: `createdAt` is what the author's program says.
        created_utc: is_first.then_some(seconds),
        edited: (!is_first).then_some(seconds),
        score: None,
        permalink: Some(format!("/profile/{did}/post/{key}").into()),
    };
    let version = if is_first { Version::First(version) } else { Version::Later(version) };
    Some(origin.comment(comment, version, now))
}

/// The text, and where its links lead: a reader sees their beginnings alone.
fn with_links(text: &str, record: &Value) -> String {
    let features = record.get("facets").and_then(Value::as_array).into_iter().flatten().filter_map(|facet| {
        let features = facet.get("features")?.as_array()?;
        features.iter().find_map(|feature| json::text(feature, "uri"))
    });
    let mut body = text.to_owned();
    for uri in features.take(MAX_LINKS) {
        if !body.contains(uri) {
            if !body.is_empty() {
                body.push(' ');
            }
            body.push_str(uri);
        }
    }
    body
}

/// The first language, where it looks like one.
fn language(record: &Value) -> Option<String> {
    let language = record.get("langs")?.get(0)?.as_str()?;
    let parts = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (language.len() <= 35 && language.split('-').all(parts)).then(|| language.to_owned())
}

/// The version that a commit makes, as a number that grows with the repository's revisions, so that two that come in the wrong
/// order are put right. A revision of another form is its own name.
fn version(commit: &Value, body: &str) -> String {
    let revision = json::text(commit, "rev").filter(|revision| is_name(revision, 64));
    match revision {
        Some(revision) => ticks(revision).map_or_else(|| revision.to_owned(), |ticks| ticks.to_string()),
        None => ids::text_version(body, 0),
    }
}

/// The digits of a [timestamp identifier](https://atproto.com/specs/tid), which sort as the numbers do.
const DIGITS: &[u8; 32] = b"234567abcdefghijklmnopqrstuvwxyz";

/// The number that a timestamp identifier writes; none where it is none.
fn ticks(revision: &str) -> Option<u64> {
    if revision.len() != 13 {
        return None;
    }
    let number = revision.bytes().try_fold(0_u128, |number, byte| {
        let digit = DIGITS.iter().position(|digit| *digit == byte)?;
        Some(number << 5 | u128::try_from(digit).ok()?)
    })?;
    u64::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revisions_are_numbers_in_their_own_order() {
        let all = ["2222222222222", "3jqfcqzm3fo2j", "3l3qo2vutsw2b", "3l3qo2vuu2x2c", "jzzzzzzzzzzzz"];
        let numbers: Vec<u64> = all.into_iter().map(|revision| ticks(revision).expect("a revision")).collect();
        assert!(numbers.is_sorted() && numbers[0] == 0, "{numbers:?}");
        for odd in ["", "3l3qo2vutsw2", "3l3qo2vutsw2b1", "3L3QO2VUTSW2B", "zzzzzzzzzzzzz", "1111111111111"] {
            assert_eq!(ticks(odd), None, "{odd}");
        }
    }
}
