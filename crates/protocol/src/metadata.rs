//! Authorization server metadata (RFC 8414 §2). It lists only features that work.

use serde::Serialize;
use values::skip_serializing_none;

use crate::{ClientAuthenticationMethod, GrantType, OpenIdAliases, OpenIdMetadata, SigningAlgorithm};

/// The discovery document. RFC 8414 requires `response_types_supported`, so the member is present
/// even when empty. `grant_types_supported` is always present, because its default includes grants
/// that this server does not support.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuthorizationServerMetadata {
    pub issuer: String,
    /// Always present, because client libraries refuse a document without it. If nobody can sign in to
    /// the tenant, `response_types_supported` is empty and the endpoint responds with an error page.
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    pub jwks_uri: String,
    /// The scopes of the tenant's resource servers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes_supported: Vec<String>,
    /// Empty if nobody can sign in to the tenant.
    pub response_types_supported: &'static [&'static str],
    pub grant_types_supported: Vec<&'static str>,
    pub token_endpoint_auth_methods_supported: &'static [&'static str],
    /// The algorithms of client assertions: "This metadata entry MUST be present if either of these
    /// authentication methods are specified", and `private_key_jwt` is one of the methods.
    pub token_endpoint_auth_signing_alg_values_supported: [SigningAlgorithm; 7],
    /// The algorithms of DPoP proofs (RFC 9449 §5.1).
    pub dpop_signing_alg_values_supported: [SigningAlgorithm; 7],
    /// The introspection endpoint (RFC 7662).
    pub introspection_endpoint: String,
    pub introspection_endpoint_auth_methods_supported: &'static [&'static str],
    pub introspection_endpoint_auth_signing_alg_values_supported: [SigningAlgorithm; 7],
    /// The revocation endpoint (RFC 7009).
    pub revocation_endpoint: String,
    pub revocation_endpoint_auth_methods_supported: &'static [&'static str],
    pub revocation_endpoint_auth_signing_alg_values_supported: [SigningAlgorithm; 7],
    /// The tenant's revocation feed. No standard defines this member.
    pub revocations_uri: String,
    /// The formats of access tokens, if some are opaque. No standard defines this member.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub access_token_formats_supported: Vec<&'static str>,
    /// RFC 8705 §3.3.
    pub tls_client_certificate_bound_access_tokens: Option<bool>,
    /// The endpoints for clients with certificates, if they have other URLs (RFC 8705 §5).
    pub mtls_endpoint_aliases: Option<EndpointAliases>,
    /// `None` if nobody can sign in to the tenant.
    #[serde(flatten)]
    pub openid: Option<OpenIdMetadata>,
}

/// The endpoints of a listener that requests client certificates (RFC 8705 §5).
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EndpointAliases {
    pub token_endpoint: String,
    pub introspection_endpoint: String,
    pub revocation_endpoint: String,
    #[serde(flatten)]
    pub openid: Option<OpenIdAliases>,
}

impl AuthorizationServerMetadata {
    /// `base` is the URL above the endpoints, such as `https://id.example/api/v1/tenant/acme`.
    #[must_use]
    pub fn new(issuer: &str, base: &str, grants: &[GrantType], scopes_supported: Vec<String>) -> Self {
        Self {
            issuer: issuer.to_owned(),
            authorization_endpoint: format!("{base}/oauth/authorize"),
            token_endpoint: format!("{base}/oauth/token"),
            jwks_uri: format!("{base}/.well-known/jwks.json"),
            scopes_supported,
            response_types_supported: &[],
            grant_types_supported: grants.iter().map(|grant| grant.as_str()).collect(),
            token_endpoint_auth_methods_supported: &ClientAuthenticationMethod::WITHOUT_CERTIFICATES,
            token_endpoint_auth_signing_alg_values_supported: SigningAlgorithm::ALL,
            dpop_signing_alg_values_supported: SigningAlgorithm::ALL,
            introspection_endpoint: format!("{base}/oauth/introspect"),
            introspection_endpoint_auth_methods_supported: &ClientAuthenticationMethod::WITHOUT_CERTIFICATES,
            introspection_endpoint_auth_signing_alg_values_supported: SigningAlgorithm::ALL,
            revocation_endpoint: format!("{base}/oauth/revoke"),
            revocation_endpoint_auth_methods_supported:
                &ClientAuthenticationMethod::AT_REVOCATION_WITHOUT_CERTIFICATES,
            revocation_endpoint_auth_signing_alg_values_supported: SigningAlgorithm::ALL,
            revocations_uri: format!("{base}/oauth/revocations"),
            access_token_formats_supported: Vec::new(),
            tls_client_certificate_bound_access_tokens: None,
            mtls_endpoint_aliases: None,
            openid: None,
        }
    }

