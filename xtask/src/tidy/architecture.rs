//! The crate graph in docs/ARCHITECTURE.md equals that of the manifests (without test dependencies).

use std::collections::BTreeSet;

use super::arrows;
use super::files::Files;
use super::members::Member;
use super::violation::Violation;

const FILE: &str = "docs/ARCHITECTURE.md";

pub(super) fn check(files: &Files, members: &[Member]) -> Vec<Violation> {
    let text = files.text(FILE).unwrap_or_default();
    if text.contains(&format!("<!-- generated: crates -->\n{}\n<!-- end -->\n", drawn(members))) {
        return Vec::new();
    }
    let hint = "run `cargo xtask codegen`";
    vec![
        Violation::of_file(FILE, "the crate graph differs from the manifests", hint)
            .at("<!-- generated: crates"),
    ]
}

/// The graph as the page shows it, in the order of the allowed arrows.
pub(super) fn drawn(members: &[Member]) -> String {
    let line = |(name, _): (&str, _)| {
        let member = members.iter().find(|member| member.name == name)?;
        let ours = member.dependencies.iter().filter(|named| named.ours && !named.for_tests);
        let named: BTreeSet<&str> = ours.map(|named| named.name.as_str()).collect();
        let named = named.into_iter().collect::<Vec<_>>().join(", ");
        Some(format!("{name} -> {}\n", if named.is_empty() { "nothing" } else { &named }))
    };
    format!("```text\n{}```", arrows::all().filter_map(line).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::super::members::example;
    use super::super::violation::facts;
    use super::*;

    #[test]
    fn drawn_graph_must_match_the_manifests() {
        let members = example(&[
            ("protocol", &["url"]),
            ("keys", &["protocol", "rsa", "dev:testkit"]),
            ("testkit", &[]),
        ]);
        let check = |arrows: &str, expected: &[&str]| {
            let text = format!("<!-- generated: crates -->\n```text\n{arrows}```\n<!-- end -->\n");
            assert_eq!(facts(&check(&Files::from([(FILE, text.as_str())]), &members)), expected, "{arrows}");
        };
        check("protocol -> nothing\nkeys -> protocol\ntestkit -> nothing\n", &[]);
        let differs = "docs/ARCHITECTURE.md:1: the crate graph differs from the manifests";
        check("protocol -> nothing\nkeys -> protocol, url\ntestkit -> nothing\n", &[differs]);
        check("protocol -> nothing\nkeys -> protocol\n", &[differs]);
    }
}
