//! The client certificate that a trusted proxy passes on in a header, after it has
//! terminated mutual TLS (RFC 9440).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, InvalidHeaderName};
use administration::documents::schema::JsonSchema;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use data_encoding::HEXLOWER_PERMISSIVE;
use keys::sha256;
use percent_encoding::percent_decode;
use protocol::ClientCertificate;
use rustls::pki_types::CertificateDer;
use serde::{Deserialize, Serialize};
use values::Timestamp;

use crate::TlsError;
use crate::connection::{
    AuthoritiesFile, CertificateAuthorities, LARGEST_CERTIFICATE, LONGEST_CHAIN, ReadTlsFile,
};
use crate::request::parameter;

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
    /// PEM, percent-encoded like nginx's `$ssl_client_escaped_cert`, or with spaces for line ends like
    /// Apache's `%{SSL_CLIENT_CERT}s`; several certificates form a chain.
    UrlEncodedPem,
    /// DER in base64, like HAProxy's `%[ssl_c_der,base64]` and Traefik's
    /// `X-Forwarded-Tls-Client-Cert`; several certificates, separated by commas, form a chain.
    Base64Der,
    /// Envoy's `X-Forwarded-Client-Cert` with `Hash`, and with `Cert` or `Chain`. Envoy must be
    /// configured with `SANITIZE_SET`.
    Xfcc,
}

/// What proxies send if the client has no certificate.
const NONE: [&[u8]; 3] = [b"", b"-", b"(null)"];

/// RFC 7468 §5.1.
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

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

    /// The caller must have checked that a trusted proxy sent the request. The first certificate is the
    /// client's own; the others never identify it.
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
        if NONE.contains(&value) {
            return Ok(None);
        }
        let presented = match self.format {
            CertificateFormat::Rfc9440 => structured(value, headers),
            CertificateFormat::UrlEncodedPem => pem(value),
            CertificateFormat::Base64Der => base64_list(value),
            CertificateFormat::Xfcc => xfcc(value),
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
    base64(value.strip_prefix(b":")?.strip_suffix(b":")?)
}

fn base64(encoded: &[u8]) -> Option<CertificateDer<'static>> {
    BASE64.decode(encoded).ok().map(CertificateDer::from)
}

/// The line ends may be any white space, or missing, because a header is one line.
fn pem(value: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let decoded = percent_decode(value).decode_utf8().ok()?;
    let mut rest = decoded.trim();
    let mut certificates = Vec::new();
    while !rest.is_empty() && certificates.len() <= LONGEST_CHAIN {
        let (encoded, after) = rest.strip_prefix(BEGIN)?.split_once(END)?;
        let encoded: Vec<u8> = encoded.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        certificates.push(base64(&encoded)?);
        rest = after.trim_start();
    }
    Some(certificates)
}

/// Some versions of Traefik percent-encode the list.
fn base64_list(value: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let decoded: Vec<u8> = percent_decode(value).collect();
    let members = decoded.split(|byte| *byte == b',').take(LONGEST_CHAIN + 1);
    members.map(|member| base64(member.trim_ascii())).collect()
}

