//! The lives of signing keys on a time line. It is SVG without its own styles, and callers put a table of the
//! same instants below it.

use super::MomentValue;

/// Lives of keys.
#[derive(Clone, Debug)]
pub struct TimeLine {
    /// A unique identifier in the page.
    pub id: String,
    /// The title.
    pub title: String,
    /// The summary in a sentence that all people read. It replaces the drawing for people who do not see it.
    pub summary: String,
    /// The names of a row's spans, in their order.
    pub legend: [&'static str; 3],
    /// The label of the line that marks the present.
    pub now_label: &'static str,
    /// The present, in Unix seconds.
    pub now: u64,
    /// The keys in their order. The first [`Self::MOST`] are drawn.
    pub rows: Vec<TimeLineRow>,
}

/// The life of a key.
#[derive(Clone, Debug)]
pub struct TimeLineRow {
    /// Its identifier.
    pub label: String,
    /// The times when it is published and does not sign yet, when it signs, and when it only verifies. A life
    /// may lack any of them.
    pub spans: [Option<TimeSpan>; 3],
}

/// A part of a life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeSpan {
    /// Its begin, in Unix seconds.
    pub from: u64,
    /// The first second after it. None if its end is unknown.
    pub to: Option<u64>,
}

/// A span in the units of the drawing.
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
/// A span of a moment is that wide, so that it is seen.
const LEAST: u64 = 4;
/// The class and the height of each span. Their heights distinguish them if colours do not.
const SHAPES: [(&str, u64); 3] = [("published", 6), ("signs", 20), ("retiring", 12)];

impl TimeLine {
    /// The most rows that are drawn.
    pub const MOST: usize = 30;

    pub(crate) fn drawn(&self) -> &[TimeLineRow] {
        self.rows.get(..Self::MOST).unwrap_or(&self.rows)
    }

    /// The size of the drawing of a row as SVG has it.
    pub(crate) fn view_box() -> String {
        format!("0 0 {WIDTH} {HEIGHT}")
    }

    /// The spans of a row.
    pub(crate) fn stretches(&self, row: &TimeLineRow) -> Vec<Stretch> {
        let stretch = |(span, (class, height)): (&Option<TimeSpan>, (&'static str, u64))| {
            let span = span.as_ref()?;
            let x = self.x(span.from).min(WIDTH - LEAST);
            let width = span.to.map_or(WIDTH, |to| self.x(to)).saturating_sub(x).max(LEAST);
            Some(Stretch { class, x, y: (HEIGHT - height) / 2, width, height })
        };
        row.spans.iter().zip(SHAPES).filter_map(stretch).collect()
    }

    /// The line that marks the present, as SVG has it.
    pub(crate) fn mark(&self) -> String {
        format!("M{} 0V{HEIGHT}", self.x(self.now))
    }

    /// The instants at the left side, of the mark, and at the right side.
    pub(crate) fn moments(&self) -> [MomentValue; 3] {
        let [first, last] = self.ends();
        [first, self.now, last].map(MomentValue::at)
    }

    /// The earliest begin and the latest end. The present is between them, and a span without end continues
    /// for at least a tenth of the earlier time.
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

    /// Checks the spans of one row, of which 0 is an open end: where each is drawn, and where the present is.
    #[track_caller]
    fn check(now: u64, spans: &[(u64, u64)], expected: &[(u64, u64)], mark: u64) {
        let line = line(now, vec![row(spans)]);
        let found = line.stretches(&line.rows[0]).iter().map(|span| (span.x, span.width)).collect::<Vec<_>>();
        assert_eq!((found.as_slice(), line.x(now)), (expected, mark), "{spans:?} at {now}");
    }

    #[test]
    fn the_scale_has_all_spans_and_the_present_and_a_short_span_is_seen() {
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
    fn a_life_has_a_height_for_each_part_and_only_so_many_are_drawn() {
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
