//! The OpenAPI document, from the types that requests are read into and answers are written from.

use modstream_events::{Comment, Event};
use schemars::JsonSchema;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value, json};

use crate::check::CheckResponse;
use crate::coral::{CoralAnswer, CoralRequest};
use crate::openai::{ModerationRequest, ModerationResponse};
use crate::perspective::analyze::{AnalyzeRequest, AnalyzeResponse};
use crate::perspective::suggest::{SuggestRequest, SuggestResponse};

/// An error, as our routes tell it.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it is written as JSON at once, and a test compares")]
struct Error {
    /// What kind of error it is.
    error: String,
    /// What is wrong, and what to do.
    detail: String,
}

/// An error, as Google tells it.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it is written as JSON at once, and a test compares")]
struct GoogleError {
    /// The error.
    error: GoogleStatus,
}

/// What is wrong.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it is written as JSON at once, and a test compares")]
struct GoogleStatus {
    /// The status of the response.
    code: u16,
    /// What is wrong.
    message: String,
    /// The kind, such as `INVALID_ARGUMENT`.
    status: String,
    /// More about it, each with its `@type`; `errorType` is what clients switch on.
    #[serde(default)]
    details: Vec<Map<String, Value>>,
}

/// An error, as OpenAI tells it.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it is written as JSON at once, and a test compares")]
struct OpenAiError {
    /// The error.
    error: OpenAiProblem,
}

/// What is wrong.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it is written as JSON at once, and a test compares")]
struct OpenAiProblem {
    /// What is wrong.
    message: String,
    /// The kind, such as `invalid_request_error`.
    #[serde(rename = "type")]
    kind: String,
    /// What of the request it is about.
    param: Option<String>,
    /// The same for programs.
    code: String,
}

/// What became of a body of comments.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "whoever has the stream writes it")]
struct Taken {
    /// How many are on the disk.
    accepted: u64,
    /// How many of them were there before.
    repeated: u64,
    /// The ids of the events.
    ids: Vec<String>,
    /// What is no comment and no event: each costs itself alone.
    refused: Vec<RefusedEntry>,
    /// How many are refused besides.
    #[serde(default)]
    more_refused: u64,
}

/// An entry that is not taken.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "whoever has the stream writes it")]
struct RefusedEntry {
    /// Which line, or which entry of a list.
    line: u64,
    /// Why.
    reason: String,
    /// The same in words.
    detail: String,
}

/// What one route says of itself.
struct Operation {
    path: &'static str,
    method: &'static str,
    id: &'static str,
    summary: &'static str,
    /// The types of a body, with the schema of each.
    request: Vec<(&'static str, Value)>,
    answers: Vec<(&'static str, &'static str, Option<Value>)>,
    error: Value,
    parameters: Vec<Value>,
    needs_key: bool,
}

/// The document.
pub fn document() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut types = settings.into_generator();
    let mut paths: Map<String, Value> = Map::new();
    for operation in operations(&mut types) {
        let Operation { path, method, id, summary, request, answers, error, parameters, needs_key } = operation;
        let content = |types: &[(&str, Value)]| -> Value {
            types
                .iter()
                .map(|(kind, schema)| ((*kind).to_owned(), json!({ "schema": schema })))
                .collect::<Map<_, _>>()
                .into()
        };
        let mut responses: Map<String, Value> = answers
            .into_iter()
            .map(|(status, description, schema)| {
                let mut response = json!({ "description": description });
                if let Some(schema) = schema {
                    response["content"] = content(&[("application/json", schema)]);
                }
                (status.to_owned(), response)
            })
            .collect();
        let errors = json!({
            "description": "It is refused, or can't be answered now.",
            "content": content(&[("application/json", error)]),
        });
        responses.insert("default".to_owned(), errors);
        let mut said = json!({
            "operationId": id, "summary": summary, "responses": responses, "parameters": parameters,
            "security": if needs_key { json!([{ "key": [] }, { "bearer": [] }]) } else { json!([]) },
        });
        if !request.is_empty() {
            said["requestBody"] = json!({ "required": true, "content": content(&request) });
        }
        paths.insert(path.to_owned(), json!({ method: said }));
    }
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "modstream's front door",
            "version": "1",
            "description": "What a comment would get, before it is posted. Each answer names the models that gave it, with \
                            their versions, in the header x-modstream-model.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "schemas": types.take_definitions(true),
            "securitySchemes": {
                "key": { "type": "apiKey", "in": "query", "name": "key" },
                "bearer": { "type": "http", "scheme": "bearer" },
            },
        },
    });
    document.sort_all_objects();
    document
}

