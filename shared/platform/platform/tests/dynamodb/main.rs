//! The laws of tables over DynamoDB: moto's, of a local stack, at the address in `MODSTREAM_TEST_DYNAMODB`. Without it nothing is
//! checked; `cargo xtask test local-stack` sets it.

#[path = "../table_laws/mod.rs"]
mod table_laws;

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection as Projected,
    ProjectionType, ScalarAttributeType,
};
use modstream_platform::aws::{Clients, DynamoTable};
use modstream_platform::table::{EXPIRES, Index, PARTITION, Projection, SORT};

use crate::table_laws::{SCHEMA, Subject, table_laws};

table_laws!(table);

/// Tells the tables of this process apart.
static TABLES: AtomicU32 = AtomicU32::new(0);

async fn table() -> Option<Subject<DynamoTable>> {
    let Ok(endpoint) = std::env::var("MODSTREAM_TEST_DYNAMODB") else {
        eprintln!("left out: MODSTREAM_TEST_DYNAMODB names no DynamoDB, such as http://127.0.0.1:4566");
        return None;
    };
    let config = config(&endpoint);
    let name = format!("modstream-test-{}-{}", std::process::id(), TABLES.fetch_add(1, Ordering::Relaxed));
    create(&aws_sdk_dynamodb::Client::new(&config), &name).await;
    let table = Clients::new(&config, LONG).expect("has a region").table(name, SCHEMA);
    // moto's own limit is a little lower.
    Some(Subject { largest: 404_000, cases: 10, ..Subject::new(table) })
}

/// Longer than any call here takes.
const LONG: Duration = Duration::from_secs(30);

fn config(endpoint: &str) -> SdkConfig {
    let credentials = Credentials::new("test", "test", None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}

fn key_schema(partition: &str, sort: &str) -> [KeySchemaElement; 2] {
    [(partition, KeyType::Hash), (sort, KeyType::Range)]
        .map(|(name, kind)| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().expect("whole"))
}

/// As `infra/` makes one.
fn index(Index { name, partition, sort, projection }: &Index) -> GlobalSecondaryIndex {
    let projected = match projection {
        Projection::All => Projected::builder().projection_type(ProjectionType::All),
        Projection::Only(names) => names
            .iter()
            .fold(Projected::builder().projection_type(ProjectionType::Include), |projected, name| {
                projected.non_key_attributes(*name)
            })
            .non_key_attributes(EXPIRES),
    };
    let index = GlobalSecondaryIndex::builder().index_name(*name).projection(projected.build());
    index.set_key_schema(Some(key_schema(partition, sort).into())).build().expect("whole")
}

async fn create(client: &aws_sdk_dynamodb::Client, name: &str) {
    let mut texts = vec![PARTITION, SORT];
    texts.extend(SCHEMA.indexes.iter().flat_map(|index| [index.partition, index.sort]));
    texts.sort_unstable();
    texts.dedup();
    let texts = texts.into_iter().map(|name| {
        let text = AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S);
        text.build().expect("whole")
    });
    let create = client.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
    let create = create.set_attribute_definitions(Some(texts.collect()));
    let create = create.set_key_schema(Some(key_schema(PARTITION, SORT).into()));
    let create = create.set_global_secondary_indexes(Some(SCHEMA.indexes.iter().map(index).collect()));
    let created = tokio::time::timeout(Duration::from_secs(60), create.send()).await.expect("ends");
    created.expect("a table");
}
