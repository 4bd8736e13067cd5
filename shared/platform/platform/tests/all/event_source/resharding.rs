use modstream_platform::Stream;
use modstream_platform::memory::{Config, MemoryStream, OnBatchFailure};
use proptest::prelude::*;

use super::{broken, config, data, done, failed_from, run_while};
use crate::world::{Log, clock, record, run};

/// What is done to a stream.
#[derive(Clone, Debug)]
enum Step {
    Put(u8),
    /// Splits one of the open shards.
    Split(prop::sample::Index),
    /// Merges one of them with the next.
    Merge(prop::sample::Index),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..12_u8).prop_map(Step::Put),
        1 => any::<prop::sample::Index>().prop_map(Step::Split),
        1 => any::<prop::sample::Index>().prop_map(Step::Merge),
    ]
}

fn reshard(stream: &MemoryStream, step: &Step) {
    let open = stream.open_shards();
    match step {
        Step::Put(_) => {}
        Step::Split(which) => drop(stream.split_shard(&open[which.index(open.len())]).unwrap()),
        Step::Merge(which) if open.len() > 1 => {
            let low = which.index(open.len() - 1);
            stream.merge_shards(&open[low], &open[low + 1]).unwrap();
        }
        Step::Merge(_) => {}
    }
}

proptest! {
    /// Each key's records are done once and in the order they were put, whatever happens to the shards.
    #[test]
    fn a_keys_records_stay_in_order_over_shards_and_lanes(
        steps in prop::collection::vec(step(), 0..60),
        meanwhile in 0..60_usize,
        parallelization_factor in 1..5_usize,
        batch_size in 1..9_usize,
        answers in prop::collection::vec(0..12_usize, 0..30),
    ) {
        run(async {
            let clock = clock();
            let stream = MemoryStream::new("comments", 2, clock);
            let put = async |n: usize, key: u8| {
                stream.put_records(&[record(&key.to_string(), format!("{key} {n:03}"))]).await.unwrap();
            };
            let (before, later) = steps.split_at(meanwhile.min(steps.len()));
            let all = async |steps: &[Step], first: usize| {
                for (n, step) in steps.iter().enumerate() {
                    match step {
                        Step::Put(key) => put(first + n, *key).await,
                        other => reshard(&stream, other),
                    }
                }
            };
            all(before, 0).await;
            let config = Config { batch_size, parallelization_factor, on_batch_failure: OnBatchFailure::Bisect, ..config() };
            let finished = Log::default();
            let function = |n: usize, payload: &[u8]| {
                let texts = data(payload);
                let (done_here, answer) = match answers.get(n) {
                    Some(&at @ 0..=8) if at < texts.len() => (at, failed_from(payload, at)),
                    Some(9) => (0, broken()),
                    _ => (texts.len(), done()),
                };
                for text in &texts[..done_here] {
                    finished.push(text.clone());
                }
                answer
            };
            run_while(stream.clone(), clock, config, function, all(later, before.len())).await;
            let finished = finished.entries();
            let mut put: Vec<String> = Vec::new();
            for (n, step) in steps.iter().enumerate() {
                if let Step::Put(key) = step {
                    put.push(format!("{key} {n:03}"));
                }
            }
            let of = |all: &[String], key: u8| -> Vec<String> {
                all.iter().filter(|text| text.starts_with(&format!("{key} "))).cloned().collect()
            };
            for key in 0..12 {
                prop_assert_eq!(of(&finished, key), of(&put, key));
            }
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn only_open_shards_are_resharded() {
    let stream = MemoryStream::new("comments", 3, clock());
    let [first, second, third] = <[String; 3]>::try_from(stream.shard_ids()).unwrap();
    assert!(stream.merge_shards(&first, &third).is_err(), "no neighbours");
    let merged = stream.merge_shards(&second, &first).unwrap();
    assert_eq!(stream.open_shards(), [merged.clone(), third.clone()]);
    let [low, high] = stream.split_shard(&merged).unwrap();
    assert_eq!(stream.open_shards(), [low.clone(), high.clone(), third.clone()]);
    assert!(stream.split_shard(&merged).is_err() && stream.merge_shards(&first, &low).is_err(), "closed");
    assert!(stream.merge_shards(&high, &third).is_ok());
}
