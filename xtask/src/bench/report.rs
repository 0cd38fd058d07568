//! Prints the results of a measurement as lines of minimum, median and maximum.

use super::Contender;
use super::load::Load;
use super::spread::Spread;

/// The results of one round.
pub(super) struct Round {
    pub(super) raw_per_cpu_second: f64,
    /// Tokens per server CPU second and the load's figures, in the order of the contenders; the bare handler is first.
    pub(super) served: Vec<(f64, Load)>,
}

impl Round {
    fn rate(&self, contender: usize) -> f64 {
        self.served.get(contender).map_or(f64::NAN, |(rate, _)| *rate)
    }

    fn load(&self, contender: usize, figure: impl Fn(&Load) -> f64) -> f64 {
        self.served.get(contender).map_or(f64::NAN, |(_, load)| figure(load))
    }
}

pub(super) fn print(algorithm: &str, contenders: &[Contender], rounds: &[Round]) {
    let line = |what: &str, digits: usize, of: &dyn Fn(&Round) -> f64| {
        println!("{what:<44}{:.digits$}", Spread::of(rounds.iter().map(of)));
    };
    println!("\n{algorithm:<44}{:>10} {:>10} {:>10}", "min", "median", "max");
    line("raw signatures per CPU second", 0, &|round| round.raw_per_cpu_second);
    for (index, Contender { name, .. }) in contenders.iter().enumerate() {
        line(&format!("{name}: tokens per CPU second"), 0, &|round| round.rate(index));
        line(&format!("{name}: of raw signatures"), 3, &|round| round.rate(index) / round.raw_per_cpu_second);
        if index > 0 {
            line(&format!("{name}: of the bare handler"), 3, &|round| round.rate(index) / round.rate(0));
        }
        line(&format!("{name}: p50, ms"), 2, &|round| round.load(index, |load| load.p50_ms));
        line(&format!("{name}: p99, ms"), 2, &|round| round.load(index, |load| load.p99_ms));
        let lost = |load: &Load| load.refused + load.broken;
        line(&format!("{name}: not 2xx, or no answer"), 0, &|round| round.load(index, lost));
    }
}

pub(super) fn print_memory(name: &str, idle_kib: u64, loaded_kib: u64, access_lines: usize) {
    println!(
        "{name}: {:.1} MiB idle, {:.1} MiB after, {access_lines} lines in its access log",
        mib(idle_kib),
        mib(loaded_kib)
    );
}

#[expect(clippy::cast_precision_loss, reason = "kibibytes of a process are far below 2^52")]
fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}
