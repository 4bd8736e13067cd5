use std::collections::BTreeMap;

use modstream_platform::Objects;

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
        comments: world.records(Which::Comments).await,
        predictions: world.records(Which::Predictions).await,
        objects,
        notices: world.notices().await,
    }
}
