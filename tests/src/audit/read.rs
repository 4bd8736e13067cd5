use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use modstream_ledger::{Ledger, List};
use modstream_platform::deliver::items;
use modstream_platform::table::{Consistency, Key};
use modstream_platform::{Objects, Stream};

use super::{Audit, LedgerAlert, unpacked};
use crate::world::{Which, World};

pub(super) async fn all<W: World>(world: &W) -> Audit {
    let mut objects = BTreeMap::new();
    for key in world.objects().list("quarantine/").await.expect("the bucket lists") {
        let contents = world.versions(&key).await;
        objects.insert(key, contents);
    }
    Audit {
        comments_stream: world.stream(Which::Comments).name().to_owned(),
        predictions_stream: world.stream(Which::Predictions).name().to_owned(),
        comments: world.records(Which::Comments).await,
        predictions: world.records(Which::Predictions).await,
        objects,
        alerts: alerts(world).await,
        notices: world.notices().await,
        settled_elsewhere: BTreeSet::new(),
        keeps_order: true,
        may_withhold: BTreeSet::new(),
    }
}

/// All alerts, of whatever list: an index that lists them has none but those.
async fn alerts<W: World>(world: &W) -> Vec<LedgerAlert> {
    let (table, clock) = (world.table(), world.clock());
    let ledger = Ledger::new(&table, &clock, Timestamp::MAX);
    let mut keys: Vec<Key> = Vec::new();
    for list in List::ALL {
        let mut after = None;
        loop {
            let between = (Timestamp::UNIX_EPOCH, "9999-12-30T00:00:00Z".parse().expect("a time"));
            let page = ledger.made_between(list, between, after).await.expect("the table answers");
            keys.extend(page.found.into_iter().map(|alert| alert.key.item()));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    let found = items::get_all(&table, &clock, Timestamp::MAX, &keys, Consistency::Consistent).await;
    let found = found.expect("the table answers").into_values();
    let alert = |item: modstream_platform::table::Item| LedgerAlert {
        id: item.key.sort.trim_start_matches("alert#").to_owned(),
        event: unpacked(&item, "event"),
        is_sent: item.text("sent").is_some(),
        is_withheld: item.text("withheld").is_some(),
    };
    found.map(alert).collect()
}
