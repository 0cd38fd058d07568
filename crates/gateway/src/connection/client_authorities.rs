//! Verifies the chain from a client's certificate to an authority of the listener (RFC 5280 §6).

use std::time::Duration;

use keys::sha256;
use protocol::{ChainError, ClientCertificate, Thumbprint, Validity};
use rustls::RootCertStore;
use rustls::crypto::{CryptoProvider, aws_lc_rs::default_provider};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, SignatureVerificationAlgorithm, UnixTime};
use values::Timestamp;
use webpki::{EndEntityCert, Error, KeyUsage};

use super::validity::validity_of;

#[derive(Clone, Debug)]
pub(crate) struct CertificateAuthorities {
    roots: RootCertStore,
    algorithms: &'static [&'static dyn SignatureVerificationAlgorithm],
}

impl CertificateAuthorities {
    pub(super) fn new(roots: RootCertStore, provider: &CryptoProvider) -> Self {
        Self { roots, algorithms: provider.signature_verification_algorithms.all }
    }

    /// Verifies no chain.
    pub(crate) fn none() -> Self {
        Self::new(RootCertStore::empty(), &default_provider())
    }

    /// `presented` starts with the client's own certificate.
    pub(crate) fn examine(
        &self,
        presented: &[CertificateDer<'_>],
        now: Timestamp,
    ) -> Option<ClientCertificate> {
        let (leaf, intermediates) = presented.split_first()?;
        let chain = self.chain(leaf, intermediates, now);
        Some(ClientCertificate {
            der: leaf.to_vec(),
            presented_with: intermediates.iter().map(|der| der.to_vec()).collect(),
            thumbprint: Thumbprint::new(sha256(leaf)),
            chain,
        })
    }

    /// `pem` is validated before it is stored. Certificates that cannot be read are skipped.
    pub(crate) fn of_tenant(pem: &str) -> Self {
        let mut roots = RootCertStore::empty();
        roots
            .add_parsable_certificates(CertificateDer::pem_slice_iter(pem.as_bytes()).filter_map(Result::ok));
        Self::new(roots, &default_provider())
    }

    /// Verifies the chain again, against these authorities.
    pub(crate) fn judge_again(&self, certificate: &ClientCertificate, now: Timestamp) -> ClientCertificate {
        let der = |der: &Vec<u8>| CertificateDer::from(der.clone());
        let with: Vec<_> = certificate.presented_with.iter().map(der).collect();
        let chain = self.chain(&der(&certificate.der), &with, now);
        ClientCertificate { chain, ..certificate.clone() }
    }

    /// The validity of the whole chain. Each request of a long connection compares the current time
    /// with it.
    fn chain(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: Timestamp,
    ) -> Result<Validity, ChainError> {
        if self.roots.is_empty() {
            return Err(ChainError::NoAuthorities);
        }
        let certificate = EndEntityCert::try_from(leaf).map_err(|_| ChainError::Invalid)?;
        let now = UnixTime::since_unix_epoch(Duration::from_secs(now.seconds()));
        let usage = KeyUsage::client_auth();
        let path = certificate
            .verify_for_usage(self.algorithms, &self.roots.roots, intermediates, now, usage, None, None)
            .map_err(|error| chain_error(&error))?;
        let of_leaf = validity_of(leaf).ok_or(ChainError::Invalid)?;
        path.intermediate_certificates().try_fold(of_leaf, |all, intermediate| {
            Ok(all.intersection(validity_of(&intermediate.der()).ok_or(ChainError::Invalid)?))
        })
    }
}

const fn chain_error(error: &Error) -> ChainError {
    match error {
        Error::UnknownIssuer => ChainError::UnknownIssuer,
        Error::CertExpired { .. } => ChainError::Expired,
        Error::CertNotValidYet { .. } => ChainError::NotYetValid,
        Error::RequiredEkuNotFoundContext(_) => ChainError::OtherUsage,
        _ => ChainError::Invalid,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{
        BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
        date_time_ymd,
    };
    use rustls::crypto::aws_lc_rs::default_provider;

    type Issuer = CertifiedIssuer<'static, KeyPair>;

    fn parameters(name: &str, years: (i32, i32)) -> CertificateParams {
        let mut parameters = CertificateParams::new(vec![name.to_owned()]).unwrap();
        parameters.distinguished_name.push(DnType::CommonName, name);
        (parameters.not_before, parameters.not_after) =
            (date_time_ymd(years.0, 1, 1), date_time_ymd(years.1, 1, 1));
        parameters
    }

    fn of_authority(name: &str, years: (i32, i32)) -> CertificateParams {
        let mut parameters = parameters(name, years);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters
    }

    fn root() -> Issuer {
        Issuer::self_signed(of_authority("root", (2000, 2090)), KeyPair::generate().unwrap()).unwrap()
    }

    fn authorities(of: &[&Issuer]) -> CertificateAuthorities {
        let mut roots = RootCertStore::empty();
        for issuer in of {
            roots.add(issuer.der().clone()).unwrap();
        }
        CertificateAuthorities::new(roots, &default_provider())
    }

    fn at(day: &str) -> Timestamp {
        Timestamp::parse_rfc3339(&format!("{day}T00:00:00Z")).unwrap()
    }

    // [mutual-tls RFC 8705 §2.1]
    #[test]
    fn chain_requires_all_its_certificates_to_be_valid() {
        let root = root();
        let between =
            Issuer::signed_by(of_authority("between", (2020, 2028)), KeyPair::generate().unwrap(), &root)
                .unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf = |years| parameters("client", years).signed_by(&key, &between).unwrap().der().clone();
        let chain = |years| [leaf(years), between.der().clone()];
        let examine = |presented: &[CertificateDer<'_>], day| {
            authorities(&[&root]).examine(presented, at(day)).unwrap()
        };

        let found = examine(&chain((2024, 2030)), "2026-06-01");
        let expected = Validity { not_before: at("2024-01-01"), not_after: at("2028-01-01") };
        assert_eq!(found.chain, Ok(expected));
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &found.der);
        assert_eq!(found.thumbprint.as_bytes(), digest.as_ref());
        for (years, day, expected) in [
            ((2024, 2026), "2026-06-01", ChainError::Expired),
            ((2024, 2030), "2029-06-01", ChainError::Expired),
            ((2027, 2030), "2026-06-01", ChainError::NotYetValid),
        ] {
            assert_eq!(examine(&chain(years), day).chain, Err(expected), "{years:?} {day}");
        }
        // The intermediate certificate is missing.
        assert_eq!(examine(&[leaf((2024, 2030))], "2026-06-01").chain, Err(ChainError::UnknownIssuer));
        assert_eq!(authorities(&[&root]).examine(&[], at("2026-06-01")), None);
    }

    #[test]
    fn chain_errors_distinguish_issuer_usage_and_missing_authorities() {
        let (ours, others) = (root(), root());
        let now = at("2026-06-01");
        let key = KeyPair::generate().unwrap();
        let mut for_servers = parameters("client", (2020, 2030));
        for_servers.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let mut for_clients = parameters("client", (2020, 2030));
        for_clients.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let plain = parameters("client", (2020, 2030));
        let examine = |authorities: CertificateAuthorities, der: &CertificateDer<'_>| {
            authorities.examine(std::slice::from_ref(der), now).unwrap().chain.map(|_| ())
        };
        let of_ours =
            |parameters: &CertificateParams| parameters.signed_by(&key, &ours).unwrap().der().clone();
        assert_eq!(examine(authorities(&[&ours]), &of_ours(&plain)), Ok(()));
        assert_eq!(examine(authorities(&[&others, &ours]), &of_ours(&for_clients)), Ok(()));
        assert_eq!(examine(authorities(&[&ours]), &of_ours(&for_servers)), Err(ChainError::OtherUsage));
        // Both authorities have the same name, so only the signature differs.
        assert!(examine(authorities(&[&others]), &of_ours(&plain)).is_err());
        assert_eq!(examine(authorities(&[]), &of_ours(&plain)), Err(ChainError::NoAuthorities));
        let self_signed = plain.self_signed(&key).unwrap();
        assert_eq!(examine(authorities(&[&ours]), self_signed.der()), Err(ChainError::UnknownIssuer));
        assert_eq!(examine(authorities(&[&ours]), &vec![0x30, 0x00].into()), Err(ChainError::Invalid));
    }
}
