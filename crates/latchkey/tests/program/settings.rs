//! Settings that the tests run: those of the repository, with other ports, and two tenants of their own.

/// The repository's `config.yaml`.
const SAMPLE: &str = include_str!("../../../../config.yaml");
/// The clients of the documented examples, at their ports.
const EXAMPLES: &str = include_str!("../../../../deploy/examples/config.yaml");

/// Acme and globex have a client `svc` and a client `auditor` each, with secrets of their own.
pub(crate) const TWO_TENANTS: &str = include_str!("settings/two_tenants.yaml");
pub(crate) const ACME_SECRET: &str = "acme-svc-canary-8d1f";
pub(crate) const GLOBEX_SECRET: &str = "globex-svc-canary-52b7";

pub(crate) fn sample() -> String {
    with_free_ports(SAMPLE, &["3000"])
}

pub(crate) fn examples() -> String {
    with_free_ports(EXAMPLES, &["3000", "8080", "8090"])
}

/// Settings with one place replaced, which must be there.
#[track_caller]
pub(crate) fn edited(settings: &str, from: &str, to: &str) -> String {
    assert_eq!(settings.matches(from).count(), 1, "{from:?} stands once in\n{settings}");
    settings.replace(from, to)
}

/// Tests run beside each other, so they cannot all have port 3000. What is taken away must be the ports that the commands of the
/// README and of the documented examples call.
#[track_caller]
fn with_free_ports(settings: &str, called: &[&str]) -> String {
    let mut ports = Vec::new();
    let lines = settings.lines().map(|line| match line.split_once("- address: 127.0.0.1:") {
        Some((indent, port)) => {
            ports.push(port);
            format!("{indent}- address: 127.0.0.1:0")
        }
        None => line.to_owned(),
    });
    let freed = lines.collect::<Vec<_>>().join("\n");
    assert_eq!(ports, called, "{settings}");
    freed
}
