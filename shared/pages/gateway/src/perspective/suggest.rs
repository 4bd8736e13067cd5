//! `comments:suggestscore`: what somebody says that a text should have got.

use modstream_events::Feedback;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::{Fault, TextEntry, text_of};
use crate::feedback;
use crate::read::{self, Named};
use crate::settings::Settings;
use crate::text::MAX_BYTES;

/// A request.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "SuggestCommentScoreRequest"))]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct SuggestRequest {
    /// The comment.
    comment: Option<TextEntry>,
    /// What its attributes should be, at least one.
    #[serde(alias = "attribute_scores")]
    #[cfg_attr(feature = "schema", schemars(with = "std::collections::BTreeMap<String, SuggestedScores>"))]
    attribute_scores: Named<SuggestedScores>,
    /// The community that says so.
    #[serde(alias = "community_id")]
    community_id: Option<String>,
    /// What comes back in the answer; Coral says `comment:` and the comment's id.
    #[serde(alias = "client_token")]
    client_token: Option<String>,
}

/// What an attribute should be.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "camelCase")]
struct SuggestedScores {
    /// The score of the whole text.
    #[serde(alias = "summary_score")]
    summary_score: Option<SuggestedScore>,
    /// The scores of parts of it, which nothing is learned from.
    #[serde(alias = "span_scores")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<serde_json::Value>"))]
    span_scores: Option<Vec<IgnoredAny>>,
}

/// A score.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
struct SuggestedScore {
    /// From 0 to 1.
    #[serde(deserialize_with = "read::number")]
    #[cfg_attr(feature = "schema", schemars(with = "f64"))]
    value: Option<f64>,
}

/// The answer.
#[derive(Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "SuggestCommentScoreResponse"))]
#[serde(rename_all = "camelCase")]
pub(crate) struct SuggestResponse {
    /// What the request said.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_token: Option<String>,
}

/// What is suggested, and the answer.
pub(crate) fn suggest(
    request: SuggestRequest,
    settings: &Settings,
) -> Result<(SuggestResponse, Vec<Feedback<'static>>), Fault> {
    let text = text_of(request.comment.as_ref())?.to_owned();
    let SuggestRequest { attribute_scores: Named(suggested), community_id, client_token, .. } = request;
    if suggested.is_empty() {
        return Err(Fault::invalid("attribute_scores must not be empty"));
    }
    // They are names, and stand in every row.
    for (name, said) in [("community_id", &community_id), ("client_token", &client_token)] {
        if said.as_ref().is_some_and(|said| said.len() > MAX_BYTES) {
            return Err(Fault::invalid(format!("{name} must have at most {MAX_BYTES} bytes")));
        }
    }
    let mut said_of = Vec::new();
    for (name, said) in suggested {
        if !settings.attributes.contains_key(&name) {
            return Err(Fault::invalid(format!("Unknown requested attribute: {}", read::cut(&name))));
        }
        let SuggestedScores { summary_score, span_scores } = said.unwrap_or_default();
        match summary_score.and_then(|score| score.value) {
            Some(value) if (0.0..=1.0).contains(&value) => {
                let (community, token) = (community_id.clone(), client_token.clone());
                said_of.push(feedback::suggested(community, token, text.clone(), name, value));
            }
            Some(_) => return Err(Fault::invalid("score must be in [0, 1]")),
            None if span_scores.is_none_or(|spans| spans.is_empty()) => {
                return Err(Fault::invalid("AttributeScores must not be empty"));
            }
            None => {}
        }
    }
    Ok((SuggestResponse { client_token }, said_of))
}
