//! What every call has in common: connections that fail, answers that never come or can't be read, credentials.

use std::net::TcpListener;

use aws_config::Region;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use modstream_platform::aws::{Clients, ConnectError, SystemClock};
use modstream_platform::memory::MemoryClock;
use modstream_platform::{CallError, CallErrorKind, Clock as _, PutRecord, Stream};
use modstream_stub_server::{Answer, Reply};

use crate::world::{LONG, SHORT, World, config, json};

async fn put(clients: &Clients) -> CallError {
    let record = PutRecord { partition_key: "k".into(), data: b"a comment's text".to_vec() };
    let stream = clients.stream("comments");
    let put = tokio::time::timeout(LONG, stream.put_records(std::slice::from_ref(&record))).await;
    put.expect("ends").expect_err("no answer")
}

#[tokio::test]
async fn where_nobody_listens_nothing_was_sent() {
    let port = TcpListener::bind(("127.0.0.1", 0)).expect("a port").local_addr().expect("has one");
    let clients = Clients::new(&config(&format!("http://{port}")), LONG).expect("has a region");
    let error = put(&clients).await;
    assert_eq!(error.kind, CallErrorKind::Unavailable, "{error}");
    assert!(error.message.contains("refused"), "{error}");
}

#[tokio::test]
async fn a_host_name_that_does_not_resolve_is_no_request() {
    let clients = Clients::new(&config("http://no-such-host.invalid"), LONG).expect("has a region");
    assert_eq!(put(&clients).await.kind, CallErrorKind::Unavailable);
}

#[tokio::test]
async fn after_a_request_without_an_answer_the_outcome_is_unknown() {
    let half = || json(200, r#"{"FailedRecordCount":0,"Records":[]}"#);
    for reply in [Reply::HangUp, Reply::BreakOff(half())] {
        let world = World::new([reply]);
        let error = put(&world.clients).await;
        assert_eq!(error.kind, CallErrorKind::OutcomeUnknown, "{error}");
        assert_eq!(world.server.requests().len(), 1);
    }
    for reply in [Reply::Silence, Reply::Stall(half())] {
        let world = World::with_call_timeout(SHORT, [reply]);
        let error = put(&world.clients).await;
        assert_eq!(error.kind, CallErrorKind::OutcomeUnknown, "{error}");
        assert_eq!(world.server.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_success_that_cant_be_read_is_an_unknown_outcome_and_is_not_quoted() {
    for body in ["{\"Records\":[", "<html>a comment's text</html>", "{\"Records\":7}"] {
        let world = World::new([json(200, body)]);
        let error = put(&world.clients).await;
        assert_eq!(
            (error.kind, error.message.as_str()),
            (CallErrorKind::OutcomeUnknown, "the answer can't be read (HTTP 200)")
        );
    }
}

#[tokio::test]
async fn without_a_code_the_status_decides_and_nothing_of_the_body_is_quoted() {
    use CallErrorKind::{Denied, Invalid, Refused, Unavailable};
    for (status, kind) in [
        (301, Denied),
        (400, Invalid),
        (401, Denied),
        (403, Denied),
        (404, Denied),
        (408, Unavailable),
        (413, Refused),
        (429, Unavailable),
        (500, Unavailable),
        (502, Unavailable),
        (504, Unavailable),
    ] {
        let world = World::new([Answer::new(status, "<html>a comment's text</html>")]);
        let error = put(&world.clients).await;
        assert_eq!((error.kind, error.message), (kind, format!("HTTP {status}")), "{status}");
    }
}

#[derive(Debug)]
struct NoCredentials(fn() -> CredentialsError);

impl ProvideCredentials for NoCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Err::<Credentials, _>((self.0)()))
    }
}

#[tokio::test]
async fn without_credentials_an_operator_must_act_and_a_slow_provider_may_answer_later() {
    let cases: [(fn() -> CredentialsError, _); 2] = [
        (|| CredentialsError::not_loaded("no profile"), CallErrorKind::Denied),
        (|| CredentialsError::provider_timed_out(LONG), CallErrorKind::Unavailable),
    ];
    for (error, kind) in cases {
        let provider = SharedCredentialsProvider::new(NoCredentials(error));
        let config = config("http://127.0.0.1:1").to_builder().credentials_provider(provider).build();
        let error = put(&Clients::new(&config, LONG).expect("has a region")).await;
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.message.contains("credential"), "{error}");
    }
}

#[test]
fn without_a_region_there_are_no_clients() {
    for region in [None, Some(Region::new(""))] {
        let config = config("http://127.0.0.1:1").to_builder().region(region).build();
        let error = Clients::new(&config, LONG).expect_err("refused");
        assert_eq!(error, ConnectError::NoRegion);
        assert!(error.to_string().contains("AWS_REGION=eu-central-1"));
    }
}

/// That another process has another number is for the system to give; here it must be there, and stay.
#[test]
fn the_systems_clock_has_a_number_of_its_process_and_the_memory_worlds_has_none() {
    assert_eq!(SystemClock.jitter(), SystemClock.jitter());
    assert_ne!(SystemClock.jitter(), MemoryClock::system().jitter());
}
