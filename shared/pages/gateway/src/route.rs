//! What may be asked, of whom, and how each caller is refused: in the form that its client knows.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use crate::keys::Role;
use crate::{Response, Trouble};

/// The most bytes of a request to be answered at once. The longest text that Perspective takes has 20,480, and JSON may write
/// each as six.
const MAX_BODY_BYTES: usize = 1 << 20;

/// A route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// `POST /v1/check`.
    Check,
    /// `POST /v1/comments`: taken by whoever has the stream.
    Comments,
    /// `POST /v1alpha1/comments:analyze`.
    Analyze,
    /// `POST /v1alpha1/comments:suggestscore`.
    SuggestScore,
    /// `GET /$discovery/rest`.
    Discovery,
    /// `POST /coral/moderate`.
    Coral,
    /// `POST /v1/moderations`.
    Moderations,
    /// `GET /openapi.json`.
    OpenApi,
}

/// In whose form a caller is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Ours,
    Google,
    OpenAi,
}

/// Why a request is not answered, before it is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The request brings no key, and needs one.
    NoKey,
    /// There is no key at all, so nobody can have one.
    NoKeyYet(Role),
    /// Its key is none that is valid.
    UnknownKey,
    /// Its key is not for that.
    NotFor(Role),
    /// Its key has asked too much of late; how long to wait.
    OverQuota(Duration),
    /// Another method is needed.
    Method,
    /// The body is too large.
    TooLarge,
    /// The body is compressed.
    Encoded,
    /// The body is no JSON by its content type.
    OtherType,
    /// The body did not arrive in time.
    TooSlow,
    /// The body broke off.
    BrokeOff,
    /// The source of its comments is none.
    Source,
    /// Its comments are written in no way that is known; what to do.
    Format(String),
    /// There is no answer now, though there will be.
    Unavailable(Trouble),
    /// There is no answer until the operator acts, whom the log tells how.
    Broken(Trouble),
    /// Nobody said by which secret Coral signs.
    NoSecret,
    /// It is signed by nobody who has the secret.
    BadSignature,
}

impl Refusal {
    /// Why, in a word, for logs.
    pub fn reason(&self) -> &'static str {
        match self {
            Refusal::NoKey => "no_key",
            Refusal::NoKeyYet(_) => "no_key_yet",
            Refusal::UnknownKey => "unknown_key",
            Refusal::NotFor(_) => "not_for",
            Refusal::OverQuota(_) => "over_quota",
            Refusal::Method => "method",
            Refusal::TooLarge => "too_large",
            Refusal::Encoded => "encoded",
            Refusal::OtherType => "other_type",
            Refusal::TooSlow => "too_slow",
            Refusal::BrokeOff => "broke_off",
            Refusal::Source => "source",
            Refusal::Format(_) => "format",
            Refusal::Unavailable(_) => "unavailable",
            Refusal::Broken(_) => "broken",
            Refusal::NoSecret => "no_secret",
            Refusal::BadSignature => "bad_signature",
        }
    }
}

impl Route {
    /// The route of a path, however its colon and dollar sign are written.
    pub fn of(path: &str) -> Option<Self> {
        let path = path.replace("%3A", ":").replace("%3a", ":").replace("%24", "$");
        Some(match path.as_str() {
            "/v1/check" => Route::Check,
            "/v1/comments" => Route::Comments,
            "/v1alpha1/comments:analyze" => Route::Analyze,
            "/v1alpha1/comments:suggestscore" => Route::SuggestScore,
            "/$discovery/rest" => Route::Discovery,
            "/coral/moderate" => Route::Coral,
            "/v1/moderations" => Route::Moderations,
            "/openapi.json" => Route::OpenApi,
            _ => return None,
        })
    }

