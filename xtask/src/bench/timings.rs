//! What one call takes: programs that print lines of a name and nanoseconds.

use std::path::Path;

use super::SERVER_CORE;
use super::goals::{Bound, Figure};
use super::spread::Spread;
use crate::workspace::{Failure, Workspace, read_output};

/// The package, its example, and the most nanoseconds of each of its lines.
pub(super) const TIMINGS: [(&str, &str, f64); 1] = [("warm_requests", "revoked_check", 300.0)];

/// Runs the examples as often as there are rounds.
pub(super) fn measure(workspace: &Workspace, built: &Path, rounds: u32) -> Result<Vec<Figure>, Failure> {
    let mut figures = Vec::new();
    for (_, example, most) in TIMINGS {
        let program = built.join("examples").join(example);
        let mut lines: Vec<(String, Vec<f64>)> = Vec::new();
        for _ in 0..rounds {
            let arguments = ["-c", SERVER_CORE, &program.to_string_lossy()];
            let output = read_output(&mut workspace.program("taskset", &arguments))?;
            for line in String::from_utf8_lossy(&output).lines() {
                let (name, nanoseconds) = parse(line).ok_or_else(|| {
                    Failure::new(format!("{example} printed no name and nanoseconds: {line}"))
                })?;
                match lines.iter_mut().find(|(of, _)| of == name) {
                    Some((_, times)) => times.push(nanoseconds),
                    None => lines.push((name.to_owned(), vec![nanoseconds])),
                }
            }
        }
        figures.extend(lines.into_iter().map(|(name, times)| Figure {
            subject: format!("{example}, ns: {name}"),
            bound: Some(Bound::AtMost(most)),
            value: Ok(Spread::of(times.into_iter())),
        }));
    }
    Ok(figures)
}

fn parse(line: &str) -> Option<(&str, f64)> {
    let (name, nanoseconds) = line.split_once('\t')?;
    Some((name, nanoseconds.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_name_and_nanoseconds() {
        assert_eq!(parse("a call\t12.5"), Some(("a call", 12.5)));
        assert_eq!([parse("a call 12"), parse("a call\tfast")], [None, None]);
    }
}
