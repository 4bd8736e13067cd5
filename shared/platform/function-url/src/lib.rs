//! A Lambda function URL's requests and responses, payload format 2.0
//! ([reference](https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads)).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

/// A request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The method, such as `GET`.
    pub method: String,
    /// The path.
    pub path: String,
    /// The query, which follows the question mark.
    pub query: String,
    /// The headers by name, in lower case. Lambda joins those of one name by commas.
    pub headers: BTreeMap<String, String>,
    /// The cookies, each as `name=value`.
    pub cookies: Vec<String>,
    /// The body. Lambda passes on 6 MB at most, and fewer where it writes them as base64.
    pub body: Vec<u8>,
    /// The ARN of the caller that IAM let in.
    pub caller: Option<String>,
}

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

impl Answer {
    /// An answer with these headers, their names in lower case. A body that is no text is written as base64.
    pub fn new(status: u16, headers: impl IntoIterator<Item = (&'static str, String)>, body: Vec<u8>) -> Self {
        let mut joined: BTreeMap<&'static str, String> = BTreeMap::new();
        for (name, value) in headers {
            let said = joined.entry(name).or_default();
            if !said.is_empty() {
                said.push_str(", ");
            }
            said.push_str(&value);
        }
        let (body, is_base64_encoded) = match String::from_utf8(body) {
            Ok(text) => (text, false),
            Err(bytes) => (STANDARD.encode(bytes.as_bytes()), true),
        };
        Answer { status_code: status, headers: joined, cookies: Vec::new(), body, is_base64_encoded }
    }

    /// The same with cookies that are set.
    #[must_use]
    pub fn with_cookies(self, cookies: Vec<String>) -> Self {
        Answer { cookies, ..self }
    }

    /// The answer's status.
    pub fn status(&self) -> u16 {
        self.status_code
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
            assert_eq!((request.body.as_slice(), &request.cookies[0][..]), (&b"action=keep"[..], "session=abc"));
            assert_eq!(request.headers["content-type"], "application/x-www-form-urlencoded");
            assert_eq!(request.caller.as_deref(), Some("arn:aws:sts::123456789012:assumed-role/mods/maja"));
            assert_eq!(request.headers["x-forwarded-proto"], "https");
        }
        assert!(request(&payload("?", true)).is_err());
        for other in [&b""[..], b"{}", b"{\"Records\":[]}"] {
            assert!(request(other).is_err());
        }
    }

    #[test]
    fn an_answer_has_its_cookies_apart_and_one_header_of_a_name() {
        let headers = [("vary", "a".to_owned()), ("location", "/".to_owned()), ("vary", "b".to_owned())];
        let answer = Answer::new(303, headers, Vec::new()).with_cookies(vec!["a=b".to_owned()]);
        let answer = serde_json::to_value(answer).expect("JSON");
        assert_eq!((&answer["statusCode"], &answer["cookies"]), (&json!(303), &json!(["a=b"])));
        assert_eq!(answer["headers"], json!({ "location": "/", "vary": "a, b" }));
        assert_eq!((&answer["body"], &answer["isBase64Encoded"]), (&json!(""), &json!(false)));
        let bytes = serde_json::to_value(Answer::new(200, [], vec![0xFF])).expect("JSON");
        assert_eq!((&bytes["body"], &bytes["isBase64Encoded"]), (&json!("/w=="), &json!(true)));
    }
}
