use jiff::{SignedDuration, Timestamp};
use kinesis_batch::catch_future;
use modstream_decisions::{Case, DecideError, DecideOutcome, Decisions, MAX_DECISIONS_PER_ALERT, moderator};
use modstream_events::{Action, MAX_MODERATOR_CHARS};
use modstream_ledger::AlertKey;
use modstream_links::{Claim, LinkError, Signer};
use modstream_platform::table::Table;
use modstream_platform::{Clock, Stream};
use modstream_telemetry::{page_failed, page_panicked};
use uuid::Uuid;

use crate::http::{Form as SentForm, NoForm};
use crate::load::{Entry, Loader};
use crate::pages::{AlertPage, Asker, Cards, DeskPage, DigestPage, Form, Note, note, sign_in};
use crate::used_link::Use;
use crate::{Request, Response};

/// How long a session lasts.
pub const SESSION_HOURS: i64 = 12;

/// How long a digest's page leads on to its alerts.
const FROM_DIGEST: SignedDuration = SignedDuration::from_hours(24);
/// How long a browser remembers a name: a year.
const REMEMBERED_SECONDS: i64 = 31_536_000;
/// The cookie of a session.
const SESSION: &str = "session";
/// The cookie that remembers a name.
const NAME: &str = "moderator";
/// Names a browser that opened a sign-in link.
const BROWSER: &str = "sign-in";

/// Who may see the desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Whom IAM let in, by the last part of the caller's ARN.
    Iam,
    /// Who signed in with a link.
    SignedLink,
}

/// What a site serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteSettings {
    /// Whether links to alerts and digests are answered.
    pub links: bool,
    /// Whether there is a desk, and for whom.
    pub desk: Option<Access>,
    /// Where permalinks lead that are paths: `https://...`, without a slash at the end.
    pub forum: String,
}

/// The pages over a table and the stream of decisions.
#[derive(Debug)]
pub struct Site<B, S, C> {
    table: B,
    decisions: S,
    clock: C,
    settings: SiteSettings,
}

impl<B: Table, S: Stream, C: Clock> Site<B, S, C> {
    /// A site.
    pub fn new(table: B, decisions: S, clock: C, settings: SiteSettings) -> Self {
        Site { table, decisions, clock, settings }
    }

    /// Answers a request; no call starts after `deadline`.
    pub async fn answer(&self, request: &Request, signer: &Signer, deadline: Timestamp) -> Response {
        let visit = Visit { site: self, request, signer, deadline, now: self.clock.now() };
        let refused = |refusal: Note<'_>| Response::page(refusal.status(), note(&refusal));
        let mut response = match catch_future(Box::pin(visit.answer())).await {
            Ok(Ok(response)) => response,
            Ok(Err(refusal)) => refused(refusal),
            Err(panicked) => {
                // The path may hold a token; what it begins with says which page it is.
                let page = request.path.split('/').nth(1).unwrap_or_default();
                page_panicked(page, panicked.place());
                refused(Note::Panicked)
            }
        };
        if request.method == "HEAD" {
            response.body.clear();
        }
        response
    }
}

/// One request.
struct Visit<'a, B, S, C> {
    site: &'a Site<B, S, C>,
    request: &'a Request,
    signer: &'a Signer,
    deadline: Timestamp,
    now: Timestamp,
}

/// A name that nobody can guess, for a browser or a request; none where the system has no random numbers.
fn new_name() -> Option<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok()?;
    Some(hex::encode(bytes))
}

type Answered = Result<Response, Note<'static>>;

/// What a form asks for.
struct Wish {
    action: Action,
    after: u32,
}

