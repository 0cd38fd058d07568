//! Rules for every Rust file, and for domain crates the bans on the environment, and outside their service
//! layers on `async`, randomness and elapsed time.

use super::arrows::is_pure;
use super::files::Files;
use super::rust_code::code_only;
use super::violation::Violation;

/// Forbidden code, and the alternative. Lints forbid more.
const BANNED: [(&str, &str); 2] = [
    ("#![allow(", "fix the cause, or #![expect(lint, reason = \"…\")]"),
    ("#[ignore", "make the test pass or remove it; long measurements are commands of xtask"),
];

/// In columns.
const WIDEST_COMMENT: usize = 110;

/// The async service layers of the domain crates, and the files that share one run of slow work among all
/// waiting callers. A folder ends with a slash.
const SERVICE_LAYERS: [&str; 33] = [
    "crates/tenancy/src/resolver.rs",
    "crates/tenancy/src/turns.rs",
    "crates/keys/src/key_ring_cache.rs",
    "crates/keys/src/key_ring_cache/",
    "crates/keys/src/envelope.rs",
    "crates/keys/src/pool.rs",
    "crates/registry/src/assertion/assertions.rs",
    "crates/registry/src/authentication/authenticator.rs",
    "crates/registry/src/authentication/authenticator/",
    "crates/secrets/src/precise_timer.rs",
    "crates/secrets/src/hash_pool.rs",
    "crates/registry/src/assertion/key_sets.rs",
    "crates/registry/src/assertion/key_sets/",
    "crates/registry/src/authentication/verified_secret_cache.rs",
    "crates/registry/src/authentication/api_keys.rs",
    "crates/registry/src/users.rs",
    "crates/registry/src/dpop/proofs.rs",
    "crates/registry/src/assertion/single_use.rs",
    "crates/accounts/src/sign_ins.rs",
    "crates/accounts/src/sign_ins/",
    "crates/sessions/src/sessions.rs",
    "crates/grants/src/engine.rs",
    "crates/grants/src/engine/",
    "crates/grants/src/redemption.rs",
    "crates/grants/src/refreshing.rs",
    "crates/grants/src/authorization/authorizations.rs",
    "crates/grants/src/authorization/issuing.rs",
    "crates/grants/src/authorization/pushing.rs",
    "crates/grants/src/device/authorizations.rs",
    "crates/administration/src/declaration/reconcile.rs",
    "crates/administration/src/administrator.rs",
    "crates/administration/src/administrator/",
    "crates/administration/src/store/",
];

/// Files of domain crates that contain a trait for outer crates to implement, together with the
/// implementations here. Other files contain traits alone.
const TRAIT_FILES: [&str; 4] = ["store.rs", "sealer.rs", "key_encryption_key.rs", "secret_writer.rs"];

/// The crate of the services that are features of the program, and these features. They change no other
/// crate.
const SERVICES: (&str, [&str; 4]) = ("crates/outbound/src/", ["aws-kms", "aws-secrets", "keyring", "vault"]);

/// Sources of values that differ with each call. Clippy forbids `SystemTime` everywhere.
const AMBIENT: [&str; 4] = ["rand::", "SystemRandom", "new_v4", "Instant::now"];

/// Files of domain crates that draw random values outside a service layer, and why the value is not an
/// argument. Only a service layer or an interface calls these functions.
const DRAWERS: [(&str, &str); 6] = [
    ("crates/keys/src/aead.rs", "a nonce that a caller could repeat would give the key away"),
    ("crates/keys/src/key_pair.rs", "so would the nonce of a signature"),
    ("crates/keys/src/private_key.rs", "`generate` makes private keys"),
    ("crates/keys/src/sealing_key.rs", "`generate` makes sealing keys"),
    ("crates/secrets/src/random.rs", "the one source of what that crate draws"),
    (
        "crates/administration/src/documents/application.rs",
        "`ApplicationId::random`, an argument of the rules",
    ),
];

pub(super) fn check(files: &Files) -> Vec<Violation> {
    let of_files = files.rust().flat_map(|(path, text)| check_file(path, text));
    of_files.chain(DRAWERS.iter().filter_map(|drawer| idle(files, drawer))).collect()
}

