//! What sign-in of people requires of the server and of a tenant's issuer.

use std::collections::BTreeMap;

use gateway::CertificateRequests;
use protocol::SigningAlgorithm;
use tenancy::TenantId;

use super::super::{
    findings::{Findings, Location},
    resolved::ResolvedTenant,
    sections::{Listener, Server, Surface},
};

pub(crate) fn check(tenants: &BTreeMap<TenantId, ResolvedTenant>, server: &Server, findings: &mut Findings) {
    let url = &server.public_url;
    let mut signs_people_in = false;
    for ResolvedTenant { at, settings, .. } in tenants.values() {
        if settings.strategies.oauth2.enabled != Some(true) || settings.strategies.oidc.enabled != Some(true)
        {
            continue;
        }
        signs_people_in = true;
        let strategy = at.key("strategies").key("oidc");
        if !url.is_https() && !url.is_on_loopback() {
            let problem = "users would send their passwords in clear text, because `public_url` uses http";
            findings.error(
                strategy,
                problem,
                "set `server.public_url` to an https URL, or disable the strategy",
            );
            continue;
        }
        let algorithm = settings.signing.algorithm.parse().unwrap_or(SigningAlgorithm::RS256);
        if algorithm != SigningAlgorithm::RS256 {
            let problem = format!(
                "ID tokens are signed with {}, but OpenID clients may support only RS256, which OpenID \
                    Connect Discovery §3 requires of every OpenID Provider",
                algorithm.as_str()
            );
            let hint =
                "remove `algorithm`, or make sure that each client of the tenant can verify this algorithm";
            findings.warning(at.key("signing").key("algorithm"), problem, hint);
        }
    }
    if signs_people_in {
        check_browsers(server, findings);
    }
}

/// Warns if browsers are asked for a certificate, because every listener for people asks for one.
fn check_browsers(server: &Server, findings: &mut Findings) {
    let is_public = |listener: &&Listener| listener.surfaces().contains(&Surface::Public);
    if server.listeners.iter().filter(is_public).any(|listener| asked(listener).is_none()) {
        return;
    }
    for (index, listener) in server.listeners.iter().enumerate() {
        if is_public(&listener) && asked(listener) == Some(CertificateRequests::Optional) {
            findings.warning(
                Location::section("server").item("listeners", index).key("tls").key("client_certificates"),
                "people sign in here, and their browsers ask them to choose a certificate, because every \
                    public listener asks for client certificates",
                "give clients with certificates their own listener and address, and set `server.mtls_url` \
                    to that address",
            );
        }
    }
}

/// The certificate that the TLS handshake asks for.
fn asked(listener: &Listener) -> Option<CertificateRequests> {
    listener.tls.as_ref().and_then(|tls| tls.files().client_certificates)
}
