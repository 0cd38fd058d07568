//! Client certificates from a file, for an explanation of how a listener would verify them.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use protocol::ClientCertificate;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use values::Timestamp;

use crate::TlsError;
use crate::connection::{
    AuthoritiesFile, CertificateAuthorities, LARGEST_CERTIFICATE, LONGEST_CHAIN, ReadTlsFile,
};

/// A DER sequence with a length of one to three bytes. No UTF-8 text starts with these bytes.
const DER: [[u8; 2]; 3] = [[0x30, 0x81], [0x30, 0x82], [0x30, 0x83]];
const PEM: &[u8] = b"-----BEGIN ";
const LINE: usize = 64;

/// The client's own certificate first, then intermediate certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresentedCertificates(Vec<CertificateDer<'static>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PresentedCertificatesError {
    /// The PEM contains no certificate.
    #[error("there is no certificate in it; a certificate begins with -----BEGIN CERTIFICATE-----")]
    NoCertificate,
    /// The PEM cannot be parsed.
    #[error("this is not PEM: a line is missing, or contains a character that base64 does not have")]
    NoPem,
    /// More certificates than a handshake may contain.
    #[error(
        "there are more than {LONGEST_CHAIN} certificates; present the client's own certificate and the \
            intermediate certificates"
    )]
    TooMany,
    /// A larger certificate than a handshake may contain.
    #[error("a certificate has more than {LARGEST_CERTIFICATE} bytes, which no listener accepts")]
    TooLarge,
}

impl PresentedCertificates {
    /// Whether the bytes start like DER or contain PEM. Tokens do neither.
    #[must_use]
    pub fn are(bytes: &[u8]) -> bool {
        DER.iter().any(|start| bytes.starts_with(start)) || bytes.windows(PEM.len()).any(|part| part == PEM)
    }

    /// Reads one certificate in DER, or all certificates in PEM. Skips other PEM blocks.
    ///
    /// # Errors [`PresentedCertificatesError`]. Does not check the content of the certificates.
    pub fn read(bytes: &[u8]) -> Result<Self, PresentedCertificatesError> {
        use PresentedCertificatesError as E;
        let presented = if DER.iter().any(|start| bytes.starts_with(start)) {
            vec![CertificateDer::from(bytes.to_vec())]
        } else {
            let each = CertificateDer::pem_slice_iter(bytes).take(LONGEST_CHAIN + 1);
            each.collect::<Result<Vec<_>, _>>().map_err(|_| E::NoPem)?
        };
        match presented.len() {
            0 => Err(E::NoCertificate),
            1..=LONGEST_CHAIN if presented.iter().any(|one| one.len() > LARGEST_CERTIFICATE) => {
                Err(E::TooLarge)
            }
            1..=LONGEST_CHAIN => Ok(Self(presented)),
            _ => Err(E::TooMany),
        }
    }

    pub fn der(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(|certificate| &**certificate)
    }

    /// Drops everything else in the file, such as private keys.
    #[must_use]
    pub fn to_pem(&self) -> String {
        let mut pem = String::new();
        for certificate in &self.0 {
            let text = BASE64.encode(certificate);
            pem.push_str("-----BEGIN CERTIFICATE-----\n");
            let mut rest = text.as_str();
            while !rest.is_empty() {
                let (line, after) = rest.split_at(rest.len().min(LINE));
                pem.push_str(line);
                pem.push('\n');
                rest = after;
            }
            pem.push_str("-----END CERTIFICATE-----\n");
        }
        pem
    }

    /// Verifies the chain as a listener with this `client_ca` does.
    ///
    /// # Errors [`TlsError`] if the authorities cannot be read.
    pub fn examine(
        &self,
        client_ca: Option<&Path>,
        read: ReadTlsFile,
        now: Timestamp,
    ) -> Result<ClientCertificate, TlsError> {
        let file = AuthoritiesFile::open(client_ca.map(Path::to_owned), read)?;
        Ok(self.examined(&file.authorities(), now))
    }

    /// The client's certificate without a verified chain.
    pub(crate) fn without_authorities(&self, now: Timestamp) -> ClientCertificate {
        self.examined(&CertificateAuthorities::none(), now)
    }

