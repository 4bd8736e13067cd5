//! `comments:analyze`: what labels say of a text, under Perspective's names.

use std::collections::BTreeMap;

use modstream_classifier::Scratch;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Fault, TextEntry, text_of};
use crate::judging::{Measure, Models};
use crate::read::{self, Named};
use crate::settings::Settings;
use crate::text::{Language, Sentence, is_known, language, sentences};

/// A request.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "AnalyzeCommentRequest"))]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct AnalyzeRequest {
    /// The comment.
    pub(crate) comment: Option<TextEntry>,
    /// What the comment answers. It is not looked at: the labels know words, and no context.
    context: Option<Context>,
    /// Which attributes are asked for, at least one.
    #[serde(alias = "requested_attributes")]
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<String, AttributeParameters>"))]
    requested_attributes: Named<AttributeParameters>,
    /// The text's languages, by ISO 639-1 or BCP 47; told from the text where there are none.
    #[serde(deserialize_with = "read::texts")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    languages: Vec<String>,
    /// Whether each sentence is scored, too.
    #[serde(alias = "span_annotations")]
    span_annotations: Option<bool>,
    /// Whether the text must not become a comment of the system.
    #[serde(alias = "do_not_store")]
    pub(crate) do_not_store: Option<bool>,
    /// What comes back in the answer; where the text becomes a comment, its id.
    #[serde(alias = "client_token")]
    pub(crate) client_token: Option<String>,
    /// The community, where the text becomes a comment.
    #[serde(alias = "community_id")]
    pub(crate) community_id: Option<String>,
}

/// What a comment answers.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "camelCase")]
struct Context {
    /// Texts around it.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<TextEntry>"))]
    entries: Option<Vec<IgnoredAny>>,
    /// The article, and the comment that is answered; not beside `entries`.
    #[serde(alias = "article_and_parent_comment")]
    #[cfg_attr(feature = "schema", schemars(with = "serde_json::Map<String, serde_json::Value>"))]
    article_and_parent_comment: Option<IgnoredAny>,
}

/// How an attribute is asked for.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "camelCase")]
struct AttributeParameters {
    /// `PROBABILITY`.
    #[serde(alias = "score_type")]
    score_type: Option<String>,
    /// An attribute with a lower score is left out.
    #[serde(alias = "score_threshold", deserialize_with = "read::number")]
    #[cfg_attr(feature = "schema", schemars(with = "f64"))]
    score_threshold: Option<f64>,
}

/// The answer.
#[derive(Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "AnalyzeCommentResponse"))]
#[serde(rename_all = "camelCase")]
pub(crate) struct AnalyzeResponse {
    /// The attributes that were asked for, but for those below their thresholds.
    attribute_scores: BTreeMap<String, AttributeScores>,
    /// The languages that the text was scored in.
    languages: Vec<String>,
    /// The languages that were told from the text.
    detected_languages: Vec<String>,
    /// What the request said.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_token: Option<String>,
}

/// The scores of an attribute.
#[derive(Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct AttributeScores {
    /// The score of the whole text.
    summary_score: Score,
    /// The scores of its sentences, where they were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    span_scores: Vec<SpanScore>,
}

/// A score.
#[derive(Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Score {
    /// The probability, from 0 to 1.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    value: f64,
    /// `PROBABILITY`.
    #[serde(rename = "type")]
    kind: &'static str,
}

impl Score {
    fn of(value: f64) -> Self {
        Score { value, kind: "PROBABILITY" }
    }
}

/// The score of a part of the text.
#[derive(Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct SpanScore {
    /// Where it begins, in code units of UTF-16.
    begin: usize,
    /// Where it ends; that unit is none of it.
    end: usize,
    /// Its score.
    score: Score,
}

/// An answer, and which models gave it.
#[derive(Debug)]
pub(crate) struct Analyzed {
    pub(crate) response: AnalyzeResponse,
    pub(crate) models: String,
}

