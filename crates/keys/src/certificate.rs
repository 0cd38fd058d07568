//! The public key of a certificate (RFC 5280 §4.1.2.7), to compare it with registered keys.

use x509_cert::Certificate;
use x509_cert::der::{Decode as _, Encode as _};

/// The `SubjectPublicKeyInfo` of a certificate, in DER; `None` where the bytes are no certificate.
#[must_use]
pub fn public_key_of_certificate(der: &[u8]) -> Option<Vec<u8>> {
    let certificate = Certificate::from_der(der).ok()?;
    certificate.tbs_certificate().subject_public_key_info().to_der().ok()
}
