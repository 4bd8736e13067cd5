//! The front door over a bucket and a stream, whichever world they are of: who is let in, by which models and policies they are
//! answered, and what is kept.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use modstream_classifier::BaseRate;
use modstream_in_use::models::{Following as FollowingModel, FollowingHarm, InUse, ModelStore};
use modstream_in_use::policies::Following as FollowingPolicies;
use modstream_intake::{Entry, Format};
use modstream_platform::deliver::put;
use modstream_platform::{Clock, Objects};
use modstream_policy::Policies;
use modstream_telemetry::{comment_unkept, request_failed};
use tokio::sync::OnceCell;

use crate::comments::{self, Put, Sink, Tally, ToPut};
use crate::keys::{self, KeyError, KeyRecord, KeyStore, Role, presented};
use crate::{
    Answered, Gateway, Judging, Models, NotReady, Quotas, Refusal, Request, Response, Route, Settings, Stored,
};

/// How long an answer waits for its comment to be stored, which must not keep it back.
const KEEP_TIMEOUT: Duration = Duration::from_secs(1);
/// A body above this is answered on a thread of its own, so that nobody waits for it.
const LARGE_BYTES: usize = 16 << 10;

/// Who is let in where there is no key yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WithoutKeys {
    /// Everybody: whoever asks is on this machine.
    LetIn,
    /// Nobody: others reach it.
    Refuse,
}

/// What a front door goes by.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Which label answers for which name.
    pub settings: Settings,
    /// The secrets by which Coral signs; none where nobody said any.
    pub coral_secrets: Vec<String>,
    /// Keys besides those of the bucket.
    pub file_keys: Vec<KeyRecord>,
    /// Who is let in where there is no key yet.
    pub without_keys: WithoutKeys,
    /// How long a key is let in after its record was read: so long one that is revoked still is.
    pub keys_remembered: SignedDuration,
    /// The name of the models of removals.
    pub removal: String,
    /// The name of the harm models that comments are scored with; none where none are.
    pub harm: Option<String>,
    /// The share of comments that moderators remove; none is the training data's.
    pub base_rate: Option<BaseRate>,
    /// A model with labels that answers for its names where none of its name is in use.
    pub built_in: Option<Arc<InUse>>,
    /// The policies of a bucket that has none.
    pub without_document: Policies,
}

/// What answers at the front door.
#[derive(Debug)]
pub struct FrontDoor<O, C> {
    gateway: Arc<Gateway>,
    objects: O,
    clock: C,
    removal: String,
    harm: Option<String>,
    base_rate: Option<BaseRate>,
    /// The models that are followed, since they could be loaded first.
    following: OnceCell<Followed<O, C>>,
    built_in: Option<Arc<InUse>>,
    policies: FollowingPolicies,
    quotas: Quotas,
    file_keys: Vec<KeyRecord>,
    without_keys: WithoutKeys,
    keys_remembered: SignedDuration,
    /// Keys that were let in, and when their record was read.
    remembered: Mutex<HashMap<String, (Timestamp, KeyRecord)>>,
    /// Whether there was any key: none is ever taken away.
    has_keys: AtomicBool,
}

#[derive(Debug)]
struct Followed<O, C> {
    removal: FollowingModel<O, C>,
    harm: Option<FollowingHarm<O, C>>,
}

/// A request that is not let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turned {
    /// Why.
    pub refusal: Refusal,
    /// The key's name, where it is known.
    pub key: Option<String>,
}

/// What became of a request that was let in.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    /// The answer.
    pub response: Response,
    /// The comments that it brought.
    pub tally: Tally,
    /// What went wrong besides the request itself, in a word; none where nothing did.
    pub failed: Option<&'static str>,
}

impl Done {
    fn refused(route: Route, refusal: &Refusal) -> Self {
        log(route, refusal);
        Done { response: route.refuse(refusal), tally: Tally::default(), failed: Some(refusal.reason()) }
    }
}

