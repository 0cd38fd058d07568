//! A client with every setting, as a program wrote it for which each setting was a column.

use protocol::{ClientAuthenticationMethod, GrantType, Lifetime};
use registry::{Client, ClientKeys, CodeFlow, IntrospectionRight};
use testkit::fixtures::{client_id, issuer, scope, tenant_id};

/// The statement that gives the client of `acme-1` its settings; an engine writes lists of texts in its own way.
pub(crate) fn written(list: fn(&[&str]) -> String) -> String {
    let (grants, audiences, resources) =
        (list(&["refresh_token", "client_credentials"]), list(&["api", "a b"]), list(&[]));
    format!(
        r#"UPDATE clients
              SET description = 'Sends “bills”', authentication_method = 'private_key_jwt', grant_types = {grants},
                  audiences = {audiences}, resources = {resources}, scopes = 'b a', issuer = 'thunder', introspection = 'tenant',
                  dpop_bound_access_tokens = TRUE, tls_client_certificate_bound_access_tokens = TRUE,
                  jwks = '{{"keys":[]}}', jwks_uri = 'https://keys.example.com/ä', tls_client_auth_subject = 'san_dns:example.com',
                  code_flow = '{{"redirect_uris":["https://app.example.com/cb"],"require_pkce":false,"popup":true}}'
            WHERE tenant_id = 'acme-1' AND client_id = 'svc'"#
    )
}

/// The same client.
pub(crate) fn expected() -> Client {
    Client {
        name: "svc".to_owned(),
        description: Some("Sends “bills”".to_owned()),
        authentication_method: ClientAuthenticationMethod::PrivateKeyJwt,
        grant_types: vec![GrantType::RefreshToken, GrantType::ClientCredentials],
        audiences: vec!["api".to_owned(), "a b".to_owned()],
        scope: scope("b a"),
        access_token_lifetime: Some(Lifetime::from_seconds(77)),
        issuer: Some(issuer("thunder")),
        introspection: IntrospectionRight::Tenant,
        dpop_bound_access_tokens: true,
        tls_client_certificate_bound_access_tokens: true,
        keys: Some(ClientKeys::from(r#"{"keys":[]}"#.to_owned())),
        jwks_uri: Some("https://keys.example.com/ä".to_owned()),
        certificate_subject: Some("san_dns:example.com".parse().unwrap()),
        code_flow: CodeFlow {
            redirect_uris: vec!["https://app.example.com/cb".to_owned()],
            require_pkce: false,
            popup: true,
            ..CodeFlow::default()
        },
        ..Client::new(tenant_id("acme-1"), client_id("svc"))
    }
}
