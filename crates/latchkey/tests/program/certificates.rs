//! Tests client certificates with client programs: curl, openid-client, oauth4webapi and Authlib get tokens
//! at their own tenant and none at the other.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, PublicKeyData as _, SanType,
    date_time_ymd,
};
use serde_json::{Value, json};

use crate::folder::Folder;
use crate::foreign::{node, python};
use crate::host::run;
use crate::jwt;
use crate::program::Program;
use crate::running::tenant_path;

const TENANTS: [(&str, &str); 2] = [("acme", "globex"), ("globex", "acme")];

pub(crate) fn subject(parameters: &mut CertificateParams, name: &str) {
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    parameters.distinguished_name.push(DnType::OrganizationName, "Example Ltd");
    parameters.distinguished_name.push(DnType::CommonName, name);
}

pub(crate) fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut parameters = CertificateParams::default();
    subject(&mut parameters, name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
}

fn jwk(key: &KeyPair) -> Value {
    let (x, y) = key.der_bytes()[1..].split_at(32);
    json!({ "kty": "EC", "crv": "P-256", "x": BASE64URL.encode(x), "y": BASE64URL.encode(y) })
}

/// Writes the certificate and key of `name` into the folder.
pub(crate) fn write(folder: &Folder, name: &str, pem: &str, key: &KeyPair) {
    folder.write(&format!("{name}.pem"), pem);
    folder.write(&format!("{name}.key"), &key.serialize_pem());
}

/// The program has two listeners: one asks for certificates, the other is behind a proxy that forwards them.
/// Each tenant has a client for each method.
fn folder() -> Folder {
    let folder = Folder::with("");
    let (ours, other) = (authority("ours"), authority("other"));
    folder.write("ca.pem", &ours.pem());
    folder.write("other-ca.pem", &other.pem());
    let mut server = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    server.subject_alt_names.push(SanType::IpAddress([127, 0, 0, 1].into()));
    let key = KeyPair::generate().unwrap();
    write(&folder, "server", &server.signed_by(&key, &ours).unwrap().pem(), &key);
    let mut tenants = String::new();
    for (tenant, _) in TENANTS {
        let mut parameters = CertificateParams::default();
        subject(&mut parameters, tenant);
        let key = KeyPair::generate().unwrap();
        write(&folder, &format!("issued-{tenant}"), &parameters.signed_by(&key, &ours).unwrap().pem(), &key);
        let foreign = parameters.signed_by(&key, &other).unwrap();
        write(&folder, &format!("foreign-{tenant}"), &foreign.pem(), &key);
        let mut expired = parameters.clone();
        (expired.not_before, expired.not_after) = (date_time_ymd(2001, 1, 1), date_time_ymd(2002, 1, 1));
        write(&folder, &format!("expired-{tenant}"), &expired.signed_by(&key, &ours).unwrap().pem(), &key);
        let own = KeyPair::generate().unwrap();
        write(&folder, &format!("own-{tenant}"), &parameters.self_signed(&own).unwrap().pem(), &own);
        let rest = "tls_client_certificate_bound_access_tokens: true, audiences: [api], scopes: [api:read]";
        tenants.push_str(&format!(
            "  {tenant}: {{ strategies: {{ oauth2: {{ enabled: true }} }}, resource_servers: {{ api: {{ scopes: [api:read] }} }}, clients: {{ \
             issued: {{ token_endpoint_auth_method: tls_client_auth, tls_client_auth_subject_dn: 'CN={tenant}, O=Example Ltd', {rest} }}, \
             own: {{ token_endpoint_auth_method: self_signed_tls_client_auth, jwks: {{ keys: [{}] }}, {rest} }} }} }}\n",
            jwk(&own)
        ));
    }
    folder.write(
        "config.yaml",
        &format!(
            "server:\n  mtls_url: https://mtls.example.com\n  listeners:\n    \
             - {{ address: 127.0.0.1:0, tls: {{ certificate: server.pem, private_key: server.key, client_ca: ca.pem, client_certificates: optional }} }}\n    \
             - {{ address: 127.0.0.1:0, trusted_proxies: {{ from: [127.0.0.1], header: x-forwarded-for, client_certificate: {{ header: X-Client-Cert, format: url_encoded_pem, client_ca: ca.pem }} }} }}\n\
             storage: {{ url: sqlite://data/latchkey.db }}\nkeys: {{ sealing_key: {{ file: keys/sealing.key }} }}\n\
             protected_resource: {{ tenant: acme, audience: api }}\ntenants:\n{tenants}"
        ),
    );
    folder
}

