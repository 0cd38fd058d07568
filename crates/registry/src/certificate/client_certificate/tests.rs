//! Tests certificates that authenticate a client, certificates that do not, and malformed ones.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD as BASE64URL};
use proptest::prelude::*;
use protocol::{Thumbprint, Validity};
use rcgen::{CertificateParams, DnType, KeyPair, PublicKeyData as _, SanType, date_time_ymd};
use serde_json::{Value, json};
use tenancy::TenantId;

use super::*;
use crate::{CertificateSubject, ClientId, ClientKeys, SubjectKind};

use CertificateCheck as E;
use ClientAuthenticationMethod as Method;

/// 2026-06-01.
pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_780_272_000);

/// A certificate with a name of each kind, valid for these years.
pub(crate) fn parameters(years: (i32, i32)) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    (parameters.not_before, parameters.not_after) =
        (date_time_ymd(years.0, 1, 1), date_time_ymd(years.1, 1, 1));
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CountryName, "DE");
    parameters.distinguished_name.push(DnType::OrganizationName, "Example Ltd");
    parameters.distinguished_name.push(DnType::CommonName, "svc");
    parameters.subject_alt_names = vec![
        SanType::DnsName("svc.example.com".try_into().unwrap()),
        SanType::DnsName("Other.example.com".try_into().unwrap()),
        SanType::URI("urn:example:svc".try_into().unwrap()),
        SanType::IpAddress([192, 0, 2, 1].into()),
        SanType::IpAddress("2001:db8::1".parse().unwrap()),
        SanType::Rfc822Name("Svc@Example.com".try_into().unwrap()),
    ];
    parameters
}

pub(crate) fn presented(der: &[u8], chain: Result<Validity, ChainError>) -> ClientCertificate {
    let thumbprint = Thumbprint::new(digest(&SHA256, der).as_ref().try_into().unwrap());
    ClientCertificate { der: der.to_vec(), presented_with: Vec::new(), thumbprint, chain }
}

/// A chain that is valid from `before` seconds before now until `after` seconds after now.
pub(crate) fn valid(before: u64, after: u64) -> Result<Validity, ChainError> {
    between(NOW.seconds() - before, NOW.seconds() + after)
}

fn between(not_before: u64, not_after: u64) -> Result<Validity, ChainError> {
    let [not_before, not_after] = [not_before, not_after].map(Timestamp::from_seconds);
    Ok(Validity { not_before, not_after })
}

fn client(method: Method) -> Client {
    let (tenant, id) = (TenantId::parse("acme").unwrap(), ClientId::parse("svc").unwrap());
    Client { authentication_method: method, ..Client::new(tenant, id) }
}

pub(crate) fn named(client: Client, kind: SubjectKind, text: &str) -> Client {
    Client { certificate_subject: Some(CertificateSubject::parse(kind, text).unwrap()), ..client }
}

pub(crate) fn with_keys(client: Client, keys: &[Value]) -> Client {
    let keys = ClientKeys::parse(&json!({ "keys": keys }).to_string()).unwrap();
    Client { keys: Some(keys), ..client }
}

pub(crate) fn jwk(key: &KeyPair) -> Value {
    let (x, y) = key.der_bytes()[1..].split_at(32);
    json!({ "kty": "EC", "crv": "P-256", "x": BASE64URL.encode(x), "y": BASE64URL.encode(y) })
}

fn with_x5c(mut jwk: Value, der: &[u8]) -> Value {
    jwk["x5c"] = json!([BASE64.encode(der)]);
    jwk
}

fn self_signed(key: &KeyPair, years: (i32, i32)) -> Vec<u8> {
    parameters(years).self_signed(key).unwrap().der().to_vec()
}

fn checked(client: &Client, certificate: &ClientCertificate) -> Result<CertificateMethod, E> {
    let keys = client.keys.as_ref().map(ClientKeys::keys);
    check_client_certificate(client, keys, certificate, NOW).map(|(method, _)| method)
}

