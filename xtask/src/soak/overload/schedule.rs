//! When requests arrive: at random and independently of each other and of the answers, like those of many
//! clients (a Poisson process).

use std::time::Duration;

/// Part of a schedule with one rate.
#[derive(Clone, Copy)]
pub(super) struct Phase {
    /// Requests a second.
    pub(super) rate: f64,
    pub(super) length: Duration,
}

/// The arrivals of the phases, one after the other, each as the time since the begin of the first. They are
/// the same in every run.
pub(super) struct Schedule {
    phases: Vec<Phase>,
    current: usize,
    /// The end of the current phase.
    end: f64,
    at: f64,
    random: u64,
}

impl Schedule {
    pub(super) fn new(phases: &[Phase]) -> Self {
        let end = phases.first().map_or(0.0, |phase| phase.length.as_secs_f64());
        Self { phases: phases.to_vec(), current: 0, end, at: 0.0, random: 1 }
    }

    /// A number between 0 and 1, neither of them (SplitMix64).
    #[expect(clippy::cast_precision_loss, reason = "the 53 upper bits fit exactly")]
    fn uniform(&mut self) -> f64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (((mixed ^ (mixed >> 31)) >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }
}

impl Iterator for Schedule {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        loop {
            let phase = *self.phases.get(self.current)?;
            let at = self.at - self.uniform().ln() / phase.rate;
            if at < self.end {
                self.at = at;
                return Some(Duration::from_secs_f64(at));
            }
            // The process has no memory, so the next phase begins anew.
            self.current += 1;
            self.at = self.end;
            self.end += self.phases.get(self.current).map_or(0.0, |phase| phase.length.as_secs_f64());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrivals_follow_the_rate_of_each_phase() {
        let phase = |rate, seconds| Phase { rate, length: Duration::from_secs(seconds) };
        let arrivals: Vec<_> = Schedule::new(&[phase(1_000.0, 10), phase(10_000.0, 3)]).collect();
        assert!(arrivals.is_sorted());
        let first = arrivals.partition_point(|at| *at < Duration::from_secs(10));
        // Four standard deviations.
        assert!(first.abs_diff(10_000) < 400, "{first}");
        assert!((arrivals.len() - first).abs_diff(30_000) < 700, "{}", arrivals.len());
    }
}
