//! What DynamoDB is asked, and what its answers mean.

use modstream_platform::aws::DynamoTable;
use modstream_platform::table::{
    Condition, Consistency, Cursor, Index, Item, Key, Outcome, Projection, Query, Reason, SORT, Schema, SortRange,
    Table as _, Transacted, Update, Write,
};
use modstream_platform::{CallError, CallErrorKind};
use modstream_stub_server::Answer;
use serde_json::{Value as Json, json};

use crate::world::World;

const SCHEMA: Schema = Schema {
    indexes: &[Index { name: "by-status", partition: "status", sort: "order", projection: Projection::Only(&[]) }],
};

fn key(sort: &str) -> Key {
    Key::new("p", sort)
}

fn item(sort: &str) -> Item {
    Item::new(key(sort))
}

fn json_answer(status: u16, body: &Json) -> Answer {
    Answer::new(status, body.to_string()).header("Content-Type", "application/x-amz-json-1.0")
}

fn error(status: u16, code: &str, words: &str) -> Answer {
    let body = json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": words });
    json_answer(status, &body)
}

fn table(world: &World) -> DynamoTable {
    world.clients.table("state", SCHEMA)
}

/// What the only request said.
fn asked(world: &World, operation: &str) -> Json {
    let [request] = &world.server.requests()[..] else { panic!("one request") };
    assert_eq!(request.header("x-amz-target"), Some(format!("DynamoDB_20120810.{operation}").as_str()));
    serde_json::from_slice(&request.body).expect("JSON")
}

/// An expression with its names and values in the place of their placeholders.
fn expression(asked: &Json, member: &str) -> String {
    let mut text = asked[member].as_str().expect("an expression").to_owned();
    for placeholders in ["ExpressionAttributeNames", "ExpressionAttributeValues"] {
        let placeholders = asked[placeholders].as_object().into_iter().flatten();
        // The longest first: `:v1` begins as `:v10` does.
        let mut placeholders: Vec<_> = placeholders.collect();
        placeholders.sort_by_key(|(placeholder, _)| std::cmp::Reverse(placeholder.len()));
        for (placeholder, of) in placeholders {
            let of = of
                .as_str()
                .map_or_else(|| of.as_object().expect("a value").values().next().unwrap().to_string(), str::to_owned);
            text = text.replace(placeholder.as_str(), &of);
        }
    }
    text
}

#[tokio::test]
async fn no_name_and_no_value_stands_in_an_expression() {
    let world = World::new([json_answer(200, &json!({ "Attributes": { "pk": {"S": "p"}, "sk": {"S": "1"} } }))]);
    let update = Update::new().set("status", "decided").remove("order").add("size", 2).set("data", "x");
    let condition = Condition::equals("status", "open").and(Condition::Absent.or(Condition::missing("name")));
    let done = table(&world).update(&key("1"), &update, &condition).await;
    assert_eq!(done, Ok(Outcome::Done(item("1"))));
    let asked = asked(&world, "UpdateItem");
    assert_eq!(asked["TableName"], "state");
    assert_eq!(asked["Key"], json!({ "pk": {"S": "p"}, "sk": {"S": "1"} }));
    assert_eq!(asked["ReturnValues"], "ALL_NEW");
    assert_eq!(asked["ReturnValuesOnConditionCheckFailure"], "ALL_OLD");
    for member in ["UpdateExpression", "ConditionExpression"] {
        let text = asked[member].as_str().expect("an expression");
        for name in ["status", "order", "size", "data", "name", "pk"] {
            assert!(!text.contains(name), "{text}");
        }
    }
    assert_eq!(
        expression(&asked, "UpdateExpression"),
        r#"SET data = "x", status = "decided" REMOVE order ADD size "2""#
    );
    assert_eq!(
        expression(&asked, "ConditionExpression"),
        "status = \"open\" AND (attribute_not_exists(pk) OR attribute_not_exists(name)) \
         AND (attribute_not_exists(size) OR size <= \"9223372036854775805\")"
    );
}

