//! Keys: who may ask what, and how often.
//!
//! A key is `ms_`, 12 digits that name it, `_`, and 256 random bits. The name is no secret: it stands in logs and lists. Of the
//! whole, its SHA-256 alone is kept, so that whoever reads the bucket or a backup has no key. That is enough for a key that
//! nobody can guess; a slow hash is for passwords.

use std::collections::BTreeSet;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use modstream_platform::deliver::{DeliveryError, get, list, put_if_absent, put_where};
use modstream_platform::{Clock, Condition, Fetched, Objects};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;

use crate::Request;
use crate::http::parameter;

/// The prefix of all keys in a bucket.
pub const PREFIX: &str = "keys/";
/// What every key begins with: a name that searches for leaked secrets can look for.
const MARK: &str = "ms_";
const ID_BYTES: usize = 6;
const SECRET_BYTES: usize = 32;
/// The fewest characters of a key that somebody else made.
const MIN_OWN_CHARS: usize = 16;
/// How many requests a key may make a minute, where nobody says otherwise.
pub const DEFAULT_PER_MINUTE: u32 = 6_000;

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// To ask what a text would get, in any shape.
    Check,
    /// To send comments.
    Send,
    /// To say what a text should have got.
    Feedback,
}

impl Role {
    /// All of them.
    pub const ALL: [Role; 3] = [Role::Check, Role::Send, Role::Feedback];

    /// The role's name.
    pub fn name(self) -> &'static str {
        match self {
            Role::Check => "check",
            Role::Send => "send",
            Role::Feedback => "feedback",
        }
    }

    /// The role of a name.
    pub fn of(name: &str) -> Option<Self> {
        Role::ALL.into_iter().find(|role| role.name() == name)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(self.name())
    }
}

/// What is kept of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRecord {
    /// The key's name.
    pub id: String,
    /// What the key is for.
    pub roles: BTreeSet<Role>,
    /// How many requests it may make a minute.
    pub per_minute: u32,
    /// When the key was made.
    pub created: Timestamp,
    /// When the key was revoked; none while it is valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Timestamp>,
    /// What the key is for, in its maker's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    sha256: String,
}

/// A key, which is told once.
#[derive(Clone, PartialEq, Eq)]
pub struct NewKey {
    /// The key.
    pub key: String,
    /// What is kept of it.
    pub record: KeyRecord,
}

impl fmt::Debug for NewKey {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_tuple("NewKey").field(&self.record.id).finish()
    }
}

/// The system gave no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("the system gives no random bytes: {0}")]
pub struct NoRandomness(getrandom::Error);

impl NewKey {
    /// Makes a key.
    ///
    /// # Errors
    /// Where the system gives no random bytes.
    pub fn make(
        roles: BTreeSet<Role>,
        per_minute: u32,
        note: Option<String>,
        now: Timestamp,
    ) -> Result<Self, NoRandomness> {
        let (mut id, mut secret) = ([0; ID_BYTES], [0; SECRET_BYTES]);
        getrandom::fill(&mut id).and_then(|()| getrandom::fill(&mut secret)).map_err(NoRandomness)?;
        let id = hex::encode(id);
        let key = format!("{MARK}{id}_{}", URL_SAFE_NO_PAD.encode(secret));
        let sha256 = hash(&key);
        Ok(NewKey { key, record: KeyRecord { id, roles, per_minute, created: now, revoked: None, note, sha256 } })
    }

    /// A key from a file of the operator's: `ROLES KEY`, such as `check,feedback 8f0e...`.
    fn of_line(line: &str, now: Timestamp) -> Result<KeyRecord, String> {
        let Some((roles, key)) = line.split_once(char::is_whitespace) else {
            return Err("a line is ROLES KEY, such as `check,feedback` and a key".to_owned());
        };
        let roles: Result<BTreeSet<Role>, String> = roles
            .split(',')
            // It may be the key, by mistake.
            .map(|name| Role::of(name).ok_or_else(|| "it begins with no role: say check, send or feedback".to_owned()))
            .collect();
        let key = key.trim();
        if key.len() < MIN_OWN_CHARS || !key.chars().all(|c| c.is_ascii_graphic()) {
            return Err(format!("a key has at least {MIN_OWN_CHARS} characters of ASCII and no blank"));
        }
        let sha256 = hash(key);
        let id = id_of(key).map_or_else(|| format!("file-{}", &sha256[..12]), str::to_owned);
        let (per_minute, note) = (DEFAULT_PER_MINUTE, None);
        Ok(KeyRecord { id, roles: roles?, per_minute, created: now, revoked: None, note, sha256 })
    }
}

fn hash(key: &str) -> String {
    hex::encode(Sha256::digest(key))
}

/// The name within a key that was made here.
pub(crate) fn id_of(key: &str) -> Option<&str> {
    let id = key.strip_prefix(MARK)?.get(..2 * ID_BYTES)?;
    id.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(id)
}

