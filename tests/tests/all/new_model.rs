//! A comment that is scored again by another model.

use modstream_tests::{MemoryWorld, System, harsher, install, model_files, renamed};
use publish_alerts::Condition;

use crate::{alerted, put_comment, scored, smoothly};

#[tokio::test(start_paused = true)]
async fn a_new_model_never_alerts_twice() {
    let world = MemoryWorld::new(2, 10);
    let files = model_files();
    let first = install(&world, &files).await;
    for number in 0..30 {
        put_comment(&world, number).await;
    }
    let system = System::new(world, &[("POLICY", "0.2")]);
    let mut before = Vec::new();
    for (models, next) in [renamed(&files, "another"), harsher(&files, 3.0), harsher(&files, -3.0)].iter().enumerate() {
        system.score().await;
        system.publish().await;
        let audit = alerted(&system, Condition::Probability(0.2)).await;
        assert_eq!(audit.prediction_ids().len(), 30 * (models + 1), "each model's predictions have ids of their own");
        assert_eq!(audit.notices.len(), audit.alert_ids().len(), "no alert has two messages");
        assert!(!audit.notices.is_empty());
        if models == 1 {
            assert_eq!(audit.alert_ids(), before, "a model that scores the same alerts on nothing new");
        }
        before = audit.alert_ids();
        assert_ne!(install(&system.world, next).await, first);
        system.redeploy();
    }
    assert_eq!(system.publish().await, smoothly());
    scored(&system).await;
}
