//! A bucket, a stream and secrets in memory, which fail as they are told, and the function over them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use answer_checks::{AnswerChecks, Config};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use modstream_classifier::artifact::ModelFiles;
use modstream_gateway::keys::{KeyStore, NewKey, Role};
use modstream_in_use::models::ModelStore;
use modstream_platform::environment::Environment;
use modstream_platform::memory::{MemoryClock, MemoryObjects, MemorySecrets, MemoryStream};
use modstream_platform::{
    Bytes, CallError, CallErrorKind, Clock as _, Condition, ETag, Fetched, Objects, PutOutcome, PutRecord, Secrets,
    Stage, Stream, Written,
};
use modstream_stub_server::url_request;
use serde_json::{Value, json};

const TIME: Duration = Duration::from_secs(20);

/// What fails: calls about this prefix or stream, with that kind.
#[derive(Clone, Default)]
pub(crate) struct Faults(Arc<Mutex<Vec<(String, CallErrorKind)>>>);

impl Faults {
    pub(crate) fn fail(&self, what: &str, kind: CallErrorKind) {
        self.0.lock().expect("no panic").push((what.to_owned(), kind));
    }

    pub(crate) fn end(&self) {
        self.0.lock().expect("no panic").clear();
    }

    fn of(&self, what: &str, service: &'static str, operation: &'static str) -> Result<(), CallError> {
        let found = self.0.lock().expect("no panic").iter().find(|(prefix, _)| what.starts_with(prefix)).cloned();
        match found {
            Some((_, kind)) => {
                Err(CallError { service, operation, kind, message: "arn:aws:secret-name said no".to_owned() })
            }
            None => Ok(()),
        }
    }
}

/// Services that fail as they are told, and count what is asked of them.
#[derive(Clone)]
pub(crate) struct Faulty<T> {
    inner: T,
    faults: Faults,
    asked: Arc<Mutex<Vec<String>>>,
    /// How many entries of each call to a stream fail, from the second on.
    failing: Arc<Mutex<usize>>,
}

impl<T> Faulty<T> {
    fn of(inner: T, faults: &Faults) -> Self {
        Faulty { inner, faults: faults.clone(), asked: Arc::default(), failing: Arc::default() }
    }

    fn ask(&self, what: &str, service: &'static str, operation: &'static str) -> Result<(), CallError> {
        self.asked.lock().expect("no panic").push(format!("{operation} {what}"));
        self.faults.of(what, service, operation)
    }
}

impl Objects for Faulty<MemoryObjects> {
    async fn get(&self, key: &str, unless: Option<&ETag>) -> Result<Fetched, CallError> {
        self.ask(key, "s3", "GetObject")?;
        self.inner.get(key, unless).await
    }

    async fn put(&self, key: &str, bytes: Bytes, condition: Condition) -> Result<Written, CallError> {
        self.ask(key, "s3", "PutObject")?;
        self.inner.put(key, bytes, condition).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, CallError> {
        self.ask(prefix, "s3", "ListObjectsV2")?;
        self.inner.list(prefix).await
    }
}

impl Stream for Faulty<MemoryStream> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    async fn put_records(&self, records: &[PutRecord]) -> Result<Vec<PutOutcome>, CallError> {
        self.ask("comments", "kinesis", "PutRecords")?;
        let failing = *self.failing.lock().expect("no panic");
        let taken = records.len() - failing.min(records.len() - 1);
        let mut outcomes = self.inner.put_records(&records[..taken]).await?;
        let throttled = || PutOutcome::Failed { code: "Throttled".to_owned(), message: "too much".to_owned() };
        outcomes.extend(records[taken..].iter().map(|_| throttled()));
        Ok(outcomes)
    }
}

impl Secrets for Faulty<MemorySecrets> {
    async fn secret(&self, id: &str, stage: Stage) -> Result<Option<String>, CallError> {
        self.ask(id, "secretsmanager", "GetSecretValue")?;
        self.inner.secret(id, stage).await
    }
}

pub(crate) struct World {
    pub(crate) objects: Faulty<MemoryObjects>,
    pub(crate) stream: Faulty<MemoryStream>,
    pub(crate) faults: Faults,
    pub(crate) clock: MemoryClock,
    pub(crate) secrets: MemorySecrets,
}

/// A variable of the function's, where `more` has no other.
pub(crate) fn variable(name: &str, more: &[(&'static str, &'static str)]) -> Option<String> {
    let known = [
        ("BUCKET", "bucket"),
        ("COMMENTS_STREAM", "comments"),
        ("MODEL_NAME", "rscience"),
        ("HARM_MODEL_NAME", "harm"),
        ("POLICY", "0.7"),
    ];
    more.iter().chain(&known).find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
}

impl World {
    pub(crate) fn new() -> Self {
        let clock = MemoryClock::starting_at("2026-01-05T10:30:00Z".parse().expect("a time"));
        let faults = Faults::default();
        World {
            objects: Faulty::of(MemoryObjects::new(), &faults),
            stream: Faulty::of(MemoryStream::new("comments", 1, clock), &faults),
            faults,
            clock,
            secrets: MemorySecrets::new(),
        }
    }

