use std::collections::BTreeMap;

use jiff::Timestamp;
use modstream_platform::deliver::{Claimed, DeliveryError, claim, get, list};
use modstream_platform::{Clock, Fetched, Objects};
use tokio::sync::Mutex;

use super::scope::Scope;
use crate::hour::Hour;

/// The prefix of all budgets.
pub const BUDGETS: &str = "budgets/";

/// Rows of so many hours are remembered: an alert may come again after its hour.
const HOURS: usize = 3;

/// Whether an alert has a place in its hour's budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// This one, counted from 0.
    Has(u32),
    /// None: all places are other alerts'.
    Spent,
}

/// What an alert asks for.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The hour of the alert event's time.
    pub hour: Hour,
    /// The scope whose budget it is.
    pub scope: &'a Scope,
    /// How many places it has.
    pub places: u32,
    /// The alert's id.
    pub alert: &'a str,
    /// Whether an earlier attempt may have taken a place for it.
    pub is_resumed: bool,
}

/// What is known of the budgets' rows. Only what can't change is remembered: that a place is taken, and whose it is.
#[derive(Debug, Default)]
pub struct Budgets {
    rows: Mutex<BTreeMap<(Hour, Scope), Row>>,
}

/// The places known to be taken, and whose they are where that is known.
type Row = BTreeMap<u32, Option<String>>;

impl Budgets {
    /// Takes a place, or finds the one that the alert has. One listing at first need, then a write a place.
    ///
    /// # Errors
    /// Where it is not known by the deadline. A place may be taken all the same: ask again as resumed.
    pub async fn take<O: Objects, C: Clock>(
        &self,
        objects: &O,
        clock: &C,
        deadline: Timestamp,
        request: Request<'_>,
    ) -> Result<Slot, DeliveryError> {
        let Request { hour, scope, places, alert, is_resumed } = request;
        // One after another: whoever tried two places at once might find the second taken, and the first free after all.
        let mut rows = self.rows.lock().await;
        let key = (hour, scope.clone());
        let folder = format!("{BUDGETS}{hour}/{scope}/");
        let place_key = |place: u32| format!("{folder}{place}.json");
        if is_resumed || !rows.contains_key(&key) {
            let keys = list(objects, clock, deadline, &folder).await?;
            let row = rows.entry(key.clone()).or_default();
            for place in keys.iter().filter_map(|key| key.strip_prefix(&folder)?.strip_suffix(".json")?.parse().ok()) {
                row.entry(place).or_default();
            }
        }
        forget_old(&mut rows, &key);
        let row = rows.entry(key).or_default();
        if is_resumed {
            for (place, owner) in row.iter_mut() {
                if owner.is_none() {
                    *owner = read(objects, clock, deadline, &place_key(*place)).await?;
                }
                if owner.as_deref() == Some(alert) {
                    return Ok(Slot::Has(*place));
                }
            }
        }
        for place in 0..places {
            if row.contains_key(&place) {
                continue;
            }
            let key = place_key(place);
            match claim(objects, clock, deadline, &key, alert.as_bytes().to_vec()).await? {
                Claimed::Ours => {
                    row.insert(place, Some(alert.to_owned()));
                    return Ok(Slot::Has(place));
                }
                Claimed::Theirs(owner) => drop(row.insert(place, String::from_utf8(owner).ok())),
            }
        }
        Ok(Slot::Spent)
    }
}

async fn read<O: Objects, C: Clock>(
    objects: &O,
    clock: &C,
    deadline: Timestamp,
    key: &str,
) -> Result<Option<String>, DeliveryError> {
    match get(objects, clock, deadline, key, None).await? {
        Fetched::Object { bytes, .. } => Ok(String::from_utf8(bytes).ok()),
        Fetched::NotModified | Fetched::Missing => Ok(None),
    }
}

/// Bounds the memory; the row at hand stays.
fn forget_old(rows: &mut BTreeMap<(Hour, Scope), Row>, in_use: &(Hour, Scope)) {
    let mut hours: Vec<Hour> = rows.keys().map(|(hour, _)| *hour).collect();
    hours.dedup();
    if let Some(oldest) = hours.len().checked_sub(HOURS).map(|first| hours[first]) {
        rows.retain(|key, _| key.0 >= oldest || key == in_use);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use modstream_platform::memory::{MemoryClock, MemoryObjects};

    struct Bucket {
        objects: MemoryObjects,
        clock: MemoryClock,
    }

    impl Bucket {
        fn new() -> Self {
            let clock = MemoryClock::starting_at("2026-01-05T10:00:00Z".parse().expect("a time"));
            Bucket { objects: MemoryObjects::new(), clock }
        }

        async fn take(&self, budgets: &Budgets, alert: &str, places: u32, is_resumed: bool) -> Slot {
            let hour = "2026-01-05T10".parse().expect("an hour");
            let scope = Scope::all();
            let request = Request { hour, scope: &scope, places, alert, is_resumed };
            budgets.take(&self.objects, &self.clock, Timestamp::MAX, request).await.expect("an answer")
        }
    }

    #[tokio::test]
    async fn a_budget_is_spent_once_whoever_asks() {
        let bucket = Bucket::new();
        let (one, other) = (Budgets::default(), Budgets::default());
        let mut has = 0;
        for number in 0..20 {
            let budgets = if number % 2 == 0 { &one } else { &other };
            has += usize::from(bucket.take(budgets, &format!("a{number}"), 7, false).await != Slot::Spent);
        }
        assert_eq!(has, 7);
        assert_eq!(bucket.objects.list(BUDGETS).await.expect("lists").len(), 7);
        assert_eq!(bucket.take(&Budgets::default(), "late", 7, false).await, Slot::Spent);
        // A larger budget has more places.
        assert_eq!(bucket.take(&one, "late", 8, false).await, Slot::Has(7));
    }

    #[tokio::test]
    async fn an_alert_that_comes_again_keeps_its_place_also_where_another_took_it_and_the_budget_shrank() {
        let bucket = Bucket::new();
        let (one, other) = (Budgets::default(), Budgets::default());
        assert_eq!(bucket.take(&other, "early", 5, false).await, Slot::Has(0));
        for (place, alert) in ["a", "b", "c"].into_iter().enumerate() {
            assert_eq!(bucket.take(&one, alert, 5, false).await, Slot::Has(place as u32 + 1));
        }
        for budgets in [&one, &other, &Budgets::default()] {
            assert_eq!(bucket.take(budgets, "c", 5, true).await, Slot::Has(3));
            assert_eq!(bucket.take(budgets, "c", 1, true).await, Slot::Has(3));
        }
        assert_eq!(bucket.take(&Budgets::default(), "d", 4, true).await, Slot::Spent);
    }

    #[tokio::test]
    async fn memory_holds_a_few_hours() {
        let bucket = Bucket::new();
        let budgets = Budgets::default();
        let mut hour: Hour = "2026-01-05T10".parse().expect("an hour");
        for _ in 0..50 {
            let scope = Scope::all();
            let request = Request { hour, scope: &scope, places: 1, alert: "a", is_resumed: false };
            budgets.take(&bucket.objects, &bucket.clock, Timestamp::MAX, request).await.expect("an answer");
            hour = hour.next();
        }
        assert!(budgets.rows.lock().await.len() <= HOURS + 1);
    }
}
