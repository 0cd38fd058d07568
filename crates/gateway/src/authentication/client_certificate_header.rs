//! The client certificate that a trusted proxy passes on in a header, after it has
//! terminated mutual TLS (RFC 9440).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, InvalidHeaderName};
use administration::documents::schema::JsonSchema;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use percent_encoding::percent_decode;
use protocol::ClientCertificate;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde::{Deserialize, Serialize};
use values::Timestamp;

use crate::TlsError;
use crate::connection::{
    AuthoritiesFile, CertificateAuthorities, LARGEST_CERTIFICATE, LONGEST_CHAIN, ReadTlsFile,
};

/// The intermediate certificates (RFC 9440 §2.3).
const CHAIN: HeaderName = HeaderName::from_static("client-cert-chain");

/// RFC 8941 §4.2.7: "parsers SHOULD NOT fail by default when the encoded data has non-zero pad
/// bits", or lacks its padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Only read from trusted proxies. Clones share the authorities, so that a reload takes effect in
/// all of them.
#[derive(Clone, Debug)]
pub struct CertificateHeader {
    name: HeaderName,
    format: CertificateFormat,
    authorities: Arc<AuthoritiesFile>,
}

/// The format in which a proxy sends a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CertificateFormat {
    /// A byte sequence of structured fields (RFC 9440 §2.2), with the chain in `Client-Cert-Chain`.
    Rfc9440,
    /// Percent-encoded PEM, like nginx's `$ssl_client_escaped_cert`; several certificates form a chain.
    UrlEncodedPem,
}

/// Reasons to refuse the header of a trusted proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HeaderError {
    /// The caller may have sent one of them.
    #[error("The header with the client certificate was sent more than once")]
    Repeated,
    #[error("The server cannot read the header with the client certificate")]
    Malformed,
}

impl CertificateHeader {
    /// The authorities come from a PEM file.
    ///
    /// # Errors [`TlsError`] with the name of the file.
    pub fn open(
        name: HeaderName,
        format: CertificateFormat,
        client_ca: Option<&Path>,
        read: ReadTlsFile,
    ) -> Result<Self, TlsError> {
        let authorities = Arc::new(AuthoritiesFile::open(client_ca.map(PathBuf::from), read)?);
        Ok(Self { name, format, authorities })
    }

    /// Reads the authorities again. Returns whether they have changed. If the file cannot be used,
    /// the previous authorities stay in use.
    ///
    /// # Errors The errors of [`CertificateHeader::open`].
    pub fn reload(&self) -> Result<bool, TlsError> {
        self.authorities.reload()
    }

    #[must_use]
    pub fn client_ca(&self) -> Option<&Path> {
        self.authorities.path()
    }

    /// # Errors If the text is not a token (RFC 9110 §5.6.2).
    pub fn name(text: &str) -> Result<HeaderName, InvalidHeaderName> {
        HeaderName::from_bytes(text.as_bytes())
    }

    /// The authorities of the last successful reading.
    pub(crate) fn authorities(&self) -> Arc<CertificateAuthorities> {
        self.authorities.authorities()
    }

    /// The caller must have checked that a trusted proxy sent the request. `None` if the header is
    /// empty, because proxies send an empty header if the client has no certificate.
    pub(crate) fn read(
        &self,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Result<Option<ClientCertificate>, HeaderError> {
        let mut lines = headers.get_all(&self.name).map(HeaderValue::as_bytes);
        let Some(value) = lines.next() else { return Ok(None) };
        // RFC 9440 §2.2: "Client-Cert … MUST NOT … occur multiple times". The proxy may have passed
        // on a second line from the client.
        if lines.next().is_some() {
            return Err(HeaderError::Repeated);
        }
        let value = value.trim_ascii();
        if value.is_empty() {
            return Ok(None);
        }
        let presented = match self.format {
            CertificateFormat::Rfc9440 => structured(value, headers),
            CertificateFormat::UrlEncodedPem => url_encoded(value),
        };
        let presented = presented.filter(|presented| {
            (1..=LONGEST_CHAIN).contains(&presented.len())
                && presented.iter().all(|certificate| (1..=LARGEST_CERTIFICATE).contains(&certificate.len()))
        });
        let presented = presented.ok_or(HeaderError::Malformed)?;
        Ok(self.authorities.authorities().examine(&presented, now))
    }
}

fn structured(value: &[u8], headers: &HeaderMap) -> Option<Vec<CertificateDer<'static>>> {
    let mut presented = vec![byte_sequence(value)?];
    for line in headers.get_all(CHAIN) {
        // Base64 contains no comma, so every comma separates two certificates.
        for member in line.as_bytes().split(|byte| *byte == b',') {
            if presented.len() > LONGEST_CHAIN {
                return None;
            }
            presented.push(byte_sequence(member.trim_ascii())?);
        }
    }
    Some(presented)
}