pub(crate) fn path(folder: &Folder, name: &str) -> String {
    folder.path(name).display().to_string()
}

/// The status of a token request that the trusted proxy forwards with the certificate `name`.
fn passed_on(folder: &Folder, program: &Program, tenant: &str, client: &str, name: &str) -> u16 {
    let url = format!("http://{}{}", program.addresses()[1], tenant_path(tenant, "/oauth/token"));
    let pem = folder.read(&format!("{name}.pem"));
    let escaped = pem.replace('+', "%2B").replace('\n', "%0A").replace('\r', "").replace(' ', "%20");
    let (header, id) = (format!("X-Client-Cert: {escaped}"), format!("client_id={client}"));
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--noproxy", "*", "--output", "/dev/null", "--write-out"]);
    curl.args(["%{http_code}", "-H", &header, "-d", "grant_type=client_credentials", "-d", &id, &url]);
    run(&mut curl).output().parse().unwrap()
}

#[test]
fn client_authorities_are_replaced_at_runtime() {
    let (folder, program) = Program::serving_in(folder());
    let statuses = || {
        ["issued", "foreign"].map(|name| {
            TENANTS.map(|(tenant, _)| {
                passed_on(&folder, &program, tenant, "issued", &format!("{name}-{tenant}"))
            })
        })
    };
    assert_eq!(statuses(), [[200; 2], [401; 2]]);
    let before = program.mark();
    folder.replace("ca.pem", "no certificate");
    program.log_after(before, "authorities of client certificates not replaced");
    assert_eq!(statuses(), [[200; 2], [401; 2]], "the previous authorities stay in use");
    let before = program.mark();
    std::fs::rename(folder.path("other-ca.pem"), folder.path("ca.pem")).unwrap();
    program.log_after(before, "authorities of client certificates replaced");
    assert_eq!(statuses(), [[401; 2], [200; 2]]);
    program.stop();
}

#[test]
fn openid_client_and_oauth4webapi_authenticate_with_a_certificate() {
    try_libraries(2, |environment| node(include_str!("scripts/certificate.cjs"), environment).output());
}

#[test]
fn authlib_authenticates_with_a_certificate() {
    try_libraries(1, |environment| python(include_str!("scripts/certificate.py"), environment).output());
}

/// Checks that each library gets a token at the tenant of its certificate, and none at the other.
fn try_libraries(count: usize, run: impl Fn(&[(&str, &str)]) -> String) {
    let (folder, program) = Program::serving_in(folder());
    for (tenant, other) in TENANTS {
        for client in ["issued", "own"] {
            let libraries = |at: &str| {
                let name = format!("{client}-{tenant}");
                let file = |name: &str| path(&folder, name);
                let served_at = format!("https://127.0.0.1:{}", program.address().port());
                let metadata = tenant_path(at, "/.well-known/oauth-authorization-server");
                let environment = [
                    ("METADATA", format!("http://{}{metadata}", program.addresses()[1])),
                    ("MTLS_URL", "https://mtls.example.com".to_owned()),
                    ("ALIAS", format!("{served_at}{}", tenant_path(at, "/oauth/token"))),
                    ("SERVED_AT", served_at),
                    ("CLIENT", client.to_owned()),
                    ("CA", file("ca.pem")),
                    ("CERTIFICATE", file(&format!("{name}.pem"))),
                    ("KEY", file(&format!("{name}.key"))),
                ];
                let output = run(&environment.each_ref().map(|(name, value)| (*name, value.as_str())));
                serde_json::from_str::<Vec<Value>>(&output).unwrap()
            };
            let tokens = libraries(tenant);
            assert_eq!(tokens.len(), count);
            for token in &tokens {
                let claims = jwt::claims(token.as_str().unwrap_or_else(|| panic!("{tokens:?}")));
                assert!(claims["sub"] == client && claims["cnf"]["x5t#S256"].is_string(), "{claims}");
            }
            assert_eq!(libraries(other), vec![json!({ "refused": 401 }); count]);
        }
    }
    program.stop();
}