    /// The route's path.
    pub fn path(self) -> &'static str {
        match self {
            Route::Check => "/v1/check",
            Route::Comments => "/v1/comments",
            Route::Analyze => "/v1alpha1/comments:analyze",
            Route::SuggestScore => "/v1alpha1/comments:suggestscore",
            Route::Discovery => "/$discovery/rest",
            Route::Coral => "/coral/moderate",
            Route::Moderations => "/v1/moderations",
            Route::OpenApi => "/openapi.json",
        }
    }

    /// The role that a key needs; none where there is no key to ask for.
    pub fn role(self) -> Option<Role> {
        match self {
            Route::Check | Route::Analyze | Route::Moderations => Some(Role::Check),
            Route::Comments => Some(Role::Send),
            Route::SuggestScore => Some(Role::Feedback),
            Route::Discovery | Route::Coral | Route::OpenApi => None,
        }
    }

    /// The methods that it knows, as the header `allow` names them.
    pub fn methods(self) -> &'static str {
        match self {
            Route::Discovery | Route::OpenApi => "GET, HEAD",
            _ => "POST",
        }
    }

    /// Whether it knows a method.
    pub fn takes(self, method: &str) -> bool {
        self.methods().split(", ").any(|known| known == method)
    }

    /// The most bytes of a body.
    pub fn max_body_bytes(self) -> usize {
        match self {
            Route::Discovery | Route::OpenApi => 0,
            Route::Comments => modstream_intake::MAX_BODY_BYTES,
            _ => MAX_BODY_BYTES,
        }
    }

    fn form(self) -> Form {
        match self {
            Route::Analyze | Route::SuggestScore | Route::Discovery => Form::Google,
            Route::Moderations => Form::OpenAi,
            Route::Check | Route::Comments | Route::Coral | Route::OpenApi => Form::Ours,
        }
    }

    /// What a caller is told who is refused.
    pub fn refuse(self, refusal: &Refusal) -> Response {
        let Told { status, kind, text } = told(self, refusal);
        let response = match self.form() {
            Form::Ours => ours(status, kind, &text),
            Form::Google => google(refusal, status, &text),
            Form::OpenAi => openai(status, kind, &text, None),
        };
        self.with_headers(refusal, response)
    }

    /// The same, where more is said than that: `body` makes it of the error's name and of what is told.
    pub(crate) fn refuse_with<T: Serialize>(
        self,
        refusal: &Refusal,
        body: impl FnOnce(&'static str, &str) -> T,
    ) -> Response {
        let Told { status, kind, text } = told(self, refusal);
        let text = match refusal {
            Refusal::Unavailable(trouble) | Refusal::Broken(trouble) => &trouble.told,
            _ => text.as_str(),
        };
        self.with_headers(refusal, Response::json(status, &body(kind, text)))
    }

    fn with_headers(self, refusal: &Refusal, response: Response) -> Response {
        let status = response.status;
        match refusal {
            Refusal::OverQuota(wait) => response.with("retry-after", wait.as_secs().max(1).to_string()),
            Refusal::Unavailable(_) => response.with("retry-after", "1"),
            Refusal::Method => response.with("allow", self.methods()),
            Refusal::NoKey | Refusal::NoKeyYet(_) | Refusal::UnknownKey if status == 401 => {
                response.with("www-authenticate", "Bearer")
            }
            _ => response,
        }
    }
}

/// What is said of a refusal, whatever the form.
struct Told {
    status: u16,
    kind: &'static str,
    text: String,
}

/// What is said where nobody can have a key.
fn no_key_yet(role: Role) -> String {
    format!("there is no key yet: whoever operates this makes one by `modstream key create --role {role}`")
}