/// DynamoDB refuses an expression with parentheses that it does not need.
#[tokio::test]
async fn an_expression_has_no_parentheses_that_it_does_not_need() {
    let a = || Condition::missing("a");
    let both = || Condition::All(vec![a(), Condition::missing("b")]);
    let either = || Condition::Any(vec![a(), Condition::missing("b")]);
    let (is_a, is_b) = ("attribute_not_exists(a)", "attribute_not_exists(b)");
    for (condition, written) in [
        (Condition::All(vec![a()]), Some(is_a.to_owned())),
        (Condition::Any(vec![Condition::All(vec![either()])]), Some(format!("{is_a} OR {is_b}"))),
        (Condition::All(vec![Condition::Always, either()]), Some(format!("{is_a} OR {is_b}"))),
        (Condition::All(vec![both(), both()]), Some(format!("{is_a} AND {is_b} AND {is_a} AND {is_b}"))),
        (Condition::All(vec![either(), a()]), Some(format!("({is_a} OR {is_b}) AND {is_a}"))),
        (Condition::Any(vec![either(), a()]), Some(format!("{is_a} OR {is_b} OR {is_a}"))),
        (Condition::Any(vec![both(), a()]), Some(format!("({is_a} AND {is_b}) OR {is_a}"))),
        (Condition::Any(vec![a(), Condition::Always]), None),
        (Condition::Any(vec![a(), Condition::All(vec![])]).and(Condition::Any(vec![a()])), Some(is_a.to_owned())),
        (Condition::All(vec![]), None),
    ] {
        let world = World::new([json_answer(200, &json!({}))]);
        table(&world).put(&item("1"), &condition).await.expect("put");
        let asked = asked(&world, "PutItem");
        let found = asked["ConditionExpression"].as_str().map(|_| expression(&asked, "ConditionExpression"));
        assert_eq!(found, written, "{condition:?}");
        // Nor has it a name for what it leaves away.
        assert_eq!(asked.get("ExpressionAttributeNames").is_some(), written.is_some(), "{condition:?}");
    }
}

#[tokio::test]
async fn an_item_goes_and_comes_in_dynamodbs_types() {
    let there = json!({
        "pk": {"S": "p"}, "sk": {"S": "1"}, "expires_at": {"N": "100"}, "text": {"S": "é"}, "number": {"N": "-7"},
        "bytes": {"B": "AJ+Slg=="},
    });
    let whole = Item { expires_at: Some(100), ..item("1") }
        .with("text", "é")
        .with("number", -7)
        .with("bytes", vec![0, 159, 146, 150]);
    let world = World::new([json_answer(200, &json!({ "Item": there }))]);
    assert_eq!(table(&world).get(&key("1"), Consistency::Consistent).await, Ok(Some(whole.clone())));
    let get = asked(&world, "GetItem");
    assert_eq!((&get["ConsistentRead"], &get["Key"]["sk"]["S"]), (&json!(true), &json!("1")));
    let world = World::new([json_answer(200, &json!({}))]);
    table(&world).put(&whole, &Condition::Always).await.expect("put");
    assert_eq!(asked(&world, "PutItem")["Item"], there);
    let world = World::new([json_answer(200, &json!({}))]);
    assert_eq!(table(&world).get(&key("1"), Consistency::Eventual).await, Ok(None));
    assert_eq!(asked(&world, "GetItem")["ConsistentRead"], json!(false));
}

#[tokio::test]
async fn an_item_of_another_hand_is_an_error_that_names_the_attribute() {
    for (attribute, value) in [
        ("list", json!({"L": []})),
        ("texts", json!({"SS": ["a"]})),
        ("large", json!({"N": "9223372036854775808"})),
        ("half", json!({"N": "0.5"})),
        ("expires_at", json!({"S": "tomorrow"})),
        ("sk", json!({"N": "1"})),
    ] {
        let mut there = json!({ "pk": {"S": "p"}, "sk": {"S": "1"} });
        there[attribute] = value;
        let world = World::new([json_answer(200, &json!({ "Item": there }))]);
        let error = table(&world).get(&key("1"), Consistency::Consistent).await.expect_err("none of ours");
        assert_eq!(error.kind, CallErrorKind::Invalid);
        assert!(error.message.contains(&format!("its `{attribute}` is")), "{error}");
    }
}

#[tokio::test]
async fn a_failed_condition_is_an_answer_with_what_was_found() {
    let found = json!({ "pk": {"S": "p"}, "sk": {"S": "1"}, "by": {"S": "them"} });
    let failed = |item: Option<&Json>| {
        let mut body = json!({ "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
            "message": "The conditional request failed" });
        if let Some(item) = item {
            body["Item"] = item.clone();
        }
        json_answer(400, &body)
    };
    let theirs = Outcome::ConditionFailed(Some(Box::new(item("1").with("by", "them"))));
    let world = World::new([failed(Some(&found)), failed(None), failed(Some(&found))]);
    assert_eq!(table(&world).put(&item("1"), &Condition::Absent).await, Ok(theirs.clone()));
    assert_eq!(table(&world).put(&item("1"), &Condition::Present).await, Ok(Outcome::ConditionFailed(None)));
    assert_eq!(table(&world).delete(&key("1"), &Condition::equals("by", "me")).await, Ok(theirs));
    // What an update needs beside its condition is no answer, but a refusal.
    let world = World::new([failed(Some(&found))]);
    let error = table(&world).update(&key("1"), &Update::new().add("by", 1), &Condition::Present).await;
    let error = error.expect_err("refused");
    assert_eq!(error.kind, CallErrorKind::Refused);
    assert!(error.message.contains("the attribute `by` holds a text"), "{error}");
}

