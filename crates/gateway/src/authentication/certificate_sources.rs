//! The listeners and proxies that receive client certificates, each with the authorities of its chains.
//! Explanations use them.

use std::path::PathBuf;
use std::sync::Arc;

use protocol::ClientCertificate;
use values::Timestamp;

use crate::connection::ReadTlsFile;
use crate::{CertificateHeader, CurrentTls, ListenerOptions, PresentedCertificates, TlsError};

/// The listeners and proxies that name a `client_ca`. If there is none, no chain is verified.
#[derive(Clone, Debug, Default)]
pub struct CertificateSources(Arc<[CertificateSource]>);

#[derive(Clone, Debug)]
struct CertificateSource {
    /// Its place in the settings. An address would show a tenant's administrators how the platform is
    /// connected.
    name: String,
    authorities: Authorities,
}

#[derive(Clone, Debug)]
enum Authorities {
    /// The authorities of a listener, as it serves now.
    Served(CurrentTls),
    /// The authorities of proxies' headers, as they are used now.
    OfProxies(CertificateHeader),
    /// A file that is read when a chain is verified.
    File(PathBuf, ReadTlsFile),
}

/// The result of a source for a certificate: the verified chain, or the reason why the source cannot be used.
pub(crate) type ChainResult = (String, Result<ClientCertificate, TlsError>);

impl CertificateSources {
    /// The sources that are served.
    #[must_use]
    pub fn served(listeners: &[ListenerOptions]) -> Self {
        Self(listeners.iter().enumerate().flat_map(sources_of).collect())
    }

    /// The sources of settings that are not served here: the number of each listener with the file of its
    /// `client_ca`, and whether its proxies pass certificates on.
    pub fn of_files(files: impl IntoIterator<Item = (usize, bool, PathBuf)>, read: ReadTlsFile) -> Self {
        let source = |(number, of_proxies, file)| CertificateSource {
            name: if of_proxies { name_of_proxies(number) } else { name_of_listener(number) },
            authorities: Authorities::File(file, read),
        };
        Self(files.into_iter().map(source).collect())
    }

    /// The judgement of each source.
    pub(crate) fn judge(&self, presented: &PresentedCertificates, now: Timestamp) -> Vec<ChainResult> {
        let judged = |CertificateSource { name, authorities }: &CertificateSource| {
            let certificate = match authorities {
                Authorities::Served(tls) => Ok(presented.examined(&*tls.client_authorities()?, now)),
                Authorities::OfProxies(header) => Ok(presented.examined(&header.authorities(), now)),
                Authorities::File(file, read) => presented.examine(Some(file), *read, now),
            };
            Some((name.clone(), certificate))
        };
        self.0.iter().filter_map(judged).collect()
    }
}

fn sources_of((number, listener): (usize, &ListenerOptions)) -> impl Iterator<Item = CertificateSource> {
    let of_listener = listener.tls.as_ref().filter(|tls| tls.files().client_ca.is_some());
    let of_listener = of_listener.map(|tls| CertificateSource {
        name: name_of_listener(number),
        authorities: Authorities::Served(tls.clone()),
    });
    let header = listener.client_certificate_header.as_ref();
    let of_proxies = header.filter(|header| header.client_ca().is_some()).map(|header| CertificateSource {
        name: name_of_proxies(number),
        authorities: Authorities::OfProxies(header.clone()),
    });
    of_listener.into_iter().chain(of_proxies)
}

fn name_of_listener(number: usize) -> String {
    format!("`server.listeners[{number}].tls`")
}

fn name_of_proxies(number: usize) -> String {
    format!("`server.listeners[{number}].trusted_proxies`")
}
