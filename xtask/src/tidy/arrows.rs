//! Allowed dependencies: the edges between our crates, and the crates that may name an external library.

use super::metadata::{Dependency, Member};
use super::violation::Violation;

/// An arrow means "may name"; nothing else is allowed.
const ARROWS: [(&str, &[&str]); 25] = [
    ("derives", &[]),
    ("values", &["derives"]),
    ("protocol", &["values"]),
    ("tenancy", &["protocol", "values"]),
    // The checks of tokens and of proofs, without the client that fetches keys.
    ("keys", &["latchkey-verifier", "tenancy", "protocol", "values"]),
    ("secrets", &["tenancy", "protocol", "values"]),
    ("registry", &["latchkey-verifier", "secrets", "keys", "tenancy", "protocol", "values"]),
    ("accounts", &["secrets", "tenancy", "protocol", "values"]),
    ("sessions", &["accounts", "secrets", "keys", "tenancy", "protocol", "values"]),
    ("grants", &["sessions", "accounts", "registry", "secrets", "keys", "tenancy", "protocol", "values"]),
    // The derive of schemas where none is made.
    (
        "administration",
        &["derives", "sessions", "accounts", "registry", "secrets", "keys", "tenancy", "protocol", "values"],
    ),
    ("storage", DOMAIN),
    ("cache", DOMAIN),
    ("outbound", &["registry", "keys", "tenancy", "protocol", "values"]),
    ("pages", &["tenancy", "protocol", "values"]),
    (
        "gateway",
        &[
            "pages",
            "administration",
            "grants",
            "sessions",
            "accounts",
            "registry",
            "secrets",
            "keys",
            "tenancy",
            "protocol",
            "values",
        ],
    ),
    (
        "settings",
        &[
            "gateway",
            "cache",
            "outbound",
            "administration",
            "accounts",
            "registry",
            "secrets",
            "keys",
            "tenancy",
            "protocol",
            "values",
        ],
    ),
    // Its store is that of production, which needs the library of the rows.
    (
        "testkit",
        &[
            "storage",
            "administration",
            "grants",
            "sessions",
            "accounts",
            "registry",
            "secrets",
            "keys",
            "tenancy",
            "protocol",
            "values",
        ],
    ),
    ("latchkey-verifier", &[]),
    ("latchkey-client", &[]),
    ("server", BELOW_THE_SERVER),
    ("command", BELOW_THE_PROGRAM),
    ("latchkey", BELOW_THE_PROGRAM),
    (
        "warm_requests",
        &[
            "testkit",
            "gateway",
            "cache",
            "administration",
            "grants",
            "sessions",
            "accounts",
            "registry",
            "secrets",
            "keys",
            "tenancy",
            "protocol",
            "values",
        ],
    ),
    ("xtask", &[]),
];

/// Pure crates: rules without access to a database, a network or the environment.
pub(super) const DOMAIN: &[&str] = &[
    "administration",
    "grants",
    "sessions",
    "accounts",
    "registry",
    "secrets",
    "keys",
    "tenancy",
    "protocol",
    "values",
];

/// Whether a crate is pure: the domain, and the pages, which only the gateway shows.
pub(super) fn is_pure(name: &str) -> bool {
    name == "pages" || DOMAIN.contains(&name)
}

const BELOW_THE_SERVER: &[&str] = BELOW_THE_PROGRAM.split_at(4).1;

const BELOW_THE_PROGRAM: &[&str] = &[
    "command",
    "latchkey-verifier",
    "latchkey-client",
    "server",
    "settings",
    "gateway",
    "storage",
    "cache",
    "outbound",
    "administration",
    "grants",
    "sessions",
    "accounts",
    "registry",
    "secrets",
    "keys",
    "tenancy",
    "protocol",
    "values",
];

/// Crates that may use `testkit` in their tests.
const TESTED_WITH_TESTKIT: [&str; 6] = ["storage", "cache", "gateway", "settings", "server", "latchkey"];

/// Libraries that a domain crate never names, not even in its tests.
const NEVER_IN_DOMAIN: [&str; 5] = ["sqlx", "redis", "actix-web", "utoipa", "reqwest"];

/// A library, and the only crates that may name it outside tests.
const OWNERS: [(&str, &[&str]); 6] = [
    ("sqlx", &["storage", "testkit"]),
    ("actix-web", &["gateway", "latchkey-verifier"]),
    ("axum", &["latchkey-verifier"]),
    ("utoipa", &["gateway"]),
    ("redis", &["cache"]),
    ("reqwest", &["outbound", "command", "latchkey-client", "latchkey-verifier"]),
];

/// The crates, in reading order.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    ARROWS.into_iter().map(|(name, _)| name)
}

pub(super) fn check(members: &[Member]) -> Vec<Violation> {
    let of = |member: &Member| match ARROWS.iter().find(|(from, _)| *from == member.name) {
        Some((_, may_name)) => {
            member.dependencies.iter().filter_map(|named| judge(member, may_name, named)).collect()
        }
        None => vec![Violation::of_file(
            member.manifest(),
            format!("no arrow begins at crate {}", member.name),
            "say in the layout what the crate is for and whom it may name, then in xtask/src/tidy/arrows.rs",
        )],
    };
    members.iter().flat_map(of).collect()
}