#[tokio::test]
async fn how_long_a_table_can_be_restored_is_what_dynamodb_says() {
    let says = |recovery: Json| {
        json_answer(
            200,
            &json!({ "ContinuousBackupsDescription": {
                "ContinuousBackupsStatus": "ENABLED", "PointInTimeRecoveryDescription": recovery,
            }}),
        )
    };
    let answers = [
        says(json!({ "PointInTimeRecoveryStatus": "DISABLED" })),
        says(json!({ "PointInTimeRecoveryStatus": "ENABLED", "RecoveryPeriodInDays": 7 })),
        says(json!({ "PointInTimeRecoveryStatus": "ENABLED" })),
        error(400, "AccessDeniedException", "not authorized"),
    ];
    let world = World::new(answers);
    let table = table(&world);
    for days in [None, Some(7), Some(35)] {
        assert_eq!(table.recovery_days().await, Ok(days));
    }
    assert_eq!(table.recovery_days().await.expect_err("denied").kind, CallErrorKind::Denied);
}

#[tokio::test]
async fn a_cancelled_transaction_says_why_and_what_passes_by_itself_is_unavailable() {
    let writes = || {
        vec![
            Write::Put { item: item("1"), condition: Condition::Absent },
            Write::Update { key: key("2"), update: Update::new().add("n", 1), condition: Condition::Always },
        ]
    };
    let cancelled = |reasons: Json| {
        json_answer(
            400,
            &json!({ "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
                "Message": "Transaction cancelled", "CancellationReasons": reasons }),
        )
    };
    let transact = async |reasons: Json| {
        let world = World::new([cancelled(reasons)]);
        let answer = table(&world).transact("token", &writes()).await;
        assert_eq!(asked(&world, "TransactWriteItems")["ClientRequestToken"], "token");
        answer
    };
    let there = json!({ "pk": {"S": "p"}, "sk": {"S": "1"} });
    let failed = json!({ "Code": "ConditionalCheckFailed", "Message": "failed", "Item": there });
    let found = Reason::ConditionFailed(Some(Box::new(item("1"))));
    let none = json!({ "Code": "None" });
    assert_eq!(transact(json!([failed, none])).await, Ok(Transacted::Cancelled(vec![found.clone(), Reason::None])));
    let conflict = json!({ "Code": "TransactionConflict", "Message": "ongoing" });
    assert_eq!(transact(json!([failed, conflict])).await, Ok(Transacted::Cancelled(vec![found, Reason::None])));
    for (reason, kind) in [
        (conflict, CallErrorKind::Unavailable),
        (json!({ "Code": "ThrottlingError", "Message": "slow" }), CallErrorKind::Unavailable),
        (json!({ "Code": "ProvisionedThroughputExceeded", "Message": "slow" }), CallErrorKind::Unavailable),
        (json!({ "Code": "ValidationError", "Message": "Item size" }), CallErrorKind::Refused),
    ] {
        let error = transact(json!([none, reason])).await.expect_err("no answer");
        assert_eq!(error.kind, kind, "{reason}");
        assert!(error.message.starts_with("write 2 of the transaction: "), "{error}");
    }
    // The number can't be added: that is about the write, and no condition of the caller's.
    let text = json!({ "pk": {"S": "p"}, "sk": {"S": "2"}, "n": {"S": "x"} });
    let error = transact(json!([none, { "Code": "ConditionalCheckFailed", "Item": text }])).await;
    assert_eq!(error.expect_err("refused").kind, CallErrorKind::Refused);
}

