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
            let problem = "people would send their passwords in clear, because the public_url is http";
            findings.error(strategy, problem, "give `server.public_url` with https, or disable the strategy");
            continue;
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
                "people sign in here, and their browsers ask them to choose a certificate, because no public listener does without certificates",
                "give clients with certificates a listener and an address of their own, and name it in `server.mtls_url`",
            );
        }
    }
}

/// The certificate that the TLS handshake asks for.
fn asked(listener: &Listener) -> Option<CertificateRequests> {
    listener.tls.as_ref().and_then(|tls| tls.files().client_certificates)
}