/// Says in the log why there is no answer, where that is not the caller's matter.
fn log(route: Route, refusal: &Refusal) {
    if let Some(cause) = refusal.cause() {
        request_failed(route.path(), refusal.reason(), cause, matches!(refusal, Refusal::Broken(_)));
    }
}

impl<O: Objects + Clone, C: Clock + Clone> FrontDoor<O, C> {
    /// A front door over a bucket. Nothing is asked of it yet.
    pub fn new(setup: Setup, objects: O, clock: C) -> Self {
        let Setup { settings, coral_secrets, file_keys, without_keys, keys_remembered, .. } = setup;
        FrontDoor {
            gateway: Arc::new(Gateway::new(settings, coral_secrets)),
            objects,
            clock,
            removal: setup.removal,
            harm: setup.harm,
            base_rate: setup.base_rate,
            following: OnceCell::new(),
            built_in: setup.built_in,
            policies: FollowingPolicies::new(setup.without_document),
            quotas: Quotas::default(),
            file_keys,
            without_keys,
            keys_remembered,
            remembered: Mutex::default(),
            has_keys: AtomicBool::new(false),
        }
    }

    /// Loads the models, and looks whether there is one for each name. Whoever does not wait for that has it done by the first
    /// request that needs one.
    ///
    /// # Errors
    /// Where the model in use can't be loaded, or a label is to answer that no model has.
    pub async fn start(&self, deadline: Timestamp) -> Result<(), NotReady> {
        let models = self.models(deadline).await?;
        Ok(self.gateway.settings().check(&models)?)
    }

    /// From now on Coral signs by any of these.
    pub fn signed_by(&self, coral_secrets: Vec<String>) {
        self.gateway.signed_by(coral_secrets);
    }

    /// Whether there is any key, valid or revoked.
    ///
    /// # Errors
    /// Where there is no answer by the deadline.
    pub async fn has_keys(&self, deadline: Timestamp) -> Result<bool, KeyError> {
        if !self.file_keys.is_empty() || self.has_keys.load(Ordering::Relaxed) {
            return Ok(true);
        }
        let any = self.store(deadline).any().await?;
        self.has_keys.fetch_or(any, Ordering::Relaxed);
        Ok(any)
    }

    /// Lets a request in, by its method, its key and its head: the body need not be there. Returns its key's name.
    ///
    /// # Errors
    /// Why it is refused.
    pub async fn admit(
        &self,
        route: Route,
        method: &str,
        request: &Request,
        deadline: Timestamp,
    ) -> Result<Option<String>, Turned> {
        let turned = |refusal, key| Turned { refusal, key };
        if !route.takes(method) {
            return Err(turned(Refusal::Method, None));
        }
        let key = match route.role() {
            None => None,
            Some(role) => {
                let key =
                    self.known(role, request, deadline).await.inspect_err(|turned| log(route, &turned.refusal))?;
                self.within_quota(key.as_ref(), role)?;
                key.map(|key| key.id)
            }
        };
        self.gateway.take(route, request).map_err(|refusal| turned(refusal, key.clone()))?;
        Ok(key)
    }

    /// The key of a request, where it is for that; none where nobody needs one.
    async fn known(&self, role: Role, request: &Request, deadline: Timestamp) -> Result<Option<KeyRecord>, Turned> {
        let unread = |error: KeyError| Turned { refusal: Refusal::of_keys(&error), key: None };
        let presented = presented(request);
        let found = match &presented {
            Some(key) => self.find(key, deadline).await.map_err(unread)?,
            None => None,
        };
        match found {
            Some(key) if key.roles.contains(&role) => Ok(Some(key)),
            Some(key) => Err(Turned { refusal: Refusal::NotFor(role), key: Some(key.id) }),
            None if !self.has_keys(deadline).await.map_err(unread)? => match self.without_keys {
                WithoutKeys::LetIn => Ok(None),
                WithoutKeys::Refuse => Err(Turned { refusal: Refusal::NoKeyYet(role), key: None }),
            },
            None if presented.is_some() => Err(Turned { refusal: Refusal::UnknownKey, key: None }),
            None => Err(Turned { refusal: Refusal::NoKey, key: None }),
        }
    }

