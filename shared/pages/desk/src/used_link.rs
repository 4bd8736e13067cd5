//! Sign-in links that were used: items of the table, `sign-in#<checksum of the link>`.

use jiff::{SignedDuration, Timestamp};
use modstream_platform::Clock;
use modstream_platform::deliver::{DeliveryError, items};
use modstream_platform::table::{Condition, Item, Key, Outcome, Table};
use sha2::{Digest as _, Sha256};

const SIGN_IN: &str = "sign-in#";
const USED: &str = "used";

const TIME: &str = "time";
const BROWSER: &str = "browser";
const REQUEST: &str = "request";

/// How long a use is kept after its link has expired, by which it is of no use to anybody: clocks differ.
const USE_KEPT: SignedDuration = SignedDuration::from_hours(24);

/// A use of a sign-in link.
pub(crate) struct Use<'a> {
    /// The link's token.
    pub(crate) token: &'a str,
    /// When the link expires.
    pub(crate) expires: Timestamp,
    /// When it was used.
    pub(crate) time: Timestamp,
    /// The browser's cookie, by which that browser may sign in again: where the answer is lost, or the button is clicked twice.
    /// None where it had no cookie.
    pub(crate) browser: Option<&'a str>,
    /// Nobody else's: by this a request knows its own write, whose answer may have been lost, from that of another.
    pub(crate) request: Option<String>,
}

impl Use<'_> {
    /// Whether the link is this browser's: used now, or before by the same one, whose answer may have been lost.
    ///
    /// # Errors
    /// Where it is not known by the deadline.
    pub(crate) async fn up<B: Table, C: Clock>(
        self,
        table: &B,
        clock: &C,
        deadline: Timestamp,
    ) -> Result<bool, DeliveryError> {
        let Use { token, expires, time, browser, request } = self;
        let browser = browser.map(checksum);
        // Without a name of its own, what is there may be another's that looks the same.
        let is_named = request.is_some() || browser.is_some();
        let mut item = Item::new(Key::new(format!("{SIGN_IN}{}", checksum(token)), USED))
            .with(TIME, time.to_string())
            .expiring(expires.saturating_add(USE_KEPT).unwrap_or(Timestamp::MAX));
        if let Some(browser) = &browser {
            item = item.with(BROWSER, browser.as_str());
        }
        if let Some(request) = request {
            item = item.with(REQUEST, request);
        }
        Ok(match items::put(table, clock, deadline, &item, &Condition::Absent).await? {
            Outcome::Done(()) => is_named,
            Outcome::ConditionFailed(found) => {
                browser.is_some() && found.as_deref().and_then(|found| found.text(BROWSER)) == browser.as_deref()
            }
        })
    }
}

/// What names a secret, and doesn't tell it.
fn checksum(text: &str) -> String {
    hex::encode(&Sha256::digest(text.as_bytes())[..16])
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use modstream_platform::memory::{MemoryClock, MemoryTable};
    use modstream_platform::table::{Batch, Consistency, Operation, Page, Query, Schema, Transacted, Update, Write};
    use modstream_platform::{CallError, CallErrorKind};
    use proptest::prelude::*;

    use super::*;

    /// A table that takes each put, and loses the answers of these; the next one last.
    struct LostAnswers(MemoryTable, Mutex<Vec<bool>>);

    impl Table for LostAnswers {
        fn name(&self) -> &str {
            self.0.name()
        }

        async fn get(&self, key: &Key, consistency: Consistency) -> Result<Option<Item>, CallError> {
            self.0.get(key, consistency).await
        }

        async fn get_batch(&self, keys: &[Key], consistency: Consistency) -> Result<Batch, CallError> {
            self.0.get_batch(keys, consistency).await
        }

        async fn query(&self, query: &Query) -> Result<Page, CallError> {
            self.0.query(query).await
        }

        async fn put(&self, item: &Item, condition: &Condition) -> Result<Outcome<()>, CallError> {
            let answer = self.0.put(item, condition).await;
            if self.1.lock().expect("no panic holds it").pop().unwrap_or_default() {
                let (operation, message) = (Operation::PutItem.name(), "planned".to_owned());
                return Err(CallError { service: "table", operation, kind: CallErrorKind::OutcomeUnknown, message });
            }
            answer
        }

        async fn update(&self, key: &Key, update: &Update, condition: &Condition) -> Result<Outcome<Item>, CallError> {
            self.0.update(key, update, condition).await
        }

        async fn delete(&self, key: &Key, condition: &Condition) -> Result<Outcome<()>, CallError> {
            self.0.delete(key, condition).await
        }

        async fn transact(&self, token: &str, writes: &[Write]) -> Result<Transacted, CallError> {
            self.0.transact(token, writes).await
        }
    }

    fn run<T>(work: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.expect("a runtime").block_on(work)
    }

    fn world() -> (MemoryTable, MemoryClock) {
        let clock = MemoryClock::starting_at("2026-01-05T10:00:00Z".parse().expect("a time"));
        (MemoryTable::new("t", Schema::default(), clock), clock)
    }

    fn used<'a>(clock: &MemoryClock, browser: Option<&'a str>, request: Option<u8>) -> Use<'a> {
        let (time, request) = (clock.now(), request.map(|number| number.to_string()));
        Use { token: "token", expires: time + SignedDuration::from_mins(10), time, browser, request }
    }

    proptest! {
        #[test]
        fn a_link_is_the_first_browsers_whatever_answers_are_lost(
            browsers in prop::collection::vec(prop::option::of(prop::sample::select(vec!["ana", "ben"])), 1..6),
            lost in prop::collection::vec(any::<bool>(), 0..8),
        ) {
            run(async {
                let (inner, clock) = world();
                let table = LostAnswers(inner, Mutex::new(lost));
                for (position, browser) in browsers.iter().enumerate() {
                    let request = used(&clock, *browser, u8::try_from(position).ok());
                    let is_in = request.up(&table, &clock, Timestamp::MAX).await.expect("an answer");
                    let is_first = position == 0 || (browser.is_some() && *browser == browsers[0]);
                    prop_assert_eq!(is_in, is_first, "{} of {:?}", position, browsers);
                }
                Ok(())
            })?;
        }
    }

    #[test]
    fn whoever_has_no_name_is_not_let_in_and_the_link_is_used() {
        run(async {
            let (table, clock) = world();
            for request in [None, Some(1)] {
                let is_in = used(&clock, None, request).up(&table, &clock, Timestamp::MAX).await.expect("an answer");
                assert!(!is_in, "{request:?}");
            }
        });
    }

    #[test]
    fn a_use_outlives_its_link_and_names_neither_link_nor_browser() {
        run(async {
            let (table, clock) = world();
            let request = used(&clock, Some("browser"), Some(1));
            let expires = request.expires;
            assert!(request.up(&table, &clock, Timestamp::MAX).await.expect("an answer"));
            let item = table.items().remove(0);
            assert!(!item.has_expired(expires + SignedDuration::from_hours(23)));
            assert!(item.has_expired(expires + SignedDuration::from_hours(25)));
            let kept = format!("{item:?}");
            assert!(!kept.contains("token") && !kept.contains("\"browser\")"), "{kept}");
        });
    }
}
