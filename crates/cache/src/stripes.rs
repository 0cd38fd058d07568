//! A counter with one cache line for each thread. Reading sums the lines. A single shared counter would cost
//! more than the lookup that it counts.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// More threads than this share lines, which only makes counting slower.
const STRIPES: usize = 16;

#[derive(Default)]
pub struct Stripes([Stripe; STRIPES]);

/// Aligned to a cache line.
#[derive(Default)]
#[repr(align(64))]
struct Stripe(AtomicU64);

impl Stripes {
    pub(crate) fn add_one(&self) {
        self.0[mine()].0.fetch_add(1, Ordering::Relaxed);
    }

    #[must_use]
    pub fn sum(&self) -> u64 {
        self.0.iter().map(|stripe| stripe.0.load(Ordering::Relaxed)).sum()
    }
}

fn mine() -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static MINE: usize = THREADS.fetch_add(1, Ordering::Relaxed) % STRIPES);
    MINE.with(|mine| *mine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_all_threads_are_summed() {
        let stripes = Stripes::default();
        std::thread::scope(|scope| {
            for _ in 0..2 * STRIPES {
                scope.spawn(|| (0..1000).for_each(|_| stripes.add_one()));
            }
        });
        assert_eq!(stripes.sum(), 2 * 1000 * STRIPES as u64);
    }
}