    /// Adds the members of a tenant with sign-in, and `none` to the methods of the token endpoint:
    /// public clients redeem their codes there.
    #[must_use]
    pub fn with_openid(self, openid: OpenIdMetadata) -> Self {
        Self {
            response_types_supported: &["code"],
            token_endpoint_auth_methods_supported:
                &ClientAuthenticationMethod::AT_REVOCATION_WITHOUT_CERTIFICATES,
            openid: Some(openid),
            ..self
        }
    }

    /// Adds the two certificate methods (RFC 8705 §2.1.1, §2.2.1). `alias` is the base URL of the
    /// endpoints that request client certificates, if they have other URLs.
    #[must_use]
    pub fn with_client_certificates(self, alias: Option<&str>) -> Self {
        let aliases = alias.map(|base| EndpointAliases {
            token_endpoint: format!("{base}/oauth/token"),
            introspection_endpoint: format!("{base}/oauth/introspect"),
            revocation_endpoint: format!("{base}/oauth/revoke"),
            openid: self.openid.as_ref().map(|_| OpenIdAliases::new(base)),
        });
        let methods: &[&str] = match &self.openid {
            Some(_) => &ClientAuthenticationMethod::AT_REVOCATION,
            None => &ClientAuthenticationMethod::SERVED,
        };
        Self {
            token_endpoint_auth_methods_supported: methods,
            introspection_endpoint_auth_methods_supported: &ClientAuthenticationMethod::SERVED,
            revocation_endpoint_auth_methods_supported: &ClientAuthenticationMethod::AT_REVOCATION,
            tls_client_certificate_bound_access_tokens: Some(true),
            mtls_endpoint_aliases: aliases,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // [dpop RFC 9449 §5.1]: `dpop_signing_alg_values_supported`
    // [revocation RFC 8414 §2]: Metadata names the endpoint and how clients authenticate there
    // [metadata RFC 8414 §2 b]: `token_endpoint`, `jwks_uri` and `response_types_supported` are present
    // [metadata RFC 8414 §2 c]: `authorization_endpoint` is required unless no grant uses it. Here it is
    //   present for every tenant, because the official MCP SDKs refuse a document without it. Where
    //   nobody signs in, `response_types_supported` is empty, and the endpoint answers 400 with a page of the
    //   tenant and `unsupported_response_type`
    // [metadata RFC 8414 §2 d]: `token_endpoint` is present unless only the implicit grant is supported
    // [metadata RFC 8414 §2 e]: Grants, authentication methods and scopes are listed as they are served
    // [metadata RFC 8414 §3.2]: Empty lists are omitted. Not `response_types_supported`, which §2 requires,
    //   and not `grant_types_supported`, whose default in §2 has grants that are not served | departs
    #[test]
    fn metadata_lists_only_served_features() {
        let document = |grants: &[GrantType]| {
            let scopes = vec!["x".to_owned()];
            let document =
                AuthorizationServerMetadata::new("https://a.example", "https://b.example", grants, scopes);
            serde_json::to_string(&document).unwrap()
        };
        let methods = r#"["client_secret_basic","client_secret_post","private_key_jwt"]"#;
        let at_revocation = r#"["client_secret_basic","client_secret_post","private_key_jwt","none"]"#;
        let algorithms = r#"["RS256","RS384","RS512","PS256","ES256","ES384","EdDSA"]"#;
        let issuer = r#"{"issuer":"https://a.example","#;
        let keys = r#""jwks_uri":"https://b.example/.well-known/jwks.json","#;
        let about_tokens = format!(
            concat!(
                r#""introspection_endpoint":"https://b.example/oauth/introspect","#,
                r#""introspection_endpoint_auth_methods_supported":{methods},"#,
                r#""introspection_endpoint_auth_signing_alg_values_supported":{algorithms},"#,
                r#""revocation_endpoint":"https://b.example/oauth/revoke","#,
                r#""revocation_endpoint_auth_methods_supported":{at_revocation},"#,
                r#""revocation_endpoint_auth_signing_alg_values_supported":{algorithms},"#,
                r#""revocations_uri":"https://b.example/oauth/revocations"}}"#
            ),
            methods = methods,
            at_revocation = at_revocation,
            algorithms = algorithms
        );
        let expected = format!(
            concat!(
                r#"{issuer}"authorization_endpoint":"https://b.example/oauth/authorize","#,
                r#""token_endpoint":"https://b.example/oauth/token",{keys}"scopes_supported":["x"],"#,
                r#""response_types_supported":[],"grant_types_supported":["client_credentials"],"#,
                r#""token_endpoint_auth_methods_supported":{methods},"#,
                r#""token_endpoint_auth_signing_alg_values_supported":{algorithms},"#,
                r#""dpop_signing_alg_values_supported":{algorithms},{about_tokens}"#
            ),
            issuer = issuer,
            keys = keys,
            methods = methods,
            algorithms = algorithms,
            about_tokens = about_tokens
        );
        assert_eq!(document(&[GrantType::ClientCredentials]), expected);
    }

    // [mutual-tls RFC 8705 §5]
    #[test]
    fn certificates_are_advertised_with_their_endpoints() {
        let document = |grants: &[GrantType], alias| {
            let (issuer, base) = ("https://a.example", "https://b.example");
            let document = AuthorizationServerMetadata::new(issuer, base, grants, Vec::new());
            serde_json::to_value(document.with_client_certificates(alias)).unwrap()
        };
        let found = document(&[GrantType::ClientCredentials], Some("https://mtls.example"));
        assert_eq!(found["token_endpoint"], "https://b.example/oauth/token");
        assert_eq!(found["tls_client_certificate_bound_access_tokens"], true);
        let aliases = serde_json::json!({
            "token_endpoint": "https://mtls.example/oauth/token",
            "introspection_endpoint": "https://mtls.example/oauth/introspect",
            "revocation_endpoint": "https://mtls.example/oauth/revoke",
        });
        assert_eq!(found["mtls_endpoint_aliases"], aliases);
        for endpoint in ["token", "introspection"] {
            let methods = &found[format!("{endpoint}_endpoint_auth_methods_supported")];
            assert_eq!(*methods, serde_json::json!(ClientAuthenticationMethod::SERVED), "{endpoint}");
        }
        let methods = &found["revocation_endpoint_auth_methods_supported"];
        assert_eq!(*methods, serde_json::json!(ClientAuthenticationMethod::AT_REVOCATION));
        let base = "https://b.example";
        let people = OpenIdMetadata::new(base, SigningAlgorithm::RS256, Vec::new());
        let found = AuthorizationServerMetadata::new("https://a.example", base, &[], Vec::new());
        let found = found.with_openid(people).with_client_certificates(Some("https://mtls.example"));
        let aliases = found.mtls_endpoint_aliases.unwrap().openid.unwrap();
        let served = [
            aliases.pushed_authorization_request_endpoint,
            aliases.device_authorization_endpoint,
            aliases.userinfo_endpoint,
        ];
        let expected = ["par", "device_authorization", "userinfo"];
        assert_eq!(served, expected.map(|name| format!("https://mtls.example/oauth/{name}")));
        assert!(document(&[GrantType::ClientCredentials], None).get("mtls_endpoint_aliases").is_none());
    }
}
