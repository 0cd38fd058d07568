//! The table of `bench --peers`: the figures of each server with each workload, and the platform's lead over
//! each peer. It is Markdown, so that docs/performance.md can contain it unchanged.

use std::fmt::Write as _;

/// The figures of one server with one workload: medians over the rounds.
#[derive(Clone, Copy)]
pub(super) struct Figures {
    pub(super) per_cpu_second: f64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) idle_mib: f64,
    pub(super) loaded_mib: f64,
    /// Only for RS256 tokens, and not for the bare handler.
    pub(super) restart_ms: Option<f64>,
}

pub(super) struct Row {
    pub(super) server: &'static str,
    /// Absent where it does not serve the workload.
    pub(super) figures: Option<Figures>,
}

/// The servers under one workload: the bare handler, the platform, and all others.
pub(in super::super) struct Section {
    pub(super) workload: &'static str,
    pub(super) rows: Vec<Row>,
}

/// A column of the table, and a chart of the plot.
pub(super) struct Column {
    pub(super) title: &'static str,
    pub(super) digits: usize,
    more_is_better: bool,
    pub(super) of: fn(&Figures) -> Option<f64>,
}

pub(super) const RATE: Column =
    column("answers per CPU second", 0, true, |figures| Some(figures.per_cpu_second));
pub(super) const P99: Column = column("p99, ms", 2, false, |figures| Some(figures.p99_ms));
pub(super) const LOADED: Column = column("memory after, MiB", 1, false, |figures| Some(figures.loaded_mib));
pub(super) const RESTART: Column =
    column("restart to first token, ms", 0, false, |figures| figures.restart_ms);

const COLUMNS: [Column; 6] = [
    RATE,
    column("p50, ms", 2, false, |figures| Some(figures.p50_ms)),
    P99,
    column("memory idle, MiB", 1, false, |figures| Some(figures.idle_mib)),
    LOADED,
    RESTART,
];

const fn column(
    title: &'static str,
    digits: usize,
    more_is_better: bool,
    of: fn(&Figures) -> Option<f64>,
) -> Column {
    Column { title, digits, more_is_better, of }
}

impl Column {
    /// How many times the platform's figure is better.
    fn lead(&self, platform: &Figures, peer: &Figures) -> Option<f64> {
        let (ours, theirs) = ((self.of)(platform)?, (self.of)(peer)?);
        Some(if self.more_is_better { ours / theirs } else { theirs / ours })
    }
}

pub(super) fn markdown(sections: &[Section]) -> String {
    let titles = COLUMNS.map(|column| column.title).join(" | ");
    let mut table = format!("| workload | server | {titles} |\n|---|---|{}\n", "---|".repeat(COLUMNS.len()));
    for section in sections {
        let mut workload = format!("{} ", section.workload);
        for Row { server, figures } in &section.rows {
            let cells = figures.map_or_else(
                || format!("not served{}", " |".repeat(COLUMNS.len())),
                |figures| cells(|column| Some(grouped((column.of)(&figures)?, column.digits))),
            );
            _ = writeln!(table, "| {workload}| {server} | {cells}");
            workload.clear();
        }
        let [_, platform, others @ ..] = &section.rows[..] else { continue };
        for other in others {
            if let (Some(platform), Some(figures)) = (platform.figures, other.figures) {
                let lead = |column: &Column| Some(format!("**{:.1}**", column.lead(&platform, &figures)?));
                _ = writeln!(table, "| | lead over {} | {}", other.server, cells(lead));
            }
        }
    }
    table
}

fn cells(cell: impl Fn(&Column) -> Option<String>) -> String {
    let cells = COLUMNS.iter().map(|column| cell(column).unwrap_or_else(|| "–".to_owned()) + " |");
    cells.collect::<Vec<_>>().join(" ")
}

/// A figure with a space between groups of three digits.
pub(super) fn grouped(figure: f64, digits: usize) -> String {
    let text = format!("{figure:.digits$}");
    let (whole, fraction) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut groups = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            groups.push(' ');
        }
        groups.push(digit);
    }
    groups + fraction
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A workload that the second peer does not serve.
    pub(in super::super) fn section() -> Section {
        let row = |server, factor: f64, restart_ms| Row {
            server,
            figures: Some(Figures {
                per_cpu_second: 4_000.0 / factor,
                p50_ms: factor,
                p99_ms: 2.0 * factor,
                idle_mib: 10.0 * factor,
                loaded_mib: 20.0 * factor,
                restart_ms,
            }),
        };
        Section {
            workload: "RS256 token",
            rows: vec![
                row("bare handler", 0.5, None),
                row("latchkey", 1.0, Some(40.0)),
                row("peer", 4.0, Some(500.0)),
                Row { server: "other peer", figures: None },
            ],
        }
    }

    #[test]
    fn the_lead_is_above_one_where_the_platform_is_better() {
        let table = markdown(&[section()]);
        let rows: Vec<&str> = table.lines().skip(2).collect();
        assert_eq!(
            rows,
            [
                "| RS256 token | bare handler | 8 000 | 0.50 | 1.00 | 5.0 | 10.0 | – |",
                "| | latchkey | 4 000 | 1.00 | 2.00 | 10.0 | 20.0 | 40 |",
                "| | peer | 1 000 | 4.00 | 8.00 | 40.0 | 80.0 | 500 |",
                "| | other peer | not served | | | | | |",
                "| | lead over peer | **4.0** | **4.0** | **4.0** | **4.0** | **4.0** | **12.5** |",
            ]
        );
        let columns = |line: &str| line.matches('|').count();
        assert!(table.lines().all(|line| columns(line) == columns(rows[0])), "{table}");
    }

    #[test]
    fn digits_are_grouped_in_threes() {
        for (figure, digits, expected) in
            [(999.4, 0, "999"), (4_368.0, 0, "4 368"), (161_065.2, 0, "161 065"), (1_234.56, 1, "1 234.6")]
        {
            assert_eq!(grouped(figure, digits), expected);
        }
    }
}
