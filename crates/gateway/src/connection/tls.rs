//! TLS of a listener (RFC 8446, RFC 5246): its certificate, and client certificates if it requests them. The
//! files are read again without a restart. Open connections keep the certificates that they began with.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use actix_web::rt::time::timeout;
use administration::schema::JsonSchema;
use keys::sha256;
use protocol::{ClientCertificate, Validity};
use rustls::crypto::{CryptoProvider, aws_lc_rs::default_provider};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig};
use serde::{Deserialize, Serialize};
use tokio_rustls::TlsAcceptor;
use values::Timestamp;
use zeroize::Zeroizing;

use super::client_verifier::AnyCertificate;
use super::deadlines::HEAD;
use super::validity::validity_of;
use super::{ClientAuthorities, Socket, WriteDeadlineSocket};

/// The files of a listener's TLS, all in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate and those that lead from it to a known authority, in this order.
    pub certificate: PathBuf,
    /// Its private key: PKCS#8, PKCS#1 or SEC1.
    pub private_key: PathBuf,
    /// The authorities of client certificates.
    pub client_ca: Option<PathBuf>,
    /// Whether the listener requests client certificates.
    pub client_certificates: Option<ClientCertificates>,
}

/// What a listener asks of its clients in the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientCertificates {
    /// A certificate of any issuer, or none.
    Optional,
    /// A certificate of an authority in `client_ca`. A client without one gets no connection.
    Required,
}

/// Reads a whole file, or returns the reason for not reading it.
pub type ReadTlsFile = fn(&Path) -> io::Result<Zeroizing<Vec<u8>>>;

/// How the files are read.
#[derive(Clone, Copy, Debug)]
pub struct TlsReaders {
    /// Certificates, which are public.
    pub certificates: ReadTlsFile,
    /// The private key.
    pub private_key: ReadTlsFile,
}

/// The present TLS configuration. Clones share it, so a reload takes effect in all of them.
#[derive(Clone)]
pub struct CurrentTls(Arc<TlsVersions>);

struct TlsVersions {
    files: TlsFiles,
    readers: TlsReaders,
    current: RwLock<Current>,
}

#[derive(Clone)]
struct Current {
    config: Arc<ServerConfig>,
    /// The digest of the files' bytes, which shows whether they have changed.
    content: [u8; 32],
    /// The validity of the server's certificate, if its form is known.
    validity: Option<Validity>,
    /// The authorities of client certificates. None if the listener requests no certificate.
    authorities: Option<Arc<ClientAuthorities>>,
}

/// The files do not make TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file is not there or cannot be read.
    #[error("cannot read {}", .path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file holds no certificate.
    #[error("{} holds no certificate; it must begin -----BEGIN CERTIFICATE-----", .0.display())]
    NoCertificate(PathBuf),
    /// A file holds no private key.
    #[error("{} holds no private key in PEM (PKCS#8, PKCS#1 or SEC1, without a passphrase)", .0.display())]
    NoKey(PathBuf),
    /// The authorities cannot be used.
    #[error("{} holds a certificate that cannot be an authority: {reason}", .path.display())]
    ClientCa {
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The key does not belong to the certificate, or is of an unsupported kind.
    #[error("{} is not the private key of {}, or of a kind that is not served", .key.display(), .certificate.display())]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why.
        #[source]
        source: rustls::Error,
    },
}

impl CurrentTls {
    /// Reads the files.
    ///
    /// # Errors
    /// [`TlsError`], naming the file.
    pub fn open(files: TlsFiles, readers: TlsReaders) -> Result<Self, TlsError> {
        let current = RwLock::new(read(&files, readers)?);
        Ok(Self(Arc::new(TlsVersions { files, readers, current })))
    }

    /// Reads the files again. Returns whether they have changed. If they cannot be used, the last good ones
    /// stay in use.
    ///
    /// # Errors
    /// The errors of [`Tls::open`].
    pub fn reload(&self) -> Result<bool, TlsError> {
        let read = read(&self.0.files, self.0.readers)?;
        let mut current = self.0.current.write().unwrap_or_else(PoisonError::into_inner);
        let changed = current.content != read.content;
        if changed {
            *current = read;
        }
        Ok(changed)
    }

    /// The files.
    #[must_use]
    pub fn files(&self) -> &TlsFiles {
        &self.0.files
    }

