//! Builds the binary again when the dashboard was built again: `src/ui.rs` embeds `web/dist`.

fn main() {
    println!("cargo::rerun-if-changed=web/dist");
    println!("cargo::rerun-if-changed=web/embed.rs");
}
