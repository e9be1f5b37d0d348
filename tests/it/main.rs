//! Integration tests: the real binary, scripted upstreams, both databases, the real SDKs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test ends where something is not as it should be"
)]

#[macro_use]
mod on_both;

mod agents;
mod api_access;
mod api_dash;
mod api_edges;
mod api_queries;
mod api_shapes;
mod clients;
mod database_away;
mod demo;
mod fullness;
mod journal;
mod proxy_bytes;
mod proxy_ends;
mod recordings_proxy;
mod recordings_wire;
mod reprice;
mod shed;
mod store_contract;
mod support;
mod ui;
