//! The AWS world against answers of a local server: what each of a service's answers, and none, means for the caller.

mod calls;
mod dynamodb;
mod kinesis;
mod s3;
mod sns;
mod world;
