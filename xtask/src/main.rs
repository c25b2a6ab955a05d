//! The project's commands: `cargo xtask demo | test | package | bench`.
fn main() {}
