use std::collections::{BTreeMap, BTreeSet};

use modstream_platform::{Objects, Stream};

use super::Audit;
use crate::world::{Which, World};

pub(super) async fn all<W: World>(world: &W) -> Audit {
    let mut objects = BTreeMap::new();
    for prefix in ["quarantine/", "alerts/"] {
        for key in world.objects().list(prefix).await.expect("the bucket lists") {
            let contents = world.versions(&key).await;
            objects.insert(key, contents);
        }
    }
    Audit {
        comments_stream: world.stream(Which::Comments).name().to_owned(),
        predictions_stream: world.stream(Which::Predictions).name().to_owned(),
        comments: world.records(Which::Comments).await,
        predictions: world.records(Which::Predictions).await,
        objects,
        notices: world.notices().await,
        settled_elsewhere: BTreeSet::new(),
        keeps_order: true,
        may_withhold: BTreeSet::new(),
    }
}