fn told(route: Route, refusal: &Refusal) -> Told {
    // Who sent comments must know what became of them.
    let unstored = |what_to_do| if route == Route::Comments { what_to_do } else { "" };
    let (status, kind, text) = match refusal {
        Refusal::NoKey => (
            401,
            "no_key",
            "send a key, as ?key= or as Authorization: Bearer; `modstream key create` makes one".to_owned(),
        ),
        Refusal::NoKeyYet(role) => (401, "no_key", no_key_yet(*role)),
        Refusal::UnknownKey => (401, "invalid_api_key", "the key is none, or was revoked".to_owned()),
        Refusal::NotFor(role) => (
            403,
            "not_allowed",
            format!("the key is not of the role {role}: make one with `modstream key create --role {role}`"),
        ),
        Refusal::OverQuota(wait) => (
            429,
            "rate_limit_exceeded",
            format!("the key has asked too much of late: wait {} s", wait.as_secs().max(1)),
        ),
        Refusal::Method => (405, "method", format!("{} is asked by {} only", route.path(), route.methods())),
        Refusal::TooLarge if route == Route::Comments => {
            let most = route.max_body_bytes();
            let text = format!("a body has at most {most} bytes: send it in parts, or the file with `modstream send`");
            (413, "too_large", text)
        }
        Refusal::TooLarge => {
            (413, "too_large", format!("Request payload size exceeds the limit: {} bytes.", route.max_body_bytes()))
        }
        Refusal::Encoded => (415, "encoding", "the body is compressed: send it as it is".to_owned()),
        Refusal::OtherType => (415, "content_type", "send JSON, as application/json in UTF-8".to_owned()),
        Refusal::TooSlow => (
            408,
            "too_slow",
            format!(
                "the body did not arrive in time{}",
                unstored(": nothing of it is stored, send it in smaller parts")
            ),
        ),
        Refusal::BrokeOff => {
            (400, "body", format!("the body broke off{}", unstored(": nothing of it is stored, send it again")))
        }
        Refusal::Source => (400, "source", "`source` is a URI such as urn:example:forum".to_owned()),
        Refusal::Format(detail) => (415, "content_type", detail.clone()),
        Refusal::Unavailable(trouble) => {
            let again = if route == Route::Comments {
                unstored(": nothing of it is stored, send it again")
            } else {
                ": ask again"
            };
            (503, "unavailable", format!("{}{again}", trouble.told))
        }
        Refusal::Broken(trouble) => {
            (500, "broken", format!("{}: whoever operates this finds in its log what to do", trouble.told))
        }
        Refusal::NoSecret => (
            503,
            "no_secret",
            "nobody said by which secret Coral signs: --coral-secret-file does, and coral_secret_arn on AWS".to_owned(),
        ),
        Refusal::BadSignature => (
            401,
            "signature",
            "the header X-Coral-Signature is missing, or is not that of this body and our secret".to_owned(),
        ),
    };
    Told { status, kind, text }
}

/// What is told of a path that is no route.
pub fn unknown() -> Response {
    ours(404, "not_found", "there is nothing at this path: GET /openapi.json says what there is")
}

/// An error as our routes tell it.
pub(crate) fn ours(status: u16, error: &str, detail: &str) -> Response {
    Response::json(status, &json!({ "error": error, "detail": detail }))
}

/// An error as OpenAI tells it.
pub(crate) fn openai(status: u16, code: &str, message: &str, parameter: Option<&str>) -> Response {
    let kind = match status {
        429 => "requests",
        500.. => "server_error",
        _ => "invalid_request_error",
    };
    Response::json(status, &json!({ "error": { "message": message, "type": kind, "param": parameter, "code": code } }))
}

/// An error of `google.rpc`.
pub(crate) fn google_error(code: u16, status: &str, message: &str, details: &[Value]) -> Response {
    let mut error = json!({ "code": code, "message": message, "status": status });
    if !details.is_empty() {
        error["details"] = json!(details);
    }
    Response::json(code, &json!({ "error": error }))
}

