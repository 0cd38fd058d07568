//! TLS of the listeners: loaded at the start, and reloaded when its files change and on SIGHUP. Invalid files
//! change nothing.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use values::with_commands;

use anyhow::{Context as _, anyhow};
use gateway::{
    CertificateHeader, CertificateSources, CurrentTls, ListenerOptions, TlsError, TlsFiles, TlsReaders,
};
use tokio::signal::unix::Signal;
use tokio::task::spawn_blocking;

use settings::PlatformSettings;
use settings::files::{self, FileError};

use crate::watch::Watch;

/// Loads the files in a listener's `tls`.
pub fn open(address: SocketAddr, tls: &settings::Tls) -> anyhow::Result<CurrentTls> {
    let readers = TlsReaders { certificates: files::read_public, private_key: files::read_secret };
    CurrentTls::open(tls.files(), readers).map_err(|error| {
        let hint = hint(&error, tls);
        anyhow!(error).context(format!("cannot serve the https listener {address}: {hint}"))
    })
}

/// Loads the settings for the header in which the proxies of a listener pass client certificates.
pub(crate) fn certificate_header(
    address: SocketAddr,
    header: &settings::ClientCertificateHeader,
) -> anyhow::Result<CertificateHeader> {
    let name = CertificateHeader::name(&header.header)?;
    let opened =
        CertificateHeader::open(name, header.format, header.client_ca.as_deref(), files::read_public);
    opened.with_context(|| {
        format!("cannot serve the listener {address}: correct client_ca of client_certificate")
    })
}

/// The listeners and proxies that receive client certificates. Their files are read when they are needed.
pub(crate) fn certificate_sources(settings: &PlatformSettings) -> CertificateSources {
    let files = settings.server.listeners.iter().enumerate().flat_map(|(number, listener)| {
        let of_listener = listener.tls.as_ref().and_then(|tls| tls.client_ca.clone());
        let of_proxies = listener.certificate_header().and_then(|header| header.client_ca.clone());
        [(false, of_listener), (true, of_proxies)]
            .into_iter()
            .filter_map(move |(of_proxies, file)| Some((number, of_proxies, file?)))
    });
    CertificateSources::of_files(files.collect::<Vec<_>>(), files::read_public)
}

/// The files that are reloaded without a restart.
#[derive(Clone)]
enum Reloaded {
    Tls(CurrentTls),
    Header(CertificateHeader),
}

impl Reloaded {
    fn from_listener(listener: &ListenerOptions) -> impl Iterator<Item = Self> {
        let tls = listener.tls.clone().map(Self::Tls);
        let header = listener.client_certificate_header.clone();
        tls.into_iter().chain(header.filter(|header| header.client_ca().is_some()).map(Self::Header))
    }

    fn files(&self) -> Vec<PathBuf> {
        match self {
            Self::Tls(tls) => {
                let TlsFiles { certificate, private_key, client_ca, .. } = tls.files();
                [Some(certificate), Some(private_key), client_ca.as_ref()]
                    .into_iter()
                    .flatten()
                    .cloned()
                    .collect()
            }
            Self::Header(header) => header.client_ca().map(PathBuf::from).into_iter().collect(),
        }
    }

    fn reload(&self) -> Result<bool, TlsError> {
        match self {
            Self::Tls(tls) => tls.reload(),
            Self::Header(header) => header.reload(),
        }
    }

    fn log_replaced(&self) {
        match self {
            Self::Tls(tls) => {
                tracing::info!(certificate = %tls.files().certificate.display(), "certificate replaced");
            }
            Self::Header(header) => {
                tracing::info!(client_ca = ?header.client_ca(), "authorities of client certificates replaced");
            }
        }
    }

    fn log_refused(&self, error: &str) {
        match self {
            Self::Tls(tls) => {
                let certificate = tls.files().certificate.display();
                tracing::error!(%certificate, error, "certificate not replaced; the previous certificate stays in use");
            }
            Self::Header(header) => tracing::error!(
                client_ca = ?header.client_ca(),
                error,
                "authorities of client certificates not replaced; the previous authorities stay in use"
            ),
        }
    }
}

/// Reloads the files of these listeners when they may have changed, until the program ends.
pub(crate) async fn keep_fresh(listeners: Vec<ListenerOptions>, mut hangup: Signal) {
    let all: Vec<_> = listeners.iter().flat_map(Reloaded::from_listener).collect();
    if all.is_empty() {
        return;
    }
    let files: Vec<PathBuf> = all.iter().flat_map(Reloaded::files).collect();
    let mut watch = Watch::new(&files);
    let mut refused = vec![None; all.len()];
    loop {
        let requested = tokio::select! {
            () = watch.changed() => false,
            _ = hangup.recv() => true,
        };
        for (reloaded, refused) in all.iter().zip(&mut refused) {
            look(reloaded, requested, refused).await;
        }
    }
}

/// Logs a repeated failure only once, but again if an operator requests a reload.
async fn look(reloaded: &Reloaded, requested: bool, refused: &mut Option<String>) {
    let reading = reloaded.clone();
    let Ok(outcome) = spawn_blocking(move || reading.reload()).await else { return };
    match outcome {
        Ok(changed) => {
            *refused = None;
            if changed {
                reloaded.log_replaced();
            }
        }
        Err(error) => {
            let text = error.to_string();
            if requested || refused.as_ref() != Some(&text) {
                reloaded.log_refused(&text);
                *refused = Some(text);
            }
        }
    }
}

fn hint(error: &TlsError, tls: &settings::Tls) -> String {
    match error {
        TlsError::Unreadable { path, source } if source.kind() == io::ErrorKind::NotFound => {
            let ours = *path == tls.certificate || *path == tls.private_key;
            if ours {
                return with_commands(
                    "copy the certificate and its key there. On a development machine, run `latchkey dev-cert \
                         --certificate=CERTIFICATE --key=KEY`",
                    &[
                        ("CERTIFICATE", &tls.certificate.display().to_string()),
                        ("KEY", &tls.private_key.display().to_string()),
                    ],
                );
            }
            "copy the file there, or remove client_ca".to_owned()
        }
        TlsError::Unreadable { source, .. }
            if source.get_ref().is_some_and(<dyn Error + Send + Sync>::is::<FileError>) =>
        {
            "correct the file, or set another file in `tls`".to_owned()
        }
        TlsError::Unreadable { .. } => "give the server permission to read the file".to_owned(),
        TlsError::NoCertificate(_)
        | TlsError::NoKey(_)
        | TlsError::ClientCa { .. }
        | TlsError::Mismatch { .. } => "correct the file, or set another file in `tls`".to_owned(),
    }
}