    pub(crate) fn examined(&self, authorities: &CertificateAuthorities, now: Timestamp) -> ClientCertificate {
        authorities.examine(&self.0, now).expect("there is one certificate or more")
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use rcgen::{CertificateParams, KeyPair};

    use super::*;
    use PresentedCertificatesError as E;

    fn certificate() -> (CertificateDer<'static>, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let parameters = CertificateParams::new(vec!["svc.example.com".to_owned()]).unwrap();
        (parameters.self_signed(&key).unwrap().der().clone(), key)
    }

    #[test]
    fn certificates_are_read_from_der_and_pem() {
        let (der, key) = certificate();
        let one = PresentedCertificates::read(&der).unwrap();
        let pem = one.to_pem();
        assert_eq!(PresentedCertificates::read(pem.as_bytes()), Ok(one));
        assert!(pem.lines().all(|line| line.len() <= LINE));
        let (other, _) = certificate();
        let chain = format!(
            "Subject: CN=svc\n{pem}\n{}{}",
            key.serialize_pem(),
            PresentedCertificates(vec![other.clone()]).to_pem()
        );
        let two = PresentedCertificates::read(chain.as_bytes()).unwrap();
        assert_eq!(two.der().collect::<Vec<_>>(), [&*der, &*other]);
        assert!(!two.to_pem().contains("PRIVATE KEY") && chain.contains("PRIVATE KEY"));
    }

    #[test]
    fn invalid_certificates_are_refused_with_the_reason() {
        let (der, key) = certificate();
        let pem = PresentedCertificates(vec![der]).to_pem();
        for (bytes, expected) in [
            (String::new(), E::NoCertificate),
            ("eyJ.e30.c2ln".to_owned(), E::NoCertificate),
            (key.serialize_pem(), E::NoCertificate),
            (pem.replace("-----END CERTIFICATE-----\n", ""), E::NoPem),
            (pem.replacen('M', "*", 1), E::NoPem),
            (pem.repeat(LONGEST_CHAIN + 1), E::TooMany),
            (PresentedCertificates(vec![vec![0x30; LARGEST_CERTIFICATE + 1].into()]).to_pem(), E::TooLarge),
        ] {
            assert_eq!(PresentedCertificates::read(bytes.as_bytes()), Err(expected), "{bytes:.80}");
        }
        assert!(PresentedCertificates::read(pem.repeat(LONGEST_CHAIN).as_bytes()).is_ok());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn any_certificate_bytes_are_refused_or_bounded(
            bytes in vec(any::<u8>(), 0..2_000), at in 0..2_000_usize, odd in any::<u8>(),
        ) {
            let (der, _) = certificate();
            let pem = PresentedCertificates(vec![der.clone(); 2]).to_pem().into_bytes();
            // Arbitrary bytes, arbitrary bytes after the start of a certificate, and valid
            // certificates with one changed byte.
            let changed = |mut good: Vec<u8>| {
                let at = at % good.len();
                good[at] = odd;
                good
            };
            for bytes in [bytes.clone(), [&DER[1][..], &bytes].concat(), [PEM, &bytes].concat(), changed(pem), changed(der.to_vec())] {
                let Ok(read) = PresentedCertificates::read(&bytes) else { continue };
                let sizes: Vec<_> = read.der().map(<[u8]>::len).collect();
                prop_assert!((1..=LONGEST_CHAIN).contains(&sizes.len()));
                prop_assert!(sizes.iter().all(|size| *size <= LARGEST_CERTIFICATE));
                prop_assert_eq!(PresentedCertificates::read(read.to_pem().as_bytes()), Ok(read.clone()));
                // Must not panic. The result may be valid or not.
                read.without_authorities(Timestamp::from_seconds(1_767_225_600));
            }
        }
    }

    #[test]
    fn a_token_is_not_taken_for_a_certificate() {
        let (der, key) = certificate();
        let pem = PresentedCertificates(vec![der.clone()]).to_pem();
        for (bytes, expected) in [
            (&*der, true),
            (pem.as_bytes(), true),
            (format!("Certificate:\n  Data:\n{pem}").as_bytes(), true),
            (key.serialize_pem().as_bytes(), true),
            (b"eyJhbGciOiJub25lIn0.e30.c2ln", false),
            (b"{\"access_token\":\"a.b.c\"}", false),
            (b"0123", false),
            (b"", false),
        ] {
            assert_eq!(PresentedCertificates::are(bytes), expected);
        }
    }
}