    /// Takes a request from its key's quota, and what says how a text should be judged from one of its own, too: it is learned from.
    fn within_quota(&self, key: Option<&KeyRecord>, role: Role) -> Result<(), Turned> {
        let now = self.clock.now();
        let id = key.map_or("", |key| key.id.as_str());
        let feedback = (role == Role::Feedback).then(|| self.gateway.settings().feedback_per_minute());
        for (of, per_minute) in [(format!("feedback {id}"), feedback), (id.to_owned(), key.map(|key| key.per_minute))] {
            if let Some(per_minute) = per_minute {
                let over = |wait| Turned { refusal: Refusal::OverQuota(wait), key: key.map(|key| key.id.clone()) };
                self.quotas.take(&of, per_minute, now).map_err(over)?;
            }
        }
        Ok(())
    }

    async fn find(&self, key: &str, deadline: Timestamp) -> Result<Option<KeyRecord>, KeyError> {
        // All of them are compared: how long it takes says nothing of which one it is.
        let mut found = None;
        for record in &self.file_keys {
            if record.is_of(key) {
                found = Some(record.clone());
            }
        }
        if found.is_some() {
            return Ok(found);
        }
        let now = self.clock.now();
        let remembered = || self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(id) = keys::id_of(key)
            && let Some((read, record)) = remembered().get(id)
            && now.duration_since(*read) < self.keys_remembered
            && record.is_of(key)
        {
            return Ok(Some(record.clone()));
        }
        let found = self.store(deadline).find(key).await?;
        if let Some(record) = &found {
            self.has_keys.store(true, Ordering::Relaxed);
            if self.keys_remembered > SignedDuration::ZERO {
                remembered().insert(record.id.clone(), (now, record.clone()));
            }
        }
        Ok(found)
    }

