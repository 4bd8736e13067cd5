use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use modstream_platform::deliver::{Cause, DeliveryError, items};
use modstream_platform::table::{Condition, Item, Key, Operation, Reason, Table, Transacted, Update, Write};
use modstream_platform::{CallError, CallErrorKind, Clock};
use tokio::sync::Mutex;

use super::scope::Scope;
use crate::hour::Hour;
use crate::keys::AlertKey;

/// What the partition of an hour's budgets begins with.
const BUDGET: &str = "budget#";
/// The attribute of a budget that says how many places are taken.
const TAKEN: &str = "taken";
/// The attribute of an alert that says in which hour's budgets it has its place.
const PLACE: &str = "place";

/// Of so many hours it is remembered which budgets are spent: an alert may come again after its hour.
const HOURS: usize = 3;
/// How long a budget is kept after its hour: longer than a stream keeps the records that may ask for it again, a week at most.
const BUDGET_KEPT: SignedDuration = SignedDuration::from_hours(8 * 24);

/// How many alerts of a scope are published in an hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Whose budget it is.
    pub scope: Scope,
    /// How many places it has.
    pub places: u32,
}

/// Whether an alert has a place in the budgets of its hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Slot {
    /// The alert has a place, in all of them.
    Has,
    /// The alert has none, in any of them: all places of this one are other alerts'.
    Spent(Budget),
}

/// What an alert asks for.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The hour of the alert event's time.
    pub hour: Hour,
    /// The budgets in which it needs a place, of different scopes.
    pub budgets: &'a [Budget],
    /// The alert, which is made already.
    pub alert: &'a AlertKey,
    /// Whether an earlier attempt may have taken a place for it.
    pub is_resumed: bool,
}

/// What an instance knows of budgets. Only what can't change is remembered: that so many places are taken.
#[derive(Debug, Default)]
pub struct Budgets {
    taken: Mutex<BTreeMap<(Hour, Scope), u32>>,
}

impl Budgets {
    /// Takes a place for an alert, in all of its budgets at once, or finds that it has one. It makes one call, and none where a
    /// budget is known to be spent.
    ///
    /// One transaction counts the place and notes it at the alert. So a place is neither lost nor taken twice, wherever a process
    /// ends, and an alert that comes again has its place whatever the budget is by then.
    ///
    /// # Errors
    /// Where it is not known by the deadline, or where there is no such alert. A place may be taken all the same: ask again as
    /// resumed.
    pub async fn take<B: Table, C: Clock>(
        &self,
        table: &B,
        clock: &C,
        deadline: Timestamp,
        request: Request<'_>,
    ) -> Result<Slot, DeliveryError> {
        let Request { hour, budgets, alert, is_resumed } = request;
        if budgets.is_empty() {
            return Ok(Slot::Has);
        }
        // One after another: two transactions on one counter at once refuse each other.
        let mut taken = self.taken.lock().await;
        let is_spent =
            |budget: &&Budget| taken.get(&(hour, budget.scope.clone())).copied().unwrap_or_default() >= budget.places;
        // One that was resumed may have its place all the same.
        if !is_resumed && let Some(spent) = budgets.iter().find(is_spent) {
            return Ok(Slot::Spent(spent.clone()));
        }
        let noted = Write::Update {
            key: alert.item(),
            update: Update::new().set(PLACE, hour.to_string()),
            condition: Condition::Present.and(Condition::missing(PLACE)),
        };
        let writes: Vec<Write> = budgets.iter().map(|budget| counted(hour, budget)).chain([noted]).collect();
        let intent = format!("place {alert}");
        let reasons = match items::transact(table, clock, deadline, &intent, &writes).await? {
            Transacted::Done => return Ok(Slot::Has),
            Transacted::Cancelled(reasons) => reasons,
        };
        match reasons.last() {
            // What fails there of an alert that is there is that it has no place yet.
            Some(Reason::ConditionFailed(Some(_))) => return Ok(Slot::Has),
            Some(Reason::ConditionFailed(None)) => {
                return Err(unknown(CallErrorKind::Invalid, format!("there is no alert {alert} to take a place for")));
            }
            Some(Reason::None) | None => {}
        }
        let mut spent = None;
        for (budget, reason) in budgets.iter().zip(reasons) {
            let Reason::ConditionFailed(found) = reason else { continue };
            let of_hour = found.as_deref().and_then(places_taken).unwrap_or(budget.places);
            taken.insert((hour, budget.scope.clone()), of_hour);
            spent = spent.or_else(|| Some(budget.clone()));
        }
        forget_old(&mut taken, hour);
        spent.map(Slot::Spent).ok_or_else(|| {
            let message = format!("no place was taken for the alert {alert}, and it is not said why");
            unknown(CallErrorKind::Unavailable, message)
        })
    }
}

