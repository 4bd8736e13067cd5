//! Moderators with their browsers.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use modstream_events::Action;
use modstream_ledger::{AlertKey, Ledger, List};
use modstream_links::{Claim, Signer};
use modstream_platform::Clock as _;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until};
use uuid::Uuid;

use crate::faults::Faults;
use crate::lambda::Lambda;
use crate::plan::{self, Function, Incident, MODERATORS, Plan};
use crate::world::{LINK_KEY, World};

/// A page that was asked for and did not come is asked for again, so often.
const ATTEMPTS: usize = 4;
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// How long links hold here.
const LINKS_HOLD: SignedDuration = SignedDuration::from_hours(24 * 30);

/// A moderator's answer to a page.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) who: &'static str,
    /// Where the alert's log lies.
    pub(crate) log: String,
    /// What the moderator wanted.
    pub(crate) wish: Action,
    /// The number of the decision that the page showed last; 0 where it showed none.
    pub(crate) after: u32,
    pub(crate) told: Told,
}

/// What became of a sign-in link.
#[derive(Clone, Debug)]
pub(crate) struct SignIn {
    pub(crate) who: &'static str,
    /// The browser that opened the link first.
    pub(crate) first: Click,
    /// Another browser after it, where the first is signed in.
    pub(crate) other: Option<Click>,
}

/// What a browser got that clicked on the button behind a sign-in link, until it was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Click {
    /// A session.
    SignedIn,
    /// An answer that is no session.
    Refused,
    /// No answer.
    Unknown,
}

/// What moderators saw in a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) answers: Vec<Answer>,
    pub(crate) sign_ins: Vec<SignIn>,
    /// What was wrong with a page at once.
    pub(crate) broken: Vec<String>,
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
struct Page {
    status: u64,
    body: String,
}

/// A browser, which keeps cookies.
#[derive(Default)]
struct Browser {
    cookies: BTreeMap<String, String>,
}

