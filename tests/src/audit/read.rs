use std::collections::{BTreeMap, BTreeSet};

use modstream_platform::table::Item;
use modstream_platform::{Objects, Stream};

use super::{Audit, LedgerAlert};
use crate::packed::unpacked;
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
