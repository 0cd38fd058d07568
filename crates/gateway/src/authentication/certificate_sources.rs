//! Where client certificates come in, each with the authorities that a chain must lead to there: to explain what each of them accepts.

use std::path::PathBuf;
use std::sync::Arc;

use protocol::{ClientCertificate, Timestamp};

use crate::connection::ReadFile;
use crate::{ClientCertificateHeader, Listener, PresentedCertificates, Tls, TlsError};

/// The listeners and proxies that name a `client_ca`. Without one of them no chain is judged.
#[derive(Clone, Debug, Default)]
pub struct CertificateSources(Arc<[CertificateSource]>);

#[derive(Clone, Debug)]
struct CertificateSource {
    /// Its place in the settings. An address would tell administrators of a tenant how the platform is connected.
    name: String,
    authorities: Authorities,
}

#[derive(Clone, Debug)]
enum Authorities {
    /// Of a listener, as it serves now.
    Served(Tls),
    /// Of a header of proxies, likewise.
    OfProxies(ClientCertificateHeader),
    /// A file that is read when a chain is judged.
    File(PathBuf, ReadFile),
}

/// What a source says of a certificate: it has judged its chain, or it cannot be used.
pub(crate) type Judged = (String, Result<ClientCertificate, TlsError>);

impl CertificateSources {
    /// Those that are served.
    #[must_use]
    pub fn served(listeners: &[Listener]) -> Self {
        Self(listeners.iter().enumerate().flat_map(sources_of).collect())
    }

    /// Those of settings that are not served here: the number of each listener with the file of its `client_ca`, and whether its proxies
    /// pass the certificates on.
    pub fn of_files(files: impl IntoIterator<Item = (usize, bool, PathBuf)>, read: ReadFile) -> Self {
        let source = |(number, of_proxies, file)| CertificateSource {
            name: if of_proxies { name_of_proxies(number) } else { name_of_listener(number) },
            authorities: Authorities::File(file, read),
        };
        Self(files.into_iter().map(source).collect())
    }

    /// The judgement of each source.
    pub(crate) fn judge(&self, presented: &PresentedCertificates, now: Timestamp) -> Vec<Judged> {
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

fn sources_of((number, listener): (usize, &Listener)) -> impl Iterator<Item = CertificateSource> {
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
