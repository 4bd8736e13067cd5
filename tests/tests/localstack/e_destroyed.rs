//! `terraform destroy` is done.

use crate::deployed;

#[tokio::test]
#[ignore = "needs a local stack: `cargo xtask test` runs it"]
async fn destroy_leaves_nothing_but_what_these_tests_made() {
    let (_, world) = deployed().await;
    let sdk = &world.sdk;
    let own = |name: &str| name.contains("modstream-test-");
    let mut left: Vec<String> = Vec::new();
    left.extend(sdk.kinesis.list_streams().send().await.expect("lists").stream_names);
    let functions = sdk.lambda.list_functions().send().await.expect("lists").functions.unwrap_or_default();
    left.extend(functions.into_iter().filter_map(|function| function.function_name));
    let mappings = sdk.lambda.list_event_source_mappings().send().await.expect("lists").event_source_mappings;
    left.extend(mappings.unwrap_or_default().into_iter().filter_map(|mapping| mapping.uuid));
    left.extend(sdk.dynamodb.list_tables().send().await.expect("lists").table_names.unwrap_or_default());
    let buckets = sdk.s3.list_buckets().send().await.expect("lists").buckets.unwrap_or_default();
    left.extend(buckets.into_iter().filter_map(|bucket| bucket.name));
    let topics = sdk.sns.list_topics().send().await.expect("lists").topics.unwrap_or_default();
    left.extend(topics.into_iter().filter_map(|topic| topic.topic_arn));
    left.extend(sdk.sqs.list_queues().send().await.expect("lists").queue_urls.unwrap_or_default());
    left.retain(|name| !own(name));
    assert_eq!(left, [""; 0]);
}
