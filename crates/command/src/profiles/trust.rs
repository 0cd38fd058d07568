//! The server certificates that the command line trusts.

use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use reqwest::{Certificate, Client, ClientBuilder};
use settings::files;

/// Trusted certificates in addition to those of the system.
#[derive(Debug, Default)]
pub(crate) struct Trust {
    /// Certificates in PEM.
    pub(crate) files: Vec<PathBuf>,
    /// Whether every certificate is accepted, and also plain http to other machines.
    pub(crate) is_insecure: bool,
}

impl Trust {
    /// Trusts the certificates of a file, if there is one.
    pub(crate) fn from_file(file: Option<&PathBuf>) -> Self {
        Self { files: file.into_iter().cloned().collect(), is_insecure: false }
    }

    pub(crate) fn client_builder(&self) -> anyhow::Result<ClientBuilder> {
        Ok(self.change()?(Client::builder()))
    }

    /// Adds these certificates to an HTTP client. Reads the files now.
    pub(crate) fn change(
        &self,
    ) -> anyhow::Result<impl Fn(ClientBuilder) -> ClientBuilder + Send + Sync + use<>> {
        let (is_insecure, mut trusted) = (self.is_insecure, Vec::new());
        for file in &self.files {
            let text = files::read_public(file).with_context(|| format!("cannot read {}", file.display()))?;
            let certificates = Certificate::from_pem_bundle(&text);
            trusted.extend(certificates.map_err(|error| anyhow!("{}: {error}", file.display()))?);
        }
        Ok(move |builder: ClientBuilder| {
            let builder = builder.tls_danger_accept_invalid_certs(is_insecure);
            builder.tls_certs_merge(trusted.iter().cloned())
        })
    }
}
