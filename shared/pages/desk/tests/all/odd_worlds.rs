//! A world that answers in odd ways.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use modstream_platform::table::{
    Batch, Condition as If, Consistency, Item, Key, Outcome, Page as Items, Query, Table, Transacted, Update, Write,
};
use modstream_platform::{CallError, CallErrorKind};

use super::*;

/// A table that loses the answers of its first writes, or panics over a key.
#[derive(Clone)]
struct Odd {
    inner: MemoryTable,
    lost: Arc<AtomicUsize>,
    panics_over: &'static str,
}

impl Odd {
    fn told<A>(&self, answer: A) -> Result<A, CallError> {
        if self.lost.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok() {
            let (kind, message) = (CallErrorKind::OutcomeUnknown, "planned".to_owned());
            return Err(CallError { service: "aws", operation: "Write", kind, message });
        }
        Ok(answer)
    }
}

impl Table for Odd {
    fn name(&self) -> &str {
        self.inner.name()
    }

    async fn get(&self, key: &Key, consistency: Consistency) -> Result<Option<Item>, CallError> {
        assert!(self.panics_over.is_empty() || !key.sort.contains(self.panics_over), "over a comment's text");
        self.inner.get(key, consistency).await
    }

    async fn get_batch(&self, keys: &[Key], consistency: Consistency) -> Result<Batch, CallError> {
        self.inner.get_batch(keys, consistency).await
    }

    async fn query(&self, query: &Query) -> Result<Items, CallError> {
        self.inner.query(query).await
    }

    async fn put(&self, item: &Item, condition: &If) -> Result<Outcome<()>, CallError> {
        self.told(self.inner.put(item, condition).await?)
    }

    async fn update(&self, key: &Key, update: &Update, condition: &If) -> Result<Outcome<Item>, CallError> {
        self.told(self.inner.update(key, update, condition).await?)
    }

    async fn delete(&self, key: &Key, condition: &If) -> Result<Outcome<()>, CallError> {
        self.told(self.inner.delete(key, condition).await?)
    }

    async fn transact(&self, token: &str, writes: &[Write]) -> Result<Transacted, CallError> {
        self.told(self.inner.transact(token, writes).await?)
    }
}

impl Fixture {
    /// Answers from the fixture's table, with its oddities.
    async fn odd(&self, lost: usize, panics_over: &'static str, request: Request) -> Response {
        let table = Odd { inner: self.table.clone(), lost: Arc::new(lost.into()), panics_over };
        let desk = Some(Access::SignedLink);
        let settings = SiteSettings { links: true, desk, forum: "https://forum.example".to_owned() };
        let site = Site::new(table, self.stream.clone(), self.clock, settings);
        site.answer(&request, &self.signer, self.clock.now() + Duration::from_secs(20)).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_whose_write_gets_no_answer_signs_in_and_burns_no_link_of_anothers() {
    for lost in 0..4 {
        let fixture = Fixture::new(Access::SignedLink);
        let link = fixture.sign_in(1);
        let signed_in = fixture.odd(lost, "", post(&link, "")).await;
        assert_eq!(signed_in.status, 303, "{lost}");
        assert!(signed_in.cookies[0].starts_with("session="), "{:?}", signed_in.cookies);
        // At the very same time, and without a cookie either: another's all the same.
        for lost in 0..2 {
            let other = fixture.odd(lost, "", post(&link, "")).await;
            assert_eq!((other.status, other.cookies.len()), (403, 0), "{lost}");
        }
        let with_cookie = Request { cookies: vec!["sign-in=another".to_owned()], ..post(&link, "") };
        assert_eq!(fixture.odd(1, "", with_cookie).await.status, 403);
    }
}

#[tokio::test(start_paused = true)]
async fn a_decision_whose_writes_get_no_answer_is_made_once() {
    for lost in 0..6 {
        let fixture = Fixture::new(Access::Iam);
        let link = fixture.link(&fixture.alert(1, Severity::Low, 5, "Buy my coins").await);
        let form = "action=remove&moderator=ana&after=0";
        assert_eq!(fixture.odd(lost, "", post(&link, form)).await.status, 303, "{lost}");
        assert_eq!(fixture.decisions(), 1);
        assert_eq!(fixture.post(&link, "action=keep&moderator=ben&after=0").await.status, 409);
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_costs_its_page_and_no_other_and_is_not_quoted() {
    let fixture = Fixture::new(Access::SignedLink);
    let (one, other) = (
        fixture.alert(1, Severity::Low, 5, "Buy my coins").await,
        fixture.alert(2, Severity::Low, 5, "Is the sample large enough?").await,
    );
    let over = "00000000-0000-0000-0000-000000000001";
    let broken = fixture.odd(0, over, get(&fixture.link(&one))).await;
    assert_eq!(broken.status, 500);
    assert!(broken.body.contains("can't be shown") && !broken.body.contains("a comment's text"), "{}", broken.body);
    assert!(broken.body.contains("Other pages work"));
    assert_eq!(fixture.odd(0, over, get(&fixture.link(&other))).await.status, 200);
}