#[tokio::test]
async fn a_page_is_one_call_and_its_cursor_goes_back_as_it_came() {
    let last = json!({ "pk": {"S": "p"}, "sk": {"S": "2"}, "status": {"S": "open"}, "order": {"S": "b"} });
    let world = World::new([
        json_answer(200, &json!({ "Items": [last], "Count": 1, "LastEvaluatedKey": last })),
        json_answer(200, &json!({ "Items": [], "Count": 0 })),
    ]);
    let query = Query::index("by-status", "open").range(SortRange::Prefix("b".into())).descending().limit(7);
    let page = table(&world).query(&query).await.expect("a page");
    let cursor = Cursor { key: key("2"), index_key: Some(Key::new("open", "b")) };
    assert_eq!(page.next.as_ref(), Some(&cursor));
    assert_eq!(page.items, [item("2").with("status", "open").with("order", "b")]);
    let page = table(&world).query(&query.after(page.next)).await.expect("a page");
    assert_eq!(page.next, None);
    let bodies: Vec<Json> =
        world.server.requests().iter().map(|request| serde_json::from_slice(&request.body).expect("JSON")).collect();
    assert_eq!(bodies[1]["ExclusiveStartKey"], last);
    assert_eq!(expression(&bodies[0], "KeyConditionExpression"), r#"status = "open" AND begins_with(order, "b")"#);
    assert_eq!((&bodies[0]["ScanIndexForward"], &bodies[0]["Limit"]), (&json!(false), &json!(7)));
    assert_eq!(bodies[0]["IndexName"], "by-status");
    assert_eq!(bodies[0].get("ConsistentRead"), None, "an index knows no consistent read");
}

#[tokio::test]
async fn what_was_not_looked_up_is_named() {
    let there = json!({ "pk": {"S": "p"}, "sk": {"S": "1"} });
    let left = json!({ "state": { "Keys": [{ "pk": {"S": "p"}, "sk": {"S": "2"} }] } });
    let world = World::new([json_answer(200, &json!({ "Responses": { "state": [there] }, "UnprocessedKeys": left }))]);
    let batch = table(&world).get_batch(&[key("1"), key("2")], Consistency::Consistent).await.expect("a batch");
    assert_eq!((batch.items, batch.unprocessed), (vec![item("1")], vec![key("2")]));
}

#[tokio::test]
async fn what_a_refusal_means_follows_from_its_code_and_its_words() {
    use CallErrorKind::{Denied, Invalid, OutcomeUnknown, Refused, Unavailable};
    let get = async |answer: Answer| {
        let world = World::new([answer]);
        table(&world).get(&key("1"), Consistency::Consistent).await.expect_err("refused")
    };
    let put = async |answer: Answer| {
        let world = World::new([answer]);
        let error = table(&world).put(&item("1"), &Condition::Always).await.expect_err("refused");
        // The SDK itself retries nothing: `deliver` does.
        assert_eq!(world.server.requests().len(), 1);
        error
    };
    for (status, code, words, kind, hint) in [
        (400, "ProvisionedThroughputExceededException", "slow", Unavailable, ""),
        (400, "ThrottlingException", "slow", Unavailable, ""),
        (400, "RequestLimitExceeded", "slow", Unavailable, ""),
        (400, "TransactionConflictException", "ongoing", Unavailable, ""),
        (400, "TransactionInProgressException", "ongoing", Unavailable, ""),
        (400, "AccessDeniedException", "not authorized", Denied, ""),
        (400, "UnrecognizedClientException", "token", Denied, ""),
        (400, "ResourceNotFoundException", "Requested resource not found", Denied, "describe-table --table-name state"),
        (400, "ValidationException", "The provided key element does not match the schema", Denied, "`pk` and `sk`"),
        (
            400,
            "ValidationException",
            "One or more parameter values were invalid: Missing the key id in the item",
            Denied,
            "`pk` and `sk`",
        ),
        (400, "ValidationException", "The table does not have the specified index: by-x", Denied, "apply infra/"),
        (400, "ValidationException", "Cannot read from backfilling global secondary index: by-x", Unavailable, "still"),
        (400, "ValidationException", "Item size to update has exceeded the maximum allowed size", Refused, ""),
        (400, "ValidationException", "Invalid ConditionExpression: Syntax error", Invalid, ""),
        (400, "IdempotentParameterMismatchException", "other", Invalid, ""),
    ] {
        for error in [get(error(status, code, words)).await, put(error(status, code, words)).await] {
            assert_eq!(error.kind, kind, "{error}");
            assert!(error.message.starts_with(&format!("{code}: {words}")) && error.message.contains(hint), "{error}");
            assert_eq!(error.service, "dynamodb");
        }
    }
    // A read that failed did nothing; a write may be done all the same.
    for (status, code) in [(500, "InternalServerError"), (503, "ServiceUnavailable")] {
        assert_eq!(get(error(status, code, "words")).await.kind, Unavailable, "{code}");
        assert_eq!(put(error(status, code, "words")).await.kind, OutcomeUnknown, "{code}");
    }
    let unread: CallError = put(Answer::new(200, "{\"Attributes\":")).await;
    assert_eq!(unread.kind, OutcomeUnknown);
}

#[tokio::test]
async fn what_no_table_takes_is_not_even_sent() {
    let world = World::new(Vec::<Answer>::new());
    let table = table(&world);
    let error = table.put(&item("1").with("order", ""), &Condition::Always).await.expect_err("refused");
    assert_eq!(error.kind, CallErrorKind::Refused);
    assert!(table.put(&item("1").with(SORT, "x"), &Condition::Always).await.is_err());
    assert!(table.query(&Query::index(SORT, "x")).await.is_err());
    assert!(world.server.requests().is_empty());
}
