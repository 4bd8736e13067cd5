//! What the archive's reader gives back. It is no part of the oracle: that this very reader gives records back is the promise.

use std::collections::{BTreeMap, BTreeSet};

use modstream_archive::{Content, Reader};

use crate::world::World;

/// Every record of the comments' stream lies in the archive as it came, under its place or, put back, under a later one.
pub(crate) async fn broken(world: &World, was_redriven: bool) -> Vec<String> {
    let (from, to) = ("2026-01-05T00:00:00Z", "2026-02-05T00:00:00Z");
    let (from, to) = (from.parse().expect("a time"), to.parse().expect("a time"));
    let mut reader = match Reader::open(&world.objects, &world.clock, "comments", from, to).await {
        Ok(reader) => reader,
        Err(error) => return vec![format!("the archive: {error}")],
    };
    let mut broken = Vec::new();
    let mut archived: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    loop {
        match reader.next().await {
            Ok(Some(stored)) => {
                let number = stored.record.sequence_number.clone();
                let Content::Data(bytes) = stored.record.content else { continue };
                if archived.insert(number.clone(), bytes).is_some() {
                    broken.push(format!("the archive's reader gave record {number} twice"));
                }
            }
            Ok(None) => break,
            Err(error) => return vec![format!("the archive: {error}")],
        }
    }
    broken.extend(reader.unreadable().iter().map(|object| format!("{}: {}", object.key, object.error)));
    let contents: BTreeSet<&Vec<u8>> = archived.values().collect();
    for record in world.comments.records() {
        let lies_there = archived.get(&record.sequence_number).is_some_and(|bytes| *bytes == record.data);
        let was_put_back = was_redriven && contents.contains(&record.data);
        if !lies_there && !was_put_back {
            broken.push(format!("comment record {} is not in the archive", record.sequence_number));
        }
    }
    broken
}
