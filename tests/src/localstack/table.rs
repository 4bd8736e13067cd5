//! A table, made and read by DynamoDB's own calls: what the system says of itself there is read by nothing of its own.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use modstream_platform::table::{EXPIRES, Item, Key, PARTITION, SORT};
use serde_json::Value;

use super::Sdk;

/// An item of DynamoDB's, by its attributes.
fn read(mut attributes: HashMap<String, AttributeValue>) -> Item {
    let mut key = |name: &str| match attributes.remove(name) {
        Some(AttributeValue::S(text)) => text,
        other => panic!("{name} is {other:?}"),
    };
    let mut item = Item::new(Key::new(key(PARTITION), key(SORT)));
    for (name, value) in attributes {
        let number = |digits: String| digits.parse::<i64>().expect("a whole number");
        item = match value {
            AttributeValue::N(digits) if name == EXPIRES => Item { expires_at: Some(number(digits)), ..item },
            AttributeValue::S(text) => item.with(name, text),
            AttributeValue::N(digits) => item.with(name, number(digits)),
            AttributeValue::B(bytes) => item.with(name, bytes.into_inner()),
            AttributeValue::Ss(texts) => item.with(name, texts.into_iter().collect::<BTreeSet<String>>()),
            other => panic!("{name} is {other:?}"),
        };
    }
    item
}

impl Sdk {
    /// A table with the keys and the indexes that Terraform gives one.
    ///
    /// # Panics
    /// Where it can't be made.
    pub(super) async fn make_table(&self, name: &str) -> String {
        let indexes: Value = serde_json::from_str(include_str!("../../../infra/indexes.json")).expect("JSON");
        let indexes = indexes.as_object().expect("indexes by name");
        let said = |of: &Value, part: &str| of[part].as_str().expect("a name").to_owned();
        let keys = |partition: &str, sort: &str| {
            [(partition, KeyType::Hash), (sort, KeyType::Range)].map(|(name, kind)| {
                KeySchemaElement::builder().attribute_name(name).key_type(kind).build().expect("whole")
            })
        };
        let mut texts = vec!["pk".to_owned(), "sk".to_owned()];
        let mut made = Vec::new();
        for (name, of) in indexes {
            let (partition, sort) = (said(of, "partition"), said(of, "sort"));
            let held = of["holds"].as_array().expect("names").iter().filter_map(Value::as_str);
            let projection = held
                .fold(Projection::builder().projection_type(ProjectionType::Include), |projection, name| {
                    projection.non_key_attributes(name)
                })
                .build();
            let index = GlobalSecondaryIndex::builder().index_name(name).projection(projection);
            let index = index.set_key_schema(Some(keys(&partition, &sort).into()));
            made.push(index.build().expect("whole"));
            texts.extend([partition, sort]);
        }
        texts.sort_unstable();
        texts.dedup();
        let texts = texts.into_iter().map(|name| {
            let text = AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S);
            text.build().expect("whole")
        });
        let call = self.dynamodb.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
        let call = call.set_attribute_definitions(Some(texts.collect()));
        let call = call.set_key_schema(Some(keys("pk", "sk").into())).set_global_secondary_indexes(Some(made));
        call.send().await.expect("a new table");
        name.to_owned()
    }

    /// All items of a table, in no order.
    ///
    /// # Panics
    /// Where there is no such table.
    pub async fn items(&self, table: &str) -> Vec<Item> {
        let (mut items, mut after) = (Vec::new(), None);
        loop {
            let call = self.dynamodb.scan().table_name(table).consistent_read(true);
            let page = call.set_exclusive_start_key(after).send().await.expect("the table is there");
            items.extend(page.items.unwrap_or_default().into_iter().map(read));
            after = page.last_evaluated_key.filter(|key| !key.is_empty());
            if after.is_none() {
                return items;
            }
        }
    }

    /// The items of a partition, in the order of their sort keys.
    ///
    /// # Panics
    /// Where there is no such table.
    pub async fn partition(&self, table: &str, partition: &str) -> Vec<Item> {
        let (mut items, mut after) = (Vec::new(), None);
        loop {
            let call = self.dynamodb.query().table_name(table).consistent_read(true);
            let call = call.key_condition_expression("pk = :pk");
            let call = call.expression_attribute_values(":pk", AttributeValue::S(partition.to_owned()));
            let page = call.set_exclusive_start_key(after).send().await.expect("the table is there");
            items.extend(page.items.unwrap_or_default().into_iter().map(read));
            after = page.last_evaluated_key.filter(|key| !key.is_empty());
            if after.is_none() {
                return items;
            }
        }
    }

    /// Puts an item of texts and numbers: what DynamoDB's JSON says of it.
    ///
    /// # Panics
    /// Where the table takes it not.
    pub async fn put_item(&self, table: &str, item: &Value) {
        let mut call = self.dynamodb.put_item().table_name(table);
        for (name, value) in item.as_object().expect("an item") {
            let value = match (value["S"].as_str(), value["N"].as_str()) {
                (Some(text), _) => AttributeValue::S(text.to_owned()),
                (_, Some(number)) => AttributeValue::N(number.to_owned()),
                _ => panic!("neither a text nor a number: {value}"),
            };
            call = call.item(name, value);
        }
        call.send().await.expect("the table takes it");
    }
}
