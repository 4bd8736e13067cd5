//! The pages' functions, each with what it may do with the table, and a moderator who is signed in.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;
use modstream_desk::{Access, Request, Response, Site, SiteSettings};
use modstream_events::Action;
use modstream_ledger::AlertKey;
use modstream_links::{Claim, Signer};
use modstream_platform::Clock as _;
use modstream_platform::memory::{MemoryClock, MemoryStream};
use modstream_platform::table::Table;
use modstream_tests::{Permitted, Uses};

pub(crate) struct Pages<B> {
    take_decisions: Site<Permitted<B>, MemoryStream, MemoryClock>,
    show_desk: Site<Permitted<B>, MemoryStream, MemoryClock>,
    signer: Signer,
    clock: MemoryClock,
    /// The decisions' stream.
    pub(crate) stream: MemoryStream,
}

impl<B: Table + Clone> Pages<B> {
    pub(crate) fn over(table: &B, clock: MemoryClock, uses: &Uses) -> Self {
        Pages::with_stream(MemoryStream::new("decisions", 1, clock), table, clock, uses)
    }

    /// The same, with decisions on a stream that may have others' events.
    pub(crate) fn with_stream(stream: MemoryStream, table: &B, clock: MemoryClock, uses: &Uses) -> Self {
        let site = |function: &str, links: bool, desk: Option<Access>| {
            let settings = SiteSettings { links, desk, forum: "https://forum.example".to_owned() };
            Site::new(Permitted::of(function, table.clone(), uses), stream.clone(), clock, settings)
        };
        Pages {
            take_decisions: site("take-decisions", true, None),
            show_desk: site("show-desk", false, Some(Access::SignedLink)),
            signer: Signer::new(&[7; 32], None).expect("a key"),
            clock,
            stream,
        }
    }

    pub(crate) fn link(&self, claim: &Claim) -> String {
        self.signer.link("", claim, self.clock.now() + SignedDuration::from_hours(1)).expect("a link")
    }

    /// The link to an alert that proposes to remove the comment.
    pub(crate) fn link_to(&self, alert: &AlertKey) -> String {
        self.link(&Claim::to_alert(alert, Action::Remove).expect("UUIDs"))
    }

    /// What the desk's form says where a moderator who saw this state of an alert wants its comment removed.
    pub(crate) fn form(&self, alert: &AlertKey, after: u32) -> String {
        let token = self.token(&Claim::Form { moderator: "ana".to_owned() });
        format!("token={token}&comment={}&id={}&page=alert&action=remove&after={after}", alert.comment, alert.id)
    }

    fn token(&self, claim: &Claim) -> String {
        self.signer.sign(claim, self.clock.now() + SignedDuration::from_hours(1))
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.ask("GET", path, "").await
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> Response {
        self.ask("POST", path, body).await
    }

    async fn ask(&self, method: &str, path: &str, body: &str) -> Response {
        let form = ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned());
        let session = self.token(&Claim::Session { moderator: "ana".to_owned() });
        let request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            headers: BTreeMap::from([form]),
            cookies: vec![format!("session={session}")],
            body: body.into(),
            ..Request::default()
        };
        let leads_by_link = path.starts_with("/a/") || path.starts_with("/d/");
        let site = if leads_by_link { &self.take_decisions } else { &self.show_desk };
        site.answer(&request, &self.signer, self.clock.now() + Duration::from_secs(20)).await
    }
}