/// An unused exception, which would permit a later violation silently.
fn idle(files: &Files, (path, why): &(&str, &str)) -> Option<Violation> {
    let code = code_only(files.text(path).unwrap_or_default());
    if code.lines().any(|line| ambient(line).is_some()) {
        return None;
    }
    let what = format!("nothing in it draws by chance any more ({why})");
    Some(Violation::of_file(*path, what, "strike it off in xtask/src/tidy/source_rules.rs"))
}

fn check_file(path: &str, text: &str) -> Vec<Violation> {
    let mut found = layout(path, text);
    let code = code_only(text);
    let may_wait = may_be_async(path);
    let may_draw = may_wait || DRAWERS.iter().any(|(drawer, _)| path == *drawer);
    let mut in_trait = false;
    for (index, line) in code.lines().enumerate() {
        in_trait = line.starts_with("pub trait ") || in_trait && line != "}";
        let mut add = |what: &str, hint: &str| found.push(Violation::new(path, index + 1, what, hint));
        for (banned, hint) in BANNED.iter().filter(|(banned, _)| has(line, banned)) {
            add(banned, hint);
        }
        if !may_wait && !in_trait && has(line, "async fn") {
            add(
                "async fn in a domain crate, outside its service layer",
                "make it a plain function of values and let the service layer fetch them",
            );
        }
        if of_domain(path) && has(line, "env::") {
            add(
                "std::env in a domain crate",
                "take the value as an argument; only settings reads the environment",
            );
        }
        if let Some(drawn) = ambient(line).filter(|_| !may_draw) {
            add(
                &format!("{drawn} in a domain crate, outside its service layer"),
                "take the value as an argument, or name the file and the reason in xtask/src/tidy/source_rules.rs",
            );
        }
    }
    let (owner, features) = SERVICES;
    let marks = features.map(|feature| format!("feature = \"{feature}\")"));
    let is_checked = path.starts_with("crates/") && !path.starts_with(owner);
    for (index, line) in text.lines().enumerate().filter(|_| is_checked) {
        if marks.iter().any(|mark| line.contains(mark)) {
            let hint = "move it into crates/outbound: schema, OpenAPI and help are the same in every build";
            found.push(Violation::new(path, index + 1, "code that depends on a service's feature", hint));
        }
    }
    found
}

fn layout(path: &str, text: &str) -> Vec<Violation> {
    let mut found = Vec::new();
    if !text.starts_with("//!") {
        let hint = "open it with a //! paragraph that says what it decides or holds";
        found.push(Violation::of_file(path, "no header", hint));
    }
    for (index, line) in text.lines().enumerate() {
        if line.ends_with([' ', '\t', '\r']) {
            found.push(Violation::new(path, index + 1, "blanks at the end of the line", "remove them"));
        }
        // Comments are read beside code, so they are not wider than it.
        if line.trim_start().starts_with("//") && line.chars().count() > WIDEST_COMMENT {
            let what = format!("a comment of more than {WIDEST_COMMENT} columns");
            found.push(Violation::new(path, index + 1, what, "wrap it"));
        }
    }
    if !text.ends_with('\n') {
        let last = text.lines().count().max(1);
        found.push(Violation::new(path, last, "no newline at the end", "run `cargo fmt`"));
    }
    found
}

fn of_domain(path: &str) -> bool {
    let of_crate = path.strip_prefix("crates/").and_then(|rest| rest.split_once("/src/"));
    of_crate.is_some_and(|(name, _)| is_pure(name))
}

fn may_be_async(path: &str) -> bool {
    let file = path.rsplit('/').next().unwrap_or(path);
    let is_service_layer =
        |layer: &&str| path == *layer || (layer.ends_with('/') && path.starts_with(*layer));
    !of_domain(path) || SERVICE_LAYERS.iter().any(is_service_layer) || TRAIT_FILES.contains(&file)
}

fn ambient(line: &str) -> Option<&'static str> {
    AMBIENT.into_iter().find(|name| has(line, name))
}

