use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use modstream_classifier::Scratch;
use modstream_events::{Comment, Event, Feedback, ids};
use sha2::{Digest, Sha256};

use crate::perspective::analyze::{AnalyzeRequest, Analyzed, analyze};
use crate::perspective::suggest::{SuggestRequest, SuggestResponse, suggest};
use crate::perspective::{Fault, discovery, unknown, unreadable};
use crate::route::google_error;
use crate::settings::Store;
use crate::{Judging, Refusal, Request, Response, Route, Settings, check, comments, coral, feedback, openai, read};

/// The system that comments are of which were analysed.
const ANALYZED: &str = "urn:modstream:perspective";
/// The most bytes of a comment's id and its community's name.
const MAX_NAME_BYTES: usize = 256;

/// How many buffers are kept for the next requests.
const MAX_SCRATCHES: usize = 4;

/// The OpenAPI document, which a test makes from the types.
const OPENAPI: &str = include_str!("../openapi.json");

/// Answers requests, in the words of whoever asks.
#[derive(Debug)]
pub struct Gateway {
    settings: Settings,
    coral_secrets: Mutex<Vec<String>>,
    /// Buffers that no request has now: a text is read into some that are there.
    scratches: Mutex<Vec<Scratch>>,
    /// The fields of Perspective's requests that nobody knows, each said once in the log.
    unknown: unknown::Told,
}

/// An answer, and what is to be kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// The answer.
    pub response: Response,
    /// What is to be kept of the request.
    pub kept: Vec<Stored>,
}

/// What is to be kept of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stored {
    /// A comment's event, for the stream of comments. The answer holds whether it gets there or not.
    Comment(Vec<u8>),
    /// An object of the bucket, written over what the key holds. The answer holds only if it gets there.
    Feedback {
        /// The object's key.
        key: String,
        /// Its content.
        content: Vec<u8>,
    },
}

impl From<Response> for Answered {
    fn from(response: Response) -> Self {
        Answered { response, kept: Vec::new() }
    }
}

impl Gateway {
    /// Answers by these settings. Coral signs by any of the secrets.
    pub fn new(settings: Settings, coral_secrets: Vec<String>) -> Self {
        Gateway {
            settings,
            coral_secrets: Mutex::new(coral_secrets),
            scratches: Mutex::default(),
            unknown: unknown::Told::default(),
        }
    }

    /// From now on Coral signs by any of these.
    pub fn signed_by(&self, coral_secrets: Vec<String>) {
        *self.coral_secrets.lock().unwrap_or_else(PoisonError::into_inner) = coral_secrets;
    }