/// The write that takes one of a budget's places, if one is left.
fn counted(hour: Hour, budget: &Budget) -> Write {
    let Budget { scope, places } = budget;
    let is_left = Condition::less_than(TAKEN, i64::from(*places));
    let expires = hour.next().start().saturating_add(BUDGET_KEPT).unwrap_or(Timestamp::MAX);
    Write::Update {
        key: Key::new(format!("{BUDGET}{hour}"), scope.to_string()),
        update: Update::new().add(TAKEN, 1).expiring(expires),
        // Of none there is none left for the first, either.
        condition: if *places == 0 { is_left } else { is_left.or(Condition::missing(TAKEN)) },
    }
}

fn places_taken(budget: &Item) -> Option<u32> {
    budget.number(TAKEN)?.try_into().ok()
}

fn unknown(kind: CallErrorKind, message: String) -> DeliveryError {
    let operation = Operation::TransactWriteItems.name();
    DeliveryError {
        cause: Cause::Call(CallError { service: "table", operation, kind, message }),
        deadline_passed: false,
    }
}

/// Bounds the memory; the hour at hand stays.
fn forget_old(taken: &mut BTreeMap<(Hour, Scope), u32>, in_use: Hour) {
    let mut hours: Vec<Hour> = taken.keys().map(|(hour, _)| *hour).collect();
    hours.dedup();
    if let Some(oldest) = hours.len().checked_sub(HOURS).map(|first| hours[first]) {
        taken.retain(|(hour, _), _| *hour >= oldest || *hour == in_use);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SCHEMA;
    use modstream_platform::memory::{MemoryClock, MemoryTable};

    struct World {
        table: MemoryTable,
        clock: MemoryClock,
    }

    fn alert(name: &str) -> AlertKey {
        AlertKey { comment: "c".to_owned(), id: name.to_owned() }
    }

    fn all(places: u32) -> Budget {
        Budget { scope: Scope::all(), places }
    }

    fn of(subreddit: &str, places: u32) -> Budget {
        Budget { scope: Scope::subreddit(Some(subreddit)), places }
    }

    impl World {
        fn new() -> Self {
            let clock = MemoryClock::starting_at("2026-01-05T10:00:00Z".parse().expect("a time"));
            World { table: MemoryTable::new("t", SCHEMA, clock), clock }
        }

        /// Asks for an alert, which is made where it is not there yet.
        async fn take(&self, budgets: &Budgets, name: &str, of: &[Budget], is_resumed: bool) -> Slot {
            let hour = "2026-01-05T10".parse().expect("an hour");
            self.take_in(budgets, hour, name, of, is_resumed).await
        }

        async fn take_in(&self, budgets: &Budgets, hour: Hour, name: &str, of: &[Budget], is_resumed: bool) -> Slot {
            let alert = alert(name);
            self.table.put(&Item::new(alert.item()), &Condition::Absent).await.expect("an answer");
            let request = Request { hour, budgets: of, alert: &alert, is_resumed };
            budgets.take(&self.table, &self.clock, Timestamp::MAX, request).await.expect("an answer")
        }

        /// How many places are taken, by scope.
        fn taken(&self) -> BTreeMap<String, u32> {
            let items = self.table.items();
            let budgets = items.iter().filter(|item| item.key.partition == "budget#2026-01-05T10");
            budgets.map(|item| (item.key.sort.clone(), places_taken(item).expect("a number"))).collect()
        }
    }

    #[tokio::test]
    async fn a_budget_is_spent_once_whoever_asks() {
        let world = World::new();
        let (one, other, seven) = (Budgets::default(), Budgets::default(), [all(7)]);
        let mut has = 0;
        for number in 0..20 {
            let budgets = if number % 2 == 0 { &one } else { &other };
            has += usize::from(world.take(budgets, &format!("a{number}"), &seven, false).await == Slot::Has);
        }
        assert_eq!(has, 7);
        assert_eq!(world.taken(), [("_all".to_owned(), 7)].into());
        assert_eq!(world.take(&Budgets::default(), "late", &seven, false).await, Slot::Spent(all(7)));
        // A larger budget has more places.
        assert_eq!(world.take(&one, "late", &[all(8)], false).await, Slot::Has);
        assert_eq!(world.taken()["_all"], 8);
    }

    #[tokio::test]
    async fn a_place_is_one_call_and_a_spent_budget_none() {
        let world = World::new();
        let (budgets, of_both) = (Budgets::default(), [of("science", 2), all(100)]);
        for number in 0..50 {
            world.take(&budgets, &format!("a{number}"), &of_both, false).await;
        }
        // Two places, and one that was found to be taken.
        assert_eq!(world.table.usage().calls[&Operation::TransactWriteItems], 3);
        assert_eq!(
            world.table.usage().calls.keys().copied().collect::<Vec<_>>(),
            [Operation::PutItem, Operation::TransactWriteItems]
        );
    }

    #[tokio::test]
    async fn of_two_budgets_an_alert_has_a_place_in_both_or_in_none() {
        let world = World::new();
        let budgets = Budgets::default();
        let both = |subreddit: &str| [of(subreddit, 3), all(4)];
        let mut slots = Vec::new();
        for (number, subreddit) in ["a", "a", "a", "a", "b", "b", "c"].into_iter().enumerate() {
            let asked = both(subreddit);
            slots.push(match world.take(&budgets, &format!("a{number}"), &asked, false).await {
                Slot::Has => "has".to_owned(),
                Slot::Spent(budget) => budget.scope.to_string(),
            });
        }
        assert_eq!(slots, ["has", "has", "has", "a", "has", "_all", "_all"]);
        // That all together are spent costs no subreddit a place.
        assert_eq!(world.taken(), [("_all", 4), ("a", 3), ("b", 1)].map(|(scope, n)| (scope.to_owned(), n)).into());
    }

    #[tokio::test]
    async fn an_alert_that_comes_again_keeps_its_place_also_where_the_budget_shrank() {
        let world = World::new();
        let (one, other, five) = (Budgets::default(), Budgets::default(), [all(5)]);
        assert_eq!(world.take(&other, "early", &five, false).await, Slot::Has);
        for alert in ["a", "b", "c"] {
            assert_eq!(world.take(&one, alert, &five, false).await, Slot::Has);
        }
        for budgets in [&one, &other, &Budgets::default()] {
            for places in [5, 1, 0] {
                assert_eq!(world.take(budgets, "c", &[all(places)], true).await, Slot::Has);
            }
        }
        assert_eq!(world.taken()["_all"], 4);
        assert_eq!(world.take(&Budgets::default(), "d", &[all(4)], true).await, Slot::Spent(all(4)));
        assert_eq!(world.take(&Budgets::default(), "e", &[of("science", 9), all(0)], true).await, Slot::Spent(all(0)));
        assert_eq!(world.take(&Budgets::default(), "e", &[], false).await, Slot::Has);
    }

    #[tokio::test]
    async fn no_place_is_taken_for_an_alert_that_is_not_there() {
        let world = World::new();
        let (missing, five) = (alert("missing"), [all(5)]);
        let hour = Hour::of(world.clock.now());
        let request = Request { hour, budgets: &five, alert: &missing, is_resumed: false };
        let taken = Budgets::default().take(&world.table, &world.clock, Timestamp::MAX, request).await;
        assert!(taken.expect_err("there is none").to_string().contains("there is no alert c/missing"));
        assert_eq!(world.table.items(), []);
    }

    #[tokio::test]
    async fn memory_holds_a_few_hours_and_the_table_those_that_a_stream_can_ask_for() {
        let world = World::new();
        let (budgets, one) = (Budgets::default(), [all(1)]);
        let mut hour: Hour = "2026-01-05T10".parse().expect("an hour");
        for _ in 0..50 {
            for name in ["a", "b"] {
                world.take_in(&budgets, hour, &format!("{name} {hour}"), &one, false).await;
            }
            hour = hour.next();
        }
        assert!(budgets.taken.lock().await.len() <= HOURS + 1);
        let of_budgets = |item: &Item| item.key.partition.starts_with(BUDGET);
        let items: Vec<Item> = world.table.items().into_iter().filter(of_budgets).collect();
        assert_eq!(items.len(), 50);
        let first = &items[0];
        let end: Timestamp = "2026-01-05T11:00:00Z".parse().expect("a time");
        assert!(!first.has_expired(end + SignedDuration::from_hours(7 * 24)));
        assert!(first.has_expired(end + SignedDuration::from_hours(9 * 24)));
    }
}
