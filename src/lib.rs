//! Trailgate: a gateway that LLM applications send their provider calls through.
//!
//! It forwards each call unchanged, records it durably, and turns session headers into agent sessions.
//! The modules form layers with one-way arrows (`docs/ARCHITECTURE.md`); `tests/tidy.rs` keeps them so.

pub mod config;
pub mod model;

pub mod pricing;
pub mod route;
pub mod wire;

pub mod journal;
pub mod live;
pub mod store;

pub mod auth;
pub mod ingest;
pub mod retention;

pub mod api;
pub mod proxy;
pub mod ui;

pub mod app;
pub mod cli;
pub mod demo;
pub mod listen;
pub mod telemetry;
