//! Tests the check of tenants with sign-in, and keys of features that do not exist.

use values::Timestamp;

use super::super::{Diagnostic, Environment, Loaded, inspect};
use super::test_folder::Folder;

fn load(settings: &str) -> Result<Loaded, String> {
    load_in(&Folder::new(), settings, 0)
}

fn load_in(folder: &Folder, settings: &str, now: u64) -> Result<Loaded, String> {
    folder.write("config.yaml", 0o644, settings);
    let loaded = inspect(&folder.path("config.yaml"), &Environment::default(), Timestamp::from_seconds(now));
    loaded.map_err(|error| folder.faults(&error))
}

/// A file of the server with this URL and two tenants, each with these keys.
fn settings(public_url: &str, keys: &str) -> String {
    let tenant = |id: &str| format!("  {id}:\n    {}\n", keys.replace("ID", id));
    format!("server: {{ public_url: {public_url} }}\ntenants:\n{}{}", tenant("acme"), tenant("globex"))
}

const BOTH: &str = "strategies: { oauth2: { enabled: true }, oidc: { enabled: true } }";
const OAUTH2: &str = "strategies: { oauth2: { enabled: true } }";
const OIDC: &str = "strategies: { oidc: { enabled: true } }";

/// Each warning applies to both tenants.
#[test]
fn settings_that_openid_clients_refuse_cause_warnings() {
    let (local, sso) = ("http://localhost:3000", "https://auth.example.com/sso/");
    let algorithm = "signing.algorithm";
    let issuer =
        "the issuer is not below `public_url`, so this server cannot serve its metadata at https://id.";
    for (strategies, public_url, keys, expected) in [
        (BOTH, local, "", None),
        (BOTH, local, "issuer: https://id.ID.example", Some(("issuer", issuer))),
        (BOTH, local, "issuer: http://localhost:3000/api/v1/tenant/ID", None),
        (BOTH, sso, "issuer: https://auth.example.com/sso/api/v1/tenant/ID", None),
        (BOTH, local, "issuer: http://localhost:3000/login/ID", None),
        (BOTH, sso, "issuer: https://auth.example.com/sso/ID/", None),
        (OAUTH2, local, "issuer: https://id.ID.example", Some(("issuer", issuer))),
        (
            BOTH,
            local,
            "issuer: http://localhost:3000/console/ID",
            Some(("issuer", "the server has its own routes at /console")),
        ),
        (BOTH, local, "signing: { algorithm: RS256 }", None),
        (BOTH, local, "signing: { algorithm: ES256 }", Some((algorithm, "ID tokens are signed with ES256"))),
        (BOTH, local, "signing: { algorithm: PS256 }", Some((algorithm, "ID tokens are signed with PS256"))),
        (BOTH, local, "signing: { algorithm: EdDSA }", Some((algorithm, "ID tokens are signed with EdDSA"))),
        (OAUTH2, local, "signing: { algorithm: ES256 }", None),
    ] {
        let text = settings(public_url, &format!("{strategies}\n    {keys}"));
        let loaded = load(&text).unwrap();
        let is_concerned =
            |warning: &&Diagnostic| warning.key.ends_with(".issuer") || warning.key.ends_with(".algorithm");
        let found: Vec<_> = loaded.warnings.iter().filter(is_concerned).collect();
        assert_eq!(found.len(), if expected.is_some() { 2 } else { 0 }, "{text}\n{found:?}");
        for ((warning, tenant), (key, problem)) in
            found.iter().zip(["acme", "globex"]).zip(expected.into_iter().cycle())
        {
            assert_eq!(warning.key, format!("tenants.{tenant}.{key}"), "{text}");
            assert!(warning.explanation.problem.starts_with(problem), "{text}\n{warning:?}");
        }
    }
}

#[test]
fn sign_in_over_plain_http_is_refused() {
    let refused = "users would send their passwords in clear text, because `public_url` uses http";
    for (strategies, public_url, is_refused) in [
        (BOTH, "http://auth.example.com", true),
        (BOTH, "http://192.0.2.1:3000", true),
        (BOTH, "https://auth.example.com", false),
        (BOTH, "http://localhost:3000", false),
        (BOTH, "http://127.0.0.1:3000", false),
        (OAUTH2, "http://auth.example.com", false),
        (OIDC, "http://auth.example.com", false),
    ] {
        let found = load(&settings(public_url, strategies)).err().unwrap_or_default();
        let expected = ["4:52: tenants.acme", "6:52: tenants.globex"]
            .map(|place| format!("config.yaml:{place}.strategies.oidc: {refused}; set `server.public_url` to an https URL, or disable the strategy"));
        let lines: Vec<_> = found.lines().collect();
        assert_eq!(lines.len(), if is_refused { 2 } else { 0 }, "{strategies} {public_url}\n{found}");
        for (line, expected) in lines.iter().zip(expected) {
            assert!(line.starts_with(&expected), "{line}\nnot\n{expected}");
        }
    }
}

