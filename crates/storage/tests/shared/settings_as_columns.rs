//! A tenant and a client with every setting of the fixtures, as written by a version that had a column for
//! each setting.

use crate::sandbox::list;

/// The statement that sets the settings of the tenant `acme-1`.
pub(crate) const TENANT: &str = r#"
    UPDATE tenants
       SET oauth2_enabled = TRUE, oidc_enabled = FALSE, stale_if_error = 7, signing_algorithm = 'ES256', rotate_every = 11,
           publish_before = 12, jwks_max_age = 13, jwks_stale = 14, skew = 15, rsa_bits = 3072, hold_activation = 16,
           access_token_lifetime = 17, access_token_format = 'jwt', access_token_typ = 'at+jwt', require_sender_constraint = TRUE,
           require_dpop_nonce = TRUE, assertions_for_issuer_only = TRUE, assertion_max_lifetime = 18, subject = 'pairwise',
           refresh_token = '{"grace":19}', sign_in = '{"session":{"idle":20,"absolute":21,"remember":22}}',
           branding = '{"support_url":"https://acme.example/ä"}', limits = '{"clients":23}'
     WHERE tenant_id = 'acme-1'"#;

/// The statement that sets the settings of the client of `acme-1`.
pub(crate) fn client() -> String {
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
