//! Moderators with their browsers, and the digests' schedule: what goes on beside the streams.

use std::time::Duration;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use modstream_events::Action;
use modstream_ledger::{Hour, Reader};
use modstream_links::{Claim, Signer};
use modstream_platform::Clock as _;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until};
use uuid::Uuid;

use crate::faults::Faults;
use crate::lambda::Lambda;
use crate::plan::{Function, Incident, MODERATORS, Page, Plan};
use crate::world::{LINK_KEY, World};

/// What was asked and did not come is asked for again.
const ATTEMPTS: usize = 4;
const PAUSE: Duration = Duration::from_secs(1);
/// Lambda makes an asynchronous invocation three times
/// ([reference](https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html)).
const PAUSES: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(120)];
/// How long links and sessions hold here.
const HOLDS: SignedDuration = SignedDuration::from_hours(24 * 30);

/// A moderator's answer to a page.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) who: &'static str,
    pub(crate) hour: Hour,
    pub(crate) alert_id: String,
    pub(crate) wish: Action,
    /// The number of the decision that the page showed last; 0 where it showed none.
    pub(crate) after: u32,
    pub(crate) told: Told,
}

/// What a moderator was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// The page did not offer the wish, so it was not sent.
    NotOffered,
    /// It counts.
    Done,
    /// Nothing was changed.
    Refused,
    /// Each attempt failed.
    Unknown,
}

/// The moderators of a run.
#[derive(Clone, Copy)]
pub(crate) struct Moderators<'a> {
    pub(crate) world: &'a World,
    pub(crate) lambda: &'a Lambda,
    pub(crate) faults: &'a Faults,
}

/// A page that came.
struct Seen {
    status: u64,
    body: String,
    cookies: Vec<String>,
}

impl Moderators<'_> {
    /// Does everything of a plan that is due or visited, at its time: what moderators answered, and what was wrong at once.
    pub(crate) async fn work(&self, plan: &Plan) -> (Vec<Answer>, Vec<String>) {
        let start = Instant::now();
        let all = plan.incidents.iter().enumerate().map(|(number, incident)| async move {
            match *incident {
                Incident::Digest { at, due } => {
                    sleep_until(start + at).await;
                    self.digest(due).await;
                    Ok(None)
                }
                Incident::Visit { at, moderator, alert, page, wish, ponders } => {
                    sleep_until(start + at).await;
                    let who = MODERATORS[moderator % MODERATORS.len()];
                    self.visit(number, who, alert, page, wish, ponders).await
                }
                _ => Ok(None),
            }
        });
        let (mut answers, mut broken) = (Vec::new(), Vec::new());
        for done in join_all(all).await {
            match done {
                Ok(answer) => answers.extend(answer),
                Err(sentence) => broken.push(sentence),
            }
        }
        (answers, broken)
    }

    async fn digest(&self, due: usize) {
        self.faults.count("digests due");
        let payload = due_payload(run_due(due));
        if self.lambda.invoke(Function::Digest, payload.clone()).await.is_ok() {
            return;
        }
        for pause in PAUSES {
            sleep(pause).await;
            self.faults.count("digests due, invoked again");
            if self.lambda.invoke(Function::Digest, payload.clone()).await.is_ok() {
                return;
            }
        }
    }

    /// Opens an alert's page and, where it offers that, decides. None where there is nothing to open, or nothing came.
    async fn visit(
        &self,
        visit: usize,
        who: &'static str,
        alert: usize,
        page: Page,
        wish: Action,
        ponders: Duration,
    ) -> Result<Option<Answer>, String> {
        let Some((hour, alert_id)) = self.alert(alert).await else {
            self.faults.count("visit before there was an alert");
            return Ok(None);
        };
        let id = Uuid::parse_str(&alert_id).map_err(|error| format!("alert {alert_id}: {error}"))?;
        let (function, path, cookie) = match page {
            Page::Link => {
                let claim = Claim::Alert { hour, id, action: wish };
                (Function::Decide, self.link(&claim), None)
            }
            Page::Desk => {
                let Some(cookie) = self.sign_in(visit, who).await? else { return Ok(None) };
                (Function::Desk, format!("/alert/{hour}/{alert_id}"), Some(cookie))
            }
        };
        let cookie = cookie.as_deref();
        let Some(seen) = self.ask(function, request("GET", &path, cookie, "")).await else { return Ok(None) };
        let form = (seen.status == 200).then(|| form(&seen.body)).flatten();
        let form =
            form.ok_or_else(|| format!("the page of alert {alert_id} has status {} and no form", seen.status))?;
        let after = form.field("after").and_then(|after| after.parse().ok());
        let after = after.ok_or_else(|| format!("the form of alert {alert_id} does not say what it answers"))?;
        let answer = |told| Answer { who, hour, alert_id: alert_id.clone(), wish, after, told };
        if !form.offers(wish) {
            self.faults.count("decision not offered");
            return Ok(Some(answer(Told::NotOffered)));
        }
        sleep(ponders).await;
        let name = if page == Page::Link { format!("&moderator={who}") } else { String::new() };
        let body = format!("{}&action={wish}{name}", form.hidden());
        let told = match self.ask(function, request("POST", form.path, cookie, &body)).await {
            None => (Told::Unknown, "decision without an answer"),
            Some(Seen { status: 303, .. }) if wish == Action::Undo => (Told::Done, "decision undone"),
            Some(Seen { status: 303, .. }) => (Told::Done, "decision taken"),
            Some(Seen { status: 409, .. }) => (Told::Refused, "decision refused: another was first"),
            Some(Seen { status, .. }) => return Err(format!("a decision about {alert_id} has status {status}")),
        };
        self.faults.count(told.1);
        Ok(Some(answer(told.0)))
    }

    /// One of the alerts that are in the ledger by now.
    async fn alert(&self, number: usize) -> Option<(Hour, String)> {
        let World { objects, clock, .. } = self.world;
        let reader = Reader::new(objects, clock, Timestamp::MAX);
        let first = clock.now() - SignedDuration::from_hours(1);
        let mut all = Vec::new();
        for hour in Hour::between(first, first + SignedDuration::from_hours(2)) {
            all.extend(reader.hour(hour).await.expect("the memory bucket lists"));
        }
        let entry = all.get(number % all.len().max(1))?;
        Some((entry.hour, entry.id.clone()))
    }

    /// A session's cookie; none where nothing came. A link that was used signs nobody in.
    async fn sign_in(&self, visit: usize, who: &str) -> Result<Option<String>, String> {
        for attempt in 0..ATTEMPTS {
            let id = Uuid::from_u128((visit * ATTEMPTS + attempt) as u128);
            let link = self.link(&Claim::SignIn { id, moderator: who.to_owned() });
            let click = || self.ask(Function::Desk, request("POST", &link, None, ""));
            let Some(seen) = click().await else { return Ok(None) };
            if let Some(cookie) = seen.cookies.first().and_then(|cookie| cookie.split(';').next()) {
                if click().await.is_some_and(|again| !again.cookies.is_empty()) {
                    return Err("a sign-in link signed in twice".to_owned());
                }
                return Ok(Some(cookie.to_owned()));
            }
            // An answer that was lost has used it.
            self.faults.count("sign-in link used up");
        }
        Ok(None)
    }

    fn link(&self, claim: &Claim) -> String {
        let signer = Signer::new(LINK_KEY.as_bytes(), None).expect("a key");
        signer.link("", claim, self.world.clock.now() + HOLDS).expect("a claim that is a link")
    }

    /// Asks until there is an answer other than that there is none.
    async fn ask(&self, function: Function, payload: Vec<u8>) -> Option<Seen> {
        for _ in 0..ATTEMPTS {
            if let Ok(bytes) = self.lambda.invoke(function, payload.clone()).await {
                let answer: Value = serde_json::from_slice(&bytes).expect("functions answer in JSON");
                let status = answer["statusCode"].as_u64().unwrap_or_default();
                if status != 503 {
                    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                    let cookies =
                        answer["cookies"].as_array().map_or_else(Vec::new, |all| all.iter().map(text).collect());
                    return Some(Seen { status, body: text(&answer["body"]), cookies });
                }
            }
            sleep(PAUSE).await;
        }
        None
    }
}