    fn store(&self, deadline: Timestamp) -> KeyStore<'_, O, C> {
        KeyStore::new(&self.objects, &self.clock, deadline)
    }

    /// Answers a request that was let in, and keeps what is to be kept of it.
    pub async fn answer<S: Sink>(&self, route: Route, request: Request, sink: &S, deadline: Timestamp) -> Done {
        if request.body.len() > route.max_body_bytes() {
            return Done::refused(route, &Refusal::TooLarge);
        }
        if route == Route::Comments {
            let comments::Outcome { response, tally, failed } =
                comments::take(&request, sink, self.clock.now(), deadline).await;
            failed.iter().for_each(|refusal| log(route, refusal));
            return Done { response, tally, failed: failed.map(|refusal| refusal.reason()) };
        }
        let answered = match self.gateway.plain(route, &request, self.clock.now()) {
            Some(answered) => answered,
            None => match self.judged(route, request, deadline).await {
                Ok(answered) => answered,
                Err(refusal) => return Done::refused(route, &refusal),
            },
        };
        let Answered { response, kept } = answered;
        let mut done = Done { response, tally: Tally::default(), failed: None };
        for kept in kept {
            match kept {
                // Whoever asks what a text would get has the answer, wherever the text gets to.
                Stored::Comment(event) => {
                    if let Err(cause) = self.put(&event, sink, deadline, &mut done.tally).await {
                        comment_unkept(route.path(), &cause);
                        done.failed = Some("comment_unkept");
                    }
                }
                Stored::Feedback { key, content } => {
                    if let Err(error) = put(&self.objects, &self.clock, deadline, &key, content).await {
                        return Done::refused(route, &Refusal::of_call("it can't be kept now", &error));
                    }
                }
            }
        }
        done
    }

    /// Answers what is judged, by the models and the policies that are in use.
    async fn judged(&self, route: Route, request: Request, deadline: Timestamp) -> Result<Answered, Refusal> {
        let models = self.models(deadline).await.map_err(|error| Refusal::of_models(&error))?;
        if route != Route::Check {
            // Another model may have been promoted since the start.
            let check = self.gateway.settings().check(&models);
            check.map_err(|error| Refusal::of_models(&error.into()))?;
        }
        let policies = Box::pin(self.policies.snapshot(&self.objects, &self.clock, deadline)).await;
        let policies = policies.map_err(|error| Refusal::of_policies(&error))?;
        let (gateway, now) = (Arc::clone(&self.gateway), self.clock.now());
        let is_large = request.body.len() > LARGE_BYTES;
        let work = move || gateway.answer(route, &request, &Judging { models: &models, policies: &policies }, now);
        if !is_large {
            return Ok(work());
        }
        let answered = tokio::task::spawn_blocking(work).await;
        answered.map_err(|_| Refusal::Unavailable("it could not be answered".into()))
    }

    /// Puts the event of a comment that was analysed.
    async fn put<S: Sink>(&self, event: &[u8], sink: &S, deadline: Timestamp, tally: &mut Tally) -> Result<(), String> {
        let parts = modstream_intake::read(Format::Event, event, "", self.clock.now());
        let entries = parts.map_err(|error| error.to_string())?.flat_map(|part| part.entries);
        let to_put = entries.map(|Entry { identity, record, .. }| ToPut { identity, record }).collect();
        let put = tokio::time::timeout(KEEP_TIMEOUT, sink.put(to_put, deadline)).await;
        for put in put.map_err(|_| "it took too long".to_owned())? {
            match put {
                Put::New => tally.new += 1,
                Put::Repeated => tally.repeated += 1,
                Put::Never(why) => return Err(why),
                Put::Failed(refusal) => return Err(refusal.cause().unwrap_or_default().to_owned()),
            }
        }
        Ok(())
    }

    /// The models that answer: those in use, and the one that is built in unless another of its name is in use.
    async fn models(&self, deadline: Timestamp) -> Result<Models, NotReady> {
        let store = |name: &str| ModelStore::new(self.objects.clone(), self.clock.clone(), name);
        let load = || async {
            let removal = FollowingModel::start_beside(store(&self.removal), self.base_rate, deadline).await?;
            let harm = match &self.harm {
                Some(name) => Some(FollowingHarm::start(store(name), deadline).await),
                None => None,
            };
            Ok::<_, NotReady>(Followed { removal, harm })
        };
        let Followed { removal, harm } = self.following.get_or_try_init(load).await?;
        let harm = match harm {
            Some(harm) => harm.snapshot(deadline).await,
            None => None,
        };
        let built_in = self.built_in.as_ref();
        let built_in = built_in.filter(|built_in| harm.as_ref().is_none_or(|harm| harm.name != built_in.name));
        let labelled = harm.iter().chain(built_in).map(Arc::clone).collect();
        Ok(Models { removal: removal.snapshot(deadline).await, labelled, harm })
    }
}

/// The address at which a server was asked, by these headers, where that is a host and nothing else: a document repeats it.
pub fn asked_at(headers: &BTreeMap<String, String>) -> Option<String> {
    let host = headers.get("host")?;
    let is_host = !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || ".-:[]".contains(c));
    let is_https = headers.get("x-forwarded-proto").is_some_and(|scheme| scheme == "https");
    is_host.then(|| format!("{}://{host}", if is_https { "https" } else { "http" }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_repeats_a_host_and_nothing_else() {
        let at = |host: &str, proto: &str| {
            let headers = [("host", host), ("x-forwarded-proto", proto)];
            asked_at(&headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
        };
        assert_eq!(at("127.0.0.1:8080", "").as_deref(), Some("http://127.0.0.1:8080"));
        assert_eq!(at("[::1]:8080", "http").as_deref(), Some("http://[::1]:8080"));
        assert_eq!(at("mod.example.org", "https").as_deref(), Some("https://mod.example.org"));
        for host in ["", "a/b", "a b", "a\"b", "user@host"] {
            assert_eq!(at(host, "https"), None, "{host}");
        }
    }
}
