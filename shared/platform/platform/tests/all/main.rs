//! What users of the platform rely on. One program, so that it is linked once.

mod deleting;
mod event_source;
mod memory;
mod objects;
mod publish_all;
mod put_all;
mod table;
#[path = "../table_laws/mod.rs"]
mod table_laws;
mod world;
