//! Dependencies of the shipped program: libraries that it must not contain, directly or transitively, and
//! features that are for tests alone.

use std::collections::BTreeSet;

use super::violation::Violation;
use crate::workspace::{ALL_FEATURES, Failure, Workspace, read_text};

/// Package, prefix of its version, and the reason.
const BANNED: [(&str, &str, &str); 7] = [
    ("openssl", "", "one cryptographic library in the program, aws-lc-rs"),
    ("openssl-sys", "", "one cryptographic library in the program, aws-lc-rs"),
    ("native-tls", "", "TLS is rustls with aws-lc-rs"),
    ("ring", "", "TLS is rustls with aws-lc-rs, and ring signs at half its speed"),
    ("schemars", "", "the program has the committed schemas; the feature `schemas` is for tests and codegen"),
    ("utoipa", "", "the program has the committed document; the feature `schemas` is for tests and codegen"),
    ("h2", "0.3.", "RUSTSEC-2026-0258; leave out the feature that brings HTTP/2"),
];

const SCHEMAS: &str =
    "schemas from the types, of which the program has the committed files; for tests and codegen";

/// What only the command line needs.
const NEVER_IN_SERVER: [&str; 4] = ["clap", "comfy-table", "indicatif", "rcgen"];

/// Package, and a forbidden feature.
const BANNED_FEATURES: [(&str, &str, &str); 9] = [
    (
        "jsonwebtoken",
        "rust_crypto",
        "a twentieth of the speed, and with two backends it panics; use aws_lc_rs",
    ),
    ("accounts", "unproven-authentications", "an authentication that nobody has proven; for tests alone"),
    ("sessions", "unjudged-sessions", "a session that no check has judged; for tests alone"),
    ("secrets", "manual-hash-pool", "a hash pool that computes nothing by itself; for tests alone"),
    ("protocol", "counted-steps", "parsers that count their steps; for tests alone"),
    ("pages", "examples", "pages with example values; for tests alone"),
    ("administration", "schemas", SCHEMAS),
    ("gateway", "schemas", SCHEMAS),
    ("settings", "schemas", SCHEMAS),
];

/// One line per package, `name vVERSION …|features`, over all platforms and without test dependencies.
///
/// `cargo metadata` does not suffice: it unites the features of tests with those of the program.
fn read(workspace: &Workspace, package: &str, features: &[&str]) -> Result<String, Failure> {
    let tree = ["tree", "--package", package, "--edges", "normal", "--target", "all"];
    let shape = ["--prefix", "none", "--no-dedupe", "--format", "{p}|{f}"];
    read_text(&mut workspace.cargo(&[&tree[..], features, &shape[..]].concat()))
}

pub(super) fn check(workspace: &Workspace) -> Result<Vec<Violation>, Failure> {
    let mut found = check_program(&read(workspace, "latchkey", &ALL_FEATURES)?);
    found.extend(check_server(&read(workspace, "server", &[])?));
    found.extend(check_verifier(&read(workspace, "latchkey-verifier", &["--all-features"])?));
    Ok(found)
}

fn check_program(graph: &str) -> Vec<Violation> {
    graph.lines().collect::<BTreeSet<_>>().into_iter().filter_map(judge).collect()
}

fn check_server(graph: &str) -> Vec<Violation> {
    let names: BTreeSet<_> = graph.lines().filter_map(|line| line.split(' ').next()).collect();
    let violation = |name| {
        let hint = "it is for the command line; move the code that needs it to crates/command";
        Violation::of_file("crates/server/Cargo.toml", format!("the server contains {name}"), hint)
    };
    names.into_iter().filter(|name| NEVER_IN_SERVER.contains(name)).map(violation).collect()
}

/// jsonwebtoken panics if a build has two of its backends, and other people's programs have one.
fn check_verifier(graph: &str) -> Option<Violation> {
    let features = |line: &str| Some(line.strip_prefix("jsonwebtoken v")?.split_once('|')?.1.to_owned());
    let features = graph.lines().find_map(features).filter(|features| !features.is_empty())?;
    let hint = "take jsonwebtoken without features; two backends in one build panic";
    let what = format!("latchkey-verifier takes jsonwebtoken with {features}");
    Some(Violation::of_file("crates/latchkey-verifier/Cargo.toml", what, hint))
}