/// An operator who writes one of these keys expects a feature that does not exist.
#[test]
fn key_of_missing_feature_is_refused_with_location() {
    for (key, value) in [
        ("origin", "https://login.ID.example"),
        ("sign_in.identifiers", "[email]"),
        ("sign_in.password", "false"),
        ("sign_in.passkeys", "true"),
        ("sign_in.second_factor", "required"),
        ("sign_in.registration", "open"),
        ("id_token", "{ lifetime: 1h }"),
        ("claims", "{}"),
        ("branding.default_locale", "de"),
        ("identity_providers", "{}"),
        ("accounts.ada.second_factor", "required"),
        ("clients.web.id_token_signed_response_alg", "ES256"),
        ("clients.web.initiate_login_uri", "https://app.ID.example/"),
    ] {
        let (parents, last) = key.rsplit_once('.').unwrap_or(("", key));
        let parents: Vec<_> = parents.split('.').filter(|parent| !parent.is_empty()).collect();
        let mut text = "name: ID\n".to_owned();
        for (depth, parent) in parents.iter().enumerate() {
            text += &format!("{:1$}{parent}:\n", "", 4 + 2 * depth);
        }
        let depth = parents.len();
        let indent = 4 + 2 * depth;
        text += &format!("{:indent$}{last}: {value}", "");
        let text = settings("http://localhost:3000", &text);
        let found = load(&text).expect_err(&text);
        for (tenant, line) in [("acme", 5 + depth), ("globex", 8 + 2 * depth)] {
            let place = format!("config.yaml:{line}:{}: tenants.{tenant}.{key}", indent + 1);
            let expected = format!("{place}: unknown key");
            let is_refused = found.lines().any(|found| found.starts_with(&expected));
            assert!(is_refused, "{text}\n{found}\nhas no\n{expected}");
        }
    }
    let section = "accounts: { password_hash: { memory: 19456 } }";
    let found = load(section).expect_err(section);
    assert!(found.starts_with("config.yaml:1:1: accounts: unknown key"), "{found}");
}

#[test]
fn certificate_request_to_browsers_causes_a_warning() {
    let folder = Folder::new();
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key);
    let certificate = certificate.unwrap().pem();
    for (name, text) in [("a", &certificate), ("b", &key.serialize_pem()), ("c", &certificate)] {
        folder.write(name, 0o600, text);
    }
    let asks = |serves: &str, more: &str| {
        format!(
            "{{ address: '127.0.0.1:0', serves: [{serves}], tls: {{ certificate: a, private_key: b, {more} }} }}"
        )
    };
    let [optional, required, none] =
        ["client_certificates: optional", "client_ca: c", ""].map(|more| asks("public", more));
    let of_admin = asks("admin", "client_certificates: optional");
    let default_with_authorities = asks("public", "client_ca: c, client_certificates: optional");
    for (strategies, listeners, expected) in [
        (BOTH, vec![&optional], vec![0]),
        (BOTH, vec![&default_with_authorities], vec![0]),
        (BOTH, vec![&optional, &of_admin], vec![0]),
        (BOTH, vec![&required, &optional], vec![1]),
        (BOTH, vec![&optional, &optional], vec![0, 1]),
        // People use the listener that asks for no certificate.
        (BOTH, vec![&none, &optional], vec![]),
        (BOTH, vec![&optional, &none], vec![]),
        // With `required`, a client without a certificate gets no connection.
        (BOTH, vec![&required], vec![]),
        (BOTH, vec![&of_admin, &none], vec![]),
        // No tenant has sign-in.
        (OAUTH2, vec![&optional], vec![]),
        (OIDC, vec![&optional], vec![]),
    ] {
        let lines: String = listeners.iter().map(|listener| format!("    - {listener}\n")).collect();
        let text =
            format!("server:\n  listeners:\n{lines}tenants:\n  acme:\n    {strategies}\n  globex: {{}}\n");
        let loaded = load_in(&folder, &text, 1_800_000_000).unwrap();
        let asks = |warning: &&Diagnostic| warning.explanation.problem.contains("their browsers ask them");
        let found = loaded.warnings.iter().filter(asks);
        let found = found.map(|found| format!("{} {}", found.key, found.location.split(":").nth(1).unwrap()));
        let at = |nth| format!("server.listeners[{nth}].tls.client_certificates {}", 3 + nth);
        assert_eq!(found.collect::<Vec<_>>(), expected.into_iter().map(at).collect::<Vec<_>>(), "{text}");
    }
}
