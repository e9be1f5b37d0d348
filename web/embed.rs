//! Builds the binary again when the dashboard was built again: `src/ui.rs` embeds `web/dist`.

#![expect(clippy::print_stdout, reason = "this is how a build script speaks to cargo")]

fn main() {
    println!("cargo::rerun-if-changed=web/dist");
    println!("cargo::rerun-if-changed=web/embed.rs");
}
