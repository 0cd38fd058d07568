//! The results of one workload, printed as lines of minimum, median and maximum over the rounds.

use super::load::Load;
use super::spread::Spread;

/// The bare handler and the platform among the contenders. Another build would come after them.
const BARE: usize = 0;
pub(super) const PLATFORM: usize = 1;

/// The result of one contender with one number of connections in one round.
pub(super) struct Sample {
    pub(super) per_cpu_second: f64,
    pub(super) load: Load,
}

pub(super) struct Round {
    /// Signatures per CPU second, if each answer needs one.
    pub(super) raw_per_cpu_second: Option<f64>,
    /// For each number of connections, in the order of the contenders.
    pub(super) samples: Vec<Vec<Sample>>,
}

pub(super) struct Table {
    pub(super) title: &'static str,
    pub(super) contenders: Vec<&'static str>,
    pub(super) connections: Vec<u32>,
    pub(super) rounds: Vec<Round>,
}

impl Table {
    /// A contender's answers per CPU second as a share of the bare handler's, with the
    /// first number of connections.
    pub(super) fn rate_ratio(&self, contender: usize) -> Spread {
        self.ratio(0, contender, |sample| sample.per_cpu_second)
    }

    /// The platform's answers per CPU second as a multiple of those in the other table, round by round.
    pub(super) fn rate_over(&self, other: &Self) -> Spread {
        let rate = |round: &Round| of(round, 0, PLATFORM, |sample| sample.per_cpu_second);
        let rounds = self.rounds.iter().zip(&other.rounds);
        Spread::from_figures(rounds.map(|(own, other)| rate(own) / rate(other)))
    }

    pub(super) fn p99_ratio(&self, connections: usize, contender: usize) -> Spread {
        self.ratio(connections, contender, |sample| sample.load.p99_ms)
    }

    pub(super) fn print(&self) {
        println!("\n{:<44}{:>10} {:>10} {:>10}", self.title, "min", "median", "max");
        let raw = |round: &Round| round.raw_per_cpu_second.unwrap_or(f64::NAN);
        let signs = self.rounds.iter().any(|round| round.raw_per_cpu_second.is_some());
        if signs {
            println!("{:<44}{:.0}", "raw signatures per CPU second", self.spread(raw));
        }
        for (contender, name) in self.contenders.iter().enumerate() {
            let line = |what: &str, digits: usize, spread: Spread| {
                println!("{:<44}{spread:.digits$}", format!("{name}: {what}"));
            };
            let rate = |round: &Round| of(round, 0, contender, |sample| sample.per_cpu_second);
            line("answers per CPU second", 0, self.spread(rate));
            if signs {
                line("of raw signatures", 3, self.spread(|round| rate(round) / raw(round)));
            }
            if contender > 0 {
                line("of the bare handler", 3, self.rate_ratio(contender));
            }
            for (index, connections) in self.connections.iter().enumerate() {
                let load = |figure: fn(&Load) -> f64| {
                    self.spread(|round| of(round, index, contender, |sample| figure(&sample.load)))
                };
                line(&format!("p50 at {connections}, ms"), 2, load(|load| load.p50_ms));
                line(&format!("p99 at {connections}, ms"), 2, load(|load| load.p99_ms));
                if contender > 0 {
                    let what = format!("p99 at {connections}, of the bare handler");
                    line(&what, 2, self.p99_ratio(index, contender));
                }
                let lost = load(|load| load.lost);
                line(&format!("error status or no answer at {connections}"), 0, lost);
            }
        }
    }

    fn ratio(&self, connections: usize, contender: usize, figure: fn(&Sample) -> f64) -> Spread {
        self.spread(|round| of(round, connections, contender, figure) / of(round, connections, BARE, figure))
    }

    fn spread(&self, figure: impl Fn(&Round) -> f64) -> Spread {
        Spread::from_figures(self.rounds.iter().map(figure))
    }
}

fn of(round: &Round, connections: usize, contender: usize, figure: impl Fn(&Sample) -> f64) -> f64 {
    let samples = round.samples.get(connections);
    samples.and_then(|samples| samples.get(contender)).map_or(f64::NAN, figure)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The bare handler and one other contender, at 16 and at 256 connections, in rounds of these rates and
    /// times.
    pub(in super::super) fn table(rounds: &[[(f64, f64); 4]]) -> Table {
        let sample = |&(per_cpu_second, p99_ms): &(f64, f64)| Sample {
            per_cpu_second,
            load: Load { p99_ms, ..Load::default() },
        };
        let round = |figures: &[(f64, f64); 4]| Round {
            raw_per_cpu_second: None,
            samples: figures.chunks(2).map(|pair| pair.iter().map(sample).collect()).collect(),
        };
        Table {
            title: "RS256 token",
            contenders: vec!["bare handler", "latchkey"],
            connections: vec![16, 256],
            rounds: rounds.iter().map(round).collect(),
        }
    }

    #[test]
    fn ratios_are_computed_per_round() {
        let fast = [(1000.0, 1.0), (900.0, 2.0), (1.0, 10.0), (1.0, 30.0)];
        let slow = [(100.0, 4.0), (80.0, 4.0), (1.0, 10.0), (1.0, 10.0)];
        let table = table(&[fast, slow]);
        assert_eq!(format!("{:.2}", table.rate_ratio(1)), "      0.80       0.85       0.90");
        assert_eq!(format!("{:.2}", table.p99_ratio(0, 1)), "      1.00       1.50       2.00");
        assert_eq!(format!("{:.2}", table.p99_ratio(1, 1)), "      1.00       2.00       3.00");
        assert!(table.p99_ratio(2, 1).median().is_nan());
    }
}
