use std::collections::{BTreeMap, BTreeSet};

use modstream_platform::table::Item;
use modstream_platform::{Objects, Stream};

use super::{Audit, LedgerAlert, parse, text};
use crate::packed::unpacked;
use crate::world::{StoredRecord, Which, World};

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
        predictions: world.records(Which::Predictions).await.into_iter().filter(|record| !is_beside(record)).collect(),
        objects,
        alerts: alerts(world).await,
        notices: world.notices().await,
        settled_elsewhere: BTreeSet::new(),
        keeps_order: true,
        may_withhold: BTreeSet::new(),
    }
}

/// Whether it is what somebody decided or changed, which may be on the stream of predictions and is none. Where such a record is
/// in quarantine, that is of no prediction, and counts as broken.
fn is_beside(record: &StoredRecord) -> bool {
    let kinds = ["decision", "model-promoted", "policies-changed", "breaker-closed"];
    let event = parse(&record.data).filter(|event| event.pointer("/data/log_odds").is_none());
    let kind = event.and_then(|event| Some(text(&event, "/type")?.to_owned())).unwrap_or_default();
    kinds.iter().any(|name| kind == format!("modstream.{name}.v1"))
}

/// All alerts of the table, read from their items by nothing of the ledger's.
async fn alerts<W: World>(world: &W) -> Vec<LedgerAlert> {
    let alert = |item: Item| {
        let id = item.key.sort.strip_prefix("alert#")?.to_owned();
        Some(LedgerAlert {
            id,
            event: unpacked(&item, "event"),
            is_sent: item.text("sent").is_some(),
            is_withheld: item.text("withheld").is_some(),
        })
    };
    world.items().await.into_iter().filter_map(alert).collect()
}
