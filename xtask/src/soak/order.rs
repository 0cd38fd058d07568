//! The order in which a measurement of times takes its samples: mixed, so that changes during the run affect
//! each kind alike.

/// All numbers below this one, once each, in pseudo-random order, the same in every run.
pub(super) fn mixed(count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    // The mixing step of SplitMix64.
    order.sort_by_key(|number| {
        let mixed = (*number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ (mixed >> 27)
    });
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_mixed_at_random() {
        for kinds in [2, 3] {
            let mut order = mixed(5_000);
            let changes = order.windows(2).filter(|pair| pair[0] % kinds != pair[1] % kinds).count();
            let expected = 5_000 * (kinds - 1) / kinds;
            assert!(changes.abs_diff(expected) < 250, "{changes}, not {expected}");
            order.sort_unstable();
            assert!(order.into_iter().eq(0..5_000));
        }
    }
}
