//! Tables.

mod deliver;
mod memory;
mod planned;
