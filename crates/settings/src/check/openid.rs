//! What people's sign-ins need of the server and of a tenant's issuer.

use std::collections::BTreeMap;

use protocol::SigningAlgorithm;
use tenancy::TenantId;

use super::super::{
    findings::{Findings, Location},
    resolved::ResolvedTenant,
    sections::Server,
};

/// Of all tenants that sign people in.
pub(crate) fn check(tenants: &BTreeMap<TenantId, ResolvedTenant>, server: &Server, findings: &mut Findings) {
    let url = &server.public_url;
    for (id, ResolvedTenant { at, settings, .. }) in tenants {
        if settings.strategies.oauth2.enabled != Some(true) || settings.strategies.oidc.enabled != Some(true)
        {
            continue;
        }
        let strategy = at.key("strategies").key("oidc");
        if !url.is_https() && !url.is_on_loopback() {
            let problem = "people would send their passwords in clear, because the public_url is http";
            findings.error(strategy, problem, "give `server.public_url` with https, or disable the strategy");
            continue;
        }
        let own = format!("{}/api/v1/tenant/{id}", url.as_str().trim_end_matches('/'));
        if settings.issuer.as_ref().is_some_and(|issuer| *issuer != own) {
            let at = Location { on_key: true, ..at.key("issuer") };
            let problem = "OpenID clients that read the metadata refuse this issuer, because the metadata is not below it";
            findings.warning(
                at,
                problem,
                format!("leave `issuer` out, which makes it {own}, or configure the clients by hand"),
            );
        }
        let algorithm = settings.signing.algorithm.parse().unwrap_or(SigningAlgorithm::RS256);
        if algorithm != SigningAlgorithm::RS256 {
            let problem = format!(
                "ID tokens are signed with {}, and OpenID clients may know no other algorithm than RS256, which OpenID Connect Discovery §3 \
                 demands of every OpenID Provider",
                algorithm.as_str()
            );
            let hint = "leave `algorithm` out, or make sure that each client of the tenant verifies this one";
            findings.warning(at.key("signing").key("algorithm"), problem, hint);
        }
    }
}
