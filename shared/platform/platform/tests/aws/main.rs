//! The AWS world against answers of a local server: what each of a service's answers, and none, means for the caller.

mod calls;
mod dynamodb;
mod dynamodb_laws;
mod kinesis;
mod s3;
mod sns;
#[path = "../table_laws/mod.rs"]
mod table_laws;
mod world;
