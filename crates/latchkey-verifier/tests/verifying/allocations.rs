//! Counts the allocations of a token's verification. A change of the figure is a decision: its commit gives
//! the reason.

use latchkey_verifier::{Caller, KeySet, Trusted, Verifier};

use crate::issuer::{AUDIENCE, Key, key_set};
use crate::time::TestClock;

const ISSUER: &str = "https://id.example.com/api/v1/tenant/acme";

#[test]
fn a_token_costs_so_many_allocations() {
    let (key, clock) = (Key::new("k1"), TestClock::default());
    let keys = KeySet::read(&key_set(&[&key])).unwrap();
    let verifier = Verifier::builder()
        .issuer(Trusted::issuer(ISSUER).key_set(keys))
        .audience(AUDIENCE)
        .clock(std::sync::Arc::new(clock.clone()))
        .build()
        .unwrap();
    let token = key.token(ISSUER, clock.seconds());
    let verify = || drop(verifier.verify_now(&token).map(|caller: Caller| caller).unwrap());
    verify();
    let counted = allocation_counter::measure(verify);
    // The allocations are for header, claims and signature, decoded, for the members of both objects, and for
    // subject, client, identifier and scope of the caller.
    assert_eq!(counted.count_total, 9);
}