fn operations(types: &mut SchemaGenerator) -> Vec<Operation> {
    let mut of = Types(types);
    let json = "application/json";
    let source = json!({
        "name": "source", "in": "query", "description": "The system that the comment's id is of, a URI.",
        "schema": { "type": "string" },
    });
    let version = json!({
        "name": "version", "in": "query", "description": "v1alpha1.", "schema": { "type": "string" },
    });
    let signature = json!({
        "name": "X-Coral-Signature", "in": "header", "required": true,
        "description": "sha256= and the HMAC of the body in hex; several, with commas between.",
        "schema": { "type": "string" },
    });
    let (ours, google, openai) = (of.schema::<Error>(), of.schema::<GoogleError>(), of.schema::<OpenAiError>());
    let object = json!({ "type": "object" });
    let comment = of.schema::<Comment<'_>>();
    let event = of.schema::<Event<'_, Comment<'_>>>();
    let either = json!({ "anyOf": [comment, event, { "type": "array", "items": { "anyOf": [comment, event] } }] });
    vec![
        Operation {
            path: "/v1/check",
            method: "post",
            id: "check",
            summary: "What a comment would get: its prediction, labels, and what the policies say",
            request: vec![(json, comment.clone())],
            answers: vec![("200", "What it would get.", Some(of.schema::<CheckResponse<'_>>()))],
            error: ours.clone(),
            parameters: vec![source.clone()],
            needs_key: true,
        },
        Operation {
            path: "/v1/comments",
            method: "post",
            id: "send",
            summary: "Takes comments",
            request: vec![
                (json, either),
                ("application/x-ndjson", json!({ "type": "string" })),
                ("application/cloudevents+json", event.clone()),
                ("application/cloudevents-batch+json", json!({ "type": "array", "items": event })),
            ],
            answers: vec![
                ("202", "All but what it names as refused is on the disk.", Some(of.schema::<Taken>())),
                ("400", "Nothing of it is taken.", Some(json!({ "anyOf": [of.schema::<Taken>(), ours] }))),
            ],
            error: ours.clone(),
            parameters: vec![source],
            needs_key: true,
        },
        Operation {
            path: "/v1alpha1/comments:analyze",
            method: "post",
            id: "analyze",
            summary: "Scores a comment, as Perspective's AnalyzeComment",
            request: vec![(json, of.schema::<AnalyzeRequest>())],
            answers: vec![("200", "The scores.", Some(of.schema::<AnalyzeResponse>()))],
            error: google.clone(),
            parameters: Vec::new(),
            needs_key: true,
        },
        Operation {
            path: "/v1alpha1/comments:suggestscore",
            method: "post",
            id: "suggestscore",
            summary: "Says what a comment should have got, as Perspective's SuggestCommentScore",
            request: vec![(json, of.schema::<SuggestRequest>())],
            answers: vec![("200", "It is kept.", Some(of.schema::<SuggestResponse>()))],
            error: google.clone(),
            parameters: Vec::new(),
            needs_key: true,
        },
        Operation {
            path: "/$discovery/rest",
            method: "get",
            id: "discovery",
            summary: "Google's discovery document of the two routes of Perspective's",
            request: Vec::new(),
            answers: vec![("200", "The document.", Some(object.clone()))],
            error: google,
            parameters: vec![version],
            needs_key: false,
        },
        Operation {
            path: "/coral/moderate",
            method: "post",
            id: "coral",
            summary: "Coral's external moderation phase",
            request: vec![(json, of.schema::<CoralRequest>())],
            answers: vec![
                ("200", "What to do about it.", Some(of.schema::<CoralAnswer>())),
                ("204", "It may be posted.", None),
            ],
            error: ours.clone(),
            parameters: vec![signature],
            needs_key: false,
        },
        Operation {
            path: "/v1/moderations",
            method: "post",
            id: "moderate",
            summary: "Scores texts, as OpenAI's moderations",
            request: vec![(json, of.schema::<ModerationRequest>())],
            answers: vec![("200", "A result for each text.", Some(of.schema::<ModerationResponse>()))],
            error: openai,
            parameters: Vec::new(),
            needs_key: true,
        },
        Operation {
            path: "/openapi.json",
            method: "get",
            id: "openapi",
            summary: "This document",
            request: Vec::new(),
            answers: vec![("200", "The document.", Some(object))],
            error: ours,
            parameters: Vec::new(),
            needs_key: false,
        },
    ]
}

struct Types<'a>(&'a mut SchemaGenerator);

impl Types<'_> {
    fn schema<T: JsonSchema>(&mut self) -> Value {
        self.0.subschema_for::<T>().to_value()
    }
}