fn judge(line: &str) -> Option<Violation> {
    let (package, features) = line.split_once('|')?;
    let mut words = package.split(' ');
    let (name, version) = (words.next()?, words.next()?.trim_start_matches('v'));
    let banned = BANNED.iter().find(|(banned, prefix, _)| *banned == name && version.starts_with(prefix));
    let has = |feature: &str| features.split(',').any(|has| has == feature);
    let banned_feature =
        || BANNED_FEATURES.iter().find(|(banned, feature, _)| *banned == name && has(feature));
    let (what, why) = match (banned, banned_feature()) {
        (Some((_, _, why)), _) => (format!("the program contains {name} {version}"), why),
        (None, Some((_, feature, why))) => {
            (format!("the program contains {name} with feature {feature}"), why)
        }
        (None, None) => return None,
    };
    let hint = format!("{why} (`cargo tree -p latchkey -e normal -i {name}` shows who brings it)");
    Some(Violation::of_file("Cargo.lock", what, hint).at(format!("name = \"{name}\"")))
}

#[cfg(test)]
mod tests {
    use super::super::violation::facts;
    use super::*;

    // [V11 11.1.3]: 3 | All uses of cryptography are discovered by tools | not met | `cargo xtask tidy`
    //   allows one cryptographic library beside the two parsers, and names every file that draws random
    //   values; no tool finds each call
    #[test]
    fn banned_package_is_found() {
        let unproven = "accounts with feature unproven-authentications";
        let unjudged = "sessions with feature unjudged-sessions";
        let cases = [
            ("ring v0.17.14|alloc", Some("ring 0.17.14")),
            ("h2 v0.3.27|", Some("h2 0.3.27")),
            ("h2 v0.4.12|", None),
            ("jsonwebtoken v11.1.0|aws_lc_rs,use_pem", None),
            ("jsonwebtoken v11.1.0|rust_crypto,use_pem", Some("jsonwebtoken with feature rust_crypto")),
            ("openssl-probe v0.1.6|", None),
            ("latchkey v0.0.0 (/somewhere)|", None),
            ("accounts v0.1.0 (/somewhere)|", None),
            ("accounts v0.1.0 (/somewhere)|unproven-authentications", Some(unproven)),
            ("sessions v0.1.0 (/somewhere)|unjudged-sessions", Some(unjudged)),
            ("sessions v0.1.0 (/somewhere)|a,unjudged-sessions", Some(unjudged)),
        ];
        for (line, expected) in cases {
            let found = facts(&check_program(&format!("{line}\n{line}\n")));
            let expected = expected.map(|what| format!("Cargo.lock:1: the program contains {what}"));
            assert_eq!(found, Vec::from_iter(expected), "{line}");
        }
    }

    #[test]
    fn command_line_libraries_are_banned_from_the_server() {
        let found =
            facts(&check_server("clap v4.6.1|std\nserde v1.0.229|\nclap v4.6.1|std\nrcgen v0.14.10|\n"));
        let of = |name| format!("crates/server/Cargo.toml:1: the server contains {name}");
        assert_eq!(found, ["clap", "rcgen"].map(of));
    }

    #[test]
    fn backends_of_jsonwebtoken_are_banned_from_the_verifier() {
        let check = |line| Vec::from_iter(check_verifier(line));
        assert_eq!(facts(&check("serde v1.0.229|std\njsonwebtoken v11.1.0|\n")), [""; 0]);
        let of = "crates/latchkey-verifier/Cargo.toml:1: latchkey-verifier takes jsonwebtoken with aws_lc_rs";
        assert_eq!(facts(&check("jsonwebtoken v11.1.0|aws_lc_rs\n")), [of]);
    }

    /// Each feature of our crates is either documented as a choice or only for tests. Published crates are
    /// left out, because they have other users.
    #[test]
    fn test_features_are_banned_from_the_program() {
        let chosen = ["aws-kms", "aws-secrets", "keyring", "vault"];
        let mut found = 0;
        for folder in std::fs::read_dir(Workspace::here().root.join("crates")).unwrap() {
            let manifest = std::fs::read_to_string(folder.unwrap().path().join("Cargo.toml")).unwrap();
            let (_, name) = manifest.split_once("name = \"").unwrap();
            let name = name.split('"').next().unwrap();
            let features = manifest.split_once("\n[features]\n").map_or("", |(_, features)| features);
            let features = features.lines().take_while(|line| !line.starts_with('['));
            let features = features.filter(|line| !line.starts_with('#'));
            for (feature, _) in features.filter_map(|line| line.split_once(" = ")) {
                if chosen.contains(&feature) || !manifest.contains("\npublish.workspace = true") {
                    continue;
                }
                let line = format!("{name} v0.1.0 (/somewhere)|{feature}");
                assert_eq!(check_program(&line).len(), 1, "{line}");
                found += 1;
            }
        }
        assert_eq!(found, BANNED_FEATURES.len() - 1);
    }
}
