//! Lifetimes of signing keys: one announced key, one that signs, and earlier keys.

use crate::{KeysTexts, MomentValue, TimeLine, TimeLineRow, TimeSpan, Value};

/// 2026-11-22T02:40:00Z.
const NOW: u64 = 1_795_315_200;
const DAY: u64 = 86_400;

/// Has no place for a line break.
pub(super) const LONG: &str = "a-key-of-another-server-with-an-id-that-has-no-place-where-it-could-break";

fn row(label: &str, spans: [Option<(u64, Option<u64>)>; 3]) -> TimeLineRow {
    let spans = spans.map(|span| span.map(|(from, to)| TimeSpan { from, to }));
    TimeLineRow { label: label.to_owned(), spans }
}

/// A key that was published for a day, then signed for `days` days until `before` days ago, then
/// verified for two more days.
fn past(label: &str, days: u64, before: u64) -> TimeLineRow {
    let (signs, retires) = (NOW - (before + days) * DAY, NOW - before * DAY);
    let spans = [(signs - DAY, signs), (signs, retires), (retires, retires + 2 * DAY)];
    row(label, spans.map(|(from, to)| Some((from, Some(to)))))
}

/// The second key was removed immediately.
pub(super) fn lives(id: &str, first: &str, texts: &KeysTexts) -> TimeLine {
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
        title: texts.line.to_owned(),
        summary: texts.line_text.to_owned(),
        legend: [texts.published, texts.signing, texts.verifying],
        now_label: texts.now,
        now: NOW,
        rows,
    }
}

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
