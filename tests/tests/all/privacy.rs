//! What stays out of the log.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use modstream_platform::CallErrorKind;
use modstream_tests::{
    Fault, MemoryWorld, Operation, PRIVATE, System, Which, bad_comments, bad_predictions, install, model_files,
};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::{key, put, put_comment, put_corpus, put_prediction};

/// Writes down every field of every event.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, "{field}={value:?} ");
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut Line(&mut self.0.lock().expect("no panic before")));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut Line(&mut self.0.lock().expect("no panic before")));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut log = self.0.lock().expect("no panic before");
        event.record(&mut Line(&mut log));
        log.push('\n');
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test(start_paused = true)]
async fn no_log_line_and_no_error_holds_a_comments_text_or_author() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let world = MemoryWorld::new(2, 30);
    install(&world, &model_files()).await;
    for number in 0..40 {
        put_comment(&world, number).await;
        put_prediction(&world, number, 0.95).await;
    }
    for (number, bad) in bad_comments(1000).into_iter().enumerate() {
        put(&world, Which::Comments, &key(number), bad.data).await;
    }
    for (number, bad) in bad_predictions(1000).into_iter().enumerate() {
        put(&world, Which::Predictions, &key(number), bad.data).await;
    }
    let system = System::new(world, &[]);
    for operation in [Operation::PutRecords, Operation::PutObject, Operation::GetObject, Operation::PublishBatch] {
        system.faults.down(operation, Duration::from_secs(45));
        system.faults.next(operation, [Fault::Works, Fault::Fails(CallErrorKind::Denied), Fault::AnswerLost]);
    }
    system.faults.kill_at(300);
    let mut errors = Vec::new();
    errors.extend(system.score().await.last_error);
    errors.extend(system.publish().await.last_error);
    for corpus in [
        format!("{{\"body\":\"{PRIVATE}\",\"author\":[\"{PRIVATE}\"]}}\n"),
        format!("{{\"body\":\"{PRIVATE}\"}}\n{PRIVATE}\n"),
        format!("{PRIVATE}\n"),
        format!("author,body,removed\n{PRIVATE},{PRIVATE},{PRIVATE}\n"),
    ] {
        put_corpus(&system.world, corpus.as_bytes()).await;
        errors.push(system.generate("{}", "r").await.expect_err("a bad corpus"));
    }
    let log = log.0.lock().expect("no panic before").clone();
    for event in ["batch_done", "batch_interrupted", "record_quarantined", "alert_resumed", "model_loaded"] {
        assert!(log.contains(event), "the scenario logs {event}");
    }
    assert!(!log.contains(PRIVATE), "{log}");
    assert!(!errors.concat().contains(PRIVATE), "{errors:?}");
}
