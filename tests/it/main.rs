//! Integration tests: the real binary, scripted upstreams, both databases, the real SDKs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what is wrong by panicking"
)]

mod clients;
mod proxy_bytes;
mod proxy_ends;
mod recordings_proxy;
mod recordings_wire;
mod support;
