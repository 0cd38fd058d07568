//! The lifetimes of signing keys as a time line. The SVG contains no styles of its own, because the
//! content security policy forbids them. The caller adds a table with the same times.

use super::MomentValue;

#[derive(Clone, Debug)]
pub struct TimeLine {
    /// Unique in the page.
    pub id: String,
    pub title: String,
    /// A sentence that everybody sees. People who cannot see the drawing read it instead.
    pub summary: String,
    /// The names of the three spans of a row.
    pub legend: [&'static str; 3],
    pub now_label: &'static str,
    /// Unix seconds.
    pub now: u64,
    /// Only the first [`Self::MOST`] rows are drawn.
    pub rows: Vec<TimeLineRow>,
}

#[derive(Clone, Debug)]
pub struct TimeLineRow {
    pub label: String,
    /// When the key is published before it signs, when it signs, and when it only verifies. Each
    /// may be missing.
    pub spans: [Option<TimeSpan>; 3],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeSpan {
    /// Unix seconds.
    pub from: u64,
    /// Exclusive, in Unix seconds. `None` if the end is unknown.
    pub to: Option<u64>,
}

/// A rectangle, in the units of the SVG.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stretch {
    pub(crate) class: &'static str,
    pub(crate) x: u64,
    pub(crate) y: u64,
    pub(crate) width: u64,
    pub(crate) height: u64,
}

const WIDTH: u64 = 1_000;
const HEIGHT: u64 = 32;
/// Minimum width, so that a short span is visible.
const LEAST: u64 = 4;
/// Class and height. The heights differ, so that people who cannot see the colours can tell the
/// spans apart.
const SHAPES: [(&str, u64); 3] = [("published", 6), ("signs", 20), ("retiring", 12)];

impl TimeLine {
    /// The maximum number of rows that are drawn.
    pub const MOST: usize = 30;

    pub(crate) fn drawn(&self) -> &[TimeLineRow] {
        self.rows.get(..Self::MOST).unwrap_or(&self.rows)
    }

    /// The size of the drawing of one row.
    pub(crate) fn view_box() -> String {
        format!("0 0 {WIDTH} {HEIGHT}")
    }

    pub(crate) fn stretches(&self, row: &TimeLineRow) -> Vec<Stretch> {
        let stretch = |(span, (class, height)): (&Option<TimeSpan>, (&'static str, u64))| {
            let span = span.as_ref()?;
            let x = self.x(span.from).min(WIDTH - LEAST);
            let width = span.to.map_or(WIDTH, |to| self.x(to)).saturating_sub(x).max(LEAST);
            Some(Stretch { class, x, y: (HEIGHT - height) / 2, width, height })
        };
        row.spans.iter().zip(SHAPES).filter_map(stretch).collect()
    }

    pub(crate) fn mark(&self) -> String {
        format!("M{} 0V{HEIGHT}", self.x(self.now))
    }

    /// The times at the left end, at the mark, and at the right end.
    pub(crate) fn moments(&self) -> [MomentValue; 3] {
        let [first, last] = self.ends();
        [first, self.now, last].map(MomentValue::at)
    }

    /// Unix seconds of the left and the right end of the drawing. The present is between them. A
    /// span without an end continues after the present for at least a tenth of the time before the
    /// present.
    fn ends(&self) -> [u64; 2] {
        let spans = || self.drawn().iter().flat_map(|row| row.spans).flatten();
        let first = spans().map(|span| span.from).fold(self.now, u64::min);
        let after = self.now.saturating_add((self.now - first) / 10);
        let last = spans().map(|span| span.to.unwrap_or(after).max(span.from)).fold(self.now, u64::max);
        [first, last]
    }

    fn x(&self, at: u64) -> u64 {
        let [first, last] = self.ends();
        let passed = u128::from(at.clamp(first, last) - first) * u128::from(WIDTH);
        u64::try_from(passed / u128::from((last - first).max(1))).unwrap_or(WIDTH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(now: u64, rows: Vec<TimeLineRow>) -> TimeLine {
        let (id, title, summary) = <(String, String, String)>::default();
        TimeLine { id, title, summary, legend: [""; 3], now_label: "", now, rows }
    }

    fn row(spans: &[(u64, u64)]) -> TimeLineRow {
        let span = |(from, to): &(u64, u64)| TimeSpan { from: *from, to: (*to > 0).then_some(*to) };
        let spans = [0, 1, 2].map(|at| spans.get(at).map(span));
        TimeLineRow { label: String::new(), spans }
    }

    /// An end of 0 in `spans` is open. `expected` are positions and widths.
    #[track_caller]
    fn check(now: u64, spans: &[(u64, u64)], expected: &[(u64, u64)], mark: u64) {
        let line = line(now, vec![row(spans)]);
        let found = line.stretches(&line.rows[0]).iter().map(|span| (span.x, span.width)).collect::<Vec<_>>();
        assert_eq!((found.as_slice(), line.x(now)), (expected, mark), "{spans:?} at {now}");
    }

    #[test]
    fn scale_covers_all_spans_and_the_present() {
        check(0, &[], &[], 0);
        check(500, &[(500, 0)], &[(0, 1_000)], 0);
        check(1_100, &[(100, 0)], &[(0, 1_000)], 909);
        check(2_000, &[(1_000, 2_000), (2_000, 4_000)], &[(0, 333), (333, 667)], 333);
        check(2_000, &[(1_000, 2_000), (2_000, 3_500), (3_500, 0)], &[(0, 400), (400, 600), (996, 4)], 400);
        check(1_500, &[(1_000, 1_001), (1_001, 2_000)], &[(0, 4), (1, 999)], 500);
        check(1_500, &[(1_000, 2_000), (2_000, 2_000)], &[(0, 1_000), (996, 4)], 500);
        check(4_000, &[(1_000, 2_000), (2_000, 3_000)], &[(0, 333), (333, 333)], 1_000);
        check(1_000, &[(2_000, 3_000)], &[(500, 500)], 0);
        check(1_000, &[(3_000, 2_000)], &[(996, 4)], 0);
        check(5, &[(0, u64::MAX)], &[(0, 1_000)], 0);
        check(u64::MAX, &[(0, 0)], &[(0, 1_000)], 1_000);
    }

    #[test]
    fn spans_differ_in_height_and_rows_are_limited() {
        let mut rows = vec![row(&[(10, 20), (20, 30), (30, 40)]); TimeLine::MOST];
        rows.push(row(&[(0, 9_000)]));
        let line = line(25, rows);
        assert_eq!((line.drawn().len(), line.ends()), (TimeLine::MOST, [10, 40]));
        let shapes = line.stretches(&line.rows[0]);
        let shapes = shapes.iter().map(|span| (span.class, span.y, span.height)).collect::<Vec<_>>();
        assert_eq!(shapes, [("published", 13, 6), ("signs", 6, 20), ("retiring", 10, 12)]);
        assert_eq!(line.mark(), "M500 0V32");
    }
}
