//! Clients that talk to a local server.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use modstream_platform::aws::{Clients, KinesisStream, S3Objects, SnsTopic};
use modstream_stub_server::{Answer, Reply, StubServer};

/// Longer than anything here takes.
pub(crate) const LONG: Duration = Duration::from_secs(30);
/// For calls that must run out of time: long enough to connect.
pub(crate) const SHORT: Duration = Duration::from_millis(300);

pub(crate) fn config(url: &str) -> SdkConfig {
    let credentials = Credentials::new("test", "test", None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(url)
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}

/// A world whose server gives these replies in turn.
pub(crate) struct World {
    pub(crate) server: StubServer,
    pub(crate) clients: Clients,
}

impl World {
    pub(crate) fn new<R: Into<Reply>>(replies: impl IntoIterator<Item = R>) -> Self {
        Self::with_call_timeout(LONG, replies)
    }

    pub(crate) fn with_call_timeout<R: Into<Reply>>(limit: Duration, replies: impl IntoIterator<Item = R>) -> Self {
        let server = StubServer::with_replies(replies.into_iter().map(Into::into)).expect("a port");
        let clients = Clients::new(&config(&server.url()), limit).expect("has a region");
        World { server, clients }
    }

    pub(crate) fn stream(&self) -> KinesisStream {
        self.clients.stream("comments")
    }

    pub(crate) fn bucket(&self) -> S3Objects {
        self.clients.objects("bucket")
    }

    pub(crate) fn topic(&self) -> SnsTopic {
        self.clients.topic("arn:aws:sns:us-east-1:000000000000:alerts")
    }
}

/// An answer in Kinesis' form.
pub(crate) fn json(status: u16, body: &str) -> Answer {
    Answer::new(status, body).header("Content-Type", "application/x-amz-json-1.1")
}

/// An answer in the form of S3 and SNS.
pub(crate) fn xml(status: u16, body: &str) -> Answer {
    Answer::new(status, body).header("Content-Type", "text/xml")
}
