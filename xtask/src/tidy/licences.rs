//! Allowed licences of packages. A package's SPDX expression must be satisfiable with these only.

use serde_json::Value;

use super::violation::Violation;

/// Permissive licences, compatible with Apache-2.0. A new one is a decision, not a formality.
const ALLOWED: [&str; 13] = [
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "MIT",
    "MIT-0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    // As permissive as MIT, and requires no notice; lettre needs quoted_printable.
    "0BSD",
    "ISC",
    "Zlib",
    // As permissive as MIT, and requires no notice in binaries; redis needs xxhash-rust.
    "BSL-1.0",
    "CC0-1.0",
    "Unicode-3.0",
    // For data: Mozilla's root certificates, which verify PostgreSQL's certificate.
    "CDLA-Permissive-2.0",
];

/// Checks all packages of `cargo metadata`.
pub(super) fn check(metadata: &Value) -> Vec<Violation> {
    metadata["packages"].as_array().into_iter().flatten().filter_map(judge).collect()
}

fn judge(package: &Value) -> Option<Violation> {
    let name = package["name"].as_str().unwrap_or_default();
    let what = match package["license"].as_str().map(|expression| (expression, is_allowed(expression))) {
        Some((_, Some(true))) => return None,
        Some((expression, Some(false))) => format!("{name} comes under {expression}"),
        Some((expression, None)) => format!("{name} has a licence that is no expression: {expression}"),
        None => format!("{name} names no licence"),
    };
    let hint = "do without it, or decide on the licence and allow it in xtask/src/tidy/licences.rs";
    Some(Violation::of_file("Cargo.lock", what, hint).at(format!("name = \"{name}\"")))
}

/// `None` when the expression is malformed.
fn is_allowed(expression: &str) -> Option<bool> {
    // Packages wrote OR as a slash before SPDX expressions.
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    let answer = any_of(&mut rest)?;
    rest.is_empty().then_some(answer)
}

fn any_of(words: &mut &[&str]) -> Option<bool> {
    let mut answer = all_of(words)?;
    while take(words, "OR") {
        answer |= all_of(words)?;
    }
    Some(answer)
}

/// AND binds tighter than OR.
fn all_of(words: &mut &[&str]) -> Option<bool> {
    let mut answer = one(words)?;
    while take(words, "AND") {
        answer &= one(words)?;
    }
    Some(answer)
}

fn one(words: &mut &[&str]) -> Option<bool> {
    if take(words, "(") {
        let answer = any_of(words)?;
        return take(words, ")").then_some(answer);
    }
    let licence = word(words)?;
    let licence =
        if take(words, "WITH") { format!("{licence} WITH {}", word(words)?) } else { licence.to_owned() };
    Some(ALLOWED.contains(&licence.as_str()))
}

fn word<'w>(words: &mut &[&'w str]) -> Option<&'w str> {
    let (first, rest) = words.split_first()?;
    let is_operator = ["OR", "AND", "WITH", "(", ")"].contains(first);
    *words = rest;
    (!is_operator).then_some(*first)
}

fn take(words: &mut &[&str], expected: &str) -> bool {
    match words.split_first() {
        Some((first, rest)) if *first == expected => {
            *words = rest;
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::violation::facts;
    use super::*;

    #[test]
    fn expression_is_allowed_if_satisfiable() {
        let check = |expressions: &[&str], expected| {
            for expression in expressions {
                assert_eq!(is_allowed(expression), expected, "{expression}");
            }
        };
        check(&["MIT", "MIT/Apache-2.0", "Apache-2.0 / MIT", "GPL-3.0-only OR MIT"], Some(true));
        check(&["MIT OR GPL-3.0-only AND ISC", "(MIT OR GPL-3.0-only) AND ISC"], Some(true));
        check(&["ISC AND (Apache-2.0 OR ISC) AND MIT AND (Apache-2.0 OR MIT-0)"], Some(true));
        check(&["Apache-2.0 WITH LLVM-exception"], Some(true));
        check(&["GPL-3.0-only", "GPL-3.0-only AND MIT", "GPL-2.0 WITH Classpath-exception-2.0"], Some(false));
        check(&["(MIT OR Apache-2.0) AND GPL-3.0-only"], Some(false));
        check(&["", "MIT OR", "(MIT", "MIT Apache-2.0", "AND MIT"], None);
    }

    #[test]
    fn package_without_licence_is_a_violation() {
        let package =
            |licence: Value| serde_json::json!({ "packages": [{ "name": "x", "license": licence }] });
        let found = facts(&check(&package(Value::Null)));
        assert_eq!(found, ["Cargo.lock:1: x names no licence"]);
        assert!(check(&package("MIT".into())).is_empty());
    }
}
