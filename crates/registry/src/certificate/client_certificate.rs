//! The rules for a client's certificate, `tls_client_auth` and `self_signed_tls_client_auth` (RFC 8705 §2).
//! The listener has already verified the chain and the possession of the private key. `assertions.rs` finds
//! the keys that a client publishes.

use std::net::IpAddr;

use keys::PublicKeys;
use protocol::{
    ChainError, ClientAuthenticationMethod, ClientCertificate, PresentedMethod, Thumbprint, Validity,
};
use tenancy::{TenantId, TrustedIssuer};
use values::Timestamp;
use x509_cert::Certificate;
use x509_cert::der::{Decode as _, Encode as _};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage, SubjectAltName};

use crate::{
    CertificateCheck, CertificateSubject, Client, ClientAuthenticationError, ClientId, CredentialTag,
    SenderKeys,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateMethod {
    /// `tls_client_auth`.
    Issued,
    /// `self_signed_tls_client_auth`.
    SelfSigned,
}

impl CertificateMethod {
    /// The method of a client. With the registered method `any`, the client uses `tls_client_auth` if it has
    /// a subject, and its keys otherwise.
    #[must_use]
    pub const fn from_client(client: &Client) -> Self {
        match client.authentication_method {
            ClientAuthenticationMethod::TlsClientAuth => Self::Issued,
            ClientAuthenticationMethod::SelfSignedTlsClientAuth => Self::SelfSigned,
            _ if client.certificate_subject.is_some() => Self::Issued,
            _ => Self::SelfSigned,
        }
    }

    #[must_use]
    pub fn of_refused(error: &ClientAuthenticationError) -> Option<Self> {
        let ClientAuthenticationError::Refused { reason, client: Some(client), .. } = error else {
            return None;
        };
        CertificateCheck::REASONS.contains(reason).then(|| Self::from_client(client))
    }

    #[must_use]
    pub const fn presented(self) -> PresentedMethod {
        match self {
            Self::Issued => PresentedMethod::TlsClientAuth,
            Self::SelfSigned => PresentedMethod::SelfSignedTlsClientAuth,
        }
    }
}

/// Checks whether a certificate authenticates a client with these keys. Returns the method and the credential
/// tag.
///
/// # Errors
/// The first check that fails.
pub fn check_client_certificate(
    client: &Client,
    keys: Option<&PublicKeys>,
    certificate: &ClientCertificate,
    now: Timestamp,
) -> Result<(CertificateMethod, CredentialTag), CertificateCheck> {
    let method = CertificateMethod::from_client(client);
    let credential = match method {
        CertificateMethod::Issued => {
            check_issued(client, certificate, now)?;
            CredentialTag::of_certificate(&client.tenant, &client.id, certificate.thumbprint)
        }
        CertificateMethod::SelfSigned => {
            let key = check_self_signed(keys, certificate, now)?;
            CredentialTag::of_key(&client.tenant, &client.id, key)
        }
    };
    Ok((method, credential))
}

impl CredentialTag {
    /// The tag of a certificate: of its thumbprint if an authority issued it, of its key if it is
    /// self-signed.
    #[must_use]
    pub fn of_certificate(tenant: &TenantId, client: &ClientId, thumbprint: Thumbprint) -> Self {
        Self::new(tenant, client, b"certificate", thumbprint.as_bytes())
    }
}

impl SenderKeys {
    /// Whether the connection has the certificate that a token or refresh token is bound to. Also `true` if
    /// the token is not bound to a certificate.
    #[must_use]
    pub fn prove_certificate(&self, bound_to: Option<Thumbprint>) -> bool {
        // RFC 8705 §3: "The protected resource MUST obtain, from its TLS implementation layer, the client
        // certificate used for mutual TLS and MUST verify that the certificate matches the certificate
        // associated with the access token." §4 and §7.1 require the same for the refresh tokens of public
        // clients. §7.2: comparing the SHA-256 is sufficient.
        bound_to.is_none() || self.certificate == bound_to
    }
}

/// The number of certificates in a PEM document. `None` if one of them cannot be parsed.
#[must_use]
pub fn count_certificates(pem: &str) -> Option<usize> {
    Certificate::load_pem_chain(pem.as_bytes()).ok().map(|all| all.len())
}

/// RFC 8705 §2.1: the PKI method requires a validated certificate chain, and the subject that is registered
/// for the client.
fn check_issued(
    client: &Client,
    certificate: &ClientCertificate,
    now: Timestamp,
) -> Result<(), CertificateCheck> {
    let parsed = parse(certificate)?;
    check_chain(certificate, now)?;
    // RFC 8705 §2.1: the client is authenticated if its certificate has the registered subject. The TLS
    // handshake has proved possession of the private key.
    let is_subject = client.certificate_subject.as_ref().is_some_and(|subject| subject.is_of(&parsed));
    if !is_subject {
        return Err(CertificateCheck::Registration);
    }
    let is_spiffe_id = matches!(
        &client.certificate_subject,
        Some(CertificateSubject::Uri(uri)) if uri.starts_with(TrustedIssuer::SPIFFE)
    );
    if is_spiffe_id && !is_svid(&parsed) { Err(CertificateCheck::Svid) } else { Ok(()) }
}

/// X509-SVID §2, §4: a leaf certificate for signatures has exactly one URI.
fn is_svid(certificate: &Certificate) -> bool {
    let certificate = certificate.tbs_certificate();
    let names = certificate.get_extension::<SubjectAltName>().ok().flatten();
    let uris = names.iter().flat_map(|(_, SubjectAltName(names))| names);
    let uris = uris.filter(|name| matches!(name, GeneralName::UniformResourceIdentifier(_))).count();
    let is_authority = match certificate.get_extension::<BasicConstraints>() {
        Ok(constraints) => constraints.is_some_and(|(_, constraints)| constraints.ca),
        Err(_) => true,
    };
    let usage = certificate.get_extension::<KeyUsage>().ok().flatten();
    uris == 1 && !is_authority && usage.is_some_and(|(_, usage)| usage.digital_signature())
}

impl CertificateSubject {
    /// Whether a certificate has this subject. Compares the whole distinguished name, or searches the
    /// alternative names.
    pub(crate) fn is_of(&self, certificate: &Certificate) -> bool {
        let certificate = certificate.tbs_certificate();
        if let Self::Dn(name) = self {
            return name.is(certificate.subject());
        }
        let Ok(Some((_, SubjectAltName(names)))) = certificate.get_extension::<SubjectAltName>() else {
            return false;
        };
        names.iter().any(|name| match (self, name) {
            (Self::Dns(expected), GeneralName::DnsName(name)) => name.as_str().eq_ignore_ascii_case(expected),
            // RFC 3986 §6.2.1: simple string comparison never treats two different identifiers as equal.
            (Self::Uri(expected), GeneralName::UniformResourceIdentifier(name)) => name.as_str() == expected,
            // RFC 8705 §2.1.2: an IPv6 address has several text forms, so use "comparison … in binary
            // format".
            (Self::Ip(expected), GeneralName::IpAddress(octets)) => match expected {
                IpAddr::V4(address) => octets.as_bytes() == address.octets(),
                IpAddr::V6(address) => octets.as_bytes() == address.octets(),
            },
            (Self::Email(expected), GeneralName::Rfc822Name(name)) => {
                is_same_address(expected, name.as_str())
            }
            _ => false,
        })
    }
}

/// Compares email addresses: the host ignores case, the mailbox does not (RFC 5280 §7.5).
fn is_same_address(one: &str, other: &str) -> bool {
    match (one.rsplit_once('@'), other.rsplit_once('@')) {
        (Some((mailbox, host)), Some((of_other, host_of_other))) => {
            mailbox == of_other && host.eq_ignore_ascii_case(host_of_other)
        }
        _ => false,
    }
}

/// RFC 8705 §2.2: the client is authenticated if its certificate is one of the registered certificates. No
/// chain is validated. An expired certificate is refused nevertheless. Returns the key that the client has
/// registered.
fn check_self_signed<'a>(
    keys: Option<&'a PublicKeys>,
    certificate: &ClientCertificate,
    now: Timestamp,
) -> Result<&'a str, CertificateCheck> {
    let parsed = parse(certificate)?;
    let public_key = parsed.tbs_certificate().subject_public_key_info().to_der();
    let public_key = public_key.map_err(|_| CertificateCheck::Form)?;
    let key = keys.and_then(|keys| keys.of_certificate(&public_key, certificate.thumbprint));
    let key = key.ok_or(CertificateCheck::Key)?;
    check_dates(&parsed, now)?;
    Ok(key)
}

