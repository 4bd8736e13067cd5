//! SNS and SQS, as far as a subscription needs them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use modstream_stub_server::{Answer, Reply, Request, StubServer};
use serde_json::{Value, json};

pub(crate) const TOPIC: &str = "arn:aws:sns:us-east-1:000000000000:modstream-alerts";
pub(crate) const QUEUE: &str = "arn:aws:sqs:us-east-1:000000000000:moderators";

/// What there is.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// A queue's attributes, by its name.
    pub(crate) queues: BTreeMap<String, BTreeMap<String, String>>,
    /// A subscription's attributes, by its endpoint.
    pub(crate) subscriptions: BTreeMap<String, BTreeMap<String, String>>,
    /// What queues hold.
    pub(crate) messages: Vec<String>,
    /// Every operation, in order.
    pub(crate) calls: Vec<String>,
    /// The queues that were there at any time.
    pub(crate) ever: Vec<String>,
    /// The filters of the subscriptions that were made at any time.
    pub(crate) filters: Vec<String>,
}

pub(crate) struct Services {
    server: StubServer,
    state: Arc<Mutex<State>>,
}

impl Services {
    pub(crate) fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        state.lock().expect("new").queues.insert("moderators".to_owned(), BTreeMap::new());
        let shared = Arc::clone(&state);
        let server = StubServer::start(move |request| answer(request, &mut shared.lock().expect("not poisoned")));
        Services { server: server.expect("a port"), state }
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("not poisoned")
    }

    /// How often an operation was called.
    pub(crate) fn count(&self, operation: &str) -> usize {
        self.state().calls.iter().filter(|call| *call == operation).count()
    }
}

fn answer(request: &Request, state: &mut State) -> Reply {
    match request.header("x-amz-target").and_then(|target| target.strip_prefix("AmazonSQS.")) {
        Some(operation) => {
            state.calls.push(operation.to_owned());
            sqs(operation, &serde_json::from_slice(&request.body).unwrap_or_default(), state)
        }
        None => {
            let fields: BTreeMap<String, String> = form_urlencoded::parse(&request.body).into_owned().collect();
            let operation = fields.get("Action").cloned().unwrap_or_default();
            state.calls.push(operation.clone());
            sns(&operation, &fields, state)
        }
    }
}

fn name_of(url: &Value) -> String {
    url.as_str().and_then(|url| url.rsplit('/').next()).unwrap_or_default().to_owned()
}

fn sqs(operation: &str, body: &Value, state: &mut State) -> Reply {
    let good = |value: &Value| -> Reply {
        Answer::new(200, value.to_string()).header("Content-Type", "application/x-amz-json-1.0").into()
    };
    let url = |name: &str| format!("http://sqs.invalid/000000000000/{name}");
    let name = match body["QueueName"].as_str() {
        Some(name) => name.to_owned(),
        None => name_of(&body["QueueUrl"]),
    };
    if operation == "CreateQueue" {
        state.ever.push(name.clone());
        state.queues.entry(name.clone()).or_default();
    }
    let State { queues, messages, .. } = state;
    let Some(queue) = queues.get_mut(&name) else {
        let error = json!({ "__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "The specified queue does not exist." });
        return Answer::new(400, error.to_string()).header("Content-Type", "application/x-amz-json-1.0").into();
    };
    for (attribute, value) in body["Attributes"].as_object().into_iter().flatten() {
        queue.insert(attribute.clone(), value.as_str().unwrap_or_default().to_owned());
    }
    match operation {
        "CreateQueue" | "GetQueueUrl" => good(&json!({ "QueueUrl": url(&name) })),
        "GetQueueAttributes" => {
            let mut attributes = queue.clone();
            attributes.insert("QueueArn".to_owned(), format!("arn:aws:sqs:us-east-1:000000000000:{name}"));
            good(&json!({ "Attributes": attributes }))
        }
        "ReceiveMessage" => {
            let taken: Vec<Value> = messages
                .drain(..)
                .enumerate()
                .map(|(n, body)| json!({ "MessageId": n.to_string(), "ReceiptHandle": n.to_string(), "Body": body }))
                .collect();
            if taken.is_empty() {
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
            good(&json!({ "Messages": taken }))
        }
        "DeleteQueue" => {
            queues.remove(&name);
            good(&json!({}))
        }
        _ => good(&json!({ "Successful": [], "Failed": [] })),
    }
}

fn sns(operation: &str, fields: &BTreeMap<String, String>, state: &mut State) -> Reply {
    let good = |result: &str| -> Reply {
        let text =
            format!("<{operation}Response><{operation}Result>{result}</{operation}Result></{operation}Response>");
        Answer::new(200, text).header("Content-Type", "text/xml").into()
    };
    let field = |name: &str| fields.get(name).map_or("", String::as_str);
    let of = |endpoint: &str| format!("{TOPIC}:{}", endpoint.replace([':', '/'], "-"));
    if fields.get("TopicArn").is_some_and(|arn| arn != TOPIC) {
        let text = "<ErrorResponse><Error><Type>Sender</Type><Code>NotFound</Code><Message>Topic does not exist</Message></Error></ErrorResponse>";
        return Answer::new(404, text).header("Content-Type", "text/xml").into();
    }
    let endpoint = state.subscriptions.keys().find(|endpoint| of(endpoint) == field("SubscriptionArn")).cloned();
    match operation {
        "Subscribe" => {
            let mut attributes = BTreeMap::from([("protocol".to_owned(), field("Protocol").to_owned())]);
            for n in 1.. {
                let Some(name) = fields.get(&format!("Attributes.entry.{n}.key")) else { break };
                attributes.insert(name.clone(), field(&format!("Attributes.entry.{n}.value")).to_owned());
            }
            state.filters.extend(attributes.get("FilterPolicy").cloned());
            state.subscriptions.insert(field("Endpoint").to_owned(), attributes);
            good(&format!("<SubscriptionArn>{}</SubscriptionArn>", of(field("Endpoint"))))
        }
        "Unsubscribe" => {
            endpoint.map(|endpoint| state.subscriptions.remove(&endpoint));
            good("")
        }
        "ListSubscriptionsByTopic" => {
            let members: String = (state.subscriptions.iter())
                .map(|(endpoint, attributes)| {
                    let (arn, protocol) = (of(endpoint), &attributes["protocol"]);
                    format!("<member><SubscriptionArn>{arn}</SubscriptionArn><Protocol>{protocol}</Protocol><Endpoint>{endpoint}</Endpoint></member>")
                })
                .collect();
            good(&format!("<Subscriptions>{members}</Subscriptions>"))
        }
        "GetSubscriptionAttributes" => {
            let attributes =
                endpoint.and_then(|endpoint| state.subscriptions.get(&endpoint)).cloned().unwrap_or_default();
            let entries: String = attributes
                .iter()
                .map(|(key, value)| format!("<entry><key>{key}</key><value>{value}</value></entry>"))
                .collect();
            good(&format!("<Attributes>{entries}</Attributes>"))
        }
        "SetSubscriptionAttributes" => {
            let attributes = endpoint.and_then(|endpoint| state.subscriptions.get_mut(&endpoint));
            attributes.map(|all| all.insert(field("AttributeName").to_owned(), field("AttributeValue").to_owned()));
            good("")
        }
        _ => good(""),
    }
}
