use modstream_stub_server::Answer;
use serde_json::json;

use crate::faults::Operation;

/// How a service refuses a call, in its own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Too many calls.
    Throttled,
    /// An error of the service's own.
    Broken,
    /// What is called is not there.
    Gone,
}

impl Refusal {
    pub(super) fn answer(self, operation: Option<Operation>) -> Answer {
        match operation {
            Some(Operation::PutRecords) => self.json("application/x-amz-json-1.1", "InternalFailure"),
            Some(Operation::ReadItems | Operation::WriteItems) => {
                self.json("application/x-amz-json-1.0", "InternalServerError")
            }
            Some(Operation::PublishBatch) => {
                let (status, code) = match self {
                    Refusal::Throttled => (400, "Throttled"),
                    Refusal::Broken => (500, "InternalError"),
                    Refusal::Gone => (404, "NotFound"),
                };
                xml(status, &format!("<ErrorResponse>{}</ErrorResponse>", error(code)))
            }
            Some(Operation::GetObject | Operation::PutObject) | None => {
                let (status, code) = match self {
                    Refusal::Throttled => (503, "SlowDown"),
                    Refusal::Broken => (500, "InternalError"),
                    Refusal::Gone => (404, "NoSuchBucket"),
                };
                xml(status, &error(code))
            }
        }
    }

    /// In the words of a service that speaks JSON, which calls an error of its own so.
    fn json(self, content_type: &str, own: &str) -> Answer {
        let (status, code) = match self {
            Refusal::Throttled => (400, "ProvisionedThroughputExceededException"),
            Refusal::Broken => (500, own),
            Refusal::Gone => (400, "ResourceNotFoundException"),
        };
        let said = json!({ "__type": code, "message": "By plan." });
        Answer::new(status, said.to_string()).header("content-type", content_type)
    }
}

fn error(code: &str) -> String {
    format!("<Error><Code>{code}</Code><Message>By plan.</Message></Error>")
}

fn xml(status: u16, said: &str) -> Answer {
    Answer::new(status, said).header("content-type", "text/xml")
}
