//! The program whose instructions `cargo xtask instructions` counts: `warm_requests NUMBER` serves that many
//! warm requests of each kind, and prints the kinds in their order.
#![expect(clippy::print_stdout, reason = "its output is read by `cargo xtask instructions`")]

use std::hint::black_box;

use warm_requests::{RequestKind, WarmServer};

fn main() {
    let number = std::env::args().nth(1).and_then(|number| number.parse().ok());
    let number: usize = number.expect("usage: warm_requests NUMBER");
    let mut server = WarmServer::start();
    for kind in RequestKind::ALL {
        println!("{}", kind.name());
        count_boundary(number);
        server.serve(kind, number);
        count_boundary(number);
    }
}

/// The counter writes its figures and begins anew at each call of this function.
#[inline(never)]
fn count_boundary(number: usize) {
    black_box(number);
}