impl Browser {
    fn keep(&mut self, cookie: &str) {
        let cookie = cookie.split(';').next().and_then(|cookie| cookie.split_once('='));
        self.cookies.extend(cookie.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    fn has_session(&self) -> bool {
        self.cookies.contains_key("session")
    }
}

impl Moderators<'_> {
    /// Does every visit of a plan, at its time: what the moderators saw.
    pub(crate) async fn work(&self, plan: &Plan) -> Seen {
        let start = Instant::now();
        let visits = plan.incidents.iter().enumerate().filter_map(|(number, incident)| match *incident {
            Incident::Visit { at, moderator, alert, page, wish, ponders } => Some(async move {
                sleep_until(start + at).await;
                let who = MODERATORS[moderator % MODERATORS.len()];
                let mut seen = Seen::default();
                match Box::pin(self.visit(&mut seen, number, who, alert, page, wish, ponders)).await {
                    Ok(answer) => seen.answers.extend(answer),
                    Err(sentence) => seen.broken.push(sentence),
                }
                seen
            }),
            _ => None,
        });
        join_all(visits).await.into_iter().fold(Seen::default(), |mut all, seen| {
            all.answers.extend(seen.answers);
            all.sign_ins.extend(seen.sign_ins);
            all.broken.extend(seen.broken);
            all
        })
    }

    /// Opens an alert's page and, where it offers that, decides. None where there is nothing to open, or nothing came.
    #[expect(clippy::too_many_arguments, reason = "a visit as plans have it")]
    async fn visit(
        &self,
        seen: &mut Seen,
        number: usize,
        who: &'static str,
        alert: usize,
        page: plan::Page,
        wish: Action,
        ponders: Duration,
    ) -> Result<Option<Answer>, String> {
        let Some(key) = self.alert(alert).await else {
            self.faults.count("visit before there was an alert");
            return Ok(None);
        };
        let claim = Claim::to_alert(&key, wish).ok_or_else(|| format!("the alert {key} is named as none is"))?;
        let mut browser = Browser::default();
        let (function, path) = match page {
            plan::Page::Link => (Function::Decide, self.link(&claim)),
            plan::Page::Desk => {
                let sign_in = self.sign_in(&mut browser, number, who).await;
                let first = sign_in.first;
                seen.sign_ins.push(sign_in);
                if first != Click::SignedIn {
                    return Ok(None);
                }
                (Function::Desk, format!("/alert/{key}"))
            }
        };
        let Some(shown) = self.ask(function, &mut browser, "GET", &path, "").await else { return Ok(None) };
        let is_past = ["This comment is gone", "This comment says something else by now"];
        if shown.status == 200 && is_past.iter().any(|said| shown.body.contains(said)) {
            self.faults.count("nothing to decide any more");
            return Ok(None);
        }
        let form = (shown.status == 200).then(|| form(&shown.body)).flatten();
        let form = form.ok_or_else(|| format!("the page of alert {key} has status {} and no form", shown.status))?;
        let after = form.field("after").and_then(|after| after.parse().ok());
        let after = after.ok_or_else(|| format!("the form of alert {key} does not say what it answers"))?;
        let answer = |told| Answer { who, log: format!("decisions/{key}/"), wish, after, told };
        if !form.offers(wish) {
            self.faults.count("decision not offered");
            return Ok(Some(answer(Told::NotOffered)));
        }
        sleep(ponders).await;
        let name = if page == plan::Page::Link { format!("&moderator={who}") } else { String::new() };
        let body = format!("{}&action={wish}{name}", form.hidden());
        let told = match self.ask(function, &mut browser, "POST", form.path, &body).await {
            None => (Told::Unknown, "decision without an answer"),
            Some(Page { status: 303, .. }) if wish == Action::Undo => (Told::Done, "decision undone"),
            Some(Page { status: 303, .. }) => (Told::Done, "decision taken"),
            Some(Page { status: 409, .. }) => (Told::Refused, "decision refused: another was first"),
            Some(Page { status, .. }) => return Err(format!("a decision about {key} has status {status}")),
        };
        self.faults.count(told.1);
        Ok(Some(answer(told.0)))
    }

    /// One of the alerts that are in the ledger by now.
    async fn alert(&self, number: usize) -> Option<AlertKey> {
        let World { table, clock, .. } = self.world;
        let ledger = Ledger::new(table, clock, Timestamp::MAX);
        let ever = (Timestamp::UNIX_EPOCH, clock.now() + LINKS_HOLD);
        let mut all = Vec::new();
        for list in List::ALL {
            let page = ledger.made_between(list, ever, None).await.expect("the memory table answers");
            all.extend(page.found.into_iter().map(|alert| (alert.made, alert.key)));
        }
        all.sort();
        all.get(number % all.len().max(1)).map(|(_, key)| key.clone())
    }

    /// Signs a browser in by a link of its own, which another one tries after it, as whoever finds the mail would.
    async fn sign_in(&self, browser: &mut Browser, number: usize, who: &'static str) -> SignIn {
        let id = Uuid::from_u128(number as u128);
        let link = self.link(&Claim::SignIn { id, moderator: who.to_owned() });
        let first = self.click(browser, &link).await;
        self.faults.count(match first {
            Click::SignedIn => "moderator signed in",
            Click::Refused => "sign-in refused",
            Click::Unknown => "sign-in without an answer",
        });
        let other = match first {
            Click::SignedIn => Some(self.click(&mut Browser::default(), &link).await),
            Click::Refused | Click::Unknown => None,
        };
        SignIn { who, first, other }
    }

    /// Opens a sign-in link and clicks on its button.
    async fn click(&self, browser: &mut Browser, link: &str) -> Click {
        let Some(_) = self.ask(Function::Desk, browser, "GET", link, "").await else { return Click::Unknown };
        let Some(_) = self.ask(Function::Desk, browser, "POST", link, "").await else { return Click::Unknown };
        if browser.has_session() { Click::SignedIn } else { Click::Refused }
    }

    fn link(&self, claim: &Claim) -> String {
        let signer = Signer::new(LINK_KEY.as_bytes(), None).expect("a key");
        signer.link("", claim, self.world.clock.now() + LINKS_HOLD).expect("a claim that is a link")
    }

    /// Asks until there is an answer other than that there is none.
    async fn ask(
        &self,
        function: Function,
        browser: &mut Browser,
        method: &str,
        path: &str,
        body: &str,
    ) -> Option<Page> {
        for _ in 0..ATTEMPTS {
            let payload = request(method, path, browser, body);
            if let Ok(bytes) = self.lambda.invoke(function, payload).await {
                let answer: Value = serde_json::from_slice(&bytes).expect("functions answer in JSON");
                let status = answer["statusCode"].as_u64().unwrap_or_default();
                if status != 503 {
                    let cookies = answer["cookies"].as_array().into_iter().flatten().filter_map(Value::as_str);
                    cookies.for_each(|cookie| browser.keep(cookie));
                    return Some(Page { status, body: answer["body"].as_str().unwrap_or_default().to_owned() });
                }
            }
            sleep(RETRY_PAUSE).await;
        }
        None
    }
}

/// A function URL's payload, as far as pages read it.
fn request(method: &str, path: &str, browser: &Browser, body: &str) -> Vec<u8> {
    let cookies = browser.cookies.iter().map(|(name, value)| format!("{name}={value}"));
    let payload = json!({
        "version": "2.0",
        "rawPath": path,
        "cookies": cookies.collect::<Vec<_>>(),
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
