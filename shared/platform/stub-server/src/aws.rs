use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::dynamodb::Tables;
use crate::{Answer, Reply, Request, StubServer, lock};

/// As much of DynamoDB, S3, Kinesis, SNS and Secrets Manager as a function needs, and of STS as a command does. No call fails.
///
/// Of DynamoDB there is every table, with items, conditions, updates, transactions, and queries by indexes that are named. S3 has objects by path-style address, lists of one page, `If-None-Match` and `If-Match`, and answers a missing key
/// with 404. Kinesis has PutRecords, SNS has PublishBatch, and Secrets Manager has the current text of a secret.
#[derive(Debug)]
pub struct FakeAws {
    server: StubServer,
    held: Arc<Held>,
}

/// What the services hold.
#[derive(Debug, Default)]
struct Held {
    /// The objects by path: `/<bucket>/<key>`.
    objects: Mutex<BTreeMap<String, Vec<u8>>>,
    /// The texts of secrets, by id.
    secrets: Mutex<BTreeMap<String, String>>,
    tables: Mutex<Tables>,
}

impl FakeAws {
    /// Starts services that hold nothing.
    ///
    /// # Errors
    /// An error of the system's where no port is free.
    pub fn start() -> io::Result<Self> {
        Self::start_with(|_| None)
    }

    /// Starts services that ask `fault` first: where it returns a reply, that is given.
    ///
    /// # Errors
    /// An error of the system's where no port is free.
    pub fn start_with(fault: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static) -> io::Result<Self> {
        let held = Arc::new(Held::default());
        let shared = Arc::clone(&held);
        let server =
            StubServer::start(move |request| fault(request).unwrap_or_else(|| answer(request, &shared).into()))?;
        Ok(FakeAws { server, held })
    }

    /// The address that `AWS_ENDPOINT_URL` must hold.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Puts an object.
    pub fn put(&self, bucket: &str, key: &str, bytes: impl Into<Vec<u8>>) {
        lock(&self.held.objects).insert(format!("/{bucket}/{key}"), bytes.into());
    }

    /// Puts an item, in DynamoDB's JSON, into a table.
    pub fn put_item(&self, table: &str, item: &Value) {
        lock(&self.held.tables).put(table, item);
    }

    /// A table's items, in DynamoDB's JSON and in the order of their keys.
    pub fn items(&self, table: &str) -> Vec<Value> {
        lock(&self.held.tables).items(table)
    }

    /// Gives all tables an index of this name, which is sorted by this attribute.
    pub fn put_index(&self, name: &str, sort: &str) {
        lock(&self.held.tables).index(name, sort);
    }

    /// Puts a secret's text.
    pub fn put_secret(&self, id: &str, text: &str) {
        lock(&self.held.secrets).insert(id.to_owned(), text.to_owned());
    }

    /// Puts a model's files and the pointer to its version, as `model push` and `model promote` do.
    ///
    /// # Errors
    /// An error where the folder can't be read, or its manifest names no version.
    pub fn put_model(&self, bucket: &str, name: &str, folder: &Path) -> io::Result<()> {
        let manifest: Value = serde_json::from_slice(&std::fs::read(folder.join("manifest.json"))?)?;
        let version = manifest["version"].as_str().ok_or(io::ErrorKind::InvalidData)?;
        for file in std::fs::read_dir(folder)? {
            let file = file?;
            let key = format!("models/{name}/{version}/{}", file.file_name().to_string_lossy());
            self.put(bucket, &key, std::fs::read(file.path())?);
        }
        self.put(bucket, &format!("models/{name}/current.json"), json!({ "version": version }).to_string());
        Ok(())
    }

    /// The keys of a bucket's objects, in order.
    pub fn keys(&self, bucket: &str) -> Vec<String> {
        let objects = lock(&self.held.objects);
        objects.keys().filter_map(|path| Some(path.strip_prefix(&format!("/{bucket}/"))?.to_owned())).collect()
    }

    /// An object's bytes; none where there is none.
    pub fn object(&self, bucket: &str, key: &str) -> Option<Vec<u8>> {
        lock(&self.held.objects).get(&format!("/{bucket}/{key}")).cloned()
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.server.requests()
    }

    /// Waits until a request has arrived for which `is` is true.
    pub fn wait_for(&self, is: impl Fn(&Request) -> bool) {
        self.server.wait_for(is);
    }

    /// Partition key and data of all records that were put on a stream, in order.
    pub fn records(&self, stream: &str) -> Vec<(String, Vec<u8>)> {
        let puts = self.requests().into_iter().filter(is_put_records).filter_map(|it| body(&it));
        let puts = puts.filter(|put| put["StreamName"] == stream);
        let records = puts.flat_map(|put| put["Records"].as_array().cloned().unwrap_or_default());
        let text = |record: &Value, field: &str| record[field].as_str().unwrap_or_default().to_owned();
        records
            .map(|record| (text(&record, "PartitionKey"), STANDARD.decode(text(&record, "Data")).unwrap_or_default()))
            .collect()
    }
}

/// The operation that a request of AWS's JSON protocols names, of a service whose targets begin so.
fn operation<'a>(request: &'a Request, service: &str) -> Option<&'a str> {
    request.header("x-amz-target")?.strip_prefix(service)
}

fn is_put_records(request: &Request) -> bool {
    operation(request, "Kinesis_20131202.") == Some("PutRecords")
}

