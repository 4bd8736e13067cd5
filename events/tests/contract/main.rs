//! What the contract promises to those who write and read its events.

mod alert;
mod bad_records;
mod cloudevents_sdk;
mod decode;
mod fixtures;
mod golden;
mod quarantined;
mod round_trip;
mod samples;
mod types;
mod versions;
mod whole_events;
