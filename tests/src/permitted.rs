//! What a function may do with the table: the permissions that Terraform gives it, which no local stack checks.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use modstream_platform::table::{
    Batch, Condition, Consistency, Item, Key, Outcome, Page, Query, Source, Table, Transacted, Update, Write,
};
use modstream_platform::{CallError, CallErrorKind};
use serde_json::Value;

/// That a function may make a call about some partitions: one of those that a statement of `infra/access.json` gives.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    function: String,
    action: String,
    /// None: the table itself.
    index: Option<String>,
    /// A partition's name, or with `*` the beginning of names.
    partitions: String,
}

impl Permission {
    /// Every permission that `infra/access.json` gives.
    ///
    /// # Panics
    /// Where the file is not of its form, or gives a permission twice.
    pub fn all() -> BTreeSet<Self> {
        let access: Value = serde_json::from_str(include_str!("../../infra/access.json")).expect("JSON");
        let texts = |value: &Value| -> Vec<String> {
            let texts = value.as_array().into_iter().flatten();
            texts.map(|text| text.as_str().expect("a text").to_owned()).collect()
        };
        let mut all = BTreeSet::new();
        for (function, statements) in access.as_object().expect("functions") {
            for statement in statements.as_array().expect("statements") {
                let mut places: Vec<(Option<String>, String)> =
                    texts(&statement["partitions"]).into_iter().map(|partitions| (None, partitions)).collect();
                for (index, partitions) in statement["lists"].as_object().into_iter().flatten() {
                    places.extend(texts(partitions).into_iter().map(|list| (Some(index.clone()), list)));
                }
                for action in texts(&statement["actions"]) {
                    for (index, partitions) in places.iter().cloned() {
                        let (function, action) = (function.clone(), action.clone());
                        let permission = Permission { function, action, index, partitions };
                        let text = permission.to_string();
                        assert!(all.insert(permission), "infra/access.json gives this twice: {text}");
                    }
                }
            }
        }
        all
    }

    fn allows(&self, action: &str, index: Option<&str>, partition: &str) -> bool {
        let is_named = match self.partitions.strip_suffix('*') {
            Some(prefix) => partition.starts_with(prefix),
            None => partition == self.partitions,
        };
        is_named && self.action == action && self.index.as_deref() == index
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Permission { function, action, index, partitions } = self;
        write!(to, "{function}: {action} of {partitions}")?;
        index.as_ref().map_or(Ok(()), |index| write!(to, " in the index {index}"))
    }
}

/// The permissions that were used. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Uses(Arc<Mutex<BTreeSet<Permission>>>);

impl Uses {
    /// Those that were used so far.
    pub fn so_far(&self) -> BTreeSet<Permission> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, permission: &Permission) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(permission.clone());
    }
}

/// A table of which a function may do what `infra/access.json` says, and else nothing.
#[derive(Clone)]
pub struct Permitted<B> {
    inner: B,
    permissions: Arc<Vec<Permission>>,
    uses: Uses,
}

impl<B: Table> Permitted<B> {
    /// The table as this function has it; what it does with the table is noted among these uses.
    ///
    /// # Panics
    /// Where `infra/access.json` doesn't name the function.
    pub fn of(function: &str, inner: B, uses: &Uses) -> Self {
        let permissions: Vec<_> = Permission::all().into_iter().filter(|it| it.function == function).collect();
        assert!(!permissions.is_empty(), "{function} has no part of the table");
        Permitted { inner, permissions: Arc::new(permissions), uses: uses.clone() }
    }

    /// The error of a call that none of the permissions allows.
    fn check(&self, action: &'static str, index: Option<&str>, partition: &str) -> Result<(), CallError> {
        // Where another one allows the same, that one stays unused: it gives nothing.
        if let Some(permission) = self.permissions.iter().find(|it| it.allows(action, index, partition)) {
            self.uses.note(permission);
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
