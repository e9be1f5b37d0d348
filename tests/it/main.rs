//! Integration tests: the real binary, scripted upstreams, both databases, the real SDKs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test says what is wrong by panicking"
)]

mod store_contract;
mod support;
