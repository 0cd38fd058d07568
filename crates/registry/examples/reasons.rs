//! Prints the reasons of refused requests in the format of docs/operations.md. `cargo xtask codegen` writes
//! them there.
#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use protocol::RefusalReason;
use registry::methods::TABLES;

fn main() {
    println!("| reason | what was found |\n|---|---|");
    let mut codes = Vec::new();
    for reason in TABLES.into_iter().flatten() {
        // Several checks may have the same reason.
        if !codes.contains(&reason.code) {
            codes.push(reason.code);
            println!("| `{}` | {} |", reason.code, reason.detail);
        }
    }
    let others: Vec<_> = RefusalReason::NAMES.iter().map(|name| format!("`{name}`")).collect();
    println!("\nThe others are {}.", others.join(", "));
}
