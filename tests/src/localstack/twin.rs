use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{DestinationConfig, Environment, EventSourcePosition, FunctionCode, OnFailure};

use super::proxy::{Plan, Proxy, Tally};
use super::{LocalWorld, Stack, process};

/// The deployed functions once more, as they are deployed, over streams, a table, a bucket and a topic of their own, which they reach
/// through proxies.
pub struct Twin {
    /// What they work on. It is reached without a proxy.
    pub world: LocalWorld,
    /// What the proxies did.
    pub tally: Tally,
    names: BTreeMap<String, String>,
    mappings: Vec<String>,
    port: u16,
}

impl Twin {
    /// The functions over this world, their names after `prefix`. What they find there at once, `world` must hold.
    pub async fn of(stack: &Stack, world: LocalWorld, prefix: &str, plan: &Arc<Plan>) -> Self {
        let to = stack.endpoint.trim_start_matches("http://").parse().expect("host and port");
        let (tally, lambda) = (Tally::default(), world.sdk.lambda.clone());
        let mut names = BTreeMap::new();
        for (function, deployed) in stack.functions() {
            let name = format!("{prefix}-{function}");
            let found =
                lambda.get_function_configuration().function_name(&deployed).send().await.expect("it is deployed");
            let proxy = Proxy::start(to, &function, &name, plan, &tally);
            let variables = found.environment.and_then(|it| it.variables).unwrap_or_default();
            let own = |value: String| own(stack, &world, &value).unwrap_or(value);
            let mut variables: Vec<(String, String)> =
                variables.into_iter().map(|(name, value)| (name, own(value))).collect();
            variables.push(("AWS_ENDPOINT_URL".to_owned(), proxy.url()));
            let package = stack.packages.join(&function).join("bootstrap.zip");
            let package = std::fs::read(package).expect("its package");
            let call = lambda.create_function().function_name(&name).set_runtime(found.runtime);
            let call = call.code(FunctionCode::builder().zip_file(Blob::new(package)).build());
            let call = call.set_role(found.role).set_handler(found.handler).set_timeout(found.timeout);
            let call = call.set_memory_size(found.memory_size).set_architectures(found.architectures);
            let environment = Environment::builder().set_variables(Some(variables.into_iter().collect())).build();
            call.environment(environment).send().await.expect("a new function");
            names.insert(function, name);
        }
        let mut twin = Twin { world, tally, names, mappings: Vec::new(), port: to.port() };
        for (function, id) in stack.mappings() {
            let mapping = twin.map(stack, &function, &id).await;
            twin.mappings.push(mapping);
        }
        twin
    }

    /// Gives a function a mapping as the deployed one's of this id, on the own stream.
    async fn map(&self, stack: &Stack, function: &str, id: &str) -> String {
        let lambda = &self.world.sdk.lambda;
        let found = lambda.get_event_source_mapping().uuid(id).send().await.expect("it is deployed");
        let arn = found.event_source_arn.unwrap_or_default();
        let (before, stream) = arn.rsplit_once('/').expect("a stream's ARN");
        let stream = own(stack, &self.world, stream).expect("one of the two streams");
        let bucket = format!("arn:aws:s3:::{}", self.world.names.bucket);
        let on_failure = DestinationConfig::builder().on_failure(OnFailure::builder().destination(bucket).build());
        let call = lambda.create_event_source_mapping().function_name(self.function(function));
        let call =
            call.event_source_arn(format!("{before}/{stream}")).starting_position(EventSourcePosition::TrimHorizon);
        let call = call
            .set_batch_size(found.batch_size)
            .set_maximum_batching_window_in_seconds(found.maximum_batching_window_in_seconds)
            .set_function_response_types(found.function_response_types)
            .set_bisect_batch_on_function_error(found.bisect_batch_on_function_error)
            .set_maximum_retry_attempts(found.maximum_retry_attempts)
            .set_maximum_record_age_in_seconds(found.maximum_record_age_in_seconds)
            .destination_config(on_failure.build());
        call.send().await.expect("a new mapping").uuid.expect("a mapping has an id")
    }

    /// What a function is called here.
    pub fn function(&self, function: &str) -> &str {
        self.names.get(function).unwrap_or_else(|| panic!("no function {function}"))
    }

    /// Kills a function's processes, whatever they do; how many.
    pub fn kill(&self, function: &str) -> usize {
        process::kill(self.function(function), self.port)
    }

    /// Takes functions, mappings, streams and table away.
    pub async fn end(self) {
        let LocalWorld { sdk, names, .. } = self.world;
        for id in self.mappings {
            sdk.lambda.delete_event_source_mapping().uuid(id).send().await.expect("deletes");
        }
        for name in self.names.into_values() {
            sdk.lambda.delete_function().function_name(name).send().await.expect("deletes");
        }
        for stream in [names.comments, names.predictions] {
            sdk.kinesis.delete_stream().stream_name(stream).send().await.expect("deletes");
        }
        sdk.dynamodb.delete_table().table_name(names.table).send().await.expect("deletes");
    }
}

/// What stands here for something of the deployment's.
fn own(stack: &Stack, world: &LocalWorld, deployed: &str) -> Option<String> {
    let names = &world.names;
    let pairs = [
        ("comments_stream", &names.comments),
        ("predictions_stream", &names.predictions),
        ("table", &names.table),
        ("bucket", &names.bucket),
        ("alerts_topic_arn", &names.topic_arn),
    ];
    pairs.into_iter().find(|(output, _)| stack.output(output) == deployed).map(|(_, own)| own.clone())
}
