use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use modstream_platform::Clock;
use modstream_platform::deliver::DeliveryError;
use modstream_platform::table::Table;
use modstream_policy::Breaker;

use super::band::Band;
use super::breakers::{Breakers, Known, Opened, day};

/// The table is asked for open breakers at most this often.
const CHECK_EVERY: SignedDuration = SignedDuration::from_secs(10);
/// Whoever opened one and has sent no message after this long never will: longer than an invocation lasts.
const OPENER_IS_GONE: SignedDuration = SignedDuration::from_mins(5);

/// Watches, for one instance of a function, the share of comments that alert and the breakers that are open.
#[derive(Debug)]
pub struct Watch {
    /// Nobody else's: by this the instance knows the breakers that it opened, also where the answer was lost.
    name: Option<String>,
    band: Mutex<Band>,
    state: tokio::sync::Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    checked: Option<Timestamp>,
    /// By name, which is by when they opened.
    known: BTreeMap<String, Known>,
}

impl Default for Watch {
    fn default() -> Self {
        let mut bytes = [0; 16];
        // Without a name it opens breakers all the same, and others send the messages about them.
        let name = getrandom::fill(&mut bytes).ok().map(|()| format!("{:032x}", u128::from_be_bytes(bytes)));
        Watch { name, band: Mutex::default(), state: tokio::sync::Mutex::default() }
    }
}

impl Watch {
    /// Counts a comment by the id of its event, and a repeat of it not again.
    pub fn count(&self, now: Timestamp, comment_event: &str, is_alert: bool) {
        self.band.lock().unwrap_or_else(PoisonError::into_inner).count(now, comment_event, is_alert);
    }

    /// The breaker that is open, if one is, opened now where too many comments alert. With it whether it is this instance's
    /// turn to send the message about it: see [`sent`](Self::sent).
    ///
    /// # Errors
    /// Where there is no answer by the deadline.
    pub async fn look<B: Table, C: Clock>(
        &self,
        table: &B,
        clock: &C,
        deadline: Timestamp,
        breaker: &Breaker,
    ) -> Result<Option<(Known, bool)>, DeliveryError> {
        let breakers = Breakers::new(table, clock, deadline);
        let mut state = self.state.lock().await;
        let now = clock.now();
        if state.checked.is_none_or(|checked| now.duration_since(checked) >= CHECK_EVERY) {
            state.refresh(&breakers, now).await?;
        }
        if state.first_open(now).is_none() && self.over(breaker, now, &state).is_some() {
            // Another may have opened one, or somebody closed one, since the last look.
            state.refresh(&breakers, now).await?;
            let counts = if state.first_open(now).is_none() { self.over(breaker, now, &state) } else { None };
            if let Some((alerts, predictions)) = counts {
                let opened = Opened {
                    time: now,
                    until: now.checked_add(breaker.open_for).unwrap_or(Timestamp::MAX),
                    max_share: breaker.max_share,
                    window_minutes: breaker.window.as_mins(),
                    alerts,
                    predictions,
                };
                let today = day(now);
                let number = state.known.keys().filter(|name| name.starts_with(&today)).count();
                breakers.open(self.name.as_deref().unwrap_or_default(), number, &opened).await?;
                // Another may have been faster.
                state.refresh(&breakers, now).await?;
            }
        }
        let Some(first) = state.first_open(now).cloned() else { return Ok(None) };
        let is_own = self.name.as_deref() == Some(&*first.opener);
        let is_gone = now.duration_since(first.opened.time) >= OPENER_IS_GONE;
        let is_our_turn = !first.is_sent && (is_own || is_gone);
        Ok(Some((first, is_our_turn)))
    }

    /// Records that the message about a breaker was sent.
    ///
    /// # Errors
    /// Where there is no answer by the deadline: the message may be sent again.
    pub async fn sent<B: Table, C: Clock>(
        &self,
        table: &B,
        clock: &C,
        deadline: Timestamp,
        name: &str,
        message_id: &str,
    ) -> Result<(), DeliveryError> {
        Breakers::new(table, clock, deadline).sent(name, message_id).await?;
        if let Some(known) = self.state.lock().await.known.get_mut(name) {
            known.is_sent = true;
        }
        Ok(())
    }

    /// Alerts and predictions, where they are over the band since the last breaker's end.
    fn over(&self, breaker: &Breaker, now: Timestamp, state: &State) -> Option<(u64, u64)> {
        let since = state.known.values().filter_map(|known| known.ended(now)).max();
        let band = self.band.lock().unwrap_or_else(PoisonError::into_inner);
        band.over(breaker, now, since).map(|counts| (counts.alerts, counts.predictions))
    }
}

impl State {
    async fn refresh<B: Table, C: Clock>(
        &mut self,
        breakers: &Breakers<'_, B, C>,
        now: Timestamp,
    ) -> Result<(), DeliveryError> {
        let all = breakers.all().await?;
        self.known = all.into_iter().map(|known| (known.name.clone(), known)).collect();
        self.checked = Some(now);
        Ok(())
    }