    /// The validity of the certificate, if its form is known.
    #[must_use]
    pub fn validity(&self) -> Option<Validity> {
        self.0.current.read().unwrap_or_else(PoisonError::into_inner).validity
    }

    /// The authorities of client certificates. `None` if the listener requests no certificate.
    pub(crate) fn client_authorities(&self) -> Option<Arc<ClientAuthorities>> {
        self.0.current.read().unwrap_or_else(PoisonError::into_inner).authorities.clone()
    }

    /// Makes the handshake within the time of a head: until then a client costs memory and has proven
    /// nothing. A resumed session has the certificate of the handshake that began it (RFC 8705 §6.2), and its
    /// chain is verified anew.
    pub(crate) async fn accept(
        &self,
        socket: WriteDeadlineSocket,
        now: impl FnOnce() -> Timestamp,
    ) -> io::Result<(Socket, Option<Arc<ClientCertificate>>)> {
        let Current { config, authorities, .. } =
            self.0.current.read().unwrap_or_else(PoisonError::into_inner).clone();
        let shaken = timeout(HEAD, TlsAcceptor::from(config).accept(socket)).await;
        let stream = shaken.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        let presented = stream.get_ref().1.peer_certificates();
        let certificate = authorities
            .zip(presented)
            .and_then(|(authorities, presented)| authorities.examine(presented, now()));
        Ok((Socket::Right(Box::new(stream)), certificate.map(Arc::new)))
    }
}

impl fmt::Debug for CurrentTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tls").field(&self.0.files).finish()
    }
}

fn read(files: &TlsFiles, readers: TlsReaders) -> Result<Current, TlsError> {
    let provider = Arc::new(default_provider());
    let certificate = load(&files.certificate, readers.certificates)?;
    let key = load(&files.private_key, readers.private_key)?;
    let authorities = files.client_ca.as_deref().map(|path| load(path, readers.certificates)).transpose()?;
    let mut content = Vec::with_capacity(96);
    for part in [Some(&certificate), Some(&key), authorities.as_ref()].into_iter().flatten() {
        content.extend_from_slice(&sha256(part));
    }
    let chain = certificates(&files.certificate, &certificate)?;
    let validity = chain.first().and_then(|certificate| validity_of(certificate));
    let parsed = PrivateKeyDer::from_pem_slice(&key);
    let parsed = parsed.map_err(|_| TlsError::NoKey(files.private_key.clone()))?;
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|source| mismatch(files, source))?;
    let roots = match (&files.client_ca, &authorities) {
        (Some(path), Some(pem)) => roots(path, pem)?,
        _ => RootCertStore::empty(),
    };
    let authorities = files.client_certificates.map(|_| ClientAuthorities::new(roots.clone(), &provider));
    let builder = match files.client_certificates {
        Some(ClientCertificates::Required) => {
            builder.with_client_cert_verifier(verifier(files, roots, provider)?)
        }
        Some(ClientCertificates::Optional) => {
            builder.with_client_cert_verifier(Arc::new(AnyCertificate::new(&provider)))
        }
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(chain, parsed).map_err(|source| mismatch(files, source))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let authorities = authorities.map(Arc::new);
    Ok(Current { config: Arc::new(config), content: sha256(content), validity, authorities })
}

pub(super) fn load(path: &Path, read: ReadTlsFile) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    read(path).map_err(|source| TlsError::Unreadable { path: path.to_owned(), source })
}

fn certificates(path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    all.ok().filter(|all| !all.is_empty()).ok_or_else(|| TlsError::NoCertificate(path.to_owned()))
}

pub(super) fn roots(path: &Path, pem: &[u8]) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path, pem)? {
        roots
            .add(certificate)
            .map_err(|error| TlsError::ClientCa { path: path.to_owned(), reason: error.to_string() })?;
    }
    Ok(roots)
}

/// Refuses the handshake of a client without a certificate of these authorities.
fn verifier(
    files: &TlsFiles,
    roots: RootCertStore,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
    verifier.map_err(|error| TlsError::ClientCa {
        path: files.client_ca.clone().unwrap_or_default(),
        reason: error.to_string(),
    })
}

fn mismatch(files: &TlsFiles, source: rustls::Error) -> TlsError {
    let TlsFiles { certificate, private_key, .. } = files.clone();
    TlsError::Mismatch { certificate, key: private_key, source }
}