/// When a run of the schedule is due, by event time: five minutes apart.
pub(crate) fn run_due(number: usize) -> Timestamp {
    let first: Timestamp = "2026-01-05T10:01:00Z".parse().expect("a time");
    first + SignedDuration::from_mins(5) * i32::try_from(number).unwrap_or(i32::MAX)
}

pub(crate) fn due_payload(due: Timestamp) -> Vec<u8> {
    json!({ "time": due }).to_string().into_bytes()
}

/// A function URL's payload, as far as pages read it.
fn request(method: &str, path: &str, cookie: Option<&str>, body: &str) -> Vec<u8> {
    let payload = json!({
        "version": "2.0",
        "rawPath": path,
        "cookies": cookie.into_iter().collect::<Vec<_>>(),
        "headers": { "content-type": "application/x-www-form-urlencoded", "x-forwarded-proto": "https" },
        "requestContext": { "http": { "method": method } },
        "body": body,
        "isBase64Encoded": false,
    });
    payload.to_string().into_bytes()
}

/// The form of an alert's page. Nothing in it needs an escape.
struct Form<'a> {
    path: &'a str,
    html: &'a str,
}

fn form(page: &str) -> Option<Form<'_>> {
    let (_, form) = page.split_once("<form method=\"post\" action=\"")?;
    let (path, rest) = form.split_once('"')?;
    let (html, _) = rest.split_once("</form>")?;
    Some(Form { path, html })
}

impl Form<'_> {
    fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.html.split("<input type=\"hidden\" name=\"").skip(1).filter_map(|field| {
            let (name, rest) = field.split_once("\" value=\"")?;
            Some((name, rest.split_once('"')?.0))
        })
    }

    fn field(&self, name: &str) -> Option<&str> {
        self.fields().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    fn hidden(&self) -> String {
        self.fields().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
    }

    fn offers(&self, action: Action) -> bool {
        self.html.contains(&format!("name=\"action\" value=\"{action}\""))
    }
}