fn google(refusal: &Refusal, status: u16, text: &str) -> Response {
    let info = |reason: &str| {
        json!({
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": reason,
            "domain": "googleapis.com",
            "metadata": { "service": "commentanalyzer.googleapis.com" },
        })
    };
    match refusal {
        Refusal::NoKey | Refusal::UnknownKey => google_error(
            400,
            "INVALID_ARGUMENT",
            "API key not valid. Please pass a valid API key.",
            &[info("API_KEY_INVALID")],
        ),
        Refusal::NotFor(_) => google_error(403, "PERMISSION_DENIED", text, &[info("API_KEY_SERVICE_BLOCKED")]),
        Refusal::OverQuota(wait) => {
            let retry = json!({
                "@type": "type.googleapis.com/google.rpc.RetryInfo",
                "retryDelay": format!("{}s", wait.as_secs().max(1)),
            });
            let text = "Quota exceeded for quota metric 'Analysis requests (AnalyzeComment)' of service \
                        'commentanalyzer.googleapis.com'";
            google_error(429, "RESOURCE_EXHAUSTED", text, &[info("RATE_LIMIT_EXCEEDED"), retry])
        }
        Refusal::NoKeyYet(role) => {
            let text = format!("API key not valid. Please pass a valid API key. Here {}", no_key_yet(*role));
            google_error(400, "INVALID_ARGUMENT", &text, &[info("API_KEY_INVALID")])
        }
        Refusal::Unavailable(_) => google_error(503, "UNAVAILABLE", text, &[]),
        Refusal::Broken(_) => google_error(500, "INTERNAL", text, &[]),
        Refusal::TooSlow => google_error(408, "DEADLINE_EXCEEDED", text, &[]),
        _ => google_error(if status == 413 { 400 } else { status }, "INVALID_ARGUMENT", text, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(response: &Response) -> Value {
        serde_json::from_slice(&response.body).expect("JSON")
    }

    #[test]
    fn a_path_is_its_route_however_it_is_written() {
        for route in [
            Route::Check,
            Route::Comments,
            Route::Analyze,
            Route::SuggestScore,
            Route::Discovery,
            Route::Coral,
            Route::Moderations,
            Route::OpenApi,
        ] {
            assert_eq!(Route::of(route.path()), Some(route));
        }
        assert_eq!(Route::of("/v1alpha1/comments%3Aanalyze"), Some(Route::Analyze));
        assert_eq!(Route::of("/%24discovery/rest"), Some(Route::Discovery));
        assert_eq!(Route::of("/v1alpha1/comments"), None);
        assert!(Route::Analyze.takes("POST") && !Route::Analyze.takes("GET") && Route::Discovery.takes("HEAD"));
    }

    #[test]
    fn a_caller_is_refused_in_its_own_form() {
        let wait = Duration::from_millis(2_500);
        let over = Refusal::OverQuota(wait);
        let google = Route::Analyze.refuse(&over);
        assert_eq!((google.status, google.header("retry-after")), (429, Some("2")));
        let said = body(&google);
        assert_eq!(said["error"]["status"], "RESOURCE_EXHAUSTED");
        assert_eq!(said["error"]["details"][0]["reason"], "RATE_LIMIT_EXCEEDED");
        let openai = Route::Moderations.refuse(&over);
        assert_eq!((openai.status, &body(&openai)["error"]["code"]), (429, &json!("rate_limit_exceeded")));
        let ours = Route::Check.refuse(&over);
        assert_eq!((ours.status, &body(&ours)["error"]), (429, &json!("rate_limit_exceeded")));

        let unknown = Route::Analyze.refuse(&Refusal::UnknownKey);
        let said = body(&unknown);
        assert_eq!((unknown.status, &said["error"]["status"]), (400, &json!("INVALID_ARGUMENT")));
        assert_eq!(said["error"]["message"], "API key not valid. Please pass a valid API key.");
        assert_eq!(said["error"]["details"][0]["reason"], "API_KEY_INVALID");
        let unknown = Route::Moderations.refuse(&Refusal::UnknownKey);
        assert_eq!((unknown.status, unknown.header("www-authenticate")), (401, Some("Bearer")));
    }

    #[test]
    fn not_allowed_not_known_and_no_answer_are_three_things() {
        let status = |refusal| Route::Check.refuse(&refusal).status;
        assert_eq!((status(Refusal::UnknownKey), status(Refusal::NotFor(Role::Check))), (401, 403));
        let trouble = Trouble { told: "the keys can't be read".into(), cause: Some("s3 of account 123".to_owned()) };
        for (refusal, answer) in [(Refusal::Unavailable(trouble.clone()), 503), (Refusal::Broken(trouble), 500)] {
            for route in [Route::Check, Route::Comments, Route::Analyze, Route::Moderations] {
                let response = route.refuse(&refusal);
                assert_eq!((response.status, response.header("retry-after").is_some()), (answer, answer == 503));
                let said = String::from_utf8(response.body).expect("text");
                assert!(said.contains("can't be read") && !said.contains("account"), "{said}");
            }
        }
    }

    #[test]
    fn whoever_can_have_no_key_is_told_how_one_is_made() {
        for route in [Route::Check, Route::Comments, Route::Analyze, Route::SuggestScore, Route::Moderations] {
            let role = route.role().expect("a role");
            let response = route.refuse(&Refusal::NoKeyYet(role));
            let said = String::from_utf8(response.body).expect("text");
            assert!(said.contains(&format!("modstream key create --role {role}")), "{said}");
        }
    }
}
