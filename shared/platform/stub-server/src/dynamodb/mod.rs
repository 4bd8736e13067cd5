//! As much of DynamoDB as one program needs that calls it: items by their keys, conditions, updates, transactions and queries.

mod expression;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use self::expression::{Expression, compare};
use crate::Answer;

/// An item in DynamoDB's JSON: `{"pk": {"S": "..."}, ...}`.
type Item = Map<String, Value>;

/// The attributes of every table's keys.
const KEY: [&str; 2] = ["pk", "sk"];

/// All tables; each is there, and none has limits. An index has all of an item.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    items: BTreeMap<Place, Item>,
    /// By which attribute an index is sorted, by its name.
    indexes: BTreeMap<String, String>,
    /// The tokens of transactions that were made.
    tokens: BTreeSet<String>,
}

/// A table's name, partition key and sort key.
type Place = (String, String, String);

/// A call that is refused, as DynamoDB answers it.
#[derive(Debug)]
struct Refused {
    code: &'static str,
    message: String,
    details: Item,
}

fn invalid(message: impl Into<String>) -> Refused {
    Refused { code: "ValidationException", message: message.into(), details: Item::new() }
}

fn text(value: &Value) -> Option<&str> {
    value["S"].as_str()
}

fn place(table: &Value, key: &Value) -> Result<Place, Refused> {
    let of_key = |name: &str| text(&key[name]).map(str::to_owned);
    let place = || Some((table.as_str()?.to_owned(), of_key(KEY[0])?, of_key(KEY[1])?));
    place().ok_or_else(|| invalid("no table, or a key that is none"))
}

/// A write, and what becomes of the item in its place.
struct Written {
    place: Place,
    item: Option<Item>,
}

impl Tables {
    /// A table's items, in the order of their keys.
    pub(crate) fn items(&self, table: &str) -> Vec<Value> {
        self.items.iter().filter(|((of, ..), _)| of == table).map(|(_, item)| item.clone().into()).collect()
    }

    /// Puts an item over whatever has its key.
    pub(crate) fn put(&mut self, table: &str, item: &Value) {
        if let (Ok(place), Some(item)) = (place(&table.into(), item), item.as_object()) {
            self.items.insert(place, item.clone());
        }
    }

    /// Sorts the index of this name by this attribute.
    pub(crate) fn index(&mut self, name: &str, sort: &str) {
        self.indexes.insert(name.to_owned(), sort.to_owned());
    }

    pub(crate) fn answer(&mut self, operation: &str, body: &Value) -> Answer {
        let (status, answer) = match self.call(operation, body) {
            Ok(answer) => (200, answer),
            Err(Refused { code, message, mut details }) => {
                details.insert("__type".to_owned(), format!("com.amazonaws.dynamodb.v20120810#{code}").into());
                // Its own errors are spelt in one way, and those of its frame in another.
                details.insert("message".to_owned(), message.clone().into());
                details.insert("Message".to_owned(), message.into());
                (400, details.into())
            }
        };
        Answer::new(status, answer.to_string()).header("Content-Type", "application/x-amz-json-1.0")
    }

    fn call(&mut self, operation: &str, body: &Value) -> Result<Value, Refused> {
        Ok(match operation {
            "GetItem" => match self.items.get(&place(&body["TableName"], &body["Key"])?) {
                Some(item) => json!({ "Item": item }),
                None => json!({}),
            },
            "BatchGetItem" => {
                let mut found = Item::new();
                for (table, asked) in body["RequestItems"].as_object().into_iter().flatten() {
                    let mut items = Vec::new();
                    for key in asked["Keys"].as_array().into_iter().flatten() {
                        items.extend(self.items.get(&place(&table.as_str().into(), key)?).cloned().map(Value::from));
                    }
                    found.insert(table.clone(), items.into());
                }
                json!({ "Responses": found, "UnprocessedKeys": {} })
            }
            "Query" => self.query(body)?,
            "PutItem" | "UpdateItem" | "DeleteItem" => {
                let written = self.write(operation, body)?;
                let answer = json!({ "Attributes": written.item });
                self.make(written);
                answer
            }
            "TransactWriteItems" => self.transact(body)?,
            "DescribeContinuousBackups" => json!({ "ContinuousBackupsDescription": {
                "ContinuousBackupsStatus": "ENABLED",
                "PointInTimeRecoveryDescription": { "PointInTimeRecoveryStatus": "DISABLED" },
            } }),
            _ => return Err(invalid(format!("no {operation} here"))),
        })
    }

    fn make(&mut self, written: Written) {
        let Written { place, item } = written;
        match item {
            Some(item) => self.items.insert(place, item),
            None => self.items.remove(&place),
        };
    }

