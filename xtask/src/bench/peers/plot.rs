//! The plot of `bench --peers`: a chart of horizontal bars for each important figure, as an SVG file with
//! text labels. Its own background makes it readable on light and dark pages.

use std::fmt::Write as _;

use super::comparison::{Column, LOADED, P99, RATE, RESTART, Row, Section, grouped};

const CHARTS_ABREAST: usize = 2;
const CHART_WIDTH: f64 = 480.0;
const MARGIN: f64 = 16.0;
const TITLE_HEIGHT: f64 = 24.0;
const BAR_HEIGHT: f64 = 16.0;
const BAR_STEP: f64 = 22.0;
/// The distance from the top of a bar to the base line of its texts.
const BASE_LINE: f64 = 13.0;
/// The left end of the bars; the servers' names are to the left.
const BARS_FROM: f64 = 180.0;
/// The longest bar; its figure is to the right.
const BAR_WIDTH: f64 = 210.0;

/// Plain rules without CSS variables, which some renderers do not know.
const STYLE: &str = "\
.page { fill: #ffffff } text { fill: #1f2328; font: 13px system-ui, sans-serif }
.title { font-weight: bold } .server { text-anchor: end }
.bare { fill: #8c959f } .platform { fill: #0969da } .peer { fill: #bc4c00 }
@media (prefers-color-scheme: dark) {
  .page { fill: #0d1117 } text { fill: #e6edf3 }
  .bare { fill: #6e7681 } .platform { fill: #4493f8 } .peer { fill: #db6d28 }
}";

/// The rate of each workload, then the figures of the first one that differ little between workloads.
pub(super) fn svg(sections: &[Section]) -> String {
    let rates = sections.iter().map(|section| (section, RATE));
    let others =
        sections.iter().take(1).flat_map(|section| [P99, LOADED, RESTART].map(|column| (section, column)));
    let charts: Vec<_> = rates.chain(others).collect();
    let (mut drawing, mut top, mut right) = (String::new(), MARGIN, 0.0);
    for line in charts.chunks(CHARTS_ABREAST) {
        let (mut left, mut bottom) = (MARGIN, top);
        for (section, column) in line {
            bottom = draw(&mut drawing, section, column, left, top).max(bottom);
            left += CHART_WIDTH;
        }
        (top, right) = (bottom + MARGIN, left.max(right));
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{right}\" height=\"{top}\" viewBox=\"0 0 {right} {top}\" \
         role=\"img\" aria-label=\"The platform beside other token servers\">\n<style>\n{STYLE}\n</style>\n\
         <rect class=\"page\" width=\"{right}\" height=\"{top}\"/>\n{drawing}</svg>\n"
    )
}

/// Draws one chart and returns its lower edge.
fn draw(drawing: &mut String, section: &Section, column: &Column, left: f64, top: f64) -> f64 {
    let figure = |row: &Row| row.figures.as_ref().map_or(Some(0.0), column.of);
    let longest = section.rows.iter().filter_map(figure).fold(f64::MIN_POSITIVE, f64::max);
    let base = top + BASE_LINE;
    _ = writeln!(
        drawing,
        "<text class=\"title\" x=\"{left}\" y=\"{base}\">{}: {}</text>",
        section.workload, column.title
    );
    let mut top = top + TITLE_HEIGHT;
    let bars = left + BARS_FROM;
    for (index, row) in section.rows.iter().enumerate() {
        let Some(figure) = figure(row) else { continue };
        let class = ["bare", "platform"].get(index).copied().unwrap_or("peer");
        let (names_end, width, base) = (bars - 8.0, figure / longest * BAR_WIDTH, top + BASE_LINE);
        let label = if row.figures.is_some() { &grouped(figure, column.digits) } else { "not served" };
        _ = writeln!(
            drawing,
            "<text class=\"server\" x=\"{names_end}\" y=\"{base}\">{}</text>\
             <rect class=\"{class}\" x=\"{bars}\" y=\"{top}\" width=\"{width:.1}\" height=\"{BAR_HEIGHT}\"/>\
             <text x=\"{:.1}\" y=\"{base}\">{label}</text>",
            row.server,
            bars + width + 6.0
        );
        top += BAR_STEP;
    }
    top
}

#[cfg(test)]
mod tests {
    use super::super::comparison::tests::section;
    use super::*;

    #[test]
    fn bars_are_as_long_as_their_figures() {
        let plot = svg(&[section()]);
        let bars = |class: &str| {
            let begin = format!("<rect class=\"{class}\" x=");
            let bars =
                plot.lines().filter_map(|line| Some(line.split_once(&begin)?.1.split_once("width=\"")?.1));
            bars.filter_map(|bar| bar.split_once('"')?.0.parse().ok()).collect::<Vec<f64>>()
        };
        // The charts are rate, p99, memory, restart. The bare handler has no restart, and the other peer
        // serves nothing.
        assert_eq!(bars("bare"), [210.0, 26.2, 26.2]);
        assert_eq!(bars("platform"), [105.0, 52.5, 52.5, 16.8]);
        assert_eq!(bars("peer"), [26.2, 0.0, 210.0, 0.0, 210.0, 0.0, 210.0, 0.0]);
        for label in [">4 000</text>", ">latchkey</text>", ">not served</text>"] {
            assert!(plot.contains(label), "{plot}");
        }
    }
}