/// The result of the chain verification, and the period in which the whole chain is valid.
pub(crate) fn check_chain(certificate: &ClientCertificate, now: Timestamp) -> Result<(), CertificateCheck> {
    Ok(certificate.chain.and_then(|validity| check_time(now, validity))?)
}

pub(crate) fn check_dates(certificate: &Certificate, now: Timestamp) -> Result<(), CertificateCheck> {
    check_time(now, validity_of(certificate)).map_err(|error| match error {
        ChainError::NotYetValid => CertificateCheck::NotYetValid,
        _ => CertificateCheck::Dates,
    })
}

pub(crate) fn validity_of(certificate: &Certificate) -> Validity {
    let validity = certificate.tbs_certificate().validity();
    let instant = |time: x509_cert::time::Time| Timestamp::from_seconds(time.to_unix_duration().as_secs());
    Validity { not_before: instant(validity.not_before), not_after: instant(validity.not_after) }
}

/// RFC 8705 §7.4, §7.5: a library parses X.509 and refuses malformed certificates.
pub(crate) fn parse(certificate: &ClientCertificate) -> Result<Certificate, CertificateCheck> {
    Certificate::from_der(&certificate.der).map_err(|_| CertificateCheck::Form)
}

fn check_time(now: Timestamp, validity: Validity) -> Result<(), ChainError> {
    if now > validity.not_after {
        Err(ChainError::Expired)
    } else if now < validity.not_before {
        Err(ChainError::NotYetValid)
    } else {
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests;
