//! OpenAI's `/v1/moderations`, for texts.

use std::collections::BTreeMap;

use modstream_classifier::Scratch;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Response;
use crate::judging::Models;
use crate::read;
use crate::route::openai as error;
use crate::settings::{CATEGORIES, Flagged, Settings};
use crate::text::{Language, is_known, language};

/// The most texts of a request: an answer has 39 values a text.
const MAX_INPUTS: usize = 256;

/// A request.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct ModerationRequest {
    /// A text, a list of texts with a result each, or a list of parts (`{"type": "text", "text": ...}`) that are one text.
    input: Input,
    /// Which model is asked for. The answer says which one answered.
    #[serde(default)]
    #[expect(dead_code, reason = "it is taken, and says nothing: the one that answers is the one there is")]
    model: Option<Ignored>,
}

/// A value of any type, which nobody looks at.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
struct Ignored(#[cfg_attr(feature = "schema", schemars(with = "String"))] serde::de::IgnoredAny);

/// The texts of a request.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
enum Input {
    /// One text.
    Text(String),
    /// Several.
    Texts(Vec<String>),
    /// Parts of one.
    Parts(Vec<Part>),
    /// Something else.
    #[cfg_attr(feature = "schema", schemars(skip))]
    Other(serde::de::IgnoredAny),
}

/// A part of a text.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Part {
    /// `text`.
    #[serde(rename = "type")]
    kind: String,
    /// The text.
    #[serde(default)]
    text: Option<String>,
}

/// The answer.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct ModerationResponse {
    /// The same for the same request.
    id: String,
    /// The models that answered, each with its version.
    model: String,
    /// A result for each text.
    results: Vec<ModerationResult>,
}

/// What is said of a text.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct ModerationResult {
    /// Whether any category holds.
    flagged: bool,
    /// Whether each category holds. One that nothing measures never does.
    categories: BTreeMap<&'static str, bool>,
    /// The probability of each category; 0 of one that nothing measures.
    category_scores: BTreeMap<&'static str, f64>,
    /// What each category was measured on; nothing, where nothing measures it.
    category_applied_input_types: BTreeMap<&'static str, Vec<&'static str>>,
}

/// Answers a request.
pub(crate) fn moderate(body: &[u8], settings: &Settings, models: &Models, scratch: &mut Scratch) -> Response {
    let request: ModerationRequest = match read::json(body) {
        Ok(request) => request,
        Err(problem) => return error(400, "invalid_json", &format!("The body could not be read: {problem}"), None),
    };
    let invalid = |message: &str| error(400, "invalid_input", message, Some("input"));
    let texts = match request.input {
        Input::Text(text) => vec![text],
        Input::Texts(texts) => texts,
        Input::Parts(parts) => {
            let mut texts = Vec::with_capacity(parts.len());
            for Part { kind, text } in parts {
                match (kind.as_str(), text) {
                    ("text", Some(text)) => texts.push(text),
                    ("text", None) => return invalid("a part of type text has a text"),
                    ("image_url", _) => {
                        return error(
                            400,
                            "image_not_supported",
                            "Images are not looked at: send text alone.",
                            Some("input"),
                        );
                    }
                    _ => return invalid("a part is of type text"),
                }
            }
            vec![texts.join("\n")]
        }
        Input::Other(_) => return invalid("input is a text, a list of texts, or a list of parts of type text"),
    };
    if texts.is_empty() || texts.iter().any(String::is_empty) {
        return invalid("input must not be empty");
    }
    if texts.len() > MAX_INPUTS {
        return invalid(&format!("input has at most {MAX_INPUTS} texts: send it in parts"));
    }

    // A model that was promoted since may have other labels.
    let mapped: Mapped<'_> = settings
        .categories
        .iter()
        .filter(|(_, flagged)| models.has(&flagged.label))
        .map(|(name, it)| (&**name, it))
        .collect();
    let panel = models.panel(mapped.values().map(|flagged| &flagged.label));
    let results: Vec<ModerationResult> =
        texts.iter().map(|text| result(&panel.probabilities(text, scratch), &mapped)).collect();
    let others: Vec<&str> = texts
        .iter()
        .filter_map(|text| match language(text) {
            Language::Is(language) if !is_known(language, &settings.requests.languages) => Some(language),
            _ => None,
        })
        .collect();
    let model = panel.models();
    let id = format!("modr-{}", Uuid::new_v5(&modstream_events::ids::NAMESPACE, body).simple());
    let unmapped: Vec<&str> = CATEGORIES.into_iter().filter(|name| !mapped.contains_key(name)).collect();
    let mut response = Response::json(200, &ModerationResponse { id, model: model.clone(), results });
    response = response.with("x-modstream-model", model);
    if !unmapped.is_empty() {
        response = response.with("x-modstream-unmapped", unmapped.join(", "));
    }
    if !others.is_empty() {
        response = response.with("x-modstream-unknown-language", unique(others).join(", "));
    }
    response
}

fn unique(mut texts: Vec<&str>) -> Vec<&str> {
    texts.sort_unstable();
    texts.dedup();
    texts
}

/// The categories that something measures, in the order of their probabilities.
type Mapped<'a> = BTreeMap<&'a str, &'a Flagged>;

fn result(probabilities: &[f64], mapped: &Mapped<'_>) -> ModerationResult {
    let measured = |name: &str| {
        let mut all = mapped.iter().zip(probabilities);
        all.find(|((known, _), _)| **known == name).map(|((_, flagged), value)| (*value, flagged.from))
    };
    let each = || CATEGORIES.into_iter().map(|name| (name, measured(name)));
    ModerationResult {
        flagged: each().any(|(_, of)| of.is_some_and(|(value, from)| value >= from)),
        categories: each().map(|(name, of)| (name, of.is_some_and(|(value, from)| value >= from))).collect(),
        category_scores: each().map(|(name, of)| (name, of.map_or(0.0, |(value, _)| value))).collect(),
        category_applied_input_types: each()
            .map(|(name, of)| (name, if of.is_some() { vec!["text"] } else { Vec::new() }))
            .collect(),
    }
}