impl KeyRecord {
    /// Whether this is the record of a key that is valid. How long the comparison takes says nothing of the key.
    pub fn is_of(&self, key: &str) -> bool {
        let is_same: bool = hash(key).as_bytes().ct_eq(self.sha256.as_bytes()).into();
        is_same && self.revoked.is_none()
    }
}

/// The keys that a file of the operator's holds, a line each: `ROLES KEY`. What begins with `#` is a remark.
///
/// # Errors
/// At the first line that is none. The error does not quote it.
pub fn read_file(text: &str, now: Timestamp) -> Result<Vec<KeyRecord>, String> {
    let mut records = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        let line = line.trim();
        if !line.is_empty() && !line.starts_with('#') {
            records.push(NewKey::of_line(line, now).map_err(|problem| format!("line {number}: {problem}"))?);
        }
    }
    Ok(records)
}

/// The key that a request brings: `Authorization: Bearer`, Google's `x-goog-api-key`, or `?key=`.
pub fn presented(request: &Request) -> Option<String> {
    let bearer = request.header("authorization").and_then(|value| {
        let (scheme, key) = value.trim().split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| key.trim().to_owned())
    });
    let google = || request.header("x-goog-api-key").map(|key| key.trim().to_owned());
    let key = bearer.or_else(google).or_else(|| parameter(&request.query, "key"));
    key.filter(|key| !key.is_empty())
}

/// What can go wrong between a bucket and a key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// There is no key of this name.
    #[error("there is no key {id}; `modstream key list` has them")]
    Missing {
        /// The name.
        id: String,
    },
    /// What lies there is no record of a key.
    #[error("{key} is no record of a key ({detail}); make another key, and revoke this one")]
    Damaged {
        /// The object's key.
        key: String,
        /// What is wrong.
        detail: String,
    },
    /// Somebody else changed it at the same time.
    #[error("the key {id} was changed by somebody else meanwhile: look at it again")]
    Changed {
        /// The name.
        id: String,
    },
    /// A call failed.
    #[error("keys/ of the bucket: {0}")]
    Delivery(#[from] DeliveryError),
}

/// A bucket's keys.
#[derive(Clone, Copy, Debug)]
pub struct KeyStore<'a, O, C> {
    objects: &'a O,
    clock: &'a C,
    deadline: Timestamp,
}

impl<'a, O: Objects, C: Clock> KeyStore<'a, O, C> {
    /// The keys in `objects`; no call starts after `deadline`.
    pub fn new(objects: &'a O, clock: &'a C, deadline: Timestamp) -> Self {
        KeyStore { objects, clock, deadline }
    }

    /// Keeps a key that was made.
    ///
    /// # Errors
    /// Where it is not known by the deadline that it is kept.
    pub async fn add(&self, key: &NewKey) -> Result<(), KeyError> {
        put_if_absent(self.objects, self.clock, self.deadline, &object(&key.record.id), written(&key.record)).await?;
        Ok(())
    }

    /// Whether there is any key, valid or revoked: whoever revoked the last one did not mean to let everybody in.
    ///
    /// # Errors
    /// Where there is no answer by the deadline.
    pub async fn any(&self) -> Result<bool, KeyError> {
        Ok(!list(self.objects, self.clock, self.deadline, PREFIX).await?.is_empty())
    }

    /// All keys, by their time.
    ///
    /// # Errors
    /// At the first that can't be read.
    pub async fn all(&self) -> Result<Vec<KeyRecord>, KeyError> {
        let mut records = Vec::new();
        for key in list(self.objects, self.clock, self.deadline, PREFIX).await? {
            records.extend(self.read(&key).await?.map(|(record, _)| record));
        }
        records.sort_by(|a, b| a.created.cmp(&b.created).then_with(|| a.id.cmp(&b.id)));
        Ok(records)
    }

    /// The record of a key that somebody brought, where it is one that is valid.
    ///
    /// # Errors
    /// Where there is no answer by the deadline.
    pub async fn find(&self, key: &str) -> Result<Option<KeyRecord>, KeyError> {
        let Some(id) = id_of(key) else { return Ok(None) };
        let found = self.read(&object(id)).await?;
        Ok(found.map(|(record, _)| record).filter(|record| record.is_of(key)))
    }

    /// Makes a key invalid, for good. Returns whether it was valid.
    ///
    /// # Errors
    /// Where there is no such key, or no answer by the deadline.
    pub async fn revoke(&self, id: &str) -> Result<bool, KeyError> {
        let missing = || KeyError::Missing { id: id.to_owned() };
        // What could not be one of our names is none, and no path to another object.
        if id_of(&format!("{MARK}{id}")) != Some(id) {
            return Err(missing());
        }
        let object = object(id);
        let (mut record, etag) = self.read(&object).await?.ok_or_else(missing)?;
        if record.revoked.is_some() {
            return Ok(false);
        }
        record.revoked = Some(self.clock.now());
        let condition = Condition::Matches(etag);
        let content = written(&record);
        match put_where(self.objects, self.clock, self.deadline, &object, content, &condition).await? {
            Some(_) => Ok(true),
            None => Err(KeyError::Changed { id: id.to_owned() }),
        }
    }

