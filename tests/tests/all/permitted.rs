//! Functions do with the table what Terraform permits them, and all of it.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use modstream_desk::{Access, Request, Site, SiteSettings};
use modstream_events::Action;
use modstream_ledger::{AlertKey, Ledger, List};
use modstream_links::{Claim, Signer};
use modstream_platform::Clock as _;
use modstream_platform::memory::{MemoryClock, MemoryStream, MemoryTable, MemoryTopic};
use modstream_platform::table::{Consistency, Key, Table as _};
use modstream_tests::{MadeUp, MemoryWorld, Permitted, System, Which, World};
use uuid::Uuid;

use crate::{put, put_prediction, smoothly};

struct Desk {
    site: Site<Permitted<MemoryTable>, MemoryStream, MemoryClock>,
    signer: Signer,
    clock: MemoryClock,
}

impl Desk {
    fn over(world: &MemoryWorld) -> Self {
        let clock = world.clock();
        let desk = Some(Access::SignedLink);
        let settings = SiteSettings { links: true, desk, forum: "https://forum.example".to_owned() };
        let stream = MemoryStream::new("decisions", 1, clock);
        let site = Site::new(Permitted::of("pages", world.table()), stream, clock, settings);
        Desk { site, signer: Signer::new(&[7; 32], None).expect("a key"), clock }
    }

    fn link(&self, claim: &Claim) -> String {
        self.signer.link("", claim, self.clock.now() + SignedDuration::from_hours(1)).expect("a link")
    }

    async fn ask(&self, method: &str, path: &str, cookies: &[String], body: &str) -> modstream_desk::Response {
        let form = ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned());
        let request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            headers: BTreeMap::from([form]),
            cookies: cookies.to_vec(),
            body: body.into(),
            ..Request::default()
        };
        self.site.answer(&request, &self.signer, self.clock.now() + Duration::from_secs(20)).await
    }
}

#[tokio::test(start_paused = true)]
async fn pages_show_and_take_all_that_they_offer() {
    let policies = "[default]\nthreshold = 0.5\nmax_alerts_per_hour = 2\n[breaker]\nmax_share = 0.9\nmin_alerts = 1000";
    let system = System::new(MemoryWorld::new(1, 100), &[]);
    crate::denied::push(&system.world, policies).await;
    for number in 0..3 {
        put_prediction(&system.world, number, 0.9).await;
    }
    let gone = MadeUp::new(2).deleted_event(modstream_events::DeletedBy::Author);
    put(&system.world, Which::Predictions, "k2", gone).await;
    assert_eq!(system.publish().await, smoothly());
    let digested = system.digest(MemoryTopic::new("digests"), time("10:06:00")).await.expect("a digest");
    assert_eq!((digested.digests, digested.alerts), (1, 2));

    let (world, desk) = (&system.world, Desk::over(&system.world));
    let (table, clock) = (world.table(), world.clock());
    let ledger = Ledger::new(&table, &clock, Timestamp::MAX);
    let between = (time("10:00:00"), time("11:00:00"));
    let alerts = ledger.made_between(List::Standing, between, None).await.expect("lists").found;
    let key: &AlertKey = &alerts[0].key;
    let by_link = desk.link(&Claim::to_alert(key, Action::Remove).expect("UUIDs"));
    assert_eq!(desk.ask("GET", &by_link, &[], "").await.status, 200);
    let of_digest = desk.link(&Claim::Digest { start: time("10:00:00"), minutes: 5, position: 0 });
    let page = desk.ask("GET", &of_digest, &[], "").await;
    assert!(page.status == 200 && page.body.contains("number 0, lol!"), "{}", page.body);
    assert_eq!(desk.ask("POST", &by_link, &[], "moderator=ana&action=remove&after=0").await.status, 303);

    let sign_in = desk.link(&Claim::SignIn { id: Uuid::from_u128(1), moderator: "ana".to_owned() });
    let signed_in = desk.ask("POST", &sign_in, &[], "").await;
    let session = vec![signed_in.cookies[0].split(';').next().expect("a cookie").to_owned()];
    for path in ["/".to_owned(), format!("/alert/{key}")] {
        let page = desk.ask("GET", &path, &session, "").await;
        assert_eq!(page.status, 200, "{path}: {}", page.body);
    }
}

#[tokio::test(start_paused = true)]
async fn what_no_statement_allows_is_denied() {
    let world = MemoryWorld::new(1, 100);
    let key = |partition: &str| Key::new(partition, "s");
    for (function, partition, is_allowed) in [
        ("publish-alerts", "comment#c", true),
        ("publish-alerts", "outbox", false),
        ("publish-alerts", "comments", false),
        ("pages", "outbox", true),
        ("pages", "breakers", false),
        ("digest-alerts", "digests", true),
        ("digest-alerts", "comment#c", false),
    ] {
        let table = Permitted::of(function, world.table());
        let got = table.get(&key(partition), Consistency::Consistent).await;
        assert_eq!(got.is_ok(), is_allowed, "{function}, {partition}: {got:?}");
    }
}

fn time(text: &str) -> Timestamp {
    format!("2026-01-05T{text}Z").parse().expect("a time")
}
