//! Tables.

mod memory;