    /// What it answers by.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What can be refused before a body is there: it is compressed, or of another type. A page in a browser may send what has
    /// no type of JSON to any server without asking it.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn take(&self, route: Route, request: &Request) -> Result<(), Refusal> {
        if route == Route::Comments {
            return comments::check(request);
        }
        if route.max_body_bytes() == 0 {
            return Ok(());
        }
        if request.header("content-encoding").is_some_and(|coding| !coding.trim().eq_ignore_ascii_case("identity")) {
            return Err(Refusal::Encoded);
        }
        let kind = request.header("content-type").unwrap_or_default().to_ascii_lowercase();
        let name = kind.split(';').next().unwrap_or_default().trim();
        let is_json = name == "application/json" || (name.starts_with("application/") && name.ends_with("+json"));
        // What is signed was sent by nobody's browser.
        if is_json || route == Route::Coral { Ok(()) } else { Err(Refusal::OtherType) }
    }

    /// Answers a request that was let in, where nothing is judged for it; none where something is. [`Route::Comments`] is answered
    /// by whoever has the stream.
    pub fn plain(&self, route: Route, request: &Request, now: Timestamp) -> Option<Answered> {
        Some(match route {
            Route::Check | Route::Moderations | Route::Analyze | Route::Coral => return None,
            Route::SuggestScore => match read::json::<SuggestRequest>(&request.body) {
                Err(problem) => unreadable(&problem).into(),
                Ok(said) => match self.suggest(said, request) {
                    Err(fault) => fault.response().into(),
                    Ok((answer, feedback)) => {
                        let kept = feedback.into_iter().map(|feedback| {
                            let (key, content) = feedback::object(feedback, now);
                            Stored::Feedback { key, content }
                        });
                        Answered { response: Response::json(200, &answer), kept: kept.collect() }
                    }
                },
            },
            Route::Discovery => self.discovery(request).into(),
            Route::OpenApi => {
                let mut response = Response::empty(200).with("content-type", "application/json; charset=UTF-8");
                response.body = OPENAPI.as_bytes().to_vec();
                response.into()
            }
            Route::Comments => Route::Comments.refuse(&Refusal::Method).into(),
        })
    }

    /// Answers a request that was let in.
    pub fn answer(&self, route: Route, request: &Request, judging: &Judging<'_>, now: Timestamp) -> Answered {
        let settings = &self.settings;
        let response = match route {
            Route::Check => self.with_scratch(|scratch| check::check(request, judging, now, scratch)),
            Route::Moderations => {
                self.with_scratch(|scratch| openai::moderate(&request.body, settings, judging.models, scratch))
            }
            Route::Analyze => return self.analyze(request, judging, now),
            Route::Coral => self.coral(request, judging, now),
            Route::SuggestScore | Route::Discovery | Route::OpenApi | Route::Comments => {
                return self.plain(route, request, now).unwrap_or_else(|| route.refuse(&Refusal::Method).into());
            }
        };
        response.into()
    }

    fn suggest(
        &self,
        said: SuggestRequest,
        request: &Request,
    ) -> Result<(SuggestResponse, Vec<Feedback<'static>>), Fault> {
        self.unknown.look(Route::SuggestScore, &request.body);
        suggest(said, &self.settings)
    }

    fn analyze(&self, request: &Request, judging: &Judging<'_>, now: Timestamp) -> Answered {
        let said: AnalyzeRequest = match read::json(&request.body) {
            Ok(said) => said,
            Err(problem) => return unreadable(&problem).into(),
        };
        self.unknown.look(Route::Analyze, &request.body);
        let analyzed = self.with_scratch(|scratch| analyze(&said, &self.settings, judging.models, scratch));
        let Analyzed { response, models } = match analyzed {
            Ok(analyzed) => analyzed,
            Err(fault) => return fault.response().into(),
        };
        let is_kept = self.settings.requests.store == Store::AsAsked && said.do_not_store != Some(true);
        let response = Response::json(200, &response).with("x-modstream-model", models);
        let kept = is_kept.then(|| Stored::Comment(comment(said, now)));
        Answered { response, kept: kept.into_iter().collect() }
    }

    fn discovery(&self, request: &Request) -> Response {
        let version = crate::http::parameter(&request.query, "version");
        if version.is_some_and(|version| version != discovery::VERSION) {
            let text = format!("Discovery document not found: there is {}", discovery::VERSION);
            return google_error(404, "NOT_FOUND", &text, &[]);
        }
        Response::json(200, &discovery::document(&request.address))
    }

    fn coral(&self, request: &Request, judging: &Judging<'_>, now: Timestamp) -> Response {
        let secrets = self.coral_secrets.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if secrets.is_empty() {
            return Route::Coral.refuse(&Refusal::NoSecret);
        }
        let signature = request.header("x-coral-signature").unwrap_or_default();
        if !coral::is_signed(signature, &request.body, &secrets) {
            return Route::Coral.refuse(&Refusal::BadSignature);
        }
        let said = match read::json(&request.body) {
            Ok(said) => said,
            Err(problem) => {
                return crate::route::ours(400, "body", &format!("the body is no comment of Coral's: {problem}"));
            }
        };
        let models = judging.models();
        let response = match self.with_scratch(|scratch| coral::moderate(said, &self.settings, judging, now, scratch)) {
            Some(answer) => Response::json(200, &answer),
            None => Response::empty(204),
        };
        response.with("x-modstream-model", models)
    }

    /// Works with buffers. Those of work that panicked are gone: nobody knows what they hold.
    fn with_scratch<T>(&self, work: impl FnOnce(&mut Scratch) -> T) -> T {
        let scratches = || self.scratches.lock().unwrap_or_else(PoisonError::into_inner);
        let mut scratch = scratches().pop().unwrap_or_default();
        let done = work(&mut scratch);
        let mut scratches = scratches();
        if scratches.len() < MAX_SCRATCHES {
            scratches.push(scratch);
        }
        done
    }
}

/// The event of a comment that was analysed. It is the same for the same request, so that one who asks again adds nothing.
fn comment(said: AnalyzeRequest, now: Timestamp) -> Vec<u8> {
    let body = said.comment.and_then(|comment| comment.text).unwrap_or_default();
    let fits = |name: &String| (1..=MAX_NAME_BYTES).contains(&name.len());
    let community = said.community_id.filter(fits);
    let id = said.client_token.filter(fits).unwrap_or_else(|| {
        let mut hash = Sha256::new();
        hash.update(community.as_deref().unwrap_or_default());
        // No text holds this byte.
        hash.update([0xFF]);
        hash.update(&body);
        hex::encode(hash.finalize())
    });
    // A token is its community's: another's may be the same.
    let name = format!("{} {id}", community.as_deref().unwrap_or_default());
    let event = ids::comment(ANALYZED, &name, &ids::text_version(&body, 0)).to_string();
    let comment = Comment {
        id: Some(id.into()),
        subreddit: community.map(Into::into),
        body: Some(body.into()),
        ..Comment::default()
    };
    Event::new(event, ANALYZED, now, comment).encode()
}
