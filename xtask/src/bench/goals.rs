//! The goals, and the summary of a run: goal, figure, met or not. The median over the rounds decides.

use std::fmt;

use super::spread::Spread;
use super::table::Table;
use super::workload::{Times, Workload};

/// The place of the platform's measured build among the contenders, and that of `cargo build --release`. The
/// bare handler comes first, and another build would come after them. The release build takes part if a
/// workload has a goal for it.
pub(super) const PLATFORM: usize = 1;
const RELEASE: usize = 2;
pub(super) const RELEASE_NAME: &str = "release build";
pub(super) const PLATFORM_NAME: &str = "latchkey";
const P99: Bound = Bound::AtMost(1.15);

#[derive(Clone, Copy)]
pub(super) enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

/// A line of the summary.
pub(super) struct Figure {
    pub(super) subject: String,
    /// None for a figure that is shown without a goal.
    pub(super) bound: Option<Bound>,
    /// The figure, or why it is not measured.
    pub(super) value: Result<Spread, &'static str>,
}

/// The figures of a workload: its rate and its times, both in relation to the bare handler's.
pub(super) fn of_workload(workload: Workload, table: &Table) -> Vec<Figure> {
    let title = workload.title();
    let rate = Figure {
        subject: format!("{title}: per CPU second, of the bare handler"),
        bound: rate(workload),
        value: Ok(table.rate_ratio(PLATFORM)),
    };
    let bound = (workload.times() == Times::Compared).then_some(P99);
    let p99 = table.connections.iter().enumerate().map(|(index, connections)| Figure {
        subject: format!("{title}: p99 at {connections}, of the bare handler"),
        bound,
        value: Ok(table.p99_ratio(index, PLATFORM)),
    });
    let is_warm = workload.times() == Times::Compared;
    let release = is_warm.then(|| Figure {
        subject: format!("{title}: per CPU second, release build of dist"),
        bound: Some(Bound::AtLeast(0.90)),
        value: Ok(table.rate_ratio_to(RELEASE, PLATFORM)),
    });
    let base = workload.base().map(|(name, _)| Figure {
        subject: format!("{title}: per CPU second, of {name}"),
        bound: (workload == Workload::ApiKey).then_some(Bound::AtLeast(0.90)),
        // It is the last contender.
        value: Ok(table.rate_ratio_to(PLATFORM, table.contenders.len().saturating_sub(1))),
    });
    std::iter::once(rate).chain(release).chain(base).chain(p99).collect()
}

fn rate(workload: Workload) -> Option<Bound> {
    let least = match workload {
        Workload::Rs256 => 0.98,
        Workload::Es256 | Workload::Jwks | Workload::NotModified => 0.90,
        Workload::EdDsa => 0.88,
        Workload::Introspection => 0.85,
        Workload::Assertion | Workload::Federated => 0.70,
        Workload::Dpop | Workload::Redemption => 0.80,
        Workload::SignIn => 0.90,
        Workload::Userinfo | Workload::Refresh => 0.75,
        Workload::Rotation => 0.25,
        Workload::ApiKey | Workload::ApiKeyIntrospection | Workload::Tls | Workload::TlsResumption => {
            return None;
        }
    };
    Some(Bound::AtLeast(least))
}

impl Figure {
    /// A figure of a program, once for each goal. Only the platform has goals.
    pub(super) fn of_program(name: &str, what: &str, goals: &[Bound], spread: &Spread) -> Vec<Self> {
        let goals = if name == PLATFORM_NAME { goals } else { &[] };
        let line = |bound| Self { subject: format!("{name}: {what}"), bound, value: Ok(spread.clone()) };
        if goals.is_empty() {
            vec![line(None)]
        } else {
            goals.iter().copied().map(|goal| line(Some(goal))).collect()
        }
    }
}

pub(super) fn print(figures: &[Figure]) {
    println!("\n{:<66}{:>8} {:>10} {:>10} {:>10}   met", "summary", "goal", "min", "median", "max");
    for figure in figures {
        println!("{figure}");
    }
}