/// Whether the line contains the needle, and not as the end of a longer word.
fn has(line: &str, needle: &str) -> bool {
    line.match_indices(needle)
        .any(|(at, _)| !line[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_'))
}

#[cfg(test)]
mod tests {
    use super::super::violation::facts;
    use super::*;

    #[track_caller]
    fn check(path: &str, text: &str, expected: &[&str]) {
        let found = facts(&check_file(path, text));
        let expected: Vec<String> = expected.iter().map(|what| format!("{path}:{what}")).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn file_needs_a_header_and_clean_lines() {
        check("crates/gateway/src/a.rs", "//! What.\n\nfn a() {}\n", &[]);
        check("xtask/src/a.rs", "fn a() {}\n", &["1: no header"]);
        let ends = ["1: blanks at the end of the line", "2: no newline at the end"];
        check("crates/cache/src/a.rs", "//! What. \nfn a() {}", &ends);
        let comment = |columns: usize| format!("//! A.\n    // {}\n", "ä".repeat(columns - 7));
        check("crates/cache/src/a.rs", &comment(110), &[]);
        check("crates/cache/src/a.rs", &comment(111), &["2: a comment of more than 110 columns"]);
    }

    #[test]
    fn allow_and_ignore_attributes_are_violations() {
        check("crates/keys/src/a.rs", "//! #![allow(x)]\nconst A: &str = \"#[ignore\";\n", &[]);
        let text = "//! A.\n#![allow(x)]\n#[ignore = \"slow\"]\nfn b() {}\n";
        check("crates/keys/tests/a.rs", text, &["2: #![allow(", "3: #[ignore"]);
    }

    #[test]
    fn service_features_stay_in_one_crate() {
        let text = "//! A.\n#[cfg(feature = \"vault\")]\nfn a() {}\n";
        check("crates/outbound/src/a.rs", text, &[]);
        for path in ["crates/settings/src/sections.rs", "crates/gateway/src/a.rs"] {
            check(path, text, &["2: code that depends on a service's feature"]);
        }
    }

    #[test]
    fn async_is_banned_outside_service_layers() {
        let text = "//! A.\npub async fn a() {}\n";
        let refused: &[&str] = &["2: async fn in a domain crate, outside its service layer"];
        let declared = "//! A.\npub trait A {\n    async fn a();\n}\npub async fn b() {}\n";
        let after = "5: async fn in a domain crate, outside its service layer";
        check("crates/accounts/src/account.rs", declared, &[after]);
        for (path, expected) in [
            ("crates/grants/src/engine.rs", &[][..]),
            ("crates/keys/src/sealer.rs", &[]),
            ("crates/registry/src/store.rs", &[]),
            ("crates/gateway/src/routes/token.rs", &[]),
            ("crates/grants/src/client_credentials.rs", refused),
            ("crates/administration/src/administrator/clients.rs", &[]),
            ("crates/administration/src/administrators.rs", refused),
            ("crates/tenancy/src/engine.rs", refused),
        ] {
            check(path, text, expected);
        }
    }

    // [V11 11.1.3]
    #[test]
    fn randomness_and_time_are_banned_outside_named_files() {
        for code in [
            "let id = Uuid::new_v4();",
            "use aws_lc_rs::rand::SystemRandom;",
            "let random = SystemRandom::new();",
            "aws_lc_rs::rand::fill(&mut bytes);",
            "let began = std::time::Instant::now();",
        ] {
            let text = format!("//! A.\nfn a() {{ {code} }}\n");
            let drawn = AMBIENT.iter().find(|name| code.contains(**name)).unwrap();
            let refused = format!("2: {drawn} in a domain crate, outside its service layer");
            check("crates/secrets/src/pepper.rs", &text, &[&refused]);
            for path in ["secrets/src/random.rs", "grants/src/engine.rs", "process/src/clock.rs"] {
                check(&format!("crates/{path}"), &text, &[]);
            }
        }
        check("crates/keys/src/a.rs", "//! rand::\nfn a(brand: u8, instant: Instant) {}\n", &[]);
    }

    #[test]
    fn listed_file_without_randomness_is_a_violation() {
        let files = Files::from([("crates/keys/src/aead.rs", "//! A.\nfn a() { rand::fill(b); }\n")]);
        let found = facts(&super::check(&files));
        assert_eq!(found.len(), DRAWERS.len() - 1, "{found:?}");
        assert!(!found.iter().any(|line| line.starts_with("crates/keys/src/aead.rs")), "{found:?}");
    }

    #[test]
    fn domain_crates_do_not_read_the_environment() {
        for (code, expected) in [
            ("use std::env::var;", &["2: std::env in a domain crate"][..]),
            ("fn a() { env::var(\"A\"); }", &["2: std::env in a domain crate"]),
            ("use std::envelope::A;\n// env::", &[]),
        ] {
            check("crates/registry/src/a.rs", &format!("//! A.\n{code}\n"), expected);
        }
        check("crates/settings/src/environment.rs", "//! A.\nuse std::env::var;\n", &[]);
    }
}