/// Scores a comment under the names that were asked for.
pub(crate) fn analyze(
    request: &AnalyzeRequest,
    settings: &Settings,
    models: &Models,
    scratch: &mut Scratch,
) -> Result<Analyzed, Fault> {
    let text = text_of(request.comment.as_ref())?;
    let Named(wanted) = &request.requested_attributes;
    if wanted.is_empty() {
        return Err(Fault::new("NO_REQUESTED_ATTRIBUTES", "Missing requested_attributes"));
    }
    if let Some(Context { entries: Some(entries), article_and_parent_comment: Some(_) }) = &request.context
        && !entries.is_empty()
    {
        let message = "Context can have either entries or article_and_parent_comment, but both fields were populated.";
        return Err(Fault::invalid(message));
    }
    let mut asked: Vec<(&str, &Measure, f64)> = Vec::with_capacity(wanted.len().min(settings.attributes.len()));
    for (name, how) in wanted {
        // A model that was promoted since may have other labels.
        let Some(measure) = settings.attributes.get(name).filter(|measure| models.has(measure)) else {
            return Err(Fault::invalid(format!("Unknown requested attribute: {}", read::cut(name))));
        };
        let kind = how.as_ref().and_then(|how| how.score_type.as_deref());
        if let Some(kind) = kind.filter(|kind| !matches!(*kind, "PROBABILITY" | "SCORE_TYPE_UNSPECIFIED")) {
            let kind = read::cut(kind);
            return Err(Fault::invalid(format!("Requested score type {kind} is not supported by attribute {name}")));
        }
        asked.push((name, measure, how.as_ref().and_then(|how| how.score_threshold).unwrap_or(0.0)));
    }
    let Languages { used, detected } = languages(text, request, settings, asked.first().map_or("", |(name, ..)| name))?;

    let panel = models.panel(asked.iter().map(|(_, measure, _)| *measure));
    let whole = panel.probabilities(text, scratch);
    let spans: Vec<(Sentence<'_>, Vec<f64>)> = if request.span_annotations == Some(true) {
        let sentences = sentences(text).into_iter();
        sentences
            .map(|sentence| {
                let scores = panel.probabilities(sentence.text, scratch);
                (sentence, scores)
            })
            .collect()
    } else {
        Vec::new()
    };
    let scores = asked.iter().enumerate().filter(|(index, (_, _, threshold))| whole[*index] >= *threshold);
    let attribute_scores = scores.map(|(index, (name, ..))| {
        let span_scores = spans.iter().map(|(Sentence { units, .. }, scores)| SpanScore {
            begin: units.start,
            end: units.end,
            score: Score::of(scores[index]),
        });
        let scores = AttributeScores { summary_score: Score::of(whole[index]), span_scores: span_scores.collect() };
        ((*name).to_owned(), scores)
    });
    let response = AnalyzeResponse {
        attribute_scores: attribute_scores.collect(),
        languages: used,
        detected_languages: detected,
        client_token: request.client_token.clone(),
    };
    Ok(Analyzed { response, models: panel.models() })
}

/// The languages that a text is scored in, and those that were told from it.
struct Languages {
    used: Vec<String>,
    detected: Vec<String>,
}

fn languages(text: &str, request: &AnalyzeRequest, settings: &Settings, attribute: &str) -> Result<Languages, Fault> {
    let known = &settings.requests.languages;
    let unsupported = |field: &str, which: &str, all: &[String], missing: &[&str]| Fault {
        kind: "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE",
        message: read::cut(&format!(
            "Attribute {attribute} does not support {which} languages: {}",
            missing.join(", ")
        )),
        languages: Some(json!({ field: all, "attribute": attribute })),
    };
    let told = language(text);
    // The first of those that the models know.
    let assumed = || known.first().cloned().into_iter().collect::<Vec<_>>();
    let detected = match told {
        Language::Is(language) => vec![language.to_owned()],
        Language::Unsaid => assumed(),
        Language::None => Vec::new(),
    };
    if !request.languages.is_empty() {
        let all = &request.languages;
        let missing: Vec<&str> = all.iter().map(String::as_str).filter(|language| !is_known(language, known)).collect();
        if !missing.is_empty() {
            return Err(unsupported("requestedLanguages", "request", all, &missing));
        }
        return Ok(Languages { used: all.clone(), detected });
    }
    match told {
        Language::None => Err(Fault::new("LANGUAGE_DETECTION_FAILED", "Unable to detect language")),
        Language::Is(language) if !is_known(language, known) => {
            Err(unsupported("detectedLanguages", "detected", &detected, &[language]))
        }
        Language::Is(_) | Language::Unsaid => Ok(Languages { used: detected.clone(), detected }),
    }
}
