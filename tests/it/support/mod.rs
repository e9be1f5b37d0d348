//! The test kit: the real gateway as a process, upstreams that follow a script, and the real SDKs as clients.
//!
//! Nothing here sleeps until something is probably done: helpers poll with a deadline and say what they waited for.
#![allow(dead_code, reason = "each test file uses its own part of the kit")]

pub mod app;
pub mod clients;
pub mod openai;
pub mod pg;
pub mod raw;
pub mod recordings;
pub mod reply;
pub mod said;
pub mod upstream;