fn judge(member: &Member, may_name: &[&str], named: &Dependency) -> Option<Violation> {
    let name = named.name.as_str();
    let (what, hint) = if named.ours {
        arrow(member, may_name, named)?
    } else if is_pure(&member.name) && NEVER_IN_DOMAIN.iter().any(|lib| is_of(lib, name)) {
        (
            format!("domain crate {} names {name}", member.name),
            "state a trait here and implement it in an outer crate".to_owned(),
        )
    } else {
        let (_, owners) = OWNERS.iter().find(|(lib, _)| is_of(lib, name) && !named.for_tests)?;
        if owners.contains(&member.name.as_str()) {
            return None;
        }
        let owners = owners.join(" and ");
        (format!("{} names {name}", member.name), format!("only {owners} may; move the code there"))
    };
    Some(Violation::of_file(member.manifest(), what, hint).at(name))
}

fn arrow(member: &Member, may_name: &[&str], named: &Dependency) -> Option<(String, String)> {
    let name = named.name.as_str();
    let for_tests =
        name == "testkit" && named.for_tests && TESTED_WITH_TESTKIT.contains(&member.name.as_str());
    // Tests of a crate may enable its own features.
    let own_features = named.for_tests && name == member.name;
    if may_name.contains(&name) || for_tests || own_features {
        return None;
    }
    let allowed = if may_name.is_empty() { "none of our crates".to_owned() } else { may_name.join(", ") };
    let kind = if named.for_tests { " (dev)" } else { "" };
    Some((
        format!("no arrow {} -> {name}{kind}", member.name),
        format!("remove it; {} may name {allowed}", member.name),
    ))
}

/// `sqlx` covers `sqlx-core`, and `utoipa` covers `utoipa-actix-web`.
fn is_of(library: &str, name: &str) -> bool {
    name.strip_prefix(library).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::super::metadata::example;
    use super::super::violation::lines;
    use super::*;

    #[track_caller]
    fn check(name: &str, dependency: &str, expected: Option<&str>) {
        let found = lines(&super::check(&[example(name, &[dependency])]));
        let expected: Vec<String> =
            expected.iter().map(|what| format!("crates/{name}/Cargo.toml:1: {what}")).collect();
        assert_eq!(found, expected, "{name} -> {dependency}");
    }

    #[test]
    fn a_crate_may_enable_its_own_features_for_its_tests() {
        check("outbound", "dev:ours:outbound", None);
        let refused = "no arrow outbound -> outbound; remove it; outbound may name registry, keys, tenancy, protocol, values";
        check("outbound", "ours:outbound", Some(refused));
    }

    #[test]
    fn an_arrow_that_is_drawn_may_be_gone() {
        for (from, to) in [
            ("gateway", "ours:administration"),
            ("latchkey", "ours:outbound"),
            ("storage", "ours:grants"),
            ("cache", "dev:ours:testkit"),
            ("keys", "dev:rsa"),
            ("storage", "sqlx"),
            ("gateway", "utoipa"),
            ("latchkey", "dev:reqwest"),
            ("registry", "redistribute"),
        ] {
            check(from, to, None);
        }
    }

    #[test]
    fn an_arrow_that_is_not_drawn_is_a_violation() {
        let below_grants = "sessions, accounts, registry, secrets, keys, tenancy, protocol, values";
        for (name, dependency, to, may_name) in [
            ("derives", "ours:keys", "keys", "none of our crates"),
            ("protocol", "ours:keys", "keys", "values"),
            ("keys", "dev:ours:registry", "registry (dev)", "latchkey-verifier, tenancy, protocol, values"),
            ("grants", "dev:ours:testkit", "testkit (dev)", below_grants),
            ("latchkey", "ours:testkit", "testkit", &BELOW_THE_PROGRAM.join(", ")),
            ("storage", "ours:cache", "cache", &DOMAIN.join(", ")),
            ("server", "ours:command", "command", &BELOW_THE_SERVER.join(", ")),
        ] {
            let expected = format!("no arrow {name} -> {to}; remove it; {name} may name {may_name}");
            check(name, dependency, Some(&expected));
        }
    }

    #[test]
    fn a_library_is_named_by_its_owner_only() {
        let trait_here = "state a trait here and implement it in an outer crate";
        check("keys", "sqlx", Some(&format!("domain crate keys names sqlx; {trait_here}")));
        check("grants", "dev:reqwest", Some(&format!("domain crate grants names reqwest; {trait_here}")));
        check("command", "reqwest", None);
        let of_http = "outbound and command and latchkey-client and latchkey-verifier";
        for (name, library, owners) in
            [("cache", "sqlx-core", "storage and testkit"), ("gateway", "reqwest", of_http)]
        {
            let expected = format!("{name} names {library}; only {owners} may; move the code there");
            check(name, library, Some(&expected));
        }
    }

    #[test]
    fn an_unknown_crate_is_a_violation() {
        let found = lines(&super::check(&[example("helpers", &[])]));
        let expected = "crates/helpers/Cargo.toml:1: no arrow begins at crate helpers; say";
        assert!(found[0].starts_with(expected), "{found:?}");
    }
}