// [mutual-tls RFC 8705 §2.1]: `tls_client_auth`: the chain is validated, and the subject is the registered
//   one
// [mutual-tls RFC 8705 §2.1.2 b]: IP addresses are compared in binary
#[test]
fn issued_certificate_needs_valid_chain_and_registered_subject() {
    let der = self_signed(&KeyPair::generate().unwrap(), (2026, 2027));
    let with = |chain| presented(&der, chain);
    let of = |kind, text| named(client(Method::TlsClientAuth), kind, text);
    for (kind, text, matches) in [
        (SubjectKind::Dn, "CN=svc,O=Example Ltd,C=DE", true),
        (SubjectKind::Dn, "cn=SVC, o=example  ltd, c=de", true),
        (SubjectKind::Dn, "C=DE,O=Example Ltd,CN=svc", false),
        (SubjectKind::Dn, "CN=svc", false),
        (SubjectKind::Dn, "CN=svc.example.com", false),
        (SubjectKind::Dns, "svc.example.com", true),
        (SubjectKind::Dns, "other.EXAMPLE.com", true),
        (SubjectKind::Dns, "example.com", false),
        (SubjectKind::Dns, "svc", false),
        (SubjectKind::Dns, "192.0.2.1", false),
        (SubjectKind::Uri, "urn:example:svc", true),
        (SubjectKind::Uri, "spiffe://example.com/SVC", false),
        (SubjectKind::Uri, "urn:example:svc/", false),
        (SubjectKind::Ip, "192.0.2.1", true),
        (SubjectKind::Ip, "2001:0DB8:0::1", true),
        (SubjectKind::Ip, "::ffff:192.0.2.1", false),
        (SubjectKind::Ip, "192.0.2.2", false),
        (SubjectKind::Email, "Svc@example.COM", true),
        (SubjectKind::Email, "svc@example.com", false),
    ] {
        let expected = if matches { Ok(CertificateMethod::Issued) } else { Err(E::Registration) };
        let found = checked(&of(kind, text), &with(valid(10, 10)));
        assert_eq!(found, expected, "{kind:?} {text}");
    }

    let right = of(SubjectKind::Dns, "svc.example.com");
    for (chain, expected) in [
        (valid(0, 0), Ok(CertificateMethod::Issued)),
        // The chain was valid at the start of the connection.
        (between(0, NOW.seconds() - 1), Err(E::ChainExpired)),
        (between(NOW.seconds() + 1, u64::MAX), Err(E::ChainNotYetValid)),
        (Err(ChainError::Expired), Err(E::ChainExpired)),
        (Err(ChainError::NotYetValid), Err(E::ChainNotYetValid)),
        (Err(ChainError::NoAuthorities), Err(E::NoAuthorities)),
        (Err(ChainError::UnknownIssuer), Err(E::UnknownIssuer)),
        (Err(ChainError::OtherUsage), Err(E::Usage)),
        (Err(ChainError::Invalid), Err(E::Chain)),
    ] {
        assert_eq!(checked(&right, &with(chain)), expected, "{chain:?}");
    }
    // A registration without a subject matches nothing. No interface can create one.
    let without = client(Method::TlsClientAuth);
    assert_eq!(checked(&without, &with(valid(1, 1))), Err(E::Registration));
}

