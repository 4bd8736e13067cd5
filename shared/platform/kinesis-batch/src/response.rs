use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::{State, StateError};

/// What a function answers to a batch, with `ReportBatchItemFailures` on.
///
/// Reads what [Lambda accepts](https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html): a
/// missing or null list is empty, and an identifier that is missing or null is empty too (it fails the whole batch).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchResponse {
    /// The records that failed; an empty list says that the whole batch is done. Lambda goes back to the lowest.
    #[serde(default, deserialize_with = "null_is_default")]
    pub batch_item_failures: Vec<ItemFailure>,
    /// The state that the next invocation of the [`Window`](crate::Window) gets: none where there is no window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
}

/// A record that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemFailure {
    /// The record's sequence number. If it is empty, or none of the batch's, the whole batch failed.
    #[serde(default, deserialize_with = "null_is_default")]
    pub item_identifier: String,
}

impl BatchResponse {
    /// The response that says that the whole batch is done.
    pub fn success() -> Self {
        Self::default()
    }

    /// The response that says that everything before this record is done: it and all that follow are to be sent again.
    pub fn failed_from(sequence_number: impl Into<String>) -> Self {
        let failures = vec![ItemFailure { item_identifier: sequence_number.into() }];
        BatchResponse { batch_item_failures: failures, state: None }
    }

    /// Adds a [`Window`](crate::Window)'s state: that of the records that are done, and of no other.
    ///
    /// # Errors
    /// [`StateError::NotAnObject`] where `state` does not become a JSON object.
    pub fn with_state(self, state: &impl Serialize) -> Result<Self, StateError> {
        match serde_json::to_value(state) {
            Ok(Value::Object(state)) => Ok(BatchResponse { state: Some(state), ..self }),
            _ => Err(StateError::NotAnObject),
        }
    }
}

fn null_is_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn success_is_an_empty_list() {
        assert_eq!(serde_json::to_string(&BatchResponse::success()).unwrap(), r#"{"batchItemFailures":[]}"#);
    }

    #[test]
    fn a_failure_is_named_by_its_sequence_number() {
        let answer = serde_json::to_string(&BatchResponse::failed_from("495")).unwrap();
        assert_eq!(answer, r#"{"batchItemFailures":[{"itemIdentifier":"495"}]}"#);
        assert_eq!(serde_json::from_str::<BatchResponse>(&answer).unwrap(), BatchResponse::failed_from("495"));
    }

    #[test]
    fn a_state_stands_beside_the_failures() {
        let response = BatchResponse::failed_from("495").with_state(&serde_json::json!({ "k": 282 })).unwrap();
        let answer = serde_json::to_string(&response).unwrap();
        assert_eq!(answer, r#"{"batchItemFailures":[{"itemIdentifier":"495"}],"state":{"k":282}}"#);
        assert_eq!(serde_json::from_str::<BatchResponse>(&answer).unwrap(), response);
    }

    #[test]
    fn an_empty_state_is_a_state() {
        let response = BatchResponse::success().with_state(&State::new()).unwrap();
        assert_eq!(serde_json::to_string(&response).unwrap(), r#"{"batchItemFailures":[],"state":{}}"#);
    }

    #[test]
    fn what_is_no_object_is_no_state() {
        let refused = BatchResponse::success().with_state(&7);
        assert_eq!(refused, Err(StateError::NotAnObject));
        let keys_are_no_text = std::collections::BTreeMap::from([([1, 2], 3)]);
        assert_eq!(BatchResponse::success().with_state(&keys_are_no_text), Err(StateError::NotAnObject));
    }

    #[test]
    fn a_missing_or_null_list_is_a_success() {
        for answer in ["{}", r#"{"batchItemFailures":null}"#, r#"{"batchItemFailures":[]}"#] {
            assert_eq!(serde_json::from_str::<BatchResponse>(answer).unwrap(), BatchResponse::success(), "{answer}");
        }
    }

    #[test]
    fn a_missing_null_or_misnamed_identifier_is_an_empty_one() {
        for item in ["{}", r#"{"itemIdentifier":null}"#, r#"{"itemIdentifier":""}"#, r#"{"id":"495"}"#] {
            let answer = format!(r#"{{"batchItemFailures":[{item}]}}"#);
            assert_eq!(
                serde_json::from_str::<BatchResponse>(&answer).unwrap(),
                BatchResponse::failed_from(""),
                "{item}"
            );
        }
    }
}
