//! Tests the search for secrets that were not wiped.

use testkit::{canary, leftovers};
use zeroize::Zeroizing;

#[test]
fn a_canary_is_found_until_it_is_wiped() {
    let count = |tag| leftovers().into_iter().filter(|found| *found == tag).count();
    let canary = canary('T');
    assert_eq!(count('T'), 1);
    let wiped = Zeroizing::new(canary);
    assert_eq!(count('T'), 1);
    drop(wiped);
    assert_eq!(count('T'), 0);
}