impl<B: Table, S: Stream, C: Clock> Visit<'_, B, S, C> {
    async fn answer(&self) -> Answered {
        let SiteSettings { links, desk, .. } = self.site.settings;
        // Of `//host/...` a browser would make another site.
        let path: Vec<&str> = self.request.path.strip_prefix('/').unwrap_or_default().split('/').collect();
        let posts = match self.request.method.as_str() {
            "GET" | "HEAD" => false,
            "POST" => true,
            _ => return Err(Note::NoMethod),
        };
        match (path.as_slice(), posts, desk) {
            (["a", token], false, _) if links => self.alert_by_link(token).await,
            (["a", token], true, _) if links => self.decide_by_link(token).await,
            (["d", token], false, _) if links => self.digest(token).await,
            (["s", token], posts, Some(Access::SignedLink)) => self.sign_in(token, posts).await,
            ([""], false, Some(access)) => self.desk(&self.moderator(access)?).await,
            (["alert", comment, id], false, Some(access)) => {
                self.alert_at_desk(comment, id, &self.moderator(access)?).await
            }
            (["decide"], true, Some(access)) => self.decide_at_desk(&self.moderator(access)?).await,
            (["sign-out"], true, Some(_)) => {
                let page = Response::page(200, note(&Note::SignedOut));
                Ok(page.with_cookie(format!("{SESSION}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0")))
            }
            (["decide" | "sign-out"], false, Some(_)) => Err(Note::NoMethod),
            _ => Err(Note::NoPage),
        }
    }

    fn loader(&self) -> Loader<'_, B, C> {
        let Site { table, clock, .. } = self.site;
        Loader { table, clock, deadline: self.deadline }
    }

    fn decisions(&self) -> Decisions<'_, B, S, C> {
        Decisions::new(&self.site.table, &self.site.decisions, &self.site.clock, self.deadline)
    }

    fn claim(&self, token: &str) -> Result<Claim, Note<'static>> {
        self.signer.verify(token, self.now).map_err(Note::Link)
    }

    /// Who is at the desk.
    fn moderator(&self, access: Access) -> Result<String, Note<'static>> {
        match access {
            Access::Iam => {
                let name =
                    self.request.caller.as_deref().and_then(|arn| arn.rsplit(['/', ':']).next()).unwrap_or_default();
                let name: String = name.chars().take(MAX_MODERATOR_CHARS).collect();
                moderator(&name).map_err(|_| Note::NoCaller)
            }
            Access::SignedLink => {
                let cookie = self.request.cookie(SESSION).ok_or(Note::NoSession)?;
                match self.signer.verify(cookie, self.now) {
                    Ok(Claim::Session { moderator }) => Ok(moderator),
                    Ok(_) | Err(_) => Err(Note::NoSession),
                }
            }
        }
    }

    fn cookie(&self, name: &str, value: &str, same_site: &str, seconds: i64) -> String {
        let secure = if self.request.is_https() { "; Secure" } else { "" };
        format!("{name}={value}; Path=/; HttpOnly; SameSite={same_site}; Max-Age={seconds}{secure}")
    }

    async fn entry(&self, key: &AlertKey) -> Result<Entry, Note<'static>> {
        let found = self.loader().entry(key).await.map_err(|error| self.failed("alert", &error))?;
        found.ok_or(Note::NoAlert)
    }

    fn failed(&self, page: &str, error: &dyn std::fmt::Display) -> Note<'static> {
        page_failed(page, error);
        Note::Unavailable
    }

    fn form(&self) -> Result<SentForm, Note<'static>> {
        self.request.form().map_err(|error| match error {
            NoForm::TooLarge => Note::TooLarge,
            NoForm::OtherKind => Note::NoForm,
        })
    }

    // Links.

    /// The alert that a link leads to, and what it proposes.
    fn alert_of(&self, token: &str) -> Result<(AlertKey, Action), Note<'static>> {
        let claim = self.claim(token)?;
        match (claim.alert(), &claim) {
            (Some(key), Claim::Alert { action, .. }) => Ok((key, *action)),
            _ => Err(Note::OtherKind),
        }
    }

    async fn alert_by_link(&self, token: &str) -> Answered {
        let (key, action) = self.alert_of(token)?;
        let entry = self.entry(&key).await?;
        let name = self.remembered();
        self.alert_page(200, &entry, Asker::Anybody { name: &name }, Some(action), None)
    }

    /// The name that this browser said last.
    fn remembered(&self) -> String {
        let cookie = self.request.cookie(NAME).unwrap_or_default();
        let text = form_urlencoded::parse(cookie.as_bytes()).next().map(|(name, _)| name.into_owned());
        text.and_then(|name| moderator(&name).ok()).unwrap_or_default()
    }

    async fn decide_by_link(&self, token: &str) -> Answered {
        let (key, proposed) = self.alert_of(token)?;
        let form = self.form()?;
        let wish = wish(&form)?;
        let entry = self.entry(&key).await?;
        let said = form.get("moderator");
        let name = match moderator(said) {
            Ok(name) => name,
            Err(error) => {
                let shown = moderator(&said.chars().take(MAX_MODERATOR_CHARS).collect::<String>()).unwrap_or_default();
                let notice = format!("Nothing was decided. {error}.");
                return self.alert_page(400, &entry, Asker::Anybody { name: &shown }, Some(proposed), Some(&notice));
            }
        };
        let name_cookie: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
        let name_cookie = self.cookie(NAME, &name_cookie, "Lax", REMEMBERED_SECONDS);
        let response = match self.decide(&entry, &wish, &name).await? {
            DecideOutcome::Done { .. } => Response::see(&self.request.path),
            behind => {
                let entry = Entry { log: behind.log().clone(), ..entry };
                let notice = notice(&behind);
                self.alert_page(409, &entry, Asker::Anybody { name: &name }, Some(proposed), Some(notice))?
            }
        };
        Ok(response.with_cookie(name_cookie))
    }

    async fn decide(&self, entry: &Entry, wish: &Wish, name: &str) -> Result<DecideOutcome, Note<'static>> {
        let case = Case { entry: &entry.alert, alert: &entry.event, log: &entry.log };
        let decided = self.decisions().decide(case, wish.action, name, Some(wish.after)).await;
        decided.map_err(|error| match error {
            DecideError::NoAlert => Note::NoAlert,
            DecideError::Moderator(_) => Note::Field("This name can't be used. Choose a shorter one."),
            DecideError::TooMany => {
                Note::Field("This alert was decided and undone too often. It takes no more decisions.")
            }
            error => self.failed("decide", &error),
        })
    }

    fn alert_page(
        &self,
        status: u16,
        entry: &Entry,
        asker: Asker<'_>,
        proposed: Option<Action>,
        notice: Option<&str>,
    ) -> Answered {
        let key = &entry.alert.key;
        let after = ("after", entry.log.last_number().to_string());
        let (path, hidden) = match &asker {
            Asker::Anybody { .. } => (self.request.path.as_str(), vec![after]),
            Asker::Moderator { name } => {
                let place = [("comment", key.comment.clone()), ("id", key.id.clone()), ("page", "alert".to_owned())];
                let token = ("token", self.form_token(name));
                ("/decide", place.into_iter().chain([after, token]).collect())
            }
        };
        let page = AlertPage {
            entry,
            form: Form { path, hidden: &hidden },
            asker,
            proposed,
            notice,
            forum: &self.site.settings.forum,
            now: self.now,
        };
        Ok(Response::page(status, page.html()))
    }

    async fn digest(&self, token: &str) -> Answered {
        let Claim::Digest { start, minutes, position } = self.claim(token)? else { return Err(Note::OtherKind) };
        let loader = self.loader();
        let found = loader.digest(start, minutes, position).await.map_err(|error| self.failed("digest", &error))?;
        let digest = found.ok_or(Note::NoDigest)?;
        let entries = loader.covered(&digest).await.map_err(|error| self.failed("digest", &error))?;
        let expires = self.now + FROM_DIGEST;
        let link = |entry: &Entry| {
            // It proposes nothing.
            self.signer.link("", &Claim::to_alert(&entry.alert.key, Action::Undo)?, expires)
        };
        Ok(Response::page(200, DigestPage { digest: &digest, entries: &entries, link: &link, now: self.now }.html()))
    }

    // The desk.

    async fn sign_in(&self, token: &str, posts: bool) -> Answered {
        let (claim, expires) = self.signer.verify_until(token, self.now).map_err(Note::Link)?;
        let Claim::SignIn { moderator: name, .. } = claim else { return Err(Note::OtherKind) };
        let name = moderator(&name).map_err(|_| Note::Link(LinkError::Malformed))?;
        let browser = self.request.cookie(BROWSER);
        if !posts {
            let page = Response::page(200, sign_in(&self.request.path, &name, SESSION_HOURS));
            // Lax: the link is opened from a mail, and a browser that has a name keeps it.
            let new = if browser.is_none() { new_name() } else { None };
            return Ok(match new {
                Some(new) => page.with_cookie(self.cookie(BROWSER, &new, "Lax", SESSION_HOURS * 3_600)),
                None => page,
            });
        }
        let used = Use { token, expires, time: self.now, browser, request: new_name() };
        let Site { table, clock, .. } = self.site;
        let is_theirs = used.up(table, clock, self.deadline).await.map_err(|error| self.failed("sign-in", &error))?;
        if !is_theirs {
            return Err(Note::UsedSignIn);
        }
        let session = Claim::Session { moderator: name };
        let session = self.signer.sign(&session, self.now + SignedDuration::from_hours(SESSION_HOURS));
        Ok(Response::see("/").with_cookie(self.cookie(SESSION, &session, "Strict", SESSION_HOURS * 3_600)))
    }

    fn form_token(&self, name: &str) -> String {
        let claim = Claim::Form { moderator: name.to_owned() };
        self.signer.sign(&claim, self.now + SignedDuration::from_hours(SESSION_HOURS))
    }

    async fn desk(&self, name: &str) -> Answered {
        let mut queue = self.loader().queue().await.map_err(|error| self.failed("desk", &error))?;
        let (last, form_token) = (self.last().await, self.form_token(name));
        if let Some(last) = &last {
            queue.knows(last);
        }
        let cards = self.cards(name, &form_token, last.as_ref());
        Ok(Response::page(200, DeskPage { queue: &queue, cards }.html()))
    }

    fn cards<'a>(&'a self, moderator: &'a str, form_token: &'a str, last: Option<&'a Entry>) -> Cards<'a> {
        let has_session = self.site.settings.desk == Some(Access::SignedLink);
        let forum = &self.site.settings.forum;
        Cards { moderator, form_token, last, has_session, forum, now: self.now }
    }

    /// The alert that was decided just now.
    async fn last(&self) -> Option<Entry> {
        let last = self.request.parameter("last")?;
        let (comment, id) = last.split_once('.')?;
        self.entry(&alert_key(comment, id).ok()?).await.ok()
    }

    async fn alert_at_desk(&self, comment: &str, id: &str, name: &str) -> Answered {
        let entry = self.entry(&alert_key(comment, id)?).await?;
        self.alert_page(200, &entry, Asker::Moderator { name }, None, None)
    }

    async fn decide_at_desk(&self, name: &str) -> Answered {
        let form = self.form()?;
        match self.signer.verify(form.get("token"), self.now) {
            Ok(Claim::Form { moderator }) if moderator == name => {}
            _ => return Err(Note::ForeignForm),
        }
        let wish = wish(&form)?;
        let key = alert_key(form.get("comment"), form.get("id"))?;
        let next = match form.get("page") {
            "alert" => format!("/alert/{key}"),
            _ => format!("/?last={}.{}", key.comment, key.id),
        };
        let entry = self.entry(&key).await?;
        match self.decide(&entry, &wish, name).await? {
            DecideOutcome::Done { .. } => Ok(Response::see(&next)),
            behind => {
                let entry = Entry { log: behind.log().clone(), ..entry };
                self.alert_page(409, &entry, Asker::Moderator { name }, None, Some(notice(&behind)))
            }
        }
    }
}