    /// The same with the repository's models in use.
    pub(crate) async fn with_models() -> Self {
        let world = World::new();
        world.promote(&["rscience", "harm"]).await;
        world
    }

    pub(crate) async fn promote(&self, names: &[&str]) {
        let deadline = self.clock.now() + TIME;
        for name in names {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models").join(name);
            let files = ModelFiles::read(&folder).expect("a model");
            let store = ModelStore::new(self.objects.inner.clone(), self.clock, *name);
            let version = store.push(&files, deadline).await.expect("pushed").version;
            store.promote(&version, deadline).await.expect("promoted");
        }
    }

    /// A key of these roles, `check,send` for two.
    pub(crate) async fn key(&self, roles: &str) -> String {
        self.key_for(roles, 60_000).await.key
    }

    pub(crate) async fn key_for(&self, roles: &str, per_minute: u32) -> NewKey {
        let roles: BTreeSet<Role> = roles.split(',').filter_map(Role::of).collect();
        let key = NewKey::make(roles, per_minute, None, self.clock.now()).expect("random bytes");
        self.store().add(&key).await.expect("kept");
        key
    }

    pub(crate) fn store(&self) -> KeyStore<'_, MemoryObjects, MemoryClock> {
        KeyStore::new(&self.objects.inner, &self.clock, self.clock.now() + TIME)
    }

    pub(crate) fn function(&self, more: &[(&'static str, &'static str)]) -> Function {
        let lookup = |name: &str| variable(name, more);
        let config = Config::read(Environment::new(&lookup)).expect("a configuration");
        let secrets = Faulty::of(self.secrets.clone(), &self.faults);
        let function = AnswerChecks::new(&config, self.objects.clone(), self.stream.clone(), secrets, self.clock);
        Function { function, clock: self.clock }
    }

    /// How often something was asked of the bucket.
    pub(crate) fn asked(&self, what: &str) -> usize {
        self.objects.asked.lock().expect("no panic").iter().filter(|asked| asked.starts_with(what)).count()
    }

    /// Of each call to the stream so many entries fail.
    pub(crate) fn throttle(&self, entries: usize) {
        *self.stream.failing.lock().expect("no panic") = entries;
    }

    /// The ids of the events on the stream.
    pub(crate) fn sent(&self) -> Vec<String> {
        let records = self.stream.inner.records();
        let id = |data: &[u8]| serde_json::from_slice::<Value>(data).expect("JSON")["id"].as_str().map(str::to_owned);
        records.iter().filter_map(|record| id(&record.data)).collect()
    }
}

pub(crate) struct Function {
    function: AnswerChecks<Faulty<MemoryObjects>, Faulty<MemoryStream>, Faulty<MemorySecrets>, MemoryClock>,
    clock: MemoryClock,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Value,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.headers[name].as_str().map(str::to_owned)
    }
}

/// A function URL's payload.
pub(crate) fn payload(
    method: &str,
    path: &str,
    query: &str,
    headers: &BTreeMap<String, String>,
    body: &str,
    is_base64: bool,
) -> Value {
    let mut payload = url_request(method, path, body);
    payload["rawQueryString"] = query.into();
    payload["headers"] = json!(headers);
    payload["headers"]["host"] = "abc.lambda-url.eu-central-1.on.aws".into();
    payload["headers"]["x-forwarded-proto"] = "https".into();
    if is_base64 {
        payload["body"] = STANDARD.encode(body).into();
        payload["isBase64Encoded"] = true.into();
    }
    if method == "GET" {
        payload["body"] = Value::Null;
    }
    payload
}

impl Function {
    pub(crate) async fn try_ask(&self, payload: &Value) -> Result<Answer, String> {
        let deadline = self.clock.now() + TIME;
        let answer = self.function.handle(payload.to_string().as_bytes(), deadline).await;
        let answer = answer.map_err(|error| error.to_string())?;
        let answer = serde_json::to_value(answer).expect("JSON");
        assert_eq!(answer["isBase64Encoded"], json!(false));
        Ok(Answer {
            status: answer["statusCode"].as_u64().and_then(|status| status.try_into().ok()).expect("a status"),
            headers: answer["headers"].clone(),
            body: answer["body"].as_str().expect("text").to_owned(),
        })
    }

    pub(crate) async fn ask(&self, payload: &Value) -> Answer {
        self.try_ask(payload).await.expect("an answer")
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(&payload("GET", path, "", &BTreeMap::new(), "", false)).await
    }

    /// Posts JSON.
    pub(crate) async fn post(&self, path: &str, key: &str, body: &Value) -> Answer {
        self.post_text(path, key, "application/json", &body.to_string()).await
    }

    pub(crate) async fn post_text(&self, path: &str, key: &str, kind: &str, body: &str) -> Answer {
        let mut headers = BTreeMap::from([("content-type".to_owned(), kind.to_owned())]);
        if !key.is_empty() {
            headers.insert("authorization".to_owned(), format!("Bearer {key}"));
        }
        self.ask(&payload("POST", path, "", &headers, body, false)).await
    }
}
