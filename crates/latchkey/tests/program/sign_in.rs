//! People sign in at the program with the libraries that clients have: openid-client and oauth4webapi check each answer by themselves.

use std::net::TcpListener;

use secrets::GeneratedSecret;
use serde_json::{Value, json};

use crate::folder::Folder;
use crate::foreign::node;
use crate::program::Program;
use crate::running::tenant_path;

const REDIRECT_URI: &str = "http://127.0.0.1:9/callback";

#[tokio::test]
async fn openid_client_and_oauth4webapi_sign_a_person_in_at_its_tenant() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    let tenants = [("acme", "Ada of Acme"), ("globex", "Ada of Globex")].map(|(tenant, name)| {
        let [secret, password] = [(); 2].map(|()| GeneratedSecret::generate().secret.expose().to_owned());
        (tenant, name, secret, password)
    });
    let declared = tenants.each_ref().map(|(tenant, name, secret, password)| {
        format!(
            "  {tenant}:\n    strategies: {{ oauth2: {{ enabled: true }}, oidc: {{ enabled: true }} }}\n    \
             accounts: {{ ada: {{ email: ada@example.com, password: {{ value: {password} }}, claims: {{ name: {name} }} }} }}\n    \
             clients: {{ web: {{ client_secret: {{ value: {secret} }}, grant_types: [authorization_code, 'urn:ietf:params:oauth:grant-type:device_code'], first_party: true, \
             redirect_uris: ['{REDIRECT_URI}'], post_logout_redirect_uris: ['{REDIRECT_URI}'], scopes: [openid, profile, email] }} }}\n"
        )
    });
    let folder = Folder::with(&format!(
        "server: {{ public_url: {url}, listeners: [{{ address: 127.0.0.1:{port} }}] }}\nstorage: {{ url: sqlite://data/latchkey.db }}\n\
         keys: {{ sealing_key: {{ file: keys/sealing.key }} }}\ntenants:\n{}",
        declared.concat()
    ));
    let _program = Program::start(&folder);
    let issuer = |tenant: &str| format!("{url}{}", tenant_path(tenant, ""));
    for (at, (tenant, name, secret, password)) in tenants.iter().enumerate() {
        let (own, other) = (issuer(tenant), issuer(tenants[1 - at].0));
        let environment = [
            ("ISSUER", own.as_str()),
            ("OTHER_ISSUER", other.as_str()),
            ("SECRET", secret),
            ("PASSWORD", password),
            ("REDIRECT_URI", REDIRECT_URI),
        ];
        let found: Value =
            serde_json::from_str(&node(include_str!("scripts/sign-in.cjs"), &environment).output()).unwrap();
        let expected = json!([
            {
                "library": "openid-client",
                "email": "ada@example.com",
                "name": name,
                "sameSession": true,
                "mixUp": "refused",
                "replay": "invalid_grant",
                "signedOut": format!("{REDIRECT_URI}?state=bye"),
                "after": "login_required",
            },
            { "library": "oauth4webapi", "email": "ada@example.com" },
            { "device": "ada@example.com", "session": null, "refused": "access_denied" },
        ]);
        assert_eq!(found, expected, "{tenant}");
    }
}
