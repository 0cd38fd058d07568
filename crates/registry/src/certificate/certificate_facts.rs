//! The contents of a certificate, in the terms of a client registration (RFC 5280 §4, RFC 8705 §2.1.2).
//! Nothing is verified.

use std::net::IpAddr;

use aws_lc_rs::digest::{SHA256, digest};
use protocol::{Thumbprint, Validity};
use serde::{Serialize, Serializer};
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::der::asn1::{ObjectIdentifier, OctetString, Uint};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{ExtendedKeyUsage, KeyUsage, SubjectAltName};
use x509_cert::spki::SubjectPublicKeyInfoOwned;

use crate::SubjectKind;
use crate::certificate::client_certificate::validity_of;
use crate::certificate::distinguished_name_text::distinguished_name_text;

/// The contents of a certificate. `latchkey inspect` shows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CertificateFacts {
    /// The subject as text (RFC 4514). Empty if the certificate has no subject.
    #[serde(rename = "subject_dn")]
    pub subject: String,
    /// The issuer as text (RFC 4514).
    #[serde(rename = "issuer_dn")]
    pub issuer: String,
    pub alternative_names: Vec<AlternativeName>,
    /// The SHA-256 of the DER encoding (RFC 8705 §3.1).
    #[serde(rename = "x5t#S256")]
    pub thumbprint: Thumbprint,
    /// The kind and size of the public key.
    pub public_key: String,
    #[serde(flatten, serialize_with = "dates")]
    pub validity: Validity,
    /// `None` if the certificate has no such extension.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_usage: Option<Vec<&'static str>>,
    /// `None` if the certificate has no such extension.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extended_key_usage: Option<Vec<String>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AlternativeName {
    /// The registration member to compare with, or the kind of a name that cannot be registered.
    pub kind: &'static str,
    pub value: String,
}

const PURPOSES: [(&str, &str); 7] = [
    ("2.5.29.37.0", "anyExtendedKeyUsage"),
    ("1.3.6.1.5.5.7.3.1", "serverAuth"),
    ("1.3.6.1.5.5.7.3.2", "clientAuth"),
    ("1.3.6.1.5.5.7.3.3", "codeSigning"),
    ("1.3.6.1.5.5.7.3.4", "emailProtection"),
    ("1.3.6.1.5.5.7.3.8", "timeStamping"),
    ("1.3.6.1.5.5.7.3.9", "OCSPSigning"),
];

const CURVES: [(&str, &str); 4] = [
    ("1.2.840.10045.3.1.7", "P-256"),
    ("1.3.132.0.34", "P-384"),
    ("1.3.132.0.35", "P-521"),
    ("1.3.132.0.10", "secp256k1"),
];

impl CertificateFacts {
    /// Parses a certificate in DER.
    #[must_use]
    pub fn read(der: &[u8]) -> Option<Self> {
        let thumbprint = digest(&SHA256, der).as_ref().try_into().ok()?;
        Some(Self::new(&Certificate::from_der(der).ok()?, Thumbprint::new(thumbprint)))
    }

    pub(crate) fn new(certificate: &Certificate, thumbprint: Thumbprint) -> Self {
        let signed = certificate.tbs_certificate();
        let names = signed.get_extension::<SubjectAltName>().ok().flatten();
        let usage = signed.get_extension::<KeyUsage>().ok().flatten();
        let purposes = signed.get_extension::<ExtendedKeyUsage>().ok().flatten();
        Self {
            subject: distinguished_name_text(signed.subject()),
            issuer: distinguished_name_text(signed.issuer()),
            alternative_names: names
                .iter()
                .flat_map(|(_, names)| names.0.iter().map(alternative_name))
                .collect(),
            thumbprint,
            public_key: public_key(signed.subject_public_key_info()),
            validity: validity_of(certificate),
            key_usage: usage.map(|(_, usage)| key_usage(usage)),
            extended_key_usage: purposes
                .map(|(_, purposes)| purposes.0.iter().map(|purpose| named(*purpose, &PURPOSES)).collect()),
        }
    }

    /// Whether subject and issuer are equal, as in a self-signed certificate.
    #[must_use]
    pub fn is_self_issued(&self) -> bool {
        self.subject == self.issuer
    }
}

fn alternative_name(name: &GeneralName) -> AlternativeName {
    let (kind, value) = match name {
        GeneralName::DnsName(name) => (SubjectKind::Dns.member(), name.as_str().to_owned()),
        GeneralName::UniformResourceIdentifier(name) => (SubjectKind::Uri.member(), name.as_str().to_owned()),
        GeneralName::Rfc822Name(name) => (SubjectKind::Email.member(), name.as_str().to_owned()),
        GeneralName::IpAddress(octets) => (SubjectKind::Ip.member(), ip_address(octets)),
        GeneralName::DirectoryName(name) => ("directoryName", distinguished_name_text(name)),
        GeneralName::RegisteredId(number) => ("registeredID", number.to_string()),
        GeneralName::OtherName(name) => ("otherName", name.type_id.to_string()),
        GeneralName::EdiPartyName(_) => ("ediPartyName", String::new()),
    };
    AlternativeName { kind, value }
}

fn dates<S: Serializer>(validity: &Validity, serializer: S) -> Result<S::Ok, S::Error> {
    let dates = [("not_before", validity.not_before), ("not_after", validity.not_after)];
    serializer.collect_map(dates.map(|(name, date)| (name, date.to_rfc3339())))
}

