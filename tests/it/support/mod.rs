//! The test kit: the real gateway as a process, upstreams that follow a script, and the real SDKs as clients.
//!
//! Nothing here sleeps until something is probably done: helpers poll with a deadline and say what they waited for.
#![allow(dead_code, reason = "each test file uses its own part of the kit")]

pub mod app;
pub mod audit;
pub mod caller;
pub mod clients;
pub mod disk;
pub mod kill;
pub mod ledger;
pub mod mill;
pub mod openai;
pub mod pg;
pub mod pg_server;
pub mod power;
pub mod preload;
pub mod proc;
pub mod raw;
pub mod recordings;
pub mod relay;
pub mod reply;
pub mod said;
pub mod stall;
pub mod upstream;
