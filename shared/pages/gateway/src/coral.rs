//! Coral's external moderation phase: a signed comment in, what to do about it out
//! ([EXTERNAL_MODERATION_PHASES.md](https://github.com/coralproject/talk/blob/main/EXTERNAL_MODERATION_PHASES.md)).
//!
//! A signature covers no time, so a request may come again: the answer follows from it alone, and nothing is kept of it.

use hmac::{Hmac, KeyInit as _, Mac as _};
use modstream_classifier::Scratch;
use modstream_events::Comment;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::judging::{Judging, Outcome, unsent};
use crate::settings::{ByPolicies, Settings};
use jiff::Timestamp;
use modstream_events::ids;

/// How many signatures of a header are looked at: Coral sends one a secret that is not expired.
const MAX_SIGNATURES: usize = 8;
/// The roles whose comments Coral takes without asking.
const TRUSTED: [&str; 3] = ["STAFF", "MODERATOR", "ADMIN"];

/// Whether any of the signatures is that of the body under any of the secrets. The body is as it came: JSON written anew is
/// another text.
pub(crate) fn is_signed(header: &str, body: &[u8], secrets: &[String]) -> bool {
    let signatures = header.split(',').filter_map(|one| one.trim().strip_prefix("sha256=")).take(MAX_SIGNATURES);
    let signatures: Vec<Vec<u8>> = signatures.filter_map(|digits| hex::decode(digits.trim()).ok()).collect();
    let mut is_signed = false;
    for secret in secrets {
        // A key of HMAC may have any length.
        let Ok(mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { continue };
        let mac = mac.chain_update(body);
        // All of them are compared, each in constant time.
        for signature in &signatures {
            is_signed |= mac.clone().verify_slice(signature).is_ok();
        }
    }
    is_signed
}

/// A comment that is about to be posted or edited.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "CoralRequest"))]
#[serde(rename_all = "camelCase")]
pub(crate) struct CoralRequest {
    /// The comment.
    comment: CoralComment,
    /// Its author.
    #[serde(default)]
    author: CoralAuthor,
    /// The site.
    #[serde(default)]
    site: CoralNamed,
    /// The tenant.
    #[serde(rename = "tenantID", default)]
    tenant_id: Option<String>,
}

/// The comment.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct CoralComment {
    /// Its text, in HTML.
    #[serde(default)]
    body: Option<String>,
    /// What it answers.
    #[serde(rename = "parentID", default)]
    parent_id: Option<String>,
}

/// The author.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
struct CoralAuthor {
    /// Their id.
    id: Option<String>,
    /// Their role, such as `COMMENTER`.
    role: Option<String>,
}

/// What has an id.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
struct CoralNamed {
    /// Its id.
    id: Option<String>,
}

/// What Coral is to do. Its schema is strict: with anything else in it, Coral skips the phase.
#[derive(Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct CoralAnswer {
    /// The flags that moderators see.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    actions: Vec<CoralFlag>,
    /// `SYSTEM_WITHHELD`: a moderator decides before anybody reads it.
    status: &'static str,
}

/// A flag.
#[derive(Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct CoralFlag {
    /// `FLAG`.
    action_type: &'static str,
    /// `COMMENT_DETECTED_TOXIC`, which is said where a label measures that, and never of what the policies find.
    reason: &'static str,
}

/// What Coral is told: nothing where the comment may be posted.
pub(crate) fn moderate(
    request: CoralRequest,
    settings: &Settings,
    judging: &Judging<'_>,
    now: Timestamp,
    scratch: &mut Scratch,
) -> Option<CoralAnswer> {
    let CoralRequest { comment, author, site, tenant_id } = request;
    if author.role.is_some_and(|role| TRUSTED.contains(&role.as_str())) {
        return None;
    }
    let text = without_tags(comment.body.as_deref().unwrap_or_default());
    if crate::text::is_blank(&text) {
        return None;
    }
    let toxic = &settings.coral.toxic;
    let panel = judging.models.panel([&toxic.label]);
    let is_toxic = panel.probabilities(&text, scratch).first().is_some_and(|value| *value >= toxic.from);
    let is_alert = settings.coral.policies == ByPolicies::Withhold && {
        let source = format!("urn:coral:{}", tenant_id.unwrap_or_default());
        let id = ids::comment(&source, "", &ids::text_version(&text, 0)).to_string();
        let comment = Comment {
            body: Some(text.into()),
            author: author.id.map(Into::into),
            subreddit: site.id.map(Into::into),
            parent_id: comment.parent_id.map(Into::into),
            ..Comment::default()
        };
        let prediction = judging.predict(comment, unsent(&source, id, now), scratch);
        judging.verdict(&prediction).verdict == Outcome::Alert
    };
    (is_toxic || is_alert).then(|| CoralAnswer {
        actions: if is_toxic {
            vec![CoralFlag { action_type: "FLAG", reason: "COMMENT_DETECTED_TOXIC" }]
        } else {
            Vec::new()
        },
        status: "SYSTEM_WITHHELD",
    })
}

/// A text of Coral's editor without its markup, as a reader sees its words. Entities are undone where a text is read.
fn without_tags(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        text.push_str(before);
        let begins_tag = tag[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!');
        match tag.find('>').filter(|_| begins_tag) {
            Some(end) => {
                // Bold letters within a word stay within it; what begins a line is a word of its own.
                let name: String =
                    tag[1..end].trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
                if !["a", "b", "em", "i", "s", "span", "strong", "u"].contains(&name.to_ascii_lowercase().as_str()) {
                    text.push('\n');
                }
                rest = &tag[end + 1..];
            }
            None => {
                text.push('<');
                rest = &tag[1..];
            }
        }
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn signature(secret: &str, body: &[u8]) -> String {
        let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length").chain_update(body);
        format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
    }

    #[test]
    fn any_signature_of_the_bytes_as_they_came_will_do_and_no_other() {
        let body = b"{\n  \"action\": \"NEW\"\n}";
        let secrets = ["new".to_owned(), "old".to_owned()];
        let (right, wrong) = (signature("old", body), signature("other", body));
        for header in [
            right.clone(),
            format!("{wrong},{right}"),
            format!(" {right} , {wrong}"),
            right.to_uppercase().replace("SHA256", "sha256"),
        ] {
            assert!(is_signed(&header, body, &secrets), "{header}");
        }
        let flood = vec![wrong.as_str(); 100].join(",");
        for header in ["", "sha256=", "sha256=zz", "sha1=00", &wrong, &right[..right.len() - 2], &right[7..], &flood] {
            assert!(!is_signed(header, body, &secrets), "{header}");
        }
        assert!(!is_signed(&right, b"{\"action\":\"NEW\"}", &secrets));
        assert!(!is_signed(&right, body, &[]) && !is_signed(&signature("", body), body, &secrets));
    }

    #[test]
    fn a_text_is_read_without_its_markup() {
        for (html, text) in [
            ("<div>you <b>id</b>iot</div>", "\nyou idiot\n"),
            ("one<br>two<br/>three", "one\ntwo\nthree"),
            ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
            ("<3 you", "<3 you"),
            ("a <b", "a <b"),
        ] {
            assert_eq!(without_tags(html), text);
        }
    }

    proptest! {
        #[test]
        fn no_markup_loses_the_text_behind_it(html in "[<>/ab! ]{0,40}") {
            let marked = format!("{html}<b>end");
            prop_assert!(without_tags(&marked).ends_with("end"));
        }
    }
}