fn secret(request: &Request, secrets: &Mutex<BTreeMap<String, String>>) -> Answer {
    let wanted = body(request).unwrap_or_default();
    // There is no version before the current one.
    let is_current = wanted["VersionStage"] == "AWSCURRENT";
    let text = wanted["SecretId"].as_str().and_then(|id| lock(secrets).get(id).cloned()).filter(|_| is_current);
    let (status, answer) = match text {
        Some(text) => (200, json!({ "SecretString": text })),
        None => (400, json!({ "__type": "ResourceNotFoundException", "Message": "There is none." })),
    };
    Answer::new(status, answer.to_string()).header("Content-Type", "application/x-amz-json-1.1")
}

fn body(request: &Request) -> Option<Value> {
    serde_json::from_slice(&request.body).ok()
}

fn answer(request: &Request, held: &Held) -> Answer {
    if is_put_records(request) {
        return put_records(request);
    }
    if let Some(operation) = operation(request, "DynamoDB_20120810.") {
        return lock(&held.tables).answer(operation, &body(request).unwrap_or_default());
    }
    if operation(request, "secretsmanager.") == Some("GetSecretValue") {
        return secret(request, &held.secrets);
    }
    if request.method == "POST" && request.text().contains("Action=GetCallerIdentity") {
        return caller_identity();
    }
    if request.method == "POST" {
        return publish_batch(request);
    }
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let path = decode(path);
    let mut objects = lock(&held.objects);
    match request.method.as_str() {
        "GET" if query.contains("list-type=2") => list(&path, query, &objects),
        "GET" => match objects.get(&path) {
            None => Answer::new(404, *b"<Error><Code>NoSuchKey</Code><Message>There is none.</Message></Error>"),
            Some(bytes) if request.header("if-none-match") == Some(&etag(bytes)) => Answer::new(304, *b""),
            Some(bytes) => Answer::new(200, bytes.clone()).header("ETag", etag(bytes)),
        },
        "PUT" if request.header("if-none-match") == Some("*") && objects.contains_key(&path) => {
            Answer::new(412, *b"<Error><Code>PreconditionFailed</Code><Message>There is one.</Message></Error>")
        }
        "PUT"
            if request
                .header("if-match")
                .is_some_and(|tag| objects.get(&path).is_none_or(|bytes| etag(bytes) != tag)) =>
        {
            Answer::new(412, *b"<Error><Code>PreconditionFailed</Code><Message>It is another.</Message></Error>")
        }
        "PUT" => {
            objects.insert(path, request.body.clone());
            Answer::new(200, *b"").header("ETag", etag(&request.body))
        }
        "DELETE" => {
            objects.remove(&path);
            Answer::new(204, *b"")
        }
        _ => Answer::new(501, *b"<Error><Code>NotImplemented</Code></Error>"),
    }
}

fn list(path: &str, query: &str, objects: &BTreeMap<String, Vec<u8>>) -> Answer {
    let prefix = query.split('&').find_map(|pair| pair.strip_prefix("prefix=")).map(decode).unwrap_or_default();
    let bucket = format!("{}/", path.trim_end_matches('/'));
    let keys = objects.keys().filter_map(|path| path.strip_prefix(&bucket)).filter(|key| key.starts_with(&prefix));
    let contents: Vec<String> = keys
        .map(|key| {
            format!("<Contents><Key>{key}</Key><LastModified>2026-01-05T10:00:00.000Z</LastModified></Contents>")
        })
        .collect();
    let head = format!("<KeyCount>{}</KeyCount><IsTruncated>false</IsTruncated>", contents.len());
    Answer::new(200, format!("<ListBucketResult>{head}{}</ListBucketResult>", contents.concat()))
}

fn put_records(request: &Request) -> Answer {
    let count = body(request).and_then(|put| Some(put["Records"].as_array()?.len())).unwrap_or_default();
    let stored = |index| json!({ "ShardId": "shardId-000000000000", "SequenceNumber": format!("49{index:054}") });
    let records: Vec<Value> = (0..count).map(stored).collect();
    let answer = json!({ "FailedRecordCount": 0, "Records": records });
    Answer::new(200, answer.to_string()).header("Content-Type", "application/x-amz-json-1.1")
}

/// Whose the credentials are, by this stub.
pub const CALLER_ARN: &str = "arn:aws:sts::123456789012:assumed-role/operators/maja";

fn caller_identity() -> Answer {
    let result = format!("<Arn>{CALLER_ARN}</Arn><UserId>AROA:maja</UserId><Account>123456789012</Account>");
    let result = format!("<GetCallerIdentityResult>{result}</GetCallerIdentityResult>");
    Answer::new(200, format!("<GetCallerIdentityResponse>{result}</GetCallerIdentityResponse>"))
        .header("Content-Type", "text/xml")
}

fn publish_batch(request: &Request) -> Answer {
    let text = request.text();
    let ids = text.split('&').filter_map(|pair| pair.split_once('=')).filter(|(name, _)| name.ends_with(".Id"));
    let members: String =
        ids.map(|(_, id)| format!("<member><Id>{id}</Id><MessageId>message-{id}</MessageId></member>")).collect();
    let result = format!("<PublishBatchResult><Successful>{members}</Successful><Failed/></PublishBatchResult>");
    Answer::new(200, format!("<PublishBatchResponse>{result}</PublishBatchResponse>"))
}

/// An entity tag that changes with the content: its length and FNV-1a.
fn etag(bytes: &[u8]) -> String {
    let hash = bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    format!("\"{:x}-{hash:016x}\"", bytes.len())
}

/// Undoes percent-encoding.
fn decode(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        let (byte, after) = match hex {
            Some(byte) if first == b'%' => (byte, &after[2..]),
            _ => (first, after),
        };
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
