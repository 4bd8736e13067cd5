//! Requests and what each must get, in a file: one set of cases for all that answer the same API.

use std::collections::BTreeMap;

use serde_json::Value;

/// A request, and what it must get.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// The method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The query, without the key.
    pub query: String,
    /// Whose key it brings; none where it brings none.
    pub key: Option<String>,
    /// The headers.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: String,
    status: u16,
    has: BTreeMap<String, Value>,
    says: Vec<String>,
    header: BTreeMap<String, String>,
}

/// Reads a list of cases.
///
/// A case has `name`, `method` (`POST` where it says none), `path`, `query`, `key`, `headers`, a body (`body` as it stands, `json`,
/// or `long`, a list of what stands before, what is repeated, how often, and what stands behind), and what it must get: `status`,
/// `has` by JSON pointers, words that the body `says`, and `header`.
///
/// # Panics
/// Where it is none.
pub fn cases(text: &str) -> Vec<Case> {
    let list: Vec<Value> = serde_json::from_str(text).expect("a list of cases");
    list.iter().map(case).collect()
}

fn case(case: &Value) -> Case {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let texts = |name: &str| -> BTreeMap<String, String> {
        let entries = case[name].as_object().into_iter().flatten();
        entries.map(|(name, value)| (name.clone(), text(value))).collect()
    };
    let body = match (&case["json"], &case["long"]) {
        (Value::Null, Value::Array(parts)) => {
            let times = parts[2].as_u64().and_then(|times| usize::try_from(times).ok()).expect("how often");
            [text(&parts[0]), text(&parts[1]).repeat(times), text(&parts[3])].concat()
        }
        (Value::Null, _) => text(&case["body"]),
        (json, _) => json.to_string(),
    };
    Case {
        name: text(&case["name"]),
        method: case["method"].as_str().unwrap_or("POST").to_owned(),
        path: text(&case["path"]),
        query: text(&case["query"]),
        key: case["key"].as_str().map(str::to_owned),
        headers: texts("headers"),
        body,
        status: case["status"].as_u64().and_then(|status| status.try_into().ok()).expect("a status"),
        has: case["has"].as_object().into_iter().flatten().map(|(at, value)| (at.clone(), value.clone())).collect(),
        says: case["says"].as_array().into_iter().flatten().map(text).collect(),
        header: texts("header"),
    }
}

impl Case {
    /// The path and the query, with this key.
    pub fn target(&self, key: Option<&str>) -> String {
        match self.query(key).as_str() {
            "" => self.path.clone(),
            query => format!("{}?{query}", self.path),
        }
    }

    /// The query, with this key.
    pub fn query(&self, key: Option<&str>) -> String {
        let key = key.map(|key| format!("key={key}"));
        let parts = [Some(self.query.clone()).filter(|query| !query.is_empty()), key];
        parts.into_iter().flatten().collect::<Vec<_>>().join("&")
    }

    /// Fails where it got something else than it must.
    ///
    /// # Panics
    /// In that case.
    #[track_caller]
    pub fn check(&self, status: u16, header: impl Fn(&str) -> Option<String>, body: &str) {
        let name = &self.name;
        assert_eq!(status, self.status, "{name}: {body}");
        if !self.has.is_empty() {
            let said: Value = serde_json::from_str(body).unwrap_or_else(|error| panic!("{name}: {error}: {body}"));
            for (at, value) in &self.has {
                assert_eq!(said.pointer(at), Some(value), "{name} at {at}: {body}");
            }
        }
        for part in &self.says {
            assert!(body.contains(part), "{name} does not say {part}: {body}");
        }
        for (named, value) in &self.header {
            let found = header(named).unwrap_or_else(|| panic!("{name} has no header {named}"));
            assert!(found.contains(value), "{name}: {named} is {found}");
        }
    }
}
