//! A plan as text for people: its lines, shortened if there are many, and a summary.

use administration::declaration::plan::Plan;
use anstyle::{AnsiColor, Style};
use values::printable_lines;

/// A plan with more lines is shortened.
const MOST: usize = 200;
/// How many lines of a shortened plan are shown.
const SHOWN: usize = 100;

/// The lines and the sum.
pub(crate) fn plan_lines(plan: &Plan, is_full: bool) -> String {
    if plan.is_empty() && plan.conflicts.is_empty() {
        return String::new();
    }
    format!("{}\n{}.\n", coloured(&folded(&printable_lines(&plan.to_string()), is_full)), plan.sum())
}

/// Colours lines by their first character, only at a terminal and unless `NO_COLOR` is set.
fn coloured(lines: &str) -> String {
    let style = |line: &str| {
        let colour = match line.get(..2)? {
            "+ " => AnsiColor::Green,
            "~ " => AnsiColor::Yellow,
            "- " | "! " => AnsiColor::Red,
            _ => return None,
        };
        Some(colour.on_default())
    };
    let line = |line| {
        let style: Style = style(line).unwrap_or_default();
        format!("{style}{line}{style:#}\n")
    };
    lines.lines().map(line).collect()
}

/// All lines, or the first ones and the number of the others.
pub(crate) fn folded(lines: &str, is_full: bool) -> String {
    let count = lines.lines().count();
    if is_full || count <= MOST {
        return lines.to_owned();
    }
    let mut shown: String = lines.lines().take(SHOWN).map(|line| format!("{line}\n")).collect();
    shown.push_str(&format!("… and {} more lines; --full prints all lines\n", count - SHOWN));
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_more_than_200_lines_are_shortened() {
        let lines = |count: usize| (0..count).map(|number| format!("+ {number}\n")).collect::<String>();
        assert_eq!(folded(&lines(200), false), lines(200));
        assert_eq!(folded(&lines(201), true), lines(201));
        let short = folded(&lines(201), false);
        assert_eq!(short, format!("{}… and 101 more lines; --full prints all lines\n", lines(100)));
    }

    #[test]
    fn line_colour_follows_its_sign() {
        assert_eq!(coloured("+ a\n  client a gains x\n"), "\u{1b}[32m+ a\u{1b}[0m\n  client a gains x\n");
        assert_eq!(anstream::adapter::strip_str(&coloured("- a\n! é\n")).to_string(), "- a\n! é\n");
    }
}