    async fn read(&self, key: &str) -> Result<Option<(KeyRecord, modstream_platform::ETag)>, KeyError> {
        match get(self.objects, self.clock, self.deadline, key, None).await? {
            Fetched::Object { bytes, etag } => {
                let record = serde_json::from_slice(&bytes);
                let record =
                    record.map_err(|error| KeyError::Damaged { key: key.to_owned(), detail: error.to_string() })?;
                Ok(Some((record, etag)))
            }
            Fetched::Missing | Fetched::NotModified => Ok(None),
        }
    }
}

fn object(id: &str) -> String {
    format!("{PREFIX}{id}.json")
}

fn written(record: &KeyRecord) -> Vec<u8> {
    // Texts, numbers and times always have a form in JSON.
    serde_json::to_vec(record).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(roles: &[Role]) -> NewKey {
        let roles = roles.iter().copied().collect();
        NewKey::make(roles, 60, None, Timestamp::UNIX_EPOCH).expect("random bytes")
    }

    #[test]
    fn a_key_is_kept_as_a_hash_and_known_by_it_alone() {
        let NewKey { key, record } = made(&[Role::Check]);
        assert!(record.is_of(&key) && id_of(&key) == Some(&record.id));
        let kept = String::from_utf8(written(&record)).expect("text");
        let secret = &key[MARK.len() + 2 * ID_BYTES + 1..];
        assert!(!kept.contains(secret) && secret.len() >= 30);
        assert!(!format!("{:?}", NewKey { key: key.clone(), record: record.clone() }).contains(secret));
        let other = made(&[Role::Check]);
        assert!(!record.is_of(&other.key) && !record.is_of(&key[..key.len() - 1]) && !record.is_of(""));
        let revoked = KeyRecord { revoked: Some(Timestamp::UNIX_EPOCH), ..record };
        assert!(!revoked.is_of(&key));
    }

    #[test]
    fn a_key_is_brought_in_three_ways() {
        let request = |headers: &[(&str, &str)], query: &str| Request {
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            query: query.to_owned(),
            ..Request::default()
        };
        for (headers, query, key) in [
            (&[("authorization", "Bearer abc")][..], "", Some("abc")),
            (&[("authorization", "bearer  abc")][..], "key=other", Some("abc")),
            (&[("x-goog-api-key", "abc")][..], "", Some("abc")),
            (&[][..], "alt=json&key=a%2Bc", Some("a+c")),
            (&[("authorization", "Basic abc")][..], "key=d", Some("d")),
            (&[][..], "key=", None),
            (&[][..], "", None),
        ] {
            assert_eq!(presented(&request(headers, query)).as_deref(), key, "{headers:?} {query}");
        }
    }

    #[test]
    fn a_file_of_keys_says_the_line_that_is_none_and_quotes_no_key() {
        let made = made(&[Role::Send]).key;
        let text = format!("# ours\n\ncheck,feedback a-long-enough-key\nsend {made}\n");
        let records = read_file(&text, Timestamp::UNIX_EPOCH).expect("keys");
        assert_eq!(records.len(), 2);
        assert!(records[0].is_of("a-long-enough-key") && records[1].is_of(&made));
        assert_eq!(records[0].roles, BTreeSet::from([Role::Check, Role::Feedback]));
        for (line, part) in [
            ("check short", "16 characters"),
            ("all a-long-enough-key", "no role"),
            ("a-long-enough-key", "ROLES KEY"),
            ("check a-long enough-key", "no blank"),
        ] {
            let error = read_file(&format!("\n{line}"), Timestamp::UNIX_EPOCH).expect_err("refused");
            assert!(error.starts_with("line 2") && error.contains(part) && !error.contains("enough-key"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_key_is_made_found_and_revoked_once() {
        use modstream_platform::SystemClock;
        use modstream_platform::memory::MemoryObjects;

        let objects = MemoryObjects::new();
        let deadline = SystemClock.now() + std::time::Duration::from_secs(60);
        let store = KeyStore::new(&objects, &SystemClock, deadline);
        assert!(!store.any().await.expect("an answer"));
        let key = made(&[Role::Check]);
        store.add(&key).await.expect("kept");
        assert_eq!(store.find(&key.key).await.expect("an answer"), Some(key.record.clone()));
        assert_eq!(store.find(&made(&[Role::Check]).key).await.expect("an answer"), None);
        let forged = format!("{}x", key.key);
        assert_eq!(store.find(&forged).await.expect("an answer"), None);
        assert!(store.revoke(&key.record.id).await.expect("revoked"));
        assert!(!store.revoke(&key.record.id).await.expect("was revoked"));
        assert_eq!(store.find(&key.key).await.expect("an answer"), None);
        assert!(store.any().await.expect("an answer"), "a key that was revoked still closes the door");
        for id in ["000000000000", "../models/x", "", "00"] {
            assert!(matches!(store.revoke(id).await, Err(KeyError::Missing { .. })), "{id}");
        }
    }
}
