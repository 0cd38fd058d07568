//! Checks that the time of a refusal does not reveal which client ids exist. Each id gets two requests with a
//! wrong secret of the generated shape. A threshold for the second answer is fitted on some ids and tested on
//! the others.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::thread;
use std::time::{Duration, Instant};

use super::calls::{Caller, percentile};
use super::order::mixed;
use super::program::Program;
use super::tenants::{Client, SECRET};
use super::test_env::TestEnv;
use crate::workspace::Failure;

/// Half of them exist.
const IDS: usize = 5_000;
const FITTED: usize = 1_000;
/// Longer than a negative entry stays fresh and shorter than a positive one: at the second request only
/// clients that exist are cached.
const BETWEEN: Duration = Duration::from_millis(1_500);
/// Number of ids between the first and the second request for one id.
const BATCH: usize = 250;
/// Percentage of right answers that passes; guessing has 50, with a standard deviation of 0.8.
const MOST: f64 = 53.0;
/// Has the shape of a generated secret; no client has it.
const WRONG: &str = "lk_enumerationenumerationenumerationenumeratio2GC49q";

struct Sample {
    exists: bool,
    took: Duration,
}

/// Predicts that ids with slower (or faster) answers exist.
struct Threshold {
    at: Duration,
    exists_above: bool,
}

pub(super) fn measure(test_env: &TestEnv<'_>) -> Result<(), Failure> {
    let stores = format!(
        "storage: {{ url: 'sqlite://{}' }}\nlimits: {{ failed_attempts: 1000000/min }}\n",
        test_env.file("enumeration.db").display()
    );
    let mut program = Program::start(test_env, &stores, &declared())?;
    program.await_token(&Client { tenant: "enumerated".to_owned(), id: id(0) })?;
    let mut caller = Caller::new(program.address);
    let mut samples = Vec::with_capacity(IDS);
    for batch in mixed(IDS).chunks(BATCH) {
        let mut requested = VecDeque::new();
        for number in batch {
            refused(&mut caller, *number)?;
            requested.push_back((Instant::now() + BETWEEN, *number));
        }
        for (due, number) in requested {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            samples.push(Sample { exists: exists(number), took: refused(&mut caller, number)? });
        }
    }
    let (fitted, judged) = samples.split_at(FITTED);
    let threshold = Threshold::fitted(fitted);
    let accuracy = threshold.accuracy(judged);
    println!("\nenumeration: ids requested twice, the second answer, ms");
    for (name, exist) in [("existing", true), ("unknown", false)] {
        let times = || samples.iter().filter(|sample| sample.exists == exist).map(|sample| sample.took);
        println!(
            "{name:<10} p1 {:>7.3}  p50 {:>7.3}  p99 {:>7.3}",
            percentile(times(), 1),
            percentile(times(), 50),
            percentile(times(), 99)
        );
    }
    println!(
        "fitted on {FITTED} ids ({:.1} % right), judged on {} others: {accuracy:.1} % right (at most {MOST} %)",
        threshold.accuracy(fitted),
        judged.len()
    );
    if accuracy > MOST {
        Err(Failure::new("the time of a refusal tells which client ids exist".to_owned()))
    } else {
        Ok(())
    }
}

/// Every other number exists, so that existing and missing ids have texts of equal length and form.
fn exists(number: usize) -> bool {
    number.is_multiple_of(2)
}

fn id(number: usize) -> String {
    format!("client-{:05}", 10_000 + number)
}

fn declared() -> String {
    let mut text =
        "tenants:\n  enumerated:\n    strategies: { oauth2: { enabled: true } }\n    clients:\n".to_owned();
    for number in (0..IDS).filter(|number| exists(*number)) {
        let written = writeln!(text, "      {}: {{ client_secret: {{ value: {SECRET} }} }}", id(number));
        written.expect("a text takes any length");
    }
    text
}

fn refused(caller: &mut Caller, number: usize) -> Result<Duration, Failure> {
    let form = format!("grant_type=client_credentials&client_id={}&client_secret={WRONG}", id(number));
    let (answer, said) = caller.post_form("/api/v1/tenant/enumerated/oauth/token", &form);
    if answer.status == 401 {
        return Ok(answer.took);
    }
    Err(Failure::new(format!("{}: {} {said}", id(number), answer.status)))
}

impl Threshold {
    /// The threshold with the highest accuracy.
    fn fitted(samples: &[Sample]) -> Self {
        let candidates = samples
            .iter()
            .flat_map(|sample| [true, false].map(|exists_above| Self { at: sample.took, exists_above }));
        let best =
            candidates.max_by(|left, right| left.accuracy(samples).total_cmp(&right.accuracy(samples)));
        best.unwrap_or(Self { at: Duration::ZERO, exists_above: true })
    }

    /// Percentage of right predictions.
    fn accuracy(&self, samples: &[Sample]) -> f64 {
        let is_right = |sample: &&Sample| ((sample.took > self.at) == self.exists_above) == sample.exists;
        100.0 * samples.iter().filter(is_right).count() as f64 / samples.len().max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threshold_is_found_in_both_directions() {
        let samples = |took: fn(usize) -> u64| -> Vec<Sample> {
            let sample =
                |number| Sample { exists: exists(number), took: Duration::from_micros(took(number)) };
            (0..200).map(sample).collect()
        };
        for took in [|number| 100 + 50 * (number % 2) as u64, |number| 100 - 50 * (number % 2) as u64] {
            let samples = samples(took);
            assert_eq!(Threshold::fitted(&samples).accuracy(&samples), 100.0);
        }
        let noise = samples(|number| (number / 2) as u64);
        assert!(Threshold::fitted(&noise).accuracy(&noise) <= 51.0);
    }
}
