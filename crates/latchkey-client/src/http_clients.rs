//! The HTTP clients of a source: one without a certificate, and two for each version of a client certificate
//! (RFC 8705). One of these requests tokens, and the other calls APIs with them. A new version has new
//! connections and TLS sessions, so none presents the previous certificate.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Identity};

use crate::credential::{CertificatePem, CredentialError};

const CONNECT: Duration = Duration::from_secs(3);

/// The change that the caller's code makes to each client.
pub(crate) type Adjustment = Box<dyn Fn(ClientBuilder) -> ClientBuilder + Send + Sync>;

pub(crate) struct HttpClients {
    changes: Vec<Adjustment>,
    server_is_on_this_machine: bool,
    /// Requests tokens, and presents no certificate.
    pub(crate) plain: Client,
    newest: Mutex<Option<Arc<Presenting>>>,
}

/// The clients that present one certificate.
pub(crate) struct Presenting {
    pub(crate) version: u64,
    pub(crate) tokens: Client,
    pub(crate) calls: Client,
}

impl HttpClients {
    pub(crate) fn new(changes: Vec<Adjustment>, server_is_on_this_machine: bool) -> reqwest::Result<Self> {
        let plain = for_tokens(changed(&changes), server_is_on_this_machine).build()?;
        Ok(Self { changes, server_is_on_this_machine, plain, newest: Mutex::default() })
    }

    /// The clients that present this certificate. Certificate and key are replaced one after the other, and
    /// do not fit meanwhile. Until they do, the clients of the previous certificate stay in use.
    pub(crate) fn presenting(
        &self,
        certificate: &CertificatePem,
    ) -> Result<Arc<Presenting>, CredentialError> {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(same) = newest.as_ref().filter(|newest| newest.version == certificate.version) {
            return Ok(Arc::clone(same));
        }
        match (self.build(certificate), &*newest) {
            (Ok(built), _) => Ok(Arc::clone(newest.insert(Arc::new(built)))),
            (Err(error), Some(before)) => {
                tracing::debug!(target: "latchkey_client", %error, "the client certificate cannot be used; the one before is");
                Ok(Arc::clone(before))
            }
            (Err(error), None) => {
                Err(CredentialError::new("the client certificate cannot be used").caused_by(error))
            }
        }
    }

    fn build(&self, certificate: &CertificatePem) -> reqwest::Result<Presenting> {
        let identity = Identity::from_pem(&certificate.text)?;
        let with_identity = || changed(&self.changes).identity(identity.clone());
        Ok(Presenting {
            version: certificate.version,
            tokens: for_tokens(with_identity(), self.server_is_on_this_machine).build()?,
            // A certificate is nothing without TLS.
            calls: with_identity().https_only(true).build()?,
        })
    }
}

fn changed(changes: &[Adjustment]) -> ClientBuilder {
    changes.iter().fold(ClientBuilder::new(), |builder, change| change(builder))
}

fn for_tokens(builder: ClientBuilder, server_is_on_this_machine: bool) -> ClientBuilder {
    // A redirect would send the secret elsewhere.
    let builder = builder.redirect(Policy::none()).connect_timeout(CONNECT);
    // A proxy would see what plain http to this machine shows.
    if server_is_on_this_machine { builder.no_proxy() } else { builder }
}