    /// What a write comes to, where its condition holds.
    fn write(&self, operation: &str, body: &Value) -> Result<Written, Refused> {
        let key = if operation == "PutItem" { &body["Item"] } else { &body["Key"] };
        let place = place(&body["TableName"], key)?;
        let found = self.items.get(&place);
        let names = |member: &str| Expression::of(body, member).map_err(invalid);
        let holds = match names("ConditionExpression")? {
            Some(mut condition) => condition.holds(found).map_err(invalid)?,
            None => true,
        };
        if !holds {
            let details = found.map(|found| ("Item".to_owned(), found.clone().into()));
            let message = "The conditional request failed".to_owned();
            return Err(Refused {
                code: "ConditionalCheckFailedException",
                message,
                details: details.into_iter().collect(),
            });
        }
        let item = match operation {
            "PutItem" => body["Item"].as_object().cloned(),
            "UpdateItem" => {
                let mut update = names("UpdateExpression")?.ok_or_else(|| invalid("no update"))?;
                let item = found.cloned().or_else(|| body["Key"].as_object().cloned()).unwrap_or_default();
                Some(update.applied(item).map_err(invalid)?)
            }
            "ConditionCheck" => found.cloned(),
            _ => None,
        };
        Ok(Written { place, item })
    }

    fn transact(&mut self, body: &Value) -> Result<Value, Refused> {
        let token = body["ClientRequestToken"].as_str().unwrap_or_default();
        if self.tokens.contains(token) {
            return Ok(json!({}));
        }
        let (mut writes, mut reasons) = (Vec::new(), Vec::new());
        for write in body["TransactItems"].as_array().into_iter().flatten() {
            let kinds = [
                ("Put", "PutItem"),
                ("Update", "UpdateItem"),
                ("Delete", "DeleteItem"),
                ("ConditionCheck", "ConditionCheck"),
            ];
            let (kind, operation) =
                kinds.into_iter().find(|(kind, _)| write[kind].is_object()).ok_or_else(|| invalid("no write"))?;
            match self.write(operation, &write[kind]) {
                Ok(written) => {
                    writes.push(written);
                    reasons.push(json!({ "Code": "None" }));
                }
                Err(Refused { code: "ConditionalCheckFailedException", message, mut details }) => {
                    details.insert("Code".to_owned(), "ConditionalCheckFailed".into());
                    details.insert("Message".to_owned(), message.into());
                    reasons.push(details.into());
                }
                Err(refused) => return Err(refused),
            }
        }
        if writes.len() < reasons.len() {
            let details = [("CancellationReasons".to_owned(), reasons.into())].into_iter().collect();
            let message = "Transaction cancelled".to_owned();
            return Err(Refused { code: "TransactionCanceledException", message, details });
        }
        writes.into_iter().for_each(|written| self.make(written));
        if !token.is_empty() {
            self.tokens.insert(token.to_owned());
        }
        Ok(json!({}))
    }

    /// A page: all that is behind the start, up to the limit.
    fn query(&self, body: &Value) -> Result<Value, Refused> {
        let table = body["TableName"].as_str().unwrap_or_default();
        let sort = match body["IndexName"].as_str() {
            None => KEY[1],
            Some(index) => {
                self.indexes.get(index).map(String::as_str).ok_or_else(|| invalid(format!("no index {index}")))?
            }
        };
        let mut condition = Expression::of(body, "KeyConditionExpression")
            .map_err(invalid)?
            .ok_or_else(|| invalid("no key condition"))?;
        // The order within a partition: by the sort key, then by the item's own key.
        let order = |one: &Item, other: &Item| {
            let by = |name: &str| compare(one.get(name), other.get(name)).unwrap_or(Ordering::Equal);
            by(sort).then_with(|| by(KEY[0])).then_with(|| by(KEY[1]))
        };
        let mut found = Vec::new();
        for ((of, ..), item) in &self.items {
            if of == table && item.contains_key(sort) && condition.holds(Some(item)).map_err(invalid)? {
                found.push(item);
            }
        }
        found.sort_by(|one, other| order(one, other));
        let is_descending = body["ScanIndexForward"] == false;
        if is_descending {
            found.reverse();
        }
        if let Some(start) = body["ExclusiveStartKey"].as_object() {
            let behind = if is_descending { Ordering::Less } else { Ordering::Greater };
            found.retain(|item| order(item, start) == behind);
        }
        let limit = body["Limit"].as_u64().and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
        let is_cut = found.len() >= limit;
        found.truncate(limit);
        let mut answer = json!({ "Items": found, "Count": found.len(), "ScannedCount": found.len() });
        if let Some(last) = found.last().filter(|_| is_cut) {
            // The keys are among all that it has; whoever asks reads no more of it.
            answer["LastEvaluatedKey"] = Value::from((*last).clone());
        }
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(sort: &str, number: i64) -> Value {
        json!({ "pk": {"S": "p"}, "sk": {"S": sort}, "number": {"N": number.to_string()} })
    }

    fn tables(items: &[Value]) -> Tables {
        let mut tables = Tables::default();
        items.iter().for_each(|item| tables.put("t", item));
        tables
    }

    fn code(refused: &Refused) -> &'static str {
        refused.code
    }

