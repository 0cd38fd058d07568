//! Counts how many times a warm request allocates memory, and how many bytes.
#![expect(clippy::print_stdout, reason = "what is counted helps to find the cause of a failure")]

use std::collections::BTreeMap;

use warm_requests::{RequestKind, WarmServer};

/// For each kind of request: the exact number of allocations, and the number of bytes within 5 %. Valid for
/// the profile of tests.
const FIGURES: [(RequestKind, u64, u64); 6] = [
    (RequestKind::TokenRs256, 28, 9509),
    (RequestKind::TokenEs256, 31, 8921),
    (RequestKind::TokenEdDsa, 28, 8795),
    (RequestKind::Jwks, 9, 2070),
    (RequestKind::JwksNotModified, 9, 2131),
    (RequestKind::Introspection, 37, 12436),
];

const REQUESTS: u64 = 400;

#[test]
fn warm_requests_make_expected_allocations() {
    let mut server = WarmServer::start();
    let counted = FIGURES.map(|(kind, ..)| count(&mut server, kind));
    let is_met = |((_, number, bytes), (_, counted, counted_bytes)): (&(_, u64, u64), &(_, u64, u64))| {
        number == counted && bytes.abs_diff(*counted_bytes) * 20 <= *bytes
    };
    assert!(
        FIGURES.iter().zip(&counted).all(is_met),
        "the allocations of warm requests have changed. If this is intended, write these figures into {}, and give the reason in the \
         commit message:\n{}",
        file!(),
        counted.map(|(kind, number, bytes)| format!("    (Kind::{kind:?}, {number}, {bytes}),")).join("\n")
    );
}

/// The most frequent number of allocations, and the mean of the bytes. Some requests find a buffer of the
/// connection used up, and a quarter of the ES256 signatures has a length that saves an allocation.
fn count(server: &mut WarmServer, kind: RequestKind) -> (RequestKind, u64, u64) {
    let (mut numbers, mut bytes) = (BTreeMap::<u64, u64>::new(), 0);
    for _ in 0..REQUESTS {
        let allocated = allocation_counter::measure(|| server.serve(kind, 1));
        *numbers.entry(allocated.count_total).or_default() += 1;
        bytes += allocated.bytes_total;
    }
    println!("{}: requests by number of allocations: {numbers:?}", kind.name());
    let most_frequent = numbers.into_iter().max_by_key(|(_, requests)| *requests);
    (kind, most_frequent.map_or(0, |(number, _)| number), bytes / REQUESTS)
}