/// Envoy copies names from the certificate into the element, partly without quotes. They could
/// contain a parameter of their own, so each parameter may occur only once, and `Hash`, which is
/// always there, must be that of the certificate.
fn xfcc(value: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let element = std::str::from_utf8(value).ok()?;
    let parameter = |name| parameter(element, name).ok();
    let read = |value: Option<&str>| value.map_or(Some(Vec::new()), |value| pem(value.as_bytes()));
    let (own, chain) = (read(parameter("Cert")?)?, read(parameter("Chain")?)?);
    let presented = if chain.is_empty() { own.clone() } else { chain };
    let leaf = presented.first()?;
    let is_hashed = HEXLOWER_PERMISSIVE.decode(parameter("Hash")??.as_bytes()).ok()? == sha256(leaf);
    let agrees = own.is_empty() || own == presented[..1];
    (is_hashed && agrees).then_some(presented)
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

    fn pem_of(der: &[u8]) -> String {
        let text = STANDARD.encode(der);
        let lines: Vec<_> =
            text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        format!("{BEGIN}\n{}\n{END}\n", lines.join("\n"))
    }

    #[test]
    fn header_without_certificate_is_no_certificate() {
        for value in ["", " ", "-", "(null)"] {
            let header = of(CertificateFormat::UrlEncodedPem);
            let sent = headers(&[(&header.name, value.as_bytes())]).unwrap();
            assert_eq!(header.read(&sent, NOW), Ok(None), "{value:?}");
        }
    }

    const NOW: Timestamp = Timestamp::from_seconds(1_767_225_600);

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn all_formats_return_the_certificate_bytes(der in vec(any::<u8>(), 1..2_000), between in vec(vec(any::<u8>(), 1..100), 0..8)) {
            let certificates = [std::slice::from_ref(&der), &between].concat();
            let sequences: Vec<_> = between.iter().map(|one| format!(":{}:", STANDARD_NO_PAD.encode(one))).collect();
            let chain = headers(&[(&CHAIN, sequences.join(" , ").as_bytes())]).unwrap();
            let chain = if between.is_empty() { HeaderMap::new() } else { chain };
            let read = structured(format!(":{}:", STANDARD.encode(&der)).as_bytes(), &chain).unwrap();
            prop_assert_eq!(read.iter().map(|one| one.to_vec()).collect::<Vec<_>>(), certificates.clone());
            let text: String = certificates.iter().map(|one| pem_of(one)).collect();
            let encoded = percent_encode(text.as_bytes(), NON_ALPHANUMERIC).to_string();
            let hash = sha256(&der).map(|byte| format!("{byte:02X}")).concat();
            let xfcc_of = |parameters: String| xfcc(format!("By=spiffe://a;Hash={hash};{parameters}").as_bytes());
            let subject = r#"Subject="CN=a\",;Cert=\"x""#;
            let list: Vec<_> = certificates.iter().map(|one| STANDARD.encode(one)).collect();
            for read in [
                pem(encoded.as_bytes()),
                pem(text.replace('\n', " ").as_bytes()),
                pem(text.replace('\n', "\t").as_bytes()),
                pem(text.replace('\n', "").as_bytes()),
                base64_list(list.join(", ").as_bytes()),
                base64_list(list.join(",").replace('+', "%2B").as_bytes()),
                xfcc_of(format!("{subject};Chain=\"{encoded}\";URI=a;URI=b")),
            ] {
                prop_assert_eq!(read.unwrap().iter().map(|one| one.to_vec()).collect::<Vec<_>>(), certificates.clone());
            }
            let own = percent_encode(pem_of(&der).as_bytes(), NON_ALPHANUMERIC).to_string();
            prop_assert_eq!(xfcc_of(format!("Cert=\"{own}\";{subject}")).unwrap()[0].to_vec(), der.clone());
            // Each of these could be a name in the certificate that Envoy has copied.
            let other = percent_encode(pem_of(b"other").as_bytes(), NON_ALPHANUMERIC).to_string();
            for injected in [
                format!("URI=x;Cert=\"{other}\""),
                format!("Cert=\"{own}\";URI=x;Cert=\"{other}\""),
                format!("Cert=\"{own}\";URI=x;Chain=\"{other}\""),
                format!("Chain=\"{own}\";URI=x;Cert=\"{other}\""),
                format!("Cert=\"{own}\";URI=x,Hash={hash};Cert=\"{own}\""),
                format!("Cert=\"{own}\";URI=x;hash={hash}"),
                "URI=x".to_owned(),
            ] {
                prop_assert!(xfcc_of(injected.clone()).is_none(), "{}", injected);
            }
        }

        #[test]
        fn any_header_value_is_read_or_refused(
            bytes in vec(prop_oneof![any::<u8>(), Just(b':'), Just(b','), Just(b'%'), Just(b'-'), Just(b'A')], 0..500),
            chain in vec(prop_oneof![any::<u8>(), Just(b':'), Just(b','), Just(b'A')], 0..500),
        ) {
            for format in [CertificateFormat::Rfc9440, CertificateFormat::UrlEncodedPem, CertificateFormat::Base64Der, CertificateFormat::Xfcc] {
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
