//! What a reason of the token endpoint means for an operator, and what to do about it.

use protocol::RefusalReason;
use registry::ClientId;
use tenancy::TenantId;

/// The names in the commands of the advice.
pub(super) struct Subject<'a> {
    pub(super) tenant: &'a TenantId,
    pub(super) client: &'a ClientId,
}

impl Subject<'_> {
    /// What was found, and what to do; empty where there is nothing to do.
    pub(super) fn advice(&self, reason: RefusalReason) -> (&'static str, String) {
        let Subject { tenant, client } = self;
        let (detail, fix) = match reason {
            RefusalReason::UnknownTenant => {
                ("This server does not know the tenant yet.", "Explain the request again.".to_owned())
            }
            RefusalReason::TenantSuspended => {
                ("The tenant is suspended.", format!("Run `latchkey tenant resume {tenant}`."))
            }
            RefusalReason::StrategyNotEnabled => (
                "The tenant has not enabled the strategy oauth2.",
                format!("Run `latchkey tenant set {tenant} strategies.oauth2.enabled=true`."),
            ),
            RefusalReason::MissingParameter => {
                ("The request has no grant_type.", "Send grant_type=client_credentials.".to_owned())
            }
            RefusalReason::GrantNotServed => (
                "This server does not serve the grant type.",
                "Send grant_type=client_credentials.".to_owned(),
            ),
            RefusalReason::TooManyParameters => (
                "The request has more than 128 scopes or 16 resources.",
                "Request fewer, or leave scope out to get all registered scopes.".to_owned(),
            ),
            RefusalReason::MalformedScope => (
                "The scope has a character that RFC 6749 section 3.3 does not allow.",
                "Separate scopes by blanks. Leave out quotes, backslashes and what is not ASCII.".to_owned(),
            ),
            RefusalReason::MalformedResource => (
                "A resource is not an absolute URI without a fragment.",
                "Send the absolute URI of the API. Without resource, the token is for the client's audiences.".to_owned(),
            ),
            RefusalReason::CredentialMissing => (
                "The request names the client and has no credential that this server can check.",
                "Send the client secret with client_secret_basic or client_secret_post.".to_owned(),
            ),
            RefusalReason::UnknownClient => {
                ("This server does not know the client yet.", "Explain the request again.".to_owned())
            }
            RefusalReason::ClientSuspended => {
                ("The client is suspended.", format!("Run `latchkey client resume {tenant} {client}`."))
            }
            RefusalReason::MethodNotRegistered => (
                "The client is registered for another client authentication method.",
                format!("Run `latchkey client set {tenant} {client} token_endpoint_auth_method=any`."),
            ),
            RefusalReason::MalformedCredentials => (
                "No client can have these credentials.",
                "Compare client id and secret with those of the registration.".to_owned(),
            ),
            RefusalReason::WrongSecret => (
                "The secret is none of the client's.",
                format!(
                    "Compare tenant, client id and secret at the caller, or run \
                     `latchkey secret rotate {tenant} {client}`."
                ),
            ),
            RefusalReason::ExpiredSecret => (
                "The secret was the client's and has expired.",
                format!("Run `latchkey secret rotate {tenant} {client}`, and give the caller the new one."),
            ),
            RefusalReason::RevokedSecret => (
                "The secret was the client's and was revoked.",
                format!("Run `latchkey secret add {tenant} {client}`, and give the caller the new one."),
            ),
            RefusalReason::SampleSecret => (
                "The secret is a published sample, which proves nothing on this server.",
                format!("Run `latchkey secret rotate {tenant} {client}`, and give the caller the new one."),
            ),
            RefusalReason::AssertionMalformed => (
                "The JWT does not have the claims of an assertion.",
                "Send iss, sub, aud, exp and jti (RFC 7523 section 3): aud as a text or a list, exp as a number.".to_owned(),
            ),
            RefusalReason::AssertionKeyUnknown => (
                "The client has no key of this kid and algorithm.",
                format!("Compare the header of the assertion with `jwks` or `jwks_uri` of the client {tenant}/{client}."),
            ),
            RefusalReason::AssertionKeysUnavailable | RefusalReason::CertificateKeysUnavailable => (
                "The key set at jwks_uri cannot be fetched, and no earlier one is known.",
                format!("See the log of the server for why. Compare `jwks_uri` of the client {tenant}/{client} with `server.outbound`."),
            ),
            RefusalReason::AssertionSignatureInvalid => (
                "None of the client's keys signed the assertion.",
                format!("Sign with a key of `jwks` or `jwks_uri` of the client {tenant}/{client}, or register the new one."),
            ),
            RefusalReason::AssertionOfAnotherClient => (
                "iss or sub of the assertion is not the client.",
                format!("Write {client} into both."),
            ),
            RefusalReason::AssertionForAnotherAudience => (
                "aud of the assertion is not what the tenant accepts: its issuer, or its token endpoint unless assertions.audience is issuer.",
                format!("Write the issuer of the tenant {tenant} into it, exactly as in its metadata."),
            ),
            RefusalReason::AssertionExpired => (
                "The assertion has expired.",
                "Make one for each request; if it is new, set the clocks of both machines.".to_owned(),
            ),
            RefusalReason::AssertionNotYetValid => (
                "The assertion is not valid yet.",
                "Leave nbf out; if it is right, set the clocks of both machines.".to_owned(),
            ),
            RefusalReason::AssertionLivesTooLong => (
                "The assertion is valid for longer than assertions.max_lifetime of the tenant.",
                "Write an exp that is a minute away, and the time of now into iat.".to_owned(),
            ),
            RefusalReason::AssertionNotIdentified => {
                ("The assertion has no jti.", "Write a new random text into jti each time.".to_owned())
            }
            RefusalReason::CertificateMalformed => (
                "The certificate is no X.509 certificate of version 3.",
                "Present a certificate in DER or PEM, as openssl x509 reads it.".to_owned(),
            ),
            RefusalReason::CertificateNotTrusted => (
                "No chain leads from the certificate to an authority in `client_ca`, or it is not for TLS clients.",
                "Add the authority to `client_ca` of the listener, send the certificates between, or leave extendedKeyUsage out.".to_owned(),
            ),
            RefusalReason::CertificateExpired => (
                "The certificate, or one of its chain, has expired.",
                "Renew it; if it is new, set the clocks of both machines.".to_owned(),
            ),
            RefusalReason::CertificateNotYetValid => (
                "The certificate, or one of its chain, is not valid yet.",
                "Wait, or set the clocks of both machines.".to_owned(),
            ),
            RefusalReason::CertificateOfAnotherSubject => (
                "The certificate has another subject than the client's.",
                format!("Compare it with the tls_client_auth_… of the client {tenant}/{client}."),
            ),
            RefusalReason::CertificateNotRegistered => (
                "Neither the certificate nor its key is one of the client's.",
                format!("Register its key in `jwks` of the client {tenant}/{client}, or replace `x5c` there."),
            ),
            RefusalReason::CertificateMissing => (
                "The client is registered with `tls_client_certificate_bound_access_tokens`, and the request has no client certificate.",
                format!(
                    "Send a client certificate to the endpoint in `mtls_endpoint_aliases`, or run \
                     `latchkey client set {tenant} {client} tls_client_certificate_bound_access_tokens=false`."
                ),
            ),
            RefusalReason::GrantNotRegistered => (
                "The client is not registered for the grant type.",
                format!("Run `latchkey client set {tenant} {client} grant_types=client_credentials`."),
            ),
            RefusalReason::FormatNotServed => (
                "The tenant asks for a token format that is not served.",
                format!("Run `latchkey tenant set {tenant} access_token.format=jwt`."),
            ),
            RefusalReason::ScopeNotRegistered => (
                "The client is not registered for a requested scope.",
                format!("Request less, or add it to `scopes` of the client {tenant}/{client}."),
            ),
            RefusalReason::ScopeNotOfResource => (
                "None of the requested resources has a scope.",
                format!(
                    "Request a resource that has it, or add it to a resource server of the tenant {tenant}."
                ),
            ),
            RefusalReason::ScopeNeedsAdminAudience => (
                "A requested scope administers, and the token is not for the admin audience.",
                format!("Send resource={}.", tenant.admin_audience()),
            ),
            RefusalReason::ResourceNotRegistered => (
                "The client may not request the resource.",
                format!("Request another one, or add it to `resources` of the client {tenant}/{client}."),
            ),
            RefusalReason::AdminAudienceNotAlone => (
                "The admin audience is requested together with another.",
                format!("Send resource={} alone.", tenant.admin_audience()),
            ),
            RefusalReason::Unavailable => {
                ("A part of the server does not answer now.", "Run `latchkey doctor`.".to_owned())
            }
            RefusalReason::ServerFault => (
                "The server has a fault.",
                format!("Run `latchkey key status {tenant}` and `latchkey doctor`."),
            ),
            // Reasons of other endpoints, and of requests that are not explained.
            other => (other.as_str(), String::new()),
        };
        (detail, fix)
    }
}
