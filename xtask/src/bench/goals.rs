//! The goals, and the summary of a run: goal, figure, met or not. The median over the rounds decides.

use std::fmt;

use super::spread::Spread;
use super::table::{PLATFORM, Table};
use super::workload::Workload;

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
    pub(super) value: Spread,
}

/// The figures of a workload: its rate and its times, both in relation to the bare handler's. The times have
/// no goal if the bare handler only copies its answer.
pub(super) fn of_workload(workload: Workload, table: &Table) -> Vec<Figure> {
    let figure = |what: &str, bound, value| Figure {
        subject: format!("{}: {what}, of the bare handler", workload.title()),
        bound,
        value,
    };
    let goal = workload.goal().map(Bound::AtLeast);
    let rate = figure("per CPU second", goal, table.rate_ratio(PLATFORM));
    let longest = (!workload.is_static()).then_some(Bound::AtMost(1.15));
    let p99 = table.connections.iter().enumerate().map(|(index, connections)| {
        figure(&format!("p99 at {connections}"), longest, table.p99_ratio(index, PLATFORM))
    });
    std::iter::once(rate).chain(p99).collect()
}

/// The rates of tokens without a signature in relation to the rate of EdDSA tokens, if the run has both.
pub(super) fn over_eddsa(tables: &[(Workload, Table)]) -> Vec<Figure> {
    let of_eddsa = tables.iter().find(|(workload, _)| *workload == Workload::EdDsa);
    let figure = |(workload, table): &(Workload, Table)| {
        let bound = Bound::AtLeast(workload.goal_over_eddsa()?);
        let subject = format!("{}: per CPU second, of EdDSA tokens", workload.title());
        Some(Figure { subject, bound: Some(bound), value: table.rate_over(&of_eddsa?.1) })
    };
    tables.iter().filter_map(figure).collect()
}

pub(super) fn print(figures: &[Figure]) {
    println!("\n{:<66}{:>8} {:>10} {:>10} {:>10}   met", "summary", "goal", "min", "median", "max");
    for figure in figures {
        println!("{figure}");
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let median = self.value.median();
        let (bound, is_met) = match self.bound {
            Some(Bound::AtLeast(least)) => (format!(">= {least}"), Some(median >= least)),
            Some(Bound::AtMost(most)) => (format!("<= {most}"), Some(median <= most)),
            None => (String::new(), None),
        };
        let met = is_met.map_or("", |is_met| if is_met { "yes" } else { "NO" });
        let digits = if median < 10.0 { 3 } else { 1 };
        write!(formatter, "{:<66}{bound:>8} {:.digits$}   {met}", self.subject, self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::tests::table;
    use super::*;

    #[test]
    fn median_decides_whether_a_goal_is_met() {
        let (least, most) = (Some(Bound::AtLeast(0.98)), Some(Bound::AtMost(20.0)));
        for (bound, figures, expected) in [
            (least, &[0.97, 0.98, 1.5][..], "x >= 0.98 0.970 0.980 1.500 yes"),
            (least, &[0.97, 0.979, 1.5], "x >= 0.98 0.970 0.979 1.500 NO"),
            (most, &[20.01], "x <= 20 20.0 20.0 20.0 NO"),
            (None, &[1.0], "x 1.000 1.000 1.000"),
            (None, &[4.0, 1.0, 2.0, 3.0], "x 1.000 2.500 4.000"),
            // A missing figure meets no goal.
            (most, &[f64::NAN], "x <= 20 NaN NaN NaN NO"),
        ] {
            let value = Spread::from_figures(figures.iter().copied());
            let line = Figure { subject: "x".to_owned(), bound, value }.to_string();
            assert_eq!(line.split_whitespace().collect::<Vec<_>>().join(" "), expected);
        }
    }

    #[test]
    fn rates_are_compared_with_eddsa_of_the_same_run() {
        let of = |rate: f64| table(&[[(10.0, 1.0), (rate, 1.0), (9.0, 4.0), (9.0, 5.0)]]);
        let tables = [(Workload::Reuse, of(6.0)), (Workload::EdDsa, of(4.0)), (Workload::Opaque, of(5.0))];
        let lines: Vec<_> = over_eddsa(&tables).iter().map(ToString::to_string).collect();
        let [reuse, opaque] = &lines[..] else { panic!("{lines:?}") };
        assert!(reuse.contains(">= 1.4      1.500") && reuse.ends_with("yes"), "{reuse}");
        assert!(opaque.contains(">= 1.3      1.250") && opaque.ends_with("NO"), "{opaque}");
        assert!(over_eddsa(&tables[..1]).is_empty());
    }

    #[test]
    fn workload_has_figures_for_rate_and_latencies() {
        let figures =
            of_workload(Workload::Rs256, &table(&[[(10.0, 1.0), (9.9, 1.1), (9.0, 4.0), (9.0, 5.0)]]));
        let lines: Vec<String> = figures.iter().map(ToString::to_string).collect();
        let [rate, low, high] = &lines[..] else { panic!("{lines:?}") };
        assert!(rate.contains(">= 0.98") && rate.ends_with("yes"), "{rate}");
        assert!(low.contains("p99 at 16") && low.contains("<= 1.15") && low.ends_with("yes"), "{low}");
        assert!(high.contains("p99 at 256") && high.ends_with("NO"), "{high}");
    }
}