fn notice(outcome: &DecideOutcome) -> &'static str {
    match outcome {
        DecideOutcome::Done { .. } => "Done.",
        DecideOutcome::Behind { .. } => {
            "Nothing was changed: the alert was decided or undone since you opened it. This is its current state."
        }
        DecideOutcome::NothingToUndo { .. } => "Nothing was changed: there is no decision to undo.",
    }
}

fn wish(form: &SentForm) -> Result<Wish, Note<'static>> {
    let action = form.get("action").parse();
    let action =
        action.map_err(|_| Note::Field("The form says neither remove, keep nor undo. Nothing was decided."))?;
    let unsaid = || Note::Field("The form does not say which state of the alert it answers. Nothing was decided.");
    let after: u32 = form.get("after").parse().map_err(|_| unsaid())?;
    if after > MAX_DECISIONS_PER_ALERT {
        return Err(Note::Field("The form answers a state that no alert gets to. Nothing was decided."));
    }
    Ok(Wish { action, after })
}

/// What names an alert, in the one form that keys have.
fn alert_key(comment: &str, id: &str) -> Result<AlertKey, Note<'static>> {
    let uuid = |text: &str| Uuid::parse_str(text).map(|id| id.to_string()).map_err(|_| Note::NoAlert);
    Ok(AlertKey { comment: uuid(comment)?, id: uuid(id)? })
}