    fn first_open(&self, now: Timestamp) -> Option<&Known> {
        self.known.values().find(|known| known.is_open(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SCHEMA;
    use modstream_platform::memory::{MemoryClock, MemoryTable};
    use modstream_platform::table::Operation;

    const BREAKER: Breaker = Breaker {
        max_share: 0.2,
        window: SignedDuration::from_mins(5),
        min_alerts: 10,
        open_for: SignedDuration::from_mins(60),
    };

    async fn look(watch: &Watch, table: &MemoryTable, clock: &MemoryClock) -> Option<(Known, bool)> {
        watch.look(table, clock, Timestamp::MAX, &BREAKER).await.expect("an answer")
    }

    async fn wait(minutes: u64) {
        tokio::time::sleep(std::time::Duration::from_secs(60 * minutes)).await;
    }

    fn count(watch: &Watch, clock: &MemoryClock, alerts: usize) {
        (0..alerts).for_each(|number| watch.count(clock.now(), &format!("{} {number}", clock.now()), true));
    }

    fn world() -> (MemoryTable, MemoryClock) {
        let clock = MemoryClock::starting_at("2026-01-05T23:30:00Z".parse().expect("a time"));
        (MemoryTable::new("t", SCHEMA, clock), clock)
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_to_notice_opens_it_and_alone_sends_the_message_and_others_see_it() {
        let (table, clock) = world();
        let (one, other) = (Watch::default(), Watch::default());
        assert_eq!(look(&other, &table, &clock).await, None);
        count(&one, &clock, 10);
        count(&other, &clock, 10);
        let (first, is_ones_turn) = look(&one, &table, &clock).await.expect("it opens");
        assert!(is_ones_turn && first.name == "2026-01-05/0000", "{first:?}");
        let (seen, is_others_turn) = look(&other, &table, &clock).await.expect("it is open");
        assert_eq!((seen, is_others_turn), (first.clone(), false));
        one.sent(&table, &clock, Timestamp::MAX, &first.name, "m").await.expect("it is recorded");
        assert!(look(&one, &table, &clock).await.is_some_and(|(_, is_our_turn)| !is_our_turn));
        // Over midnight, until its time is over.
        wait(59).await;
        assert!(look(&other, &table, &clock).await.is_some());
        wait(1).await;
        assert_eq!(look(&other, &table, &clock).await, None);
        assert_eq!(table.items().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn the_message_of_an_opener_that_is_gone_is_sent_by_another() {
        let (table, clock) = world();
        let (gone, other) = (Watch::default(), Watch::default());
        count(&gone, &clock, 10);
        assert!(look(&gone, &table, &clock).await.is_some());
        drop(gone);
        wait(4).await;
        assert!(look(&other, &table, &clock).await.is_some_and(|(_, is_our_turn)| !is_our_turn));
        wait(1).await;
        assert!(look(&other, &table, &clock).await.is_some_and(|(_, is_our_turn)| is_our_turn));
    }

    #[tokio::test(start_paused = true)]
    async fn once_closed_it_stays_closed_until_new_comments_are_too_many() {
        let (table, clock) = world();
        let watch = Watch::default();
        count(&watch, &clock, 20);
        assert!(look(&watch, &table, &clock).await.is_some());
        wait(1).await;
        let breakers = Breakers::new(&table, &clock, Timestamp::MAX);
        assert_eq!(breakers.close().await.expect("an answer"), 1);
        assert_eq!(breakers.close().await.expect("an answer"), 0);
        wait(1).await;
        assert_eq!(look(&watch, &table, &clock).await, None);
        count(&watch, &clock, 10);
        let (again, is_our_turn) = look(&watch, &table, &clock).await.expect("it opens again");
        assert!(is_our_turn && again.opened.alerts == 10, "{again:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_is_one_query_in_ten_seconds_whatever_there_was_before() {
        let (table, clock) = world();
        let (watch, breakers) = (Watch::default(), Breakers::new(&table, &clock, Timestamp::MAX));
        for _ in 0..20 {
            count(&watch, &clock, 10);
            assert!(look(&watch, &table, &clock).await.is_some());
            assert_eq!(breakers.close().await.expect("an answer"), 1);
            // So long that these alerts are none of the window's any more.
            wait(6).await;
        }
        // Of yesterday and today one look tells; the day before is nobody's question.
        assert_eq!(breakers.all().await.expect("an answer").len(), 20);
        table.reset_usage();
        for _ in 0..30 {
            look(&watch, &table, &clock).await;
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        }
        assert_eq!(table.usage().calls, [(Operation::Query, 3)].into());
        wait(48 * 60).await;
        assert_eq!(breakers.all().await.expect("an answer"), []);
    }
}
