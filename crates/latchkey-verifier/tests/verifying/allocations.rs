//! Counts the allocations of a token's verification. If the number changes, the commit gives the reason.

use latchkey_verifier::{Caller, Trusted};

use crate::issuer::{ISSUER, Key, builder, keys_of};
use crate::time::TestClock;

#[test]
fn verification_has_a_fixed_number_of_allocations() {
    let (key, clock) = (Key::new("k1"), TestClock::default());
    let trusted = Trusted::issuer(ISSUER).key_set(keys_of(&key));
    let verifier = builder(&clock).issuer(trusted).build().unwrap();
    let token = key.token(ISSUER, clock.seconds());
    let verify = || drop(verifier.verify_now(&token).map(|caller: Caller| caller).unwrap());
    verify();
    let counted = allocation_counter::measure(verify);
    // The allocations are for header, claims and signature, decoded, for the members of both objects, and for
    // subject, client, identifier and scope of the caller.
    assert_eq!(counted.count_total, 9);
}
