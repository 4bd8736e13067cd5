use std::collections::BTreeMap;

/// How many bytes a form may have: it holds names and numbers.
pub const MAX_BODY_BYTES: usize = 16 << 10;

/// A request, whoever took it in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The method, such as `GET`.
    pub method: String,
    /// The path.
    pub path: String,
    /// The query, which follows the question mark.
    pub query: String,
    /// The headers by name, in lower case.
    pub headers: BTreeMap<String, String>,
    /// The cookies, each as `name=value`.
    pub cookies: Vec<String>,
    /// The body.
    pub body: Vec<u8>,
    /// The ARN of the caller that IAM let in.
    pub caller: Option<String>,
}

impl From<function_url::Request> for Request {
    fn from(request: function_url::Request) -> Self {
        let function_url::Request { method, path, query, headers, cookies, body, caller } = request;
        Request { method, path, query, headers, cookies, body, caller }
    }
}

impl From<Response> for function_url::Answer {
    fn from(response: Response) -> Self {
        let Response { status, headers, cookies, body } = response;
        function_url::Answer::new(status, headers, body.into_bytes()).with_cookies(cookies)
    }
}

impl Request {
    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        let named = self.cookies.iter().filter_map(|cookie| cookie.trim().split_once('='));
        named.filter(|(found, _)| *found == name).map(|(_, value)| value).next()
    }

    pub(crate) fn is_https(&self) -> bool {
        self.headers.get("x-forwarded-proto").is_some_and(|scheme| scheme == "https")
    }

    /// The form that was sent, or why there is none.
    pub(crate) fn form(&self) -> Result<Form, NoForm> {
        if self.body.len() > MAX_BODY_BYTES {
            return Err(NoForm::TooLarge);
        }
        let kind = self.headers.get("content-type").map_or("", String::as_str);
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") || std::str::from_utf8(&self.body).is_err() {
            return Err(NoForm::OtherKind);
        }
        Ok(Form(fields(&self.body)))
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        fields(self.query.as_bytes()).remove(name)
    }
}

/// The fields by name. Of a field that is there twice, the first counts.
fn fields(text: &[u8]) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(text) {
        fields.entry(name.into_owned()).or_insert_with(|| value.into_owned());
    }
    fields
}

#[derive(Clone, Debug)]
pub(crate) struct Form(BTreeMap<String, String>);

impl Form {
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoForm {
    TooLarge,
    OtherKind,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The headers, their names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The values of `set-cookie`.
    pub cookies: Vec<String>,
    /// The page.
    pub body: String,
}

impl Response {
    /// A page, kept nowhere, framed nowhere, and told to nobody by a `Referer`.
    pub(crate) fn page(status: u16, body: String) -> Self {
        let headers = vec![
            ("content-type", "text/html; charset=utf-8".to_owned()),
            ("content-security-policy", crate::pages::content_security_policy().to_owned()),
        ];
        Response { status, headers: headers.into_iter().chain(common()).collect(), cookies: Vec::new(), body }
    }

    /// Sends the browser on to another page, by GET.
    pub(crate) fn see(path: &str) -> Self {
        let headers = [("location", path.to_owned())].into_iter().chain(common()).collect();
        Response { status: 303, headers, cookies: Vec::new(), body: String::new() }
    }

    pub(crate) fn with_cookie(mut self, cookie: String) -> Self {
        self.cookies.push(cookie);
        self
    }

    /// A header's value, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| *found == name).map(|(_, value)| value.as_str())
    }
}

fn common() -> impl Iterator<Item = (&'static str, String)> {
    [
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("x-robots-tag", "noindex"),
    ]
    .into_iter()
    .map(|(name, value)| (name, value.to_owned()))
}