#[test]
fn certificate_client_is_registered_by_command_line() {
    let (folder, program) = Program::serving_in(folder());
    for (tenant, other) in TENANTS {
        let name = format!("CN={tenant},O=Example Ltd");
        let method = ["--auth-method", "tls_client_auth", "--tls-client-auth-subject-dn", &name];
        folder.run(&[&["client", "add", tenant, "billing"], &method[..]].concat()).output();
        let status = |of: &str| passed_on(&folder, &program, tenant, "billing", &format!("issued-{of}"));
        assert_eq!([status(tenant), status(other)], [200, 401]);
        // The client gets another certificate subject.
        let patch = r#"{"tls_client_auth_subject_dn":null,"tls_client_auth_san_dns":"billing.example.com"}"#;
        folder.run(&["client", "set", tenant, "billing", "--patch", patch]).output();
        // The program notices the change of another process within a second.
        let deadline = Instant::now() + Duration::from_secs(10);
        while status(tenant) != 401 {
            assert!(Instant::now() < deadline, "{tenant}: the previous subject still authenticates");
            thread::sleep(Duration::from_millis(50));
        }
    }
    program.stop();
}

/// The command uses the authorities in the settings, and only the tenant's own clients.
#[test]
fn explain_checks_a_certificate_and_its_chain() {
    let folder = folder();
    folder.run(&["apply"]).output();
    for (tenant, other) in TENANTS {
        for (client, name, code, check, reason) in [
            ("issued", format!("issued-{tenant}"), 0, "", ""),
            ("issued", format!("issued-{other}"), 7, "certificate", "certificate_of_another_subject"),
            ("issued", format!("foreign-{tenant}"), 7, "chain", "certificate_not_trusted"),
            ("issued", format!("expired-{tenant}"), 7, "chain", "certificate_expired"),
            ("own", format!("own-{tenant}"), 0, "", ""),
            ("own", format!("own-{other}"), 7, "certificate", "certificate_not_registered"),
        ] {
            let method = if client == "own" { "self_signed_tls_client_auth" } else { "tls_client_auth" };
            let file = format!("{name}.pem");
            let explain =
                ["explain", tenant, client, "--auth-method", method, "--certificate-file", &file, "--json"];
            let ran = folder.run(&explain);
            ran.assert_ends(code, &[]);
            let explained = ran.document();
            let found = ["check", "reason"].map(|member| explained["result"][member].as_str());
            assert_eq!(found.map(Option::unwrap_or_default), [check, reason], "{name}: {explained}");
        }
    }
    // `latchkey` does not send a private key that is in the same file as the certificate. A file without a
    // certificate is refused.
    let key = folder.read("own-acme.key");
    folder.write("both.pem", &format!("{key}{}", folder.read("own-acme.pem")));
    for (file, code, words) in [("both.pem", 0, ""), ("own-acme.key", 1, "there is no certificate in it")] {
        let method = ["--auth-method", "self_signed_tls_client_auth", "--certificate-file", file];
        let ran = folder.run(&[&["explain", "acme", "own"], &method[..]].concat());
        ran.assert_ends(code, &[words]);
        let secret = key.lines().nth(1).unwrap();
        assert!(!ran.out.contains(secret) && !ran.err.contains(secret), "{ran:?}");
    }
}
