//! Lives of signing keys: an announced one, a signing one, and earlier ones.

use crate::{MomentValue, TimeLine, TimeLineRow, TimeSpan, Value};

/// 2026-11-22T02:40:00Z.
const NOW: u64 = 1_795_315_200;
const DAY: u64 = 86_400;

/// A label that has no place for a line break.
pub(super) const LONG: &str = "a-key-of-another-server-with-an-id-that-has-no-place-where-it-could-break";

fn row(label: &str, spans: [Option<(u64, Option<u64>)>; 3]) -> TimeLineRow {
    let spans = spans.map(|span| span.map(|(from, to)| TimeSpan { from, to }));
    TimeLineRow { label: label.to_owned(), spans }
}

/// A key that was published a day before it signed, and retired for two days. It signed for `days` days, and
/// stopped `before` days before now.
fn past(label: &str, days: u64, before: u64) -> TimeLineRow {
    let (signs, retires) = (NOW - (before + days) * DAY, NOW - before * DAY);
    let spans = [(signs - DAY, signs), (signs, retires), (retires, retires + 2 * DAY)];
    row(label, spans.map(|(from, to)| Some((from, Some(to)))))
}

/// The second key was taken away at once.
pub(super) fn lives(id: &str, first: &str) -> TimeLine {
    let (signs, next) = (NOW - 30 * DAY, NOW + 3 * DAY);
    let short = [Some((signs - 60, Some(signs))), None, None];
    let now =
        [Some((signs - DAY, Some(signs))), Some((signs, Some(next))), Some((next, Some(next + 2 * DAY)))];
    let rows = vec![
        past(first, 30, 61),
        row("oauth2-key-2", short),
        past("oauth2-key-3", 30, 30),
        row("oauth2-key-4", now),
        row("oauth2-key-5", [Some((NOW - DAY, Some(next))), Some((next, None)), None]),
    ];
    TimeLine {
        id: id.to_owned(),
        title: "Lives of the keys".to_owned(),
        summary: "oauth2-key-4 signs. oauth2-key-5 is published and signs next.".to_owned(),
        legend: ["Published", "Signs", "Verifies only"],
        now_label: "Now",
        now: NOW,
        rows,
    }
}

/// The instants as the rows of a table.
pub(super) fn rows(line: &TimeLine) -> Vec<Vec<Value>> {
    let time = |at: Option<u64>| {
        at.map_or_else(|| Value::Text("-".to_owned()), |seconds| Value::Time(MomentValue::at(seconds)))
    };
    let row = |row: &TimeLineRow| {
        let begins = row.spans.map(|span| time(span.map(|span| span.from)));
        let end = row.spans.into_iter().flatten().last().and_then(|span| span.to);
        [Value::Code(row.label.clone())].into_iter().chain(begins).chain([time(end)]).collect()
    };
    line.rows.iter().map(row).collect()
}