/// `:base64:` (RFC 8941 §3.3.5).
fn byte_sequence(value: &[u8]) -> Option<CertificateDer<'static>> {
    let encoded = value.strip_prefix(b":")?.strip_suffix(b":")?;
    BASE64.decode(encoded).ok().map(CertificateDer::from)
}

fn url_encoded(value: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let pem: Vec<u8> = percent_decode(value).collect();
    CertificateDer::pem_slice_iter(&pem).collect::<Result<_, _>>().ok()
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
    use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn headers(lines: &[(&HeaderName, &[u8])]) -> Option<HeaderMap> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append((*name).clone(), HeaderValue::from_bytes(value).ok()?);
        }
        Some(headers)
    }

    fn of(format: CertificateFormat) -> CertificateHeader {
        let name = CertificateHeader::name("x-client-cert").unwrap();
        let none: ReadTlsFile = |_| unreachable!("there is no file");
        CertificateHeader::open(name, format, None, none).unwrap()
    }

    const NOW: Timestamp = Timestamp::from_seconds(1_767_225_600);

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn both_formats_return_the_certificate_bytes(der in vec(any::<u8>(), 1..2_000), between in vec(vec(any::<u8>(), 1..100), 0..8)) {
            let certificates = [std::slice::from_ref(&der), &between].concat();
            let sequences: Vec<_> = between.iter().map(|one| format!(":{}:", STANDARD_NO_PAD.encode(one))).collect();
            let chain = headers(&[(&CHAIN, sequences.join(" , ").as_bytes())]).unwrap();
            let chain = if between.is_empty() { HeaderMap::new() } else { chain };
            let read = structured(format!(":{}:", STANDARD.encode(&der)).as_bytes(), &chain).unwrap();
            prop_assert_eq!(read.iter().map(|one| one.to_vec()).collect::<Vec<_>>(), certificates.clone());
            let pem: String = certificates
                .iter()
                .map(|one| format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(one)))
                .collect();
            let encoded = percent_encode(pem.as_bytes(), NON_ALPHANUMERIC).to_string();
            let read = url_encoded(encoded.as_bytes()).unwrap();
            prop_assert_eq!(read.iter().map(|one| one.to_vec()).collect::<Vec<_>>(), certificates);
        }

        #[test]
        fn any_header_value_is_read_or_refused(
            bytes in vec(prop_oneof![any::<u8>(), Just(b':'), Just(b','), Just(b'%'), Just(b'-'), Just(b'A')], 0..500),
            chain in vec(prop_oneof![any::<u8>(), Just(b':'), Just(b','), Just(b'A')], 0..500),
        ) {
            for format in [CertificateFormat::Rfc9440, CertificateFormat::UrlEncodedPem] {
                let header = of(format);
                let name = header.name.clone();
                for value in [bytes.clone(), [b":", &*bytes, b":"].concat(), [b"-----BEGIN%20CERTIFICATE-----%0A", &*bytes].concat()] {
                    let Some(sent) = headers(&[(&name, &value), (&CHAIN, &chain)]) else { continue };
                    if let Ok(Some(read)) = header.read(&sent, NOW) {
                        prop_assert!((1..=LARGEST_CERTIFICATE).contains(&read.der.len()));
                        prop_assert!(read.chain.is_err(), "no authority is known");
                    }
                    let Some(twice) = headers(&[(&name, &value), (&name, &value)]) else { continue };
                    prop_assert_eq!(header.read(&twice, NOW).err(), Some(HeaderError::Repeated));
                }
            }
        }
    }
}
