//! A Lambda function URL's requests and responses, payload format 2.0
//! ([reference](https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads)).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::{Request, Response};

/// A payload that no function URL sends.
#[derive(Debug, thiserror::Error)]
#[error("this is no request of a function URL (payload format 2.0): {0}")]
pub struct NoRequest(String);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    raw_path: String,
    #[serde(default)]
    raw_query_string: String,
    #[serde(default)]
    cookies: Vec<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    request_context: Context,
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Deserialize)]
struct Context {
    http: Http,
    authorizer: Option<Authorizer>,
}

#[derive(Deserialize)]
struct Http {
    method: String,
}

#[derive(Deserialize)]
struct Authorizer {
    iam: Option<Iam>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Iam {
    user_arn: Option<String>,
}

/// Reads the payload that Lambda hands over.
///
/// # Errors
/// Where the payload is something else.
pub fn request(payload: &[u8]) -> Result<Request, NoRequest> {
    let payload: Payload = serde_json::from_slice(payload).map_err(|error| NoRequest(error.to_string()))?;
    let Payload { raw_path, raw_query_string, cookies, headers, request_context, body, is_base64_encoded } = payload;
    let body = body.unwrap_or_default();
    let body = if is_base64_encoded {
        STANDARD.decode(&body).map_err(|error| NoRequest(format!("the body is no base64: {error}")))?
    } else {
        body.into_bytes()
    };
    let iam = request_context.authorizer.and_then(|authorizer| authorizer.iam);
    Ok(Request {
        method: request_context.http.method,
        path: raw_path,
        query: raw_query_string,
        headers: headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect(),
        cookies,
        body,
        caller: iam.and_then(|iam| iam.user_arn),
    })
}

/// An answer as Lambda takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    status_code: u16,
    headers: BTreeMap<&'static str, String>,
    cookies: Vec<String>,
    body: String,
    is_base64_encoded: bool,
}

impl From<Response> for Answer {
    fn from(response: Response) -> Self {
        let Response { status, headers, cookies, body } = response;
        let headers = headers.into_iter().collect();
        Answer { status_code: status, headers, cookies, body, is_base64_encoded: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn payload(body: &str, is_base64_encoded: bool) -> Vec<u8> {
        let payload = json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": "/decide",
            "rawQueryString": "last=1",
            "cookies": ["session=abc", "name=x"],
            "headers": { "Content-Type": "application/x-www-form-urlencoded", "x-forwarded-proto": "https" },
            "requestContext": {
                "accountId": "123456789012",
                "authorizer": { "iam": { "userArn": "arn:aws:sts::123456789012:assumed-role/mods/maja" } },
                "http": { "method": "POST", "path": "/decide", "sourceIp": "192.0.2.1" },
            },
            "body": body,
            "isBase64Encoded": is_base64_encoded,
        });
        payload.to_string().into_bytes()
    }

    #[test]
    fn a_form_arrives_as_text_or_as_base64() {
        for payload in [payload("action=keep", false), payload("YWN0aW9uPWtlZXA=", true)] {
            let request = request(&payload).expect("a request");
            assert_eq!(
                (request.method.as_str(), request.path.as_str(), request.query.as_str()),
                ("POST", "/decide", "last=1")
            );
            assert_eq!((request.body.as_slice(), request.cookie("session")), (&b"action=keep"[..], Some("abc")));
            assert_eq!(request.form().expect("a form").get("action"), "keep");
            assert_eq!(request.caller.as_deref(), Some("arn:aws:sts::123456789012:assumed-role/mods/maja"));
            assert!(request.is_https());
        }
        assert!(request(&payload("?", true)).is_err());
        for other in [&b""[..], b"{}", b"{\"Records\":[]}"] {
            assert!(request(other).is_err());
        }
    }

    #[test]
    fn an_answer_has_its_cookies_apart() {
        let response = Response::see("/").with_cookie("a=b".to_owned());
        let answer = serde_json::to_value(Answer::from(response)).expect("JSON");
        assert_eq!((&answer["statusCode"], &answer["cookies"]), (&json!(303), &json!(["a=b"])));
        assert_eq!((&answer["headers"]["location"], &answer["isBase64Encoded"]), (&json!("/"), &json!(false)));
    }
}
