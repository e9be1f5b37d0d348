//! The fault suite: one row of `docs/FAULTS.md` a test, the real binary, real faults, books of what was accepted.
//!
//! `cargo test` runs the short forms, which only fail when something is lost or stuck. `TRAILGATE_FAULTS=long` runs the
//! long forms with the figures of the table and writes the table; `make faults` does that. One row: `scripts/faults NAME`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    reason = "a test ends where something is not as it should be, and shows figures"
)]

#[path = "../it/support/mod.rs"]
mod support;

mod away;
mod bodies;
mod ends;
mod full;
mod load;
mod lost;
mod process;
mod report;
mod shutdown;
