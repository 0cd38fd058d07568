//! Allowed dependencies: the edges between our crates, and the crates that may name an external library.

use super::members::{Dependency, Member};
use super::violation::Violation;

/// An arrow means "may name"; nothing else is allowed. A name in capitals is a list.
const ARROWS: &str = "
derives ->
values -> derives
protocol -> values
tenancy -> protocol values
keys -> latchkey-verifier tenancy protocol values
secrets -> tenancy protocol values
registry -> latchkey-verifier secrets keys tenancy protocol values
accounts -> secrets tenancy protocol values
sessions -> accounts secrets keys tenancy protocol values
grants -> sessions accounts registry secrets keys tenancy protocol values
administration -> derives sessions accounts registry secrets keys tenancy protocol values
storage -> DOMAIN
cache -> DOMAIN
outbound -> registry keys tenancy protocol values
pages -> tenancy protocol values
gateway -> pages DOMAIN
settings -> gateway cache outbound administration accounts registry secrets keys tenancy protocol values
testkit -> storage DOMAIN
latchkey-verifier ->
latchkey-client ->
server -> OUTER
command -> latchkey-verifier latchkey-client server OUTER
latchkey -> command latchkey-verifier latchkey-client server OUTER
warm_requests -> testkit gateway cache DOMAIN
xtask ->
";

/// Pure crates: rules without access to a database, a network or the environment.
const DOMAIN: &str = "administration grants sessions accounts registry secrets keys tenancy protocol values";

/// The crates that `server` composes.
const OUTER: &str = "settings gateway storage cache outbound DOMAIN";

/// Whether a crate is pure: the domain, and the pages, which only the gateway shows.
pub(super) fn is_pure(name: &str) -> bool {
    name == "pages" || DOMAIN.split(' ').any(|of_domain| of_domain == name)
}

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

/// The crates, in reading order, and which each may name.
pub(super) fn all() -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
    ARROWS.lines().filter_map(|line| {
        let (from, to) = line.split_once(" ->")?;
        Some((from, listed(to)))
    })
}

fn listed(names: &'static str) -> Vec<&'static str> {
    let names = names.split_whitespace().flat_map(|name| match name {
        "DOMAIN" => listed(DOMAIN),
        "OUTER" => listed(OUTER),
        _ => vec![name],
    });
    names.collect()
}

pub(super) fn check(members: &[Member]) -> Vec<Violation> {
    let of = |member: &Member| match all().find(|(from, _)| *from == member.name) {
        Some((_, may_name)) => {
            member.dependencies.iter().filter_map(|named| judge(member, &may_name, named)).collect()
        }
        None => vec![Violation::of_file(
            &member.manifest,
            format!("no arrow begins at crate {}", member.name),
            "say in the layout what the crate is for and whom it may name, then in xtask/src/tidy/arrows.rs",
        )],
    };
    members.iter().flat_map(of).collect()
}

fn judge(member: &Member, may_name: &[&str], named: &Dependency) -> Option<Violation> {
    let (of, name) = (member.name.as_str(), named.name.as_str());
    let (what, hint) = if named.ours {
        let for_tests = name == "testkit" && named.for_tests && TESTED_WITH_TESTKIT.contains(&of);
        // Tests of a crate may enable its own features.
        let own_features = named.for_tests && name == of;
        if may_name.contains(&name) || for_tests || own_features {
            return None;
        }
        let allowed = if may_name.is_empty() { "none of our crates".to_owned() } else { may_name.join(", ") };
        let kind = if named.for_tests { " (dev)" } else { "" };
        (format!("no arrow {of} -> {name}{kind}"), format!("remove it; {of} may name {allowed}"))
    } else if is_pure(of) && NEVER_IN_DOMAIN.iter().any(|lib| is_of(lib, name)) {
        let hint = "state a trait here and implement it in an outer crate";
        (format!("domain crate {of} names {name}"), hint.to_owned())
    } else {
        let (_, owners) = OWNERS.iter().find(|(lib, _)| is_of(lib, name) && !named.for_tests)?;
        if owners.contains(&of) {
            return None;
        }
        let owners = owners.join(" and ");
        (format!("{of} names {name}"), format!("only {owners} may; move the code there"))
    };
    Some(Violation::of_file(&member.manifest, what, hint).at(name))
}

/// `sqlx` covers `sqlx-core`, and `utoipa` covers `utoipa-actix-web`.
fn is_of(library: &str, name: &str) -> bool {
    name.strip_prefix(library).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::super::members::example;
    use super::super::violation::facts;
    use super::*;

    /// Checks the violation that a dependency of this crate causes in a workspace with all other crates.
    #[track_caller]
    fn check(name: &str, dependency: &str, expected: Option<&str>) {
        let named = [dependency];
        let with = |crate_name| (crate_name, if crate_name == name { &named[..] } else { &[] });
        let members = example(&all().map(|(crate_name, _)| with(crate_name)).collect::<Vec<_>>());
        let expected = expected.map(|what| format!("crates/{name}/Cargo.toml:1: {what}"));
        assert_eq!(facts(&super::check(&members)), Vec::from_iter(expected), "{name} -> {dependency}");
    }

    #[test]
    fn allowed_dependencies_pass() {
        for (from, to) in [
            ("outbound", "dev:outbound"),
            ("gateway", "administration"),
            ("latchkey", "outbound"),
            ("storage", "grants"),
            ("cache", "dev:testkit"),
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
    fn undrawn_dependency_is_a_violation() {
        for (from, to) in [
            ("outbound", "outbound"),
            ("derives", "keys"),
            ("protocol", "keys"),
            ("latchkey", "testkit"),
            ("storage", "cache"),
            ("server", "command"),
        ] {
            check(from, to, Some(&format!("no arrow {from} -> {to}")));
        }
        check("keys", "dev:registry", Some("no arrow keys -> registry (dev)"));
        check("grants", "dev:testkit", Some("no arrow grants -> testkit (dev)"));
    }

    #[test]
    fn only_the_owner_may_name_a_library() {
        check("keys", "sqlx", Some("domain crate keys names sqlx"));
        check("grants", "dev:reqwest", Some("domain crate grants names reqwest"));
        check("command", "reqwest", None);
        check("cache", "sqlx-core", Some("cache names sqlx-core"));
        check("gateway", "reqwest", Some("gateway names reqwest"));
    }

    #[test]
    fn unknown_crate_is_a_violation() {
        let found = facts(&super::check(&example(&[("helpers", &[])])));
        assert_eq!(found, ["crates/helpers/Cargo.toml:1: no arrow begins at crate helpers"]);
    }
}