    #[test]
    fn a_put_that_asks_for_absence_is_made_once_and_tells_what_it_found() {
        let mut tables = tables(&[]);
        let put = |number: i64| {
            json!({
                "TableName": "t", "Item": item("1", number), "ConditionExpression": "attribute_not_exists(#n0)",
                "ExpressionAttributeNames": {"#n0": "pk"},
            })
        };
        tables.call("PutItem", &put(1)).expect("made");
        let refused = tables.call("PutItem", &put(2)).expect_err("there is one");
        assert_eq!((code(&refused), &refused.details["Item"]), ("ConditionalCheckFailedException", &item("1", 1)));
        assert_eq!(tables.items("t"), [item("1", 1)]);
        assert_eq!(tables.items("other"), [json!(null); 0]);
    }

    #[test]
    fn a_transaction_is_made_whole_or_not_and_once_under_a_token() {
        let mut tables = tables(&[item("1", 1)]);
        let transact = |token: &str, least: &str| {
            let add = json!({
                "TableName": "t", "Key": {"pk": {"S": "p"}, "sk": {"S": "1"}},
                "UpdateExpression": "SET #n1 = :v1 ADD #n0 :v0", "ConditionExpression": "#n0 >= :v2",
                "ExpressionAttributeNames": {"#n0": "number", "#n1": "name"},
                "ExpressionAttributeValues": {":v0": {"N": "2"}, ":v1": {"S": "a"}, ":v2": {"N": least}},
            });
            let put = json!({ "TableName": "t", "Item": item("2", 7) });
            json!({ "ClientRequestToken": token, "TransactItems": [{"Update": add}, {"Put": put}] })
        };
        let refused = tables.call("TransactWriteItems", &transact("a", "2")).expect_err("it is 1");
        assert_eq!(code(&refused), "TransactionCanceledException");
        let reasons = &refused.details["CancellationReasons"];
        assert_eq!((&reasons[0]["Item"], &reasons[1]), (&item("1", 1), &json!({"Code": "None"})));
        for _ in 0..2 {
            tables.call("TransactWriteItems", &transact("b", "1")).expect("made");
        }
        let mut first = item("1", 3);
        first["name"] = json!({"S": "a"});
        assert_eq!(tables.items("t"), [first, item("2", 7)]);
    }

    #[test]
    fn a_query_goes_page_by_page_in_either_order_and_by_an_index() {
        let mut tables = tables(&[item("c", 10), item("a", 9), item("b", 9)]);
        tables.index("by_number", "number");
        let query = |more: Value| {
            let mut query = json!({
                "TableName": "t", "KeyConditionExpression": "#n0 = :v0", "ExpressionAttributeNames": {"#n0": "pk"},
                "ExpressionAttributeValues": {":v0": {"S": "p"}},
            });
            query.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
            query
        };
        let mut found = |query: Value| {
            let page = tables.call("Query", &query).expect("answered");
            let names = page["Items"].as_array().expect("items").iter();
            let names: Vec<String> = names.map(|item| text(&item["sk"]).expect("a key").to_owned()).collect();
            (names.concat(), page["LastEvaluatedKey"].clone())
        };
        assert_eq!(found(query(json!({}))).0, "abc");
        assert_eq!(found(query(json!({ "IndexName": "by_number", "ScanIndexForward": false }))).0, "cba");
        let (first, last) = found(query(json!({ "Limit": 2 })));
        assert_eq!((first.as_str(), &last["sk"]), ("ab", &json!({"S": "b"})));
        assert_eq!(found(query(json!({ "ExclusiveStartKey": last }))).0, "c");
        let between = json!({
            "KeyConditionExpression": "#n0 = :v0 AND #n1 BETWEEN :v1 AND :v2",
            "ExpressionAttributeNames": {"#n0": "pk", "#n1": "sk"},
            "ExpressionAttributeValues": {":v0": {"S": "p"}, ":v1": {"S": "b"}, ":v2": {"S": "c"}},
        });
        assert_eq!(found(query(between)).0, "bc");
    }
}