fn ip_address(octets: &OctetString) -> String {
    let octets = octets.as_bytes();
    let v4 = <[u8; 4]>::try_from(octets).map(IpAddr::from);
    match v4.or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from)) {
        Ok(address) => address.to_string(),
        Err(_) => format!("{} octets, which are not an address", octets.len()),
    }
}

fn key_usage(usage: KeyUsage) -> Vec<&'static str> {
    let all = [
        (usage.digital_signature(), "digitalSignature"),
        (usage.non_repudiation(), "nonRepudiation"),
        (usage.key_encipherment(), "keyEncipherment"),
        (usage.data_encipherment(), "dataEncipherment"),
        (usage.key_agreement(), "keyAgreement"),
        (usage.key_cert_sign(), "keyCertSign"),
        (usage.crl_sign(), "cRLSign"),
        (usage.encipher_only(), "encipherOnly"),
        (usage.decipher_only(), "decipherOnly"),
    ];
    all.into_iter().filter(|(is_set, _)| *is_set).map(|(_, name)| name).collect()
}

fn public_key(key: &SubjectPublicKeyInfoOwned) -> String {
    match key.algorithm.oid.to_string().as_str() {
        "1.2.840.113549.1.1.1" | "1.2.840.113549.1.1.10" => {
            rsa_bits(key).map_or_else(|| "RSA".to_owned(), |bits| format!("RSA, {bits} bits"))
        }
        "1.2.840.10045.2.1" => {
            let curve = key.algorithm.parameters.as_ref();
            let curve = curve.and_then(|curve| curve.decode_as::<ObjectIdentifier>().ok());
            let curve = curve.map_or_else(|| "unnamed".to_owned(), |curve| named(curve, &CURVES));
            format!("EC, curve {curve}")
        }
        "1.3.101.112" => "Ed25519".to_owned(),
        "1.3.101.113" => "Ed448".to_owned(),
        other => format!("with the algorithm {other}"),
    }
}

/// `RSAPublicKey` is a sequence of two integers; the first is the modulus (RFC 8017 §A.1.1).
fn rsa_bits(key: &SubjectPublicKeyInfoOwned) -> Option<usize> {
    let numbers = Vec::<Uint>::from_der(key.subject_public_key.as_bytes()?).ok()?;
    let modulus = numbers.first()?.as_bytes();
    Some(modulus.len() * 8 - modulus.first()?.leading_zeros() as usize)
}

fn named(number: ObjectIdentifier, names: &[(&str, &str)]) -> String {
    let number = number.to_string();
    let known = names.iter().find(|(known, _)| *known == number);
    known.map_or(number.clone(), |(_, name)| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use rcgen::{
        ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384,
        PKCS_ED25519, PKCS_RSA_SHA256,
    };

    use super::*;
    use crate::certificate::client_certificate::tests::parameters;

    fn facts(parameters: &rcgen::CertificateParams, key: &KeyPair) -> CertificateFacts {
        CertificateFacts::read(parameters.self_signed(key).unwrap().der()).unwrap()
    }

    #[test]
    fn every_name_has_its_registration_member() {
        let facts = facts(&parameters((2026, 2027)), &KeyPair::generate().unwrap());
        assert_eq!(facts.subject, "CN=svc,O=Example Ltd,C=DE");
        assert!(facts.is_self_issued());
        let names = facts.alternative_names.iter().map(|name| format!("{}={}", name.kind, name.value));
        let expected = [
            "tls_client_auth_san_dns=svc.example.com",
            "tls_client_auth_san_dns=Other.example.com",
            "tls_client_auth_san_uri=urn:example:svc",
            "tls_client_auth_san_ip=192.0.2.1",
            "tls_client_auth_san_ip=2001:db8::1",
            "tls_client_auth_san_email=Svc@Example.com",
        ];
        assert_eq!(names.collect::<Vec<_>>(), expected);
        let at = |seconds| values::Timestamp::from_seconds(seconds);
        assert_eq!(facts.validity, Validity { not_before: at(1_767_225_600), not_after: at(1_798_761_600) });
        assert_eq!((facts.key_usage, facts.extended_key_usage), (None, None));
    }

    #[test]
    fn key_type_and_size_are_named() {
        for (algorithm, expected) in [
            (&PKCS_ECDSA_P256_SHA256, "EC, curve P-256"),
            (&PKCS_ECDSA_P384_SHA384, "EC, curve P-384"),
            (&PKCS_ED25519, "Ed25519"),
            (&PKCS_RSA_SHA256, "RSA, 2048 bits"),
        ] {
            let key = KeyPair::generate_for(algorithm).unwrap();
            assert_eq!(facts(&parameters((2026, 2027)), &key).public_key, expected);
        }
    }

    #[test]
    fn usages_have_their_rfc_5280_names() {
        let mut parameters = parameters((2026, 2027));
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::CrlSign];
        parameters.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::Other(vec![1, 2, 3, 4])];
        let facts = facts(&parameters, &KeyPair::generate().unwrap());
        assert_eq!(facts.key_usage.unwrap(), ["digitalSignature", "cRLSign"]);
        assert_eq!(facts.extended_key_usage.unwrap(), ["clientAuth", "1.2.3.4"]);
    }

    #[test]
    fn truncated_certificate_has_no_facts() {
        let der = parameters((2026, 2027)).self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec();
        for length in [0, 1, 4, der.len() / 2, der.len() - 1] {
            assert_eq!(CertificateFacts::read(&der[..length]), None, "{length}");
        }
    }
}
