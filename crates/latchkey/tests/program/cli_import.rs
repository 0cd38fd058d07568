//! Tests `latchkey import keycloak`: a realm becomes a tenant whose clients and people keep their secrets and
//! passwords.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use protocol::SigningAlgorithm;
use serde_json::{Value, json};

use crate::assertions::Pair;
use crate::cli::Cli;
use crate::folder::Folder;
use crate::host::assert_has;
use crate::person::{Browser, public_url};
use crate::reload::until_status;
use crate::running::tenant_path;
use crate::settings::{TWO_TENANTS, generated};
use crate::two_providers::{ProviderTenant, REDIRECT_URI, TwoProviders};

/// The expected tenant. Its client `web` and its person have their own secrets.
fn tenant(url: &str, id: &'static str) -> ProviderTenant {
    let [secret, password, eves_password] = [generated(), generated(), generated()];
    let (issuer, key) = (format!("{url}{}", tenant_path(id, "")), Pair::generate(SigningAlgorithm::ES256));
    ProviderTenant { id, name: "Ada Lovelace", issuer, secret, password, eves_password, key }
}

/// An export in Keycloak's form, with members that the import reads and members that it leaves out.
fn realm(tenant: &ProviderTenant) -> Value {
    let (salt, rounds) = (b"sixteen bytes!!!", 27_500);
    let mut digest = [0; 64];
    let count = NonZeroU32::new(rounds).unwrap();
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, count, salt, tenant.password.as_bytes(), &mut digest);
    let secret = json!({ "value": STANDARD.encode(digest), "salt": STANDARD.encode(salt) });
    let data = json!({ "hashIterations": rounds, "algorithm": "pbkdf2-sha256", "additionalParameters": {} });
    json!({
        "realm": tenant.id, "displayName": "Imported", "accessTokenLifespan": 300, "identityProviders": [{ "alias": "corp" }],
        "clientScopes": [{ "name": "orders:read", "description": "Read your orders" }],
        "clients": [
            { "clientId": "svc", "secret": tenant.secret, "standardFlowEnabled": false, "serviceAccountsEnabled": true,
              "defaultClientScopes": ["orders:read"] },
            { "clientId": "web", "secret": tenant.secret, "redirectUris": [REDIRECT_URI, "https://web.example/*"] },
            { "clientId": "masked", "secret": "**********", "standardFlowEnabled": false, "serviceAccountsEnabled": true },
        ],
        "users": [{ "id": "7", "username": "ada", "email": "ada@example.com", "firstName": "Ada", "lastName": "Lovelace",
            "credentials": [{ "type": "password", "secretData": secret.to_string(), "credentialData": data.to_string() }] }],
    })
}

// Once, the message for the export of a single client said that its realm's name is not valid for a tenant.
#[test]
fn export_of_a_client_is_refused() {
    let folder = Folder::with(TWO_TENANTS);
    let client = json!({ "clientId": "billing", "secret": "chosen", "serviceAccountsEnabled": true });
    for (export, what) in [
        (client.clone(), "contains a client instead of a realm"),
        (json!([client]), "contains clients instead of a realm"),
        (
            json!({ "realm": "initech", "auth-server-url": "https://x", "resource": "web" }),
            "an adapter configuration instead of a realm",
        ),
        (json!({ "username": "ada" }), "is not an exported Keycloak realm"),
        (json!([{ "username": "ada" }]), "is not an exported Keycloak realm"),
    ] {
        folder.write("client.json", &export.to_string());
        let ran = Cli::store(&folder).run(&["import", "keycloak", "client.json", "--yes"]);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert_has(&ran.err, &[what, "kc.sh export --realm"]);
    }
}

/// For one tenant the server imports, for the other the command does so on the store.
#[tokio::test]
async fn imported_realm_serves_only_its_clients_and_people() {
    let TwoProviders { tenants, folder, program } = TwoProviders::start("http://127.0.0.1:9");
    let url = public_url(&tenants);
    let imported = ["initech", "hooli"].map(|id| tenant(&url, id));
    let clis = [Cli::server(&folder, &program).await, Cli::store(&folder)];
    for (cli, tenant) in clis.iter().zip(&imported) {
        folder.canaries.add(&tenant.secret);
        folder.canaries.add(&tenant.password);
        folder.write("realm.json", &realm(tenant).to_string());
        let made = cli.json(&["import", "keycloak", "realm.json", "--yes"]);
        assert_eq!(made["made"]["clients"], json!(["svc", "web", "masked"]), "{made}");
        let new = made["made"]["new_secrets"][0]["client_secret"].as_str().unwrap();
        until_status(&program, (tenant.id, "masked", new), 200).await;
        let token = program.request_token(tenant.id, "svc", &tenant.secret).await.json();
        assert_eq!((&token["scope"], &token["expires_in"]), (&json!("orders:read"), &json!(300)));
    }
    let [initech, hooli] = &imported;
    for (tenant, other) in [(initech, hooli), (hooli, initech)] {
        for secret in [&other.secret, "**********"] {
            assert_eq!(program.request_token(tenant.id, "svc", secret).await.status, 401);
        }
        let mut browser = Browser::new(&url, tenant);
        browser.assert_signs_in("ada", &tenant.password, true).await;
        browser.assert_signs_in("ada", &other.password, false).await;
    }
}

#[test]
fn second_import_changes_nothing() {
    let folder = Folder::with(TWO_TENANTS);
    let cli = Cli::store(&folder);
    // Once, a byte order mark stopped the import.
    folder.write("realm.json", &format!("\u{feff}{}", realm(&tenant("http://127.0.0.1:9", "initech"))));
    let import = ["import", "keycloak", "realm.json"];
    let planned = cli.run(&[&import[..], &["--dry-run"]].concat());
    assert_eq!(planned.code, Some(2), "{planned:?}");
    let parts = [
        "wildcard",
        "web https://web.example/*",
        "identityProviders",
        "People: 1. Latchkey can verify the password hashes of 1.",
    ];
    assert_has(&planned.out, &parts);
    assert!(!folder.exists("data"), "a plan needs no store");
    cli.assert_ends(&import, 1, "--yes");
    cli.run(&[&import[..], &["--yes"]].concat()).output();

    let rows = || ["client", "account"].map(|kind| cli.json(&[kind, "list", "initech"]));
    let before = rows();
    cli.assert_ends(&[&import[..], &["--yes"]].concat(), 4, "--resume");
    let again = cli.json(&[&import[..], &["--yes", "--resume"]].concat());
    assert_eq!((&again["made"]["existing"], &again["made"]["new_secrets"]), (&json!(4), &json!([])));
    assert_eq!(rows(), before, "nothing was changed");
}

#[test]
fn refused_client_does_not_stop_the_import() {
    let folder = Folder::with(TWO_TENANTS);
    let cli = Cli::store(&folder);
    let client =
        |id: &str| json!({ "clientId": id, "standardFlowEnabled": false, "serviceAccountsEnabled": true });
    let realm = json!({ "realm": "initech", "clients": [client("urn:latchkey:x"), client("svc")] });
    folder.write("realm.json", &realm.to_string());
    let ran = cli.run(&["import", "keycloak", "realm.json", "--yes"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_has(&ran.out, &["refused: client urn:latchkey:x: ", "Created 1 clients", "svc  lk_"]);
}
