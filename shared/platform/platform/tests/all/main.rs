//! What users of the platform rely on. One program, so that it is linked once.

mod deleting;
mod event_source;
mod memory;
mod objects;
mod publish_all;
mod put_all;
mod world;
