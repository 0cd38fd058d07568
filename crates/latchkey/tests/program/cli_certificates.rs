//! Tests profiles whose credential is a client certificate: tokens are requested and sent over connections
//! that present the certificate.

use std::fs;

use crate::certificate_source::TestEnv;
use crate::cli::Cli;
use crate::cli_profiles::User;
use crate::jwt;
use crate::program::Program;
use crate::running::tenant_path;

/// The arguments of a login with the certificate of a tenant's client.
fn login<'a>(
    endpoint: &[&'a str],
    client: &'a str,
    files: &'a [String; 2],
    more: &[&'a str],
) -> Vec<&'a str> {
    let files = ["--certificate", &files[0], "--certificate-key", &files[1], "--ca", "ca.pem"];
    [&["login"], endpoint, &["--client-id", client], &files, more].concat()
}

fn files(tenant: &str) -> [String; 2] {
    [format!("{tenant}.pem"), format!("{tenant}.key")]
}

/// With two tenants: neither the certificate nor the tokens of one are accepted at the other.
#[test]
fn profile_authenticates_with_a_certificate() {
    let env = TestEnv::new();
    let program = Program::start(&env.folder);
    let user = User(&env.folder);
    let resource = format!("{}/api/v1/protected-resource", env.mtls_url);
    for (tenant, other, store, code) in [("acme", "globex", "file", 0), ("globex", "acme", "keyring", 5)] {
        let issuer = |tenant| format!("{}{}", env.public_url, tenant_path(tenant, ""));
        let (own, foreign, files) = (issuer(tenant), issuer(other), files(tenant));
        let more = ["--profile", tenant, "--store", store];
        user.run(&login(&["--issuer", &foreign], "billing", &files, &more)).assert_ends(5, &[]);
        let ran = user.run(&login(&["--issuer", &own], "billing", &files, &more)).output();
        assert!(ran.starts_with("✓ Authenticated as billing. Tokens are valid for 1h."), "{ran}");
        let token = user.run(&["token"]).output();
        assert!(jwt::claims(&token)["cnf"]["x5t#S256"].is_string());
        let called = user.run(&["call", "-i", &resource]);
        assert_eq!(called.code, Some(code), "{tenant}: {called:?}");
        // The profile has its own copy.
        files.iter().for_each(|file| fs::remove_file(env.folder.path(file)).unwrap());
        assert_ne!(user.run(&["token", "--no-cache"]).output(), token);
        let plain = user.run(&["call", "http://127.0.0.1:9/"]);
        let expected = format!("error: profile `{tenant}` uses a client certificate, which requires https\n");
        assert_eq!((plain.code, plain.err), (Some(1), expected));
    }
    user.run(&["logout", "--all"]).output();
    program.stop();
}

/// With two tenants: each administrator can only administer its own tenant.
#[test]
fn administration_presents_the_certificate_of_the_profile() {
    let env = TestEnv::new();
    let store = Cli::store(&env.folder);
    let program = Program::start(&env.folder);
    let user = User(&env.folder);
    for tenant in ["acme", "globex"] {
        let (audience, subject) =
            (format!("urn:latchkey:tenant:{tenant}"), format!("CN={tenant}, O=Example Ltd"));
        let add = ["client", "add", tenant, "boss", "--scope", "latchkey:clients", "--audience", &audience];
        let method = ["--auth-method", "tls_client_auth", "--tls-client-auth-subject-dn", &subject];
        store.run(&[&add[..], &method].concat()).output();
        let bound = "tls_client_certificate_bound_access_tokens=true";
        store.run(&["client", "set", tenant, "boss", bound]).output();
        let files = files(tenant);
        let server = ["--server", &env.mtls_url, "--tenant", tenant];
        user.run(&login(&server, "boss", &files, &["--resource", &audience])).output();
        let list = |tenant| user.run(&["client", "list", tenant, "--server", &env.mtls_url]);
        assert!(list(tenant).output().contains("boss"), "{tenant}");
        let other = if tenant == "acme" { "globex" } else { "acme" };
        let refused = list(other);
        assert!(matches!(refused.code, Some(3 | 5)), "{refused:?}");
    }
    program.stop();
}
