//! SIGTERM.

use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use modstream_stub_server::{Ended, WAIT_TIMEOUT};
use serde_json::json;

use crate::{Running, is_put_records, sample};

#[test]
fn asked_to_end_while_idle_it_ends_with_0() {
    let running = Running::start();
    running.bootstrap.terminate().expect("asked");
    assert!(running.bootstrap.wait().expect("ends").status.success());
}

#[test]
fn asked_to_end_in_the_middle_of_an_invocation_it_answers_first() {
    let (release, held) = channel();
    let held: Mutex<Receiver<()>> = Mutex::new(held);
    let running = Running::start_with(&[], move |request| {
        if is_put_records(request) {
            // Also goes on where the test has failed and dropped the sender.
            let _ = held.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(WAIT_TIMEOUT);
        }
        None
    });
    running.lambda.send("request-1", Duration::from_secs(60), &sample("comments-batch.json"));
    running.aws.wait_for(is_put_records);
    running.bootstrap.terminate().expect("asked");
    running.bootstrap.wait_for_line(|line| line.contains("\"ending\""));
    release.send(()).expect("held");
    let (_, ended) = running.lambda.wait_for_end();
    assert_eq!(ended, Ended::Response(json!({"batchItemFailures": []})));
    assert!(running.bootstrap.wait().expect("ends").status.success());
}
