//! Whatever goes wrong in whatever order.

use modstream_events::ids;
use modstream_platform::CallErrorKind;
use modstream_tests::{
    BadSample, Fault, MemoryWorld, Operation, SOURCE, System, Which, bad_comments, bad_predictions, comment_event_id,
    install, model_files,
};
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use publish_alerts::Condition;

use crate::{alerted, key, put, put_comment, scored};

/// What happens to one comment.
#[derive(Clone, Debug)]
enum Fate {
    Good,
    /// The producer sent it twice.
    Twice,
    Bad(BadSample),
    /// The topic takes no alert about it.
    Refused,
    /// It is good, and a bad record stands on the predictions' stream.
    BadPrediction(BadSample),
}

#[derive(Clone, Debug)]
struct Case {
    shards: usize,
    batch_size: usize,
    fates: Vec<Fate>,
    faults: Vec<(Operation, Vec<Fault>)>,
    kills: Vec<u64>,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        6 => Just(Fate::Good),
        2 => Just(Fate::Twice),
        3 => prop::sample::select(bad_comments(1000)).prop_map(Fate::Bad),
        1 => Just(Fate::Refused),
        2 => prop::sample::select(bad_predictions(3000)).prop_map(Fate::BadPrediction),
    ]
}

fn fault() -> impl Strategy<Value = Fault> {
    let kinds =
        [CallErrorKind::Unavailable, CallErrorKind::OutcomeUnknown, CallErrorKind::Denied, CallErrorKind::Invalid];
    prop_oneof![
        4 => Just(Fault::Works),
        2 => prop::sample::select(kinds.to_vec()).prop_map(Fault::Fails),
        2 => Just(Fault::AnswerLost),
        2 => vec(any::<bool>(), 1..5).prop_map(Fault::EntriesFail),
        1 => Just(Fault::Conflict),
    ]
}

fn case() -> impl Strategy<Value = Case> {
    let operations = [
        Operation::PutRecords,
        Operation::GetObject,
        Operation::PutObject,
        Operation::ReadItems,
        Operation::WriteItems,
        Operation::PublishBatch,
    ];
    let faults = operations.map(|operation| vec(fault(), 0..30).prop_map(move |faults| (operation, faults)));
    let parts = (1..4_usize, 1..40_usize, vec(fate(), 30), faults, btree_set(0..400_u64, 0..5));
    parts.prop_map(|(shards, batch_size, fates, faults, kills)| Case {
        shards,
        batch_size,
        fates,
        faults: faults.into(),
        kills: kills.into_iter().collect(),
    })
}

async fn run(case: Case) {
    let world = MemoryWorld::new(case.shards, case.batch_size);
    install(&world, &model_files()).await;
    let system = System::new(world, &[("POLICY", "0.2")]);
    for (number, fate) in case.fates.into_iter().enumerate() {
        let world = &system.world;
        match fate {
            Fate::Good => put_comment(world, number).await,
            Fate::Twice => {
                put_comment(world, number).await;
                put_comment(world, number).await;
            }
            Fate::Bad(bad) => put(world, Which::Comments, &key(number), bad.data).await,
            Fate::Refused => {
                system.faults.refuse(ids::alert(SOURCE, &comment_event_id(number), "default").to_string());
                put_comment(world, number).await;
            }
            Fate::BadPrediction(bad) => {
                put_comment(world, number).await;
                put(world, Which::Predictions, &key(number), bad.data).await;
            }
        }
    }
    for (operation, faults) in case.faults {
        system.faults.next(operation, faults);
    }
    for step in case.kills {
        system.faults.kill_at(step);
    }
    assert_eq!(system.score().await.given_up, 0);
    assert_eq!(system.publish().await.given_up, 0);
    scored(&system).await;
    alerted(&system, Condition::Probability(0.2)).await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_goes_wrong_no_comment_is_lost_and_no_id_is_new(case in case()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.expect("a runtime").block_on(run(case));
    }
}
