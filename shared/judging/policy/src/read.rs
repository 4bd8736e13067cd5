//! From a text to the document that it holds, whether that makes sense or not.

use json_text::{Place, Repeated, repeated_key};

use crate::Problem;
use crate::document::Document;
use crate::locate::{Keys, Twice};

/// How toml says that a key stands twice.
const DUPLICATE_KEY: &str = "duplicate key";

impl From<Twice> for Problem {
    /// A setting or a subreddit that a text has twice.
    fn from(Twice { field, first, second }: Twice) -> Self {
        let what = format!("it is written twice, at {first} and at {second}: keep one of the two");
        Problem { line: Some(second.line), field, what }
    }
}

/// Reads a document of JSON.
pub(crate) fn from_json(text: &str) -> Result<Document, Problem> {
    // serde_json takes the last of two subreddits in silence, and names one place of two settings.
    if let Some(Repeated { path, first, second }) = repeated_key(text, |_| true) {
        return Err(Twice { field: path.join("."), first, second }.into());
    }
    let mut json = serde_json::Deserializer::from_str(text);
    let read = serde_path_to_error::deserialize(&mut json);
    let document: Document = read.map_err(|error| {
        let field = field_of(error.path());
        let error = error.into_inner();
        // The message ends in the place, which the problem says before.
        let what = error.to_string();
        let what = what.rsplit_once(" at line ").map_or(what.as_str(), |(what, _)| what).to_owned();
        Problem { line: Some(error.line()), field, what }
    })?;
    json.end().map_err(|error| Problem {
        line: Some(error.line()),
        field: String::new(),
        what: "there is text after the document's last brace: write one document a file".to_owned(),
    })?;
    Ok(document)
}

/// Reads a document of TOML.
pub(crate) fn from_toml(text: &str) -> Result<Document, Problem> {
    let problem = |field: String, error: &toml::de::Error| Problem {
        line: error.span().map(|span| Place::of(text, span.start).line),
        field,
        what: error.message().replace('\n', ", "),
    };
    let toml = toml::Deserializer::parse(text).map_err(|error| {
        let at = error.span().filter(|_| error.message() == DUPLICATE_KEY);
        let twice = at.and_then(|span| Keys::of_toml(text).twice(span.start));
        twice.map_or_else(|| problem(String::new(), &error), Problem::from)
    })?;
    serde_path_to_error::deserialize(toml).map_err(|error| {
        let field = field_of(error.path());
        problem(field, &error.into_inner())
    })
}

fn field_of(path: &serde_path_to_error::Path) -> String {
    let field = path.to_string();
    if field == "." { String::new() } else { field }
}
