use std::collections::BTreeMap;

use serde::Serialize;

/// A request, whoever took it in. Its body is whole, and within [`Route::max_body_bytes`](crate::Route::max_body_bytes).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The query, which follows the question mark.
    pub query: String,
    /// The headers by name, in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
    /// The address by which the server was asked, such as `https://mod.example.org`: what a document says of itself.
    pub address: String,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// The value of a parameter of a query, the first of that name.
pub(crate) fn parameter(query: &str, name: &str) -> Option<String> {
    form_urlencoded::parse(query.as_bytes()).find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The headers, their names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// An answer in JSON.
    pub(crate) fn json(status: u16, value: &impl Serialize) -> Self {
        // What is answered is text, numbers and lists, which always have a form in JSON.
        let body = serde_json::to_vec(value).unwrap_or_default();
        let headers = vec![
            ("content-type", "application/json; charset=UTF-8".to_owned()),
            ("cache-control", "no-store".to_owned()),
            ("x-content-type-options", "nosniff".to_owned()),
        ];
        Response { status, headers, body }
    }

    /// An answer that says nothing.
    pub(crate) fn empty(status: u16) -> Self {
        Response { status, headers: vec![("cache-control", "no-store".to_owned())], body: Vec::new() }
    }

    /// The same with a header more.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// A header's value, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| *found == name).map(|(_, value)| value.as_str())
    }
}