impl Bound {
    fn is_met(self, figure: f64) -> bool {
        match self {
            Self::AtLeast(least) => figure >= least,
            Self::AtMost(most) => figure <= most,
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(least) => write!(formatter, ">= {least}"),
            Self::AtMost(most) => write!(formatter, "<= {most}"),
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bound = self.bound.map_or_else(String::new, |bound| bound.to_string());
        write!(formatter, "{:<66}{bound:>8} ", self.subject)?;
        let spread = match &self.value {
            Ok(spread) => spread,
            Err(reason) => return write!(formatter, "not measured: {reason}"),
        };
        let met = self.bound.map_or("", |bound| if bound.is_met(spread.median()) { "yes" } else { "NO" });
        let digits = if spread.median() < 10.0 { 3 } else { 1 };
        write!(formatter, "{spread:.digits$}   {met}")
    }
}

#[cfg(test)]
mod tests {
    use super::super::load::Load;
    use super::super::table::Sample;
    use super::super::table::tests::table;
    use super::*;

    fn check(bound: Option<Bound>, value: Result<&[f64], &'static str>, expected: &str) {
        let value = value.map(|figures| Spread::from_figures(figures.iter().copied()));
        let line = Figure { subject: "x".to_owned(), bound, value }.to_string();
        assert_eq!(line.split_whitespace().collect::<Vec<_>>().join(" "), expected);
    }

    #[test]
    fn the_median_decides() {
        let (least, most) = (Some(Bound::AtLeast(0.98)), Some(Bound::AtMost(20.0)));
        check(least, Ok(&[0.97, 0.98, 1.5]), "x >= 0.98 0.970 0.980 1.500 yes");
        check(least, Ok(&[0.97, 0.979, 1.5]), "x >= 0.98 0.970 0.979 1.500 NO");
        check(most, Ok(&[20.0]), "x <= 20 20.0 20.0 20.0 yes");
        check(most, Ok(&[20.01]), "x <= 20 20.0 20.0 20.0 NO");
        check(None, Ok(&[1.0]), "x 1.000 1.000 1.000");
        check(least, Err("two cores"), "x >= 0.98 not measured: two cores");
        // A missing figure meets no goal.
        check(most, Ok(&[f64::NAN]), "x <= 20 NaN NaN NaN NO");
    }

    #[test]
    fn only_the_platform_has_goals() {
        let lines = |name| {
            let spread = Spread::from_figures([15.0].into_iter());
            let figures =
                Figure::of_program(name, "MiB", &[Bound::AtMost(20.0), Bound::AtMost(12.0)], &spread);
            figures.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let [goal, stretch] = &lines(PLATFORM_NAME)[..] else { panic!("two goals") };
        assert!(goal.ends_with("yes") && stretch.ends_with("NO"), "{goal} {stretch}");
        assert_eq!(lines("bare handler").len(), 1);
        assert!(!lines("bare handler")[0].contains('<'));
    }

    #[test]
    fn a_workload_has_a_figure_for_its_rate_and_for_each_number_of_connections() {
        let figures =
            of_workload(Workload::Rs256, &table(&[[(10.0, 1.0), (9.9, 1.1), (9.0, 4.0), (9.0, 5.0)]]));
        let lines: Vec<String> = figures.iter().map(ToString::to_string).collect();
        let [rate, release, low, high] = &lines[..] else { panic!("{lines:?}") };
        assert!(rate.contains(">= 0.98") && rate.ends_with("yes"), "{rate}");
        // It was not measured.
        assert!(release.contains("release build") && release.ends_with("NO"), "{release}");
        assert!(low.contains("p99 at 16") && low.contains("<= 1.15") && low.ends_with("yes"), "{low}");
        assert!(high.contains("p99 at 256") && high.ends_with("NO"), "{high}");
    }

    #[test]
    fn an_api_key_is_compared_with_a_secret_in_the_same_rounds() {
        let mut table = table(&[[(10.0, 1.0), (9.0, 1.1), (9.0, 4.0), (9.0, 5.0)]]);
        table.contenders.push("latchkey, for a secret");
        let last = Sample { per_cpu_second: 12.0, load: Load::default() };
        table.rounds[0].samples[0].push(last);
        let figures = of_workload(Workload::ApiKey, &table);
        let lines: Vec<String> = figures.iter().map(ToString::to_string).collect();
        assert!(lines[0].contains("of the bare handler") && lines[0].contains("0.900"), "{lines:?}");
        assert!(lines[1].contains("for a secret") && lines[1].contains(">= 0.9"), "{lines:?}");
        assert!(lines[1].contains("0.750") && lines[1].ends_with("NO"), "{lines:?}");
    }
}
