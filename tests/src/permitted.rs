//! What a function may do with the table: the permissions that Terraform gives it, which no local stack checks.

use std::sync::Arc;

use modstream_platform::table::{
    Batch, Condition, Consistency, Item, Key, Outcome, Page, Query, Source, Table, Transacted, Update, Write,
};
use modstream_platform::{CallError, CallErrorKind};
use serde_json::Value;

/// A table of which a function may do what `infra/access.json` says, and else nothing.
#[derive(Clone)]
pub struct Permitted<B> {
    inner: B,
    statements: Arc<Vec<Value>>,
}

impl<B: Table> Permitted<B> {
    /// The table as this function, or `pages`, has it.
    ///
    /// # Panics
    /// Where `infra/access.json` doesn't name it.
    pub fn of(function: &str, inner: B) -> Self {
        let access: Value = serde_json::from_str(include_str!("../../infra/access.json")).expect("JSON");
        let statements = access[function].as_array().unwrap_or_else(|| panic!("{function} has no part of the table"));
        Permitted { inner, statements: Arc::new(statements.clone()) }
    }

    /// The error of a call that none of the statements allows.
    fn check(&self, action: &'static str, index: Option<&str>, partition: &str) -> Result<(), CallError> {
        let is_named = |names: &Value, wanted: &str| {
            let names = names.as_array().into_iter().flatten().filter_map(Value::as_str);
            names.into_iter().any(|name| match name.strip_suffix('*') {
                Some(prefix) => wanted.starts_with(prefix),
                None => name == wanted,
            })
        };
        let allows = |statement: &Value| {
            let names = index.map_or(&statement["partitions"], |index| &statement["lists"][index]);
            is_named(&statement["actions"], action) && is_named(names, partition)
        };
        if self.statements.iter().any(allows) {
            return Ok(());
        }
        let at = index.map_or_else(String::new, |index| format!(" of the index {index}"));
        let message = format!("AccessDenied: no {action} of the partition {partition}{at} in infra/access.json");
        Err(CallError { service: "dynamodb", operation: action, kind: CallErrorKind::Denied, message })
    }
}

impl<B: Table> Table for Permitted<B> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    async fn get(&self, key: &Key, consistency: Consistency) -> Result<Option<Item>, CallError> {
        self.check("GetItem", None, &key.partition)?;
        self.inner.get(key, consistency).await
    }

    async fn get_batch(&self, keys: &[Key], consistency: Consistency) -> Result<Batch, CallError> {
        keys.iter().try_for_each(|key| self.check("BatchGetItem", None, &key.partition))?;
        self.inner.get_batch(keys, consistency).await
    }

    async fn query(&self, query: &Query) -> Result<Page, CallError> {
        let index = match query.source {
            Source::Table(_) => None,
            Source::Index(name) => Some(name),
        };
        self.check("Query", index, &query.partition)?;
        self.inner.query(query).await
    }

    async fn put(&self, item: &Item, condition: &Condition) -> Result<Outcome<()>, CallError> {
        self.check("PutItem", None, &item.key.partition)?;
        self.inner.put(item, condition).await
    }

    async fn update(&self, key: &Key, update: &Update, condition: &Condition) -> Result<Outcome<Item>, CallError> {
        self.check("UpdateItem", None, &key.partition)?;
        self.inner.update(key, update, condition).await
    }

    async fn delete(&self, key: &Key, condition: &Condition) -> Result<Outcome<()>, CallError> {
        self.check("DeleteItem", None, &key.partition)?;
        self.inner.delete(key, condition).await
    }

    async fn transact(&self, token: &str, writes: &[Write]) -> Result<Transacted, CallError> {
        for write in writes {
            // A transaction needs what its writes need by themselves.
            let action = match write {
                Write::Put { .. } => "PutItem",
                Write::Update { .. } => "UpdateItem",
                Write::Delete { .. } => "DeleteItem",
                Write::Check { .. } => "ConditionCheckItem",
            };
            self.check(action, None, &write.key().partition)?;
        }
        self.inner.transact(token, writes).await
    }
}
