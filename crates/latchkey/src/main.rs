//! latchkey
mod settings;

fn main() {}
