//! Google's discovery document, by which its clients find the routes: `build(..., discoveryServiceUrl=...)`
//! ([format](https://developers.google.com/discovery/v1/reference/apis)).

use serde_json::{Value, json};

/// The version of the API that there is.
pub(crate) const VERSION: &str = "v1alpha1";

/// The document, for a server at this address.
pub(crate) fn document(address: &str) -> Value {
    let string = |description: &str| json!({ "type": "string", "description": description });
    let reference = |name: &str| json!({ "$ref": name });
    let list_of = |items: Value| json!({ "type": "array", "items": items });
    let map_of = |of: Value| json!({ "type": "object", "additionalProperties": of });
    let schema = |id: &str, properties: Value| json!({ "id": id, "type": "object", "properties": properties });
    let number = json!({ "type": "number", "format": "float" });
    let boolean = json!({ "type": "boolean" });
    let integer = json!({ "type": "integer", "format": "int32" });
    let method = |name: &str, request: &str, response: &str, description: &str| {
        let path = format!("{VERSION}/comments:{name}");
        json!({
            "id": format!("commentanalyzer.comments.{name}"), "description": description, "path": path, "flatPath": path,
            "httpMethod": "POST", "parameterOrder": [], "parameters": {},
            "request": reference(request), "response": reference(response),
        })
    };
    let analyze = json!({
        "comment": reference("TextEntry"), "context": reference("Context"),
        "requestedAttributes": map_of(reference("AttributeParameters")), "languages": list_of(json!({ "type": "string" })),
        "spanAnnotations": boolean, "doNotStore": boolean, "clientToken": string("Comes back in the answer."),
        "sessionId": string("Not looked at."), "communityId": string("The community."),
    });
    let analyzed = json!({
        "attributeScores": map_of(reference("AttributeScores")), "languages": list_of(json!({ "type": "string" })),
        "detectedLanguages": list_of(json!({ "type": "string" })), "clientToken": string("As in the request."),
    });
    let suggest = json!({
        "comment": reference("TextEntry"), "context": reference("Context"),
        "attributeScores": map_of(reference("AttributeScores")), "languages": list_of(json!({ "type": "string" })),
        "clientToken": string("Comes back in the answer."), "sessionId": string("Not looked at."),
        "communityId": string("The community that says so."),
    });
    let spans = list_of(reference("SpanScore"));
    json!({
        "kind": "discovery#restDescription", "discoveryVersion": "v1", "id": "commentanalyzer:v1alpha1",
        "name": "commentanalyzer", "version": VERSION, "revision": "20261130", "protocol": "rest",
        "title": "Perspective's API, by modstream",
        "description": "Scores under Perspective's names, by models whose name and version each answer says.",
        "ownerDomain": "modstream", "ownerName": "modstream", "documentationLink": "",
        "rootUrl": format!("{address}/"), "servicePath": "", "baseUrl": format!("{address}/"), "batchPath": "batch",
        "parameters": {
            "key": { "type": "string", "location": "query", "description": "The key." },
            "alt": { "type": "string", "location": "query", "default": "json", "enum": ["json"], "enumDescriptions": ["JSON"] },
            "prettyPrint": { "type": "boolean", "location": "query", "default": "true" },
        },
        "schemas": {
            "AnalyzeCommentRequest": schema("AnalyzeCommentRequest", analyze),
            "AnalyzeCommentResponse": schema("AnalyzeCommentResponse", analyzed),
            "SuggestCommentScoreRequest": schema("SuggestCommentScoreRequest", suggest),
            "SuggestCommentScoreResponse": schema("SuggestCommentScoreResponse", json!({ "clientToken": string("As in the request.") })),
            "TextEntry": schema("TextEntry", json!({ "text": string("The text."), "type": string("PLAIN_TEXT.") })),
            "Context": schema("Context", json!({
                "entries": list_of(reference("TextEntry")),
                "articleAndParentComment": reference("ArticleAndParentComment"),
            })),
            "ArticleAndParentComment": schema("ArticleAndParentComment", json!({
                "article": reference("TextEntry"), "parentComment": reference("TextEntry"),
            })),
            "AttributeParameters": schema("AttributeParameters", json!({
                "scoreType": string("PROBABILITY."), "scoreThreshold": number,
            })),
            "AttributeScores": schema("AttributeScores", json!({ "summaryScore": reference("Score"), "spanScores": spans })),
            "SpanScore": schema("SpanScore", json!({ "begin": integer, "end": integer, "score": reference("Score") })),
            "Score": schema("Score", json!({ "value": number, "type": string("PROBABILITY.") })),
        },
        "resources": { "comments": { "methods": {
            "analyze": method("analyze", "AnalyzeCommentRequest", "AnalyzeCommentResponse", "Scores a comment."),
            "suggestscore": method(
                "suggestscore", "SuggestCommentScoreRequest", "SuggestCommentScoreResponse", "Says what a comment should have got.",
            ),
        } } },
    })
}
