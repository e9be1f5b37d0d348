//! The test kit.

pub mod pg;
