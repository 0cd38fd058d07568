//! The cost of single calls: runs programs that print lines of a name, a tab and a figure.

use super::Run;
use super::goals::{Bound, Figure};
use super::spread::Spread;
use crate::workspace::{Failure, read_text};

/// A program that measures calls.
pub(super) struct Measured {
    /// The arguments of `cargo build`.
    pub(super) build: &'static [&'static str],
    /// The path of the program in the folder of the profile.
    program: &'static str,
    /// The goals of the lines that begin so.
    goals: &'static [(&'static str, Bound)],
}

pub(super) const MEASURED: [Measured; 3] = [
    Measured {
        build: &["--package", "warm_requests", "--example", "revoked_check"],
        program: "examples/revoked_check",
        goals: &[("is a token revoked, ns", Bound::AtMost(300.0))],
    },
    Measured {
        build: &["--package", "latchkey-client", "--example", "cached_header"],
        program: "examples/cached_header",
        goals: &[("latchkey-client: cached header, ns", Bound::AtMost(200.0))],
    },
    Measured {
        build: &["--package", "latchkey-verifier", "--example", "rates"],
        program: "examples/rates",
        goals: &[
            ("latchkey-verifier: RS256", Bound::AtLeast(0.80)),
            ("latchkey-verifier: ES256", Bound::AtLeast(0.90)),
            ("latchkey-verifier: EdDSA", Bound::AtLeast(0.90)),
            ("latchkey-verifier: a remembered token", Bound::AtMost(2_000.0)),
            ("latchkey-verifier: memory of an issuer", Bound::AtMost(3_072.0)),
        ],
    },
];

/// Runs the programs as often as there are rounds.
pub(super) fn measure(run: &Run<'_>) -> Result<Vec<Figure>, Failure> {
    let mut figures = Vec::new();
    for Measured { program, goals, .. } in MEASURED {
        let mut lines: Vec<(String, Vec<f64>)> = Vec::new();
        for _ in 0..run.options.rounds {
            for line in read_text(&mut run.on_the_servers_core(&run.built.join(program)))?.lines() {
                let (name, figure) = parse(line)
                    .ok_or_else(|| Failure::new(format!("{program} printed no name and figure: {line}")))?;
                match lines.iter_mut().find(|(of, _)| of == name) {
                    Some((_, figures)) => figures.push(figure),
                    None => lines.push((name.to_owned(), vec![figure])),
                }
            }
        }
        figures.extend(lines.into_iter().map(|(name, values)| Figure {
            bound: goals.iter().find(|(begin, _)| name.starts_with(begin)).map(|(_, bound)| *bound),
            subject: name,
            value: Spread::from_figures(values.into_iter()),
        }));
    }
    Ok(figures)
}

fn parse(line: &str) -> Option<(&str, f64)> {
    let (name, figure) = line.split_once('\t')?;
    Some((name, figure.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_contains_a_name_and_a_figure() {
        assert_eq!(parse("a call\t12.5"), Some(("a call", 12.5)));
        assert_eq!([parse("a call 12"), parse("a call\tfast")], [None, None]);
    }
}
