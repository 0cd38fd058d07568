//! Explains a refusal of the token endpoint to an operator, and says what to do. The tables in
//! `registry/src/methods` explain the refusals of credentials.

use protocol::RefusalReason;
use registry::methods::TABLES;
use strum::EnumMessage as _;
use tenancy::TenantId;
use values::with_commands;

use super::request::ExplainedRequest;

impl ExplainedRequest<'_> {
    /// The finding, and what to do about it. The second text may be empty.
    pub(super) fn advice(&self, reason: RefusalReason) -> (&'static str, String) {
        let (detail, fix) = if self.is_by_key { sentences_of_key(reason) } else { sentences(reason) };
        (detail, filled(fix, self.tenant, self.client.as_str()))
    }
}

/// `reason` is from the store, so a newer version of the program may have written it.
pub(crate) fn advice_on(reason: &str, tenant: &TenantId, client: &str) -> (String, String) {
    let of_credentials = TABLES.into_iter().flatten().find(|row| row.code == reason);
    let known = of_credentials.map(|row| RefusalReason::Credential(row)).or_else(|| reason.parse().ok());
    let (detail, fix) = known.map(sentences).unwrap_or_default();
    (detail.to_owned(), filled(fix, tenant, client))
}

fn filled(fix: &'static str, tenant: &TenantId, client: &str) -> String {
    let admin = tenant.admin_audience();
    with_commands(fix, &[("TENANT", tenant.as_str()), ("CLIENT", client), ("ADMIN", &admin)])
}

/// A key cannot get more permissions than it was created with, so the advice differs.
fn sentences_of_key(reason: RefusalReason) -> (&'static str, &'static str) {
    match reason {
        RefusalReason::ScopeNotRegistered => (
            "The API key, or its client, does not have a requested scope.",
            "Request fewer scopes, or run `latchkey api-key add TENANT CLIENT` with the scope.",
        ),
        RefusalReason::ResourceNotRegistered => (
            "The API key, or its client, does not have a requested resource or audience.",
            "Request another resource or audience, or run `latchkey api-key add TENANT CLIENT` with the audience.",
        ),
        other => sentences(other),
    }
}

fn sentences(reason: RefusalReason) -> (&'static str, &'static str) {
    match reason {
        RefusalReason::Credential(reason) => (reason.detail, reason.fix),
        RefusalReason::UnknownTenant => {
            ("This server does not know the tenant yet.", "Explain the request again.")
        }
        RefusalReason::TenantSuspended => {
            ("The tenant is suspended.", "Run `latchkey tenant resume TENANT`.")
        }
        RefusalReason::StrategyNotEnabled => (
            "The tenant has not enabled the strategy oauth2.",
            "Run `latchkey tenant set TENANT strategies.oauth2.enabled=true`.",
        ),
        RefusalReason::MissingParameter => {
            ("The request has no grant_type.", "Send grant_type=client_credentials.")
        }
        RefusalReason::GrantNotServed => {
            ("This server does not support the grant type.", "Send grant_type=client_credentials.")
        }
        RefusalReason::TooManyParameters => (
            "The request has more than 128 scopes or 16 resources.",
            "Request fewer, or omit scope to get all registered scopes.",
        ),
        RefusalReason::MalformedScope => (
            "The scope contains a character that RFC 6749 section 3.3 does not allow.",
            "Separate scopes with blanks. Remove quotes, backslashes and non-ASCII characters.",
        ),
        RefusalReason::MalformedResource => (
            "A resource is not an absolute URI without a fragment.",
            "Send the absolute URI of the API, or its name as audience. If you send neither, the token is \
                for the client's audiences.",
        ),
        RefusalReason::CertificateMissing => (
            "The client is registered with `tls_client_certificate_bound_access_tokens`, but the request \
                has no client certificate.",
            "Send a client certificate to the endpoint in `mtls_endpoint_aliases`, or run \
             `latchkey client set TENANT CLIENT tls_client_certificate_bound_access_tokens=false`.",
        ),
        RefusalReason::GrantNotRegistered => (
            "The client is not registered for the grant type.",
            "Run `latchkey client set TENANT CLIENT grant_types=client_credentials`.",
        ),
        RefusalReason::ScopeNotRegistered => (
            "The client is not registered for a requested scope.",
            "Request fewer scopes, or add the scope to `scopes` of the client {tenant}/{client}.",
        ),
        RefusalReason::ScopeNotOfResource => (
            "None of the requested resources has the requested scope.",
            "Request a resource that has the scope, or add the scope to a resource server of the tenant {tenant}.",
        ),
        RefusalReason::ScopeNeedsAdminAudience => (
            "A requested scope is an administrator permission, but the token is not for the admin audience.",
            "Send resource={admin}.",
        ),
        RefusalReason::ResourceNotRegistered => (
            "The client is not allowed to request a resource or audience.",
            "Request another resource or audience, or add it to `resources` or `audiences` of the client \
                {tenant}/{client}.",
        ),
        RefusalReason::RedirectUriNotRegistered => (
            "The redirect URI is not registered for the client.",
            "Send one of `redirect_uris` of the client {tenant}/{client} exactly, byte by byte, or add the URI there.",
        ),
        RefusalReason::AdminAudienceNotAlone => {
            ("The request combines the admin audience with another audience.", "Send only resource={admin}.")
        }
        RefusalReason::Unavailable => ("A part of the server is not responding.", "Run `latchkey doctor`."),
        RefusalReason::ServerFault => {
            ("The server failed.", "Run `latchkey key status TENANT` and `latchkey doctor`.")
        }
        // Refusals of other endpoints have no advice.
        other => (other.get_documentation().unwrap_or(other.as_str()), ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // [third 3]
    #[test]
    fn values_in_suggested_commands_are_quoted() {
        let tenant = TenantId::parse("acme").unwrap();
        let mut commands = 0;
        for reason in TABLES.into_iter().flatten() {
            let (_, fix) = advice_on(reason.code, &tenant, "$(touch pwn)");
            for command in fix.split('`').filter(|part| part.starts_with("latchkey ")) {
                commands += usize::from(command.contains("touch"));
                assert_eq!(command.matches("$(").count(), command.matches("$(touch pwn)'").count(), "{fix}");
            }
            let (_, fix) = advice_on(reason.code, &tenant, "-x");
            assert!(!fix.contains("latchkey ") || !fix.contains("acme -x"), "{fix}");
        }
        assert!(commands > 8, "{commands}");
    }
}
