//! Tests the Rust code that the program prints, and the `oauth2` crate. Both tenants have a key
//! `oauth2-key-1`, a client `svc` and an audience `api`, so only signature and issuer distinguish their
//! tokens. [`crate::algorithms`] tests the other libraries.

use oauth2::basic::{BasicClient, BasicErrorResponseType};
use oauth2::{
    AccessToken, AuthType, ClientId, ClientSecret, IntrospectionUrl, RequestTokenError, Scope,
    TokenIntrospectionResponse as _, TokenResponse as _, TokenUrl,
};

use crate::folder::Folder;
use crate::jwt;
use crate::program::Program;
use crate::running::tenant_path;
use crate::settings::{ACME_SECRET, GLOBEX_SECRET, TENANTS, TWO_TENANTS};

/// The Rust code that `tenant add` prints. Each placeholder is a block with a name in it, so these constants
/// replace the placeholders by values of the tenant `acme`.
mod printed {
    #![expect(
        non_upper_case_globals,
        unused_braces,
        dead_code,
        reason = "a template that is no file of ours"
    )]

    const jwks: &str = "the test fetches the keys of its own server";
    const issuer: &str = "http://localhost:3000/api/v1/tenant/acme";
    const audience: &str = "api";
    const algorithm: &str = "RS256";
    const typ: &str = "at+jwt";

    include!("../../../gateway/src/snippets/verifiers/verify.rs.in");

    pub(super) fn accepts(token: &str, keys: &JwkSet) -> bool {
        verify(token, keys).is_ok_and(|claims| is_machine(&claims) && claims["sub"] == "svc")
    }

    pub(super) fn is_of_machine(claims: &serde_json::Value) -> bool {
        is_machine(claims)
    }
}

#[tokio::test]
async fn printed_rust_code_accepts_only_its_tenant() {
    let (_folder, program, [acme, globex]) = start().await;
    let of_acme = serde_json::from_str(&program.jwks("acme").await.body).unwrap();
    let of_globex = serde_json::from_str(&program.jwks("globex").await.body).unwrap();
    assert!(printed::accepts(&acme, &of_acme));
    let of_person = serde_json::json!({ "sub": "usr_aaaaaaaaaaaaaaaaaaaaaaaaaa", "client_id": "svc" });
    assert!(!printed::is_of_machine(&of_person));
    assert!(!printed::accepts(&globex, &of_acme), "another key");
    assert!(!printed::accepts(&globex, &of_globex), "another issuer");
    assert!(!printed::accepts(&format!("{}AAAA", &acme[..acme.len() - 4]), &of_acme), "another signature");
}

// [oauth RFC 6749 §2.3.1], [oauth RFC 6749 §2.3.1 d]
#[tokio::test]
async fn oauth2_crate_gets_tokens_only_at_its_own_tenant() {
    let (_folder, program, _) = start().await;
    for (tenant, secret, other) in TENANTS {
        for way in [AuthType::BasicAuth, AuthType::RequestBody] {
            let at = |tenant: &str| {
                let token_url = TokenUrl::new(program.url(&tenant_path(tenant, "/oauth/token"))).unwrap();
                BasicClient::new(ClientId::new("svc".to_owned()))
                    .set_client_secret(ClientSecret::new(secret.to_owned()))
                    .set_token_uri(token_url)
                    .set_auth_type(way.clone())
            };
            let own = at(tenant);
            let request = own.exchange_client_credentials().add_scope(Scope::new("api:read".to_owned()));
            let token = request.request_async(&client()).await.unwrap();
            assert_eq!(token.expires_in().unwrap().as_secs(), 3600);
            assert_eq!(token.scopes().unwrap(), &[Scope::new("api:read".to_owned())]);
            assert!(token.refresh_token().is_none());
            let claims = jwt::claims(token.access_token().secret());
            assert!(claims["iss"].as_str().unwrap().ends_with(tenant), "{claims}");
            let refused = at(other).exchange_client_credentials().request_async(&client()).await.unwrap_err();
            let RequestTokenError::ServerResponse(refused) = refused else { panic!("{refused:?}") };
            assert_eq!(*refused.error(), BasicErrorResponseType::InvalidClient);
        }
    }
}

// [introspection RFC 7662 §2.2], [introspection RFC 7662 §2.2 c]
#[tokio::test]
async fn oauth2_crate_introspects_only_tokens_of_its_tenant() {
    let (_folder, program, tokens) = start().await;
    for (index, (tenant, secret, _)) in TENANTS.into_iter().enumerate() {
        let url = IntrospectionUrl::new(program.url(&tenant_path(tenant, "/oauth/introspect"))).unwrap();
        let client_of = BasicClient::new(ClientId::new("svc".to_owned()))
            .set_client_secret(ClientSecret::new(secret.to_owned()))
            .set_introspection_url(url);
        for (token, active) in [(&tokens[index], true), (&tokens[1 - index], false)] {
            let token = AccessToken::new(token.clone());
            let facts = client_of.introspect(&token).request_async(&client()).await.unwrap();
            assert_eq!(facts.active(), active, "{tenant}");
            assert_eq!(facts.client_id().is_some(), active);
        }
    }
}

/// Starts the program, and fetches a token for each tenant's `svc`.
async fn start() -> (Folder, Program, [String; 2]) {
    let (folder, program) = Program::serving(TWO_TENANTS);
    let acme = program.token("acme", "svc", ACME_SECRET).await;
    let globex = program.token("globex", "svc", GLOBEX_SECRET).await;
    (folder, program, [acme, globex])
}

/// The HTTP client of the library, in another version than ours. It follows no redirects, as the library
/// recommends.
pub(crate) fn client() -> oauth2::reqwest::Client {
    let client = oauth2::reqwest::ClientBuilder::new().redirect(oauth2::reqwest::redirect::Policy::none());
    client.timeout(std::time::Duration::from_secs(20)).build().unwrap()
}
