//! The services' own calls, for looking at what is there and for making what Terraform does not.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_kinesis::operation::get_records::GetRecordsOutput;
use aws_sdk_kinesis::types::{ShardIteratorType, StreamStatus};
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use aws_sdk_sqs::types::QueueAttributeName;

use super::Attributes;
use super::stack::until;
use crate::world::Notice;

/// Clients of the services, with the SDK's own retries.
#[derive(Clone, Debug)]
pub struct Sdk {
    /// Region, credentials, address.
    pub config: SdkConfig,
    /// DynamoDB.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// Kinesis.
    pub kinesis: aws_sdk_kinesis::Client,
    /// S3.
    pub s3: aws_sdk_s3::Client,
    /// SNS.
    pub sns: aws_sdk_sns::Client,
    /// SQS.
    pub sqs: aws_sdk_sqs::Client,
    /// Lambda.
    pub lambda: aws_sdk_lambda::Client,
}

impl Sdk {
    /// Of the local stack at this address.
    pub async fn at(endpoint: &str) -> Self {
        let credentials = Credentials::new("test", "test", None, None, "local stack");
        let config = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::from_static("us-east-1"))
            .endpoint_url(endpoint)
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .load()
            .await;
        let s3 = aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build();
        Sdk {
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
            kinesis: aws_sdk_kinesis::Client::new(&config),
            s3: aws_sdk_s3::Client::from_conf(s3),
            sns: aws_sdk_sns::Client::new(&config),
            sqs: aws_sdk_sqs::Client::new(&config),
            lambda: aws_sdk_lambda::Client::new(&config),
            config,
        }
    }

    pub(super) async fn make_stream(&self, name: &str, shards: i32) -> String {
        self.kinesis.create_stream().stream_name(name).shard_count(shards).send().await.expect("a new stream");
        until(&format!("the stream {name} is active"), Duration::from_secs(30), async || {
            let found = self.kinesis.describe_stream_summary().stream_name(name).send().await.ok()?;
            let status = found.stream_description_summary?.stream_status;
            (status == StreamStatus::Active).then_some(())
        })
        .await;
        name.to_owned()
    }

    pub(super) async fn make_bucket(&self, name: &str) -> String {
        self.s3.create_bucket().bucket(name).send().await.expect("a new bucket");
        let versioned = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
        let call = self.s3.put_bucket_versioning().bucket(name).versioning_configuration(versioned);
        call.send().await.expect("the bucket is there");
        name.to_owned()
    }

    /// A topic; its ARN.
    pub async fn make_topic(&self, name: &str) -> String {
        let made = self.sns.create_topic().name(name).send().await.expect("a new topic");
        made.topic_arn.expect("a topic has an ARN")
    }

    /// A queue; its URL.
    pub async fn make_queue(&self, name: &str) -> String {
        let made = self.sqs.create_queue().queue_name(name).send().await.expect("a new queue");
        made.queue_url.expect("a queue has a URL")
    }

    /// A queue's ARN.
    pub async fn queue_arn(&self, url: &str) -> String {
        let call = self.sqs.get_queue_attributes().queue_url(url).attribute_names(QueueAttributeName::QueueArn);
        let found = call.send().await.expect("the queue is there").attributes.unwrap_or_default();
        found.get(&QueueAttributeName::QueueArn).expect("a queue has an ARN").clone()
    }

    /// Subscribes a queue to a topic, raw.
    pub async fn subscribe(&self, topic_arn: &str, queue_url: &str, filter: Option<&str>) {
        let arn = self.queue_arn(queue_url).await;
        let call = self.sns.subscribe().topic_arn(topic_arn).protocol("sqs").endpoint(arn);
        let call = call.attributes("RawMessageDelivery", "true");
        let call = match filter {
            Some(filter) => call.attributes("FilterPolicy", filter),
            None => call,
        };
        call.send().await.expect("the topic takes it");
    }

    pub(super) async fn shard_ids(&self, stream: &str) -> Vec<String> {
        let shards = self.kinesis.list_shards().stream_name(stream).send().await.expect("the stream is there").shards;
        shards.unwrap_or_default().into_iter().map(|shard| shard.shard_id).collect()
    }

    pub(super) async fn iterator(
        &self,
        stream: &str,
        shard_id: &str,
        from: ShardIteratorType,
        sequence_number: Option<&str>,
    ) -> String {
        let call = self.kinesis.get_shard_iterator().stream_name(stream).shard_id(shard_id).shard_iterator_type(from);
        let call = call.set_starting_sequence_number(sequence_number.map(str::to_owned));
        call.send().await.expect("the shard is there").shard_iterator.expect("an iterator")
    }

    pub(super) async fn read(&self, iterator: &str) -> GetRecordsOutput {
        self.kinesis.get_records().shard_iterator(iterator).send().await.expect("the iterator is good")
    }

    /// The data of all records of a stream, shard by shard.
    pub async fn records_of(&self, stream: &str) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        for shard_id in self.shard_ids(stream).await {
            let mut iterator = self.iterator(stream, &shard_id, ShardIteratorType::TrimHorizon, None).await;
            loop {
                let page = self.read(&iterator).await;
                let at_end = page.records.is_empty() && page.millis_behind_latest.unwrap_or_default() == 0;
                all.extend(page.records.into_iter().map(|record| record.data.into_inner()));
                match page.next_shard_iterator.filter(|_| !at_end) {
                    Some(next) => iterator = next,
                    None => break,
                }
            }
        }
        all
    }

    /// Takes what a queue with raw delivery holds.
    pub async fn receive_all(&self, queue_url: &str) -> Vec<Notice> {
        let mut all = Vec::new();
        loop {
            let call = self.sqs.receive_message().queue_url(queue_url).max_number_of_messages(10);
            let call = call.message_attribute_names("All").wait_time_seconds(0);
            let messages = call.send().await.expect("the queue is there").messages.unwrap_or_default();
            if messages.is_empty() {
                return all;
            }
            for message in messages {
                let receipt = message.receipt_handle.expect("a message has a receipt");
                self.sqs.delete_message().queue_url(queue_url).receipt_handle(receipt).send().await.expect("deletes");
                let attributes = message.message_attributes.unwrap_or_default();
                let attributes: Attributes = attributes
                    .into_iter()
                    .map(|(name, value)| (name, value.string_value.unwrap_or_default()))
                    .collect();
                all.push(Notice { body: message.body.unwrap_or_default(), attributes });
            }
        }
    }

    pub(super) async fn versions(&self, bucket: &str, key: &str) -> Vec<Vec<u8>> {
        let found = self.s3.list_object_versions().bucket(bucket).prefix(key).send().await.expect("the bucket lists");
        let mut contents = Vec::new();
        // Newest first, S3 says.
        for version in found.versions.unwrap_or_default().into_iter().rev() {
            if version.key.as_deref() != Some(key) {
                continue;
            }
            let call = self.s3.get_object().bucket(bucket).key(key).set_version_id(version.version_id);
            let object = call.send().await.expect("the version is there");
            contents.push(object.body.collect().await.expect("a body").to_vec());
        }
        contents
    }
}
