//! The program that Lambda starts, against a Runtime API and an AWS on this machine.

mod costs;
mod ending;
mod handling;
mod starting;

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use modstream_stub_server::{Bootstrap, FakeAws, Lambda, Reply, Request};
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_score-comments");
const VARIABLES: [(&str, &str); 3] =
    [("PREDICTIONS_STREAM", "predictions"), ("BUCKET", "bucket"), ("MODEL_NAME", "rscience")];

/// The function, started, with the repository's models in its bucket.
struct Running {
    lambda: Lambda,
    aws: FakeAws,
    bootstrap: Bootstrap,
}

impl Running {
    fn start() -> Self {
        Self::start_with(&[], |_| None)
    }

    fn start_with(
        variables: &[(&str, &str)],
        fault: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        let (lambda, aws) = (Lambda::start().expect("a port"), FakeAws::start_with(fault).expect("a port"));
        let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
        for name in ["rscience", "harm"] {
            aws.put_model("bucket", name, &models.join(name)).expect("a model");
        }
        let variables = [&VARIABLES, variables].concat();
        let bootstrap = Bootstrap::start(PROGRAM, "score-comments", &lambda, &aws, &variables).expect("starts");
        lambda.wait_until_started();
        Running { lambda, aws, bootstrap }
    }
}

fn sample(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/samples").join(name)).expect("a sample")
}

/// The records of a payload: sequence number, partition key, data.
fn records(payload: &[u8]) -> Vec<(String, String, Vec<u8>)> {
    let payload: Value = serde_json::from_slice(payload).expect("JSON");
    let records = payload["Records"].as_array().expect("a list");
    let text = |record: &Value, field: &str| record["kinesis"][field].as_str().expect("text").to_owned();
    records
        .iter()
        .map(|record| {
            let data = STANDARD.decode(text(record, "data")).unwrap_or_default();
            (text(record, "sequenceNumber"), text(record, "partitionKey"), data)
        })
        .collect()
}

fn is_put_records(request: &Request) -> bool {
    request.header("x-amz-target") == Some("Kinesis_20131202.PutRecords")
}
