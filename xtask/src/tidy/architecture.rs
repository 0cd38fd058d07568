//! The crate graph in docs/ARCHITECTURE.md equals cargo's (without test dependencies).

use std::collections::{BTreeMap, BTreeSet};

use super::arrows;
use super::files::Files;
use super::metadata::Member;
use super::violation::Violation;

const FILE: &str = "docs/ARCHITECTURE.md";
const BEGIN: &str = "<!-- generated: crates -->";
const END: &str = "<!-- end -->";

type Graph<'g> = BTreeMap<&'g str, BTreeSet<&'g str>>;

pub(super) fn check(files: &Files, members: &[Member]) -> Vec<Violation> {
    match files.text(FILE) {
        Some(text) => check_text(text, &graph_of(members)),
        None => vec![Violation::of_file(FILE, "missing", "write the bird's eye view, with the crate graph")],
    }
}

fn graph_of(members: &[Member]) -> Graph<'_> {
    let arrows = members.iter().map(|member| {
        let ours = member.dependencies.iter().filter(|named| named.ours && !named.for_tests);
        (member.name.as_str(), ours.map(|named| named.name.as_str()).collect())
    });
    arrows.collect()
}

/// The graph as the page shows it, in the order of the allowed arrows.
pub(super) fn drawn(members: &[Member]) -> String {
    let graph = graph_of(members);
    let lines = arrows::names().filter_map(|name| Some(arrow(name, graph.get(name)?)));
    format!("```text\n{}\n```", lines.collect::<Vec<_>>().join("\n"))
}

fn check_text(text: &str, graph: &Graph<'_>) -> Vec<Violation> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let begin = lines.iter().position(|line| *line == BEGIN);
    let end = begin.and_then(|begin| Some(begin + lines[begin..].iter().position(|line| *line == END)?));
    let (Some(begin), Some(end)) = (begin, end) else {
        let hint = format!("draw it between lines `{BEGIN}` and `{END}`");
        return vec![Violation::of_file(FILE, "no crate graph", hint)];
    };
    let mut found = Vec::new();
    let mut drawn = BTreeSet::new();
    for (index, line) in lines.iter().enumerate().take(end).skip(begin + 1) {
        if line.is_empty() || line.starts_with("```") {
            continue;
        }
        let mut add = |what: String, hint: String| found.push(Violation::new(FILE, index + 1, what, hint));
        let Some((from, to)) = line.split_once("->") else {
            add("not an arrow".to_owned(), "write `crate -> crate, crate`".to_owned());
            continue;
        };
        let from = from.trim();
        let to = to.split(',').map(str::trim).filter(|name| !name.is_empty() && *name != "nothing").collect();
        drawn.insert(from);
        match graph.get(from) {
            None => add(format!("there is no crate {from}"), "remove the line".to_owned()),
            Some(actual) if *actual != to => {
                add(format!("{from} does not name these"), format!("write `{}`", arrow(from, actual)));
            }
            Some(_) => {}
        }
    }
    for (name, to) in graph.iter().filter(|(name, _)| !drawn.contains(**name)) {
        let hint = format!("add `{}`", arrow(name, to));
        found.push(Violation::new(FILE, begin + 1, format!("crate {name} is not in the graph"), hint));
    }
    found
}

fn arrow(from: &str, to: &BTreeSet<&str>) -> String {
    let to = to.iter().copied().collect::<Vec<_>>().join(", ");
    if to.is_empty() { format!("{from} -> nothing") } else { format!("{from} -> {to}") }
}

#[cfg(test)]
mod tests {
    use super::super::metadata::example;
    use super::super::violation::lines;
    use super::*;

    #[test]
    fn the_drawn_graph_is_the_real_one() {
        let members =
            [example("keys", &["ours:protocol", "rsa", "dev:ours:testkit"]), example("protocol", &["url"])];
        let graph = graph_of(&members);
        let check = |text: &str, expected: &[&str]| {
            let expected: Vec<_> =
                expected.iter().map(|what| format!("docs/ARCHITECTURE.md:{what}")).collect();
            assert_eq!(lines(&check_text(text, &graph)), expected, "{text}");
        };
        let drawn = |arrows: &str| format!("<!-- generated: crates -->\n{arrows}<!-- end -->\n");
        check(&drawn("```\nkeys     -> protocol\nprotocol -> nothing\n```\n"), &[]);
        let not_named = "2: keys does not name these; write `keys -> protocol`";
        let missing = "1: crate protocol is not in the graph; add `protocol -> nothing`";
        check(&drawn("keys -> protocol, url\n"), &[not_named, missing]);
        let unknown = "4: there is no crate x; remove the line";
        let words = "5: not an arrow; write `crate -> crate, crate`";
        check(&drawn("keys -> protocol\nprotocol ->\nx -> keys\nwords\n"), &[unknown, words]);
        let none = "1: no crate graph; draw it between lines `<!-- generated: crates -->` and `<!-- end -->`";
        check("no markers\n", &[none]);
    }
}
