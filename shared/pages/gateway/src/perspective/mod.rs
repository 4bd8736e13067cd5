//! Perspective's API, `commentanalyzer` v1alpha1, over the labels that are mapped to its attributes.

pub(crate) mod analyze;
pub(crate) mod discovery;
pub(crate) mod suggest;
pub(crate) mod unknown;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::Response;
use crate::read::Unreadable;
use crate::route::google_error;
use crate::text;

/// A text, as Perspective's requests hold it.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub(crate) struct TextEntry {
    /// The text, of at most 20,480 bytes of UTF-8.
    pub(crate) text: Option<String>,
    /// `PLAIN_TEXT`.
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
}

/// Why a request is refused, in Perspective's words: clients switch on the kind.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fault {
    kind: &'static str,
    message: String,
    /// Which languages, of which attribute.
    languages: Option<Value>,
}

impl Fault {
    fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Fault { kind, message: message.into(), languages: None }
    }

    fn invalid(message: impl Into<String>) -> Self {
        Fault::new("INVALID_REQUEST", message)
    }

    pub(crate) fn response(&self) -> Response {
        let mut detail = json!({
            "@type": "type.googleapis.com/google.commentanalyzer.v1alpha1.Error",
            "errorType": self.kind,
        });
        if let Some(languages) = &self.languages {
            detail["languageNotSupportedByAttributeError"] = languages.clone();
        }
        google_error(400, "INVALID_ARGUMENT", &self.message, &[detail])
    }
}

/// What is said of a body that is no request.
pub(crate) fn unreadable(error: &Unreadable) -> Response {
    google_error(400, "INVALID_ARGUMENT", &format!("Invalid JSON payload received. {error}"), &[])
}

/// The text of a comment, where it can be scored.
fn text_of(comment: Option<&TextEntry>) -> Result<&str, Fault> {
    let comment = comment.ok_or_else(|| Fault::invalid("Missing comment"))?;
    if !matches!(comment.kind.as_deref(), None | Some("PLAIN_TEXT" | "TEXT_TYPE_UNSPECIFIED")) {
        return Err(Fault::invalid("Currently, only 'PLAIN_TEXT' comments are supported"));
    }
    let said = comment.text.as_deref().unwrap_or_default();
    // Before the text is looked at: it may be as long as a body.
    let (size, limit) = (said.len(), text::MAX_BYTES);
    if size > limit {
        let message = format!("Comment text was too many bytes. Value ({size}) exceeded limit ({limit}).");
        return Err(Fault::new("COMMENT_TOO_LONG", message));
    }
    if text::is_blank(said) {
        return Err(Fault::new("COMMENT_EMPTY", "Comment must be non-empty."));
    }
    Ok(said)
}
