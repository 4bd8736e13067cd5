use serde_json::{Value, json};

/// A request to a function URL as its function gets it, in payload format 2.0; the body is a form's, and the caller
/// unknown.
///
/// <https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html>
pub fn url_request(method: &str, path: &str, body: &str) -> Value {
    json!({
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": { "content-type": "application/x-www-form-urlencoded" },
        "requestContext": { "http": { "method": method } },
        "body": body,
        "isBase64Encoded": false,
    })
}
