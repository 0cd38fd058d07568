//! Random numbers that spread instants. No secret depends on them.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

/// A number from 0 up to 1. Each `RandomState` has other keys, and its hash of nothing depends on all of
/// them.
pub(crate) fn chance() -> f64 {
    let bits = RandomState::new().build_hasher().finish() >> 11;
    #[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
    let numerator = bits as f64;
    numerator / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_numbers_are_evenly_spread() {
        let drawn: Vec<f64> = (0..10_000).map(|_| chance()).collect();
        assert!(drawn.iter().all(|number| (0.0..1.0).contains(number)));
        let mean = drawn.iter().sum::<f64>() / 10_000.0;
        assert!((0.45..0.55).contains(&mean), "{mean}");
    }
}
