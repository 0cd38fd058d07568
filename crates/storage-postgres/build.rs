//! Migrations are compiled in; a new one must not wait for another change to be noticed.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations/postgres");
}
