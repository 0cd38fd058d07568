//! Settings for tests: those of the repository with other ports, and a file with two tenants.

use secrets::GeneratedSecret;
use testkit::free_port;

const SAMPLE: &str = include_str!("../../../../config.yaml");
/// The settings of the documented examples.
const EXAMPLES: &str = include_str!("../../../../deploy/examples/config.yaml");

/// Acme and globex each have a client `svc` and a client `auditor` with different secrets.
pub(crate) const TWO_TENANTS: &str = include_str!("settings/two_tenants.yaml");
pub(crate) const ACME_SECRET: &str = "acme-svc-canary-8d1f";
pub(crate) const GLOBEX_SECRET: &str = "globex-svc-canary-52b7";
/// Each tenant, the secret of its client `svc`, and the other tenant.
pub(crate) const TENANTS: [(&str, &str, &str); 2] =
    [("acme", ACME_SECRET, "globex"), ("globex", GLOBEX_SECRET, "acme")];
/// Another secret for the client `svc` of acme.
pub(crate) const NEW_SECRET: &str = "acme-new-canary-31c5";

/// A URL with a free port, and the section `server` of a program at this URL.
pub(crate) fn own_address() -> (String, String) {
    let address = format!("127.0.0.1:{}", free_port());
    let url = format!("http://{address}");
    let server = format!("server: {{ public_url: '{url}', listeners: [{{ address: '{address}' }}] }}\n");
    (url, server)
}

pub(crate) fn generated() -> String {
    GeneratedSecret::generate().secret.expose().to_owned()
}

pub(crate) fn sample() -> String {
    with_free_ports(SAMPLE, &["3000"])
}

pub(crate) fn examples() -> String {
    with_free_ports(EXAMPLES, &["3000", "8080", "8090"])
}

/// The settings with one occurrence replaced. The text must occur.
#[track_caller]
pub(crate) fn edited(settings: &str, from: &str, to: &str) -> String {
    assert_eq!(settings.matches(from).count(), 1, "{from:?} must occur once in\n{settings}");
    settings.replace(from, to)
}

/// The settings with one more line in a tenant.
#[track_caller]
pub(crate) fn with_line(settings: &str, tenant: &str, line: &str) -> String {
    edited(settings, &format!("  {tenant}:\n"), &format!("  {tenant}:\n    {line}\n"))
}

/// Tests run at the same time, so they cannot all use port 3000. The replaced ports must be those in the
/// commands of the README and of the documented examples.
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
