//! latchkey
fn main() {}