// [mutual-tls RFC 8705 §2.2]: `self_signed_tls_client_auth`: the certificate is one of the client's; no chain
//   counts
// [mutual-tls RFC 8705 §2.2 b]: A registered certificate is the one in `x5c`. A key without `x5c` stands for
//   each certificate of the key, so that a client can renew its certificate alone | departs
// [mutual-tls RFC 8705 §2.2 c]: Says nothing of the dates of a self-signed certificate. Ours: outside of them
//   it is refused
// [mutual-tls RFC 8705 §2.2.2]: Certificates are registered by `jwks` or `jwks_uri`
#[test]
fn self_signed_certificate_matches_registered_key_or_x5c() {
    let (key, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let (der, renewed) = (self_signed(&key, (2026, 2027)), self_signed(&key, (2025, 2028)));
    let check = |keys: &[Value], der: &[u8]| {
        let client = with_keys(client(Method::SelfSignedTlsClientAuth), keys);
        checked(&client, &presented(der, Err(ChainError::NoAuthorities)))
    };
    let ok = Ok(CertificateMethod::SelfSigned);
    assert_eq!(check(&[jwk(&key)], &der), ok);
    assert_eq!(check(&[jwk(&other), jwk(&key)], &der), ok, "the second key");
    assert_eq!(check(&[jwk(&key)], &renewed), ok, "the key may have another certificate");
    assert_eq!(check(&[jwk(&other)], &der), Err(E::Key));
    assert_eq!(check(&[], &der), Err(E::Key));
    assert_eq!(check(&[with_x5c(jwk(&key), &der)], &der), ok);
    assert_eq!(check(&[with_x5c(jwk(&key), &der)], &renewed), Err(E::Key), "that certificate alone");
    // RFC 7517 §4.7: the key of the JWK must be that of the certificate.
    assert_eq!(check(&[with_x5c(jwk(&other), &der)], &der), Err(E::Key));
    assert_eq!(check(&[with_x5c(jwk(&key), b"x")], &der), Err(E::Key));
    assert_eq!(check(&[jwk(&key)], &self_signed(&key, (2025, 2026))), Err(E::Dates));
    assert_eq!(check(&[jwk(&key)], &self_signed(&key, (2027, 2028))), Err(E::NotYetValid));
    let without = client(Method::SelfSignedTlsClientAuth);
    assert_eq!(checked(&without, &presented(&der, valid(10, 10))), Err(E::Key));
}

// [mutual-tls RFC 8705 §2.2 b]
#[test]
fn certificates_match_registered_keys_of_each_type() {
    for algorithm in [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ECDSA_P384_SHA384, &rcgen::PKCS_ED25519] {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let der = self_signed(&key, (2026, 2027));
        let raw = key.der_bytes();
        let jwk = match raw.len() {
            32 => json!({ "kty": "OKP", "crv": "Ed25519", "x": BASE64URL.encode(raw) }),
            length => {
                let (x, y) = raw[1..].split_at(length / 2);
                let curve = if length == 65 { "P-256" } else { "P-384" };
                json!({ "kty": "EC", "crv": curve, "x": BASE64URL.encode(x), "y": BASE64URL.encode(y) })
            }
        };
        let client = with_keys(client(Method::SelfSignedTlsClientAuth), &[jwk]);
        let certificate = presented(&der, Err(ChainError::NoAuthorities));
        assert!(checked(&client, &certificate).is_ok(), "{algorithm:?}");
    }
}

#[test]
fn method_any_prefers_subject_over_keys() {
    let key = KeyPair::generate().unwrap();
    let certificate = presented(&self_signed(&key, (2026, 2027)), Err(ChainError::UnknownIssuer));
    let keyed = with_keys(client(Method::Any), &[jwk(&key)]);
    assert_eq!(checked(&keyed, &certificate), Ok(CertificateMethod::SelfSigned));
    // A client with a subject needs a certificate of an authority, even if it also has keys.
    let both = named(keyed, SubjectKind::Dns, "svc.example.com");
    assert_eq!(checked(&both, &certificate), Err(E::UnknownIssuer));
}

#[test]
fn subjects_round_trip_and_malformed_subjects_are_refused() {
    let long = "a".repeat(64);
    for (kind, text, fits) in [
        (SubjectKind::Dn, "CN = Client, O=b", true),
        (SubjectKind::Dn, "client", false),
        (SubjectKind::Dns, "a_b.example.com", true),
        (SubjectKind::Dns, "localhost", true),
        (SubjectKind::Dns, "", false),
        (SubjectKind::Dns, ".", false),
        (SubjectKind::Dns, "a..b", false),
        (SubjectKind::Dns, "a.", false),
        (SubjectKind::Dns, "*.example.com", false),
        (SubjectKind::Dns, "-a.example.com", false),
        (SubjectKind::Dns, "a-.example.com", false),
        (SubjectKind::Dns, "a b", false),
        (SubjectKind::Dns, "ä.example.com", false),
        (SubjectKind::Dns, "a:1", false),
        (SubjectKind::Dns, &long, false),
        (SubjectKind::Uri, "urn:example:svc", true),
        (SubjectKind::Uri, "https://svc.example.com/a?b#c", true),
        (SubjectKind::Uri, "", false),
        (SubjectKind::Uri, "svc.example.com", false),
        (SubjectKind::Uri, "urn:", false),
        (SubjectKind::Uri, ":a", false),
        (SubjectKind::Uri, "1a:b", false),
        (SubjectKind::Uri, "urn:a b", false),
        (SubjectKind::Uri, "urn:ä", false),
        (SubjectKind::Ip, "192.0.2.1", true),
        (SubjectKind::Ip, "2001:db8::1", true),
        (SubjectKind::Ip, "192.0.2", false),
        (SubjectKind::Ip, "192.0.2.1/32", false),
        (SubjectKind::Ip, "[2001:db8::1]", false),
        (SubjectKind::Ip, "localhost", false),
        (SubjectKind::Ip, "", false),
        (SubjectKind::Email, "a.b+c@example.com", true),
        (SubjectKind::Email, "a@", false),
        (SubjectKind::Email, "@example.com", false),
        (SubjectKind::Email, "example.com", false),
        (SubjectKind::Email, "a b@example.com", false),
        (SubjectKind::Email, "Ann <a@example.com>", false),
        (SubjectKind::Email, "", false),
    ] {
        let read = CertificateSubject::parse(kind, text);
        assert_eq!(read.is_ok(), fits, "{kind:?} {text}: {read:?}");
        if let Ok(read) = read {
            assert_eq!((read.kind(), read.text().as_str()), (kind, text));
            assert_eq!(read.to_string().parse::<CertificateSubject>().unwrap(), read);
        }
    }
    for stored in ["", "CN=a", "subject_dn", "subject_dn:", "san_other:a", "SAN_DNS:a"] {
        assert!(stored.parse::<CertificateSubject>().is_err(), "{stored}");
    }
}

/// Replaces a part of the bytes by another of the same length.
fn replaced(der: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = der.windows(from.len()).position(|part| part == from).expect("the part is there");
    let mut changed = der.to_vec();
    changed[at..at + from.len()].copy_from_slice(to);
    changed
}

// [mutual-tls RFC 8705 §7.4, §7.5]: Certificates are read by libraries for X.509, and bytes that are none are
//   refused
#[test]
fn malformed_certificates_are_refused() {
    let key = KeyPair::generate().unwrap();
    let der = self_signed(&key, (2026, 2027));
    let client = with_keys(client(Method::SelfSignedTlsClientAuth), &[jwk(&key)]);
    let client = named(client, SubjectKind::Dns, "svc.example.com");
    let mut cases: Vec<(String, Vec<u8>)> = vec![
        ("nothing".into(), Vec::new()),
        ("a null".into(), vec![5, 0]),
        ("an empty sequence".into(), vec![0x30, 0]),
        ("text".into(), b"-----BEGIN CERTIFICATE-----".to_vec()),
        ("zeros".into(), vec![0; 400]),
        ("an indefinite length".into(), [&[0x30, 0x80], &der[4..], &[0, 0]].concat()),
        ("a longer form of the length".into(), [&[0x30, 0x83, 0], &der[2..]].concat()),
        ("a length beyond the end".into(), [&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], &der[4..]].concat()),
        ("a byte too many".into(), [&der[..], &[0]].concat()),
        ("twice".into(), [&der[..], &der[..]].concat()),
        ("a set in place of the sequence".into(), [&[0x31], &der[1..]].concat()),
        ("a version that does not exist".into(), replaced(&der, &[0xa0, 3, 2, 1, 2], &[0xa0, 3, 2, 1, 9])),
        ("no version in its place".into(), replaced(&der, &[0xa0, 3, 2, 1, 2], &[0xa1, 3, 2, 1, 2])),
        ("a country that is no text".into(), replaced(&der, &[0x31, 11, 0x30, 9], &[0x31, 11, 0x30, 8])),
        ("a day that does not exist".into(), replaced(&der, b"260101", b"269901")),
        ("a time without a zone".into(), replaced(&der, b"260101000000Z", b"2601010000000")),
        ("a key without its curve".into(), replaced(&der, &[0x06, 8, 0x2a, 0x86], &[0x05, 8, 0x2a, 0x86])),
    ];
    for length in (1..48).map(|step| step * der.len() / 48) {
        cases.push((format!("the first {length} bytes"), der[..length].to_vec()));
    }
    assert!(cases.len() >= 60, "{}", cases.len());
    for (name, bytes) in cases {
        let certificate = presented(&bytes, valid(10, 10));
        for method in [Method::TlsClientAuth, Method::SelfSignedTlsClientAuth] {
            let client = Client { authentication_method: method, ..client.clone() };
            let found = checked(&client, &certificate);
            assert!(matches!(found, Err(E::Form)), "{name}: {found:?}");
        }
    }
}

proptest! {
    // [mutual-tls RFC 8705 §7.4, §7.5]
    /// After a change of any byte, the certificate is refused or still has the names that were compared.
    /// Parsing never panics.
    #[test]
    fn certificate_parsing_never_panics(at in any::<prop::sample::Index>(), byte in any::<u8>(), bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let key = KeyPair::generate().unwrap();
        let mut der = self_signed(&key, (2026, 2027));
        let at = at.index(der.len());
        der[at] = byte;
        let client = with_keys(client(Method::SelfSignedTlsClientAuth), &[jwk(&key)]);
        for bytes in [&der, &bytes] {
            for method in [Method::TlsClientAuth, Method::SelfSignedTlsClientAuth] {
                let client = named(client.clone(), SubjectKind::Dns, "svc.example.com");
                let client = Client { authentication_method: method, ..client };
                let _ = checked(&client, &presented(bytes, valid(10, 10)));
            }
        }
    }
}
