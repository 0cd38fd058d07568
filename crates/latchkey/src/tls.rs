//! TLS of the listeners: loaded at start, and reloaded when its files change and on SIGHUP. Unusable files change nothing.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use gateway::{ClientCertificateHeader, Tls, TlsError, TlsFiles, TlsReaders};
use tokio::signal::unix::Signal;
use tokio::task::spawn_blocking;

use settings::files::{self, FileError};

use crate::watch::Watch;

/// Loads the files that a listener's `tls` names.
pub(crate) fn open(address: SocketAddr, tls: &settings::Tls) -> anyhow::Result<Tls> {
    let readers = TlsReaders { certificates: files::read_public, private_key: files::read_secret };
    Tls::open(tls.files(), readers).map_err(|error| {
        let hint = hint(&error, tls);
        anyhow!(error).context(format!("the https listener {address} cannot be served: {hint}"))
    })
}

/// Loads the header in which the proxies of a listener pass client certificates on.
pub(crate) fn certificate_header(
    address: SocketAddr,
    proxies: &settings::TrustedProxies,
) -> anyhow::Result<Option<ClientCertificateHeader>> {
    let Some(header) = &proxies.client_certificate else { return Ok(None) };
    let name = ClientCertificateHeader::name(&header.header)?;
    let opened =
        ClientCertificateHeader::open(name, header.format, header.client_ca.as_deref(), files::read_public);
    Ok(Some(opened.with_context(|| {
        format!("the listener {address} cannot be served: correct client_ca of client_certificate")
    })?))
}

/// Reloads the files when they may have changed, until the program ends.
pub(crate) async fn keep_fresh(all: Vec<Tls>, mut hangup: Signal) {
    if all.is_empty() {
        return;
    }
    let files: Vec<PathBuf> = all.iter().flat_map(|tls| paths(tls.files())).collect();
    let mut watch = Watch::new(&files);
    let mut refused = vec![None; all.len()];
    loop {
        let requested = tokio::select! {
            () = watch.changed() => false,
            _ = hangup.recv() => true,
        };
        for (tls, refused) in all.iter().zip(&mut refused) {
            look(tls, requested, refused).await;
        }
    }
}

/// Logs the same failure once, and again on a request.
async fn look(tls: &Tls, requested: bool, refused: &mut Option<String>) {
    let reading = tls.clone();
    let Ok(outcome) = spawn_blocking(move || reading.reload()).await else { return };
    let certificate = tls.files().certificate.display();
    match outcome {
        Ok(changed) => {
            *refused = None;
            if changed {
                tracing::info!(%certificate, "certificate replaced");
            }
        }
        Err(error) => {
            let text = error.to_string();
            if requested || refused.as_ref() != Some(&text) {
                tracing::error!(%certificate, error = text, "certificate not replaced; the last good one goes on");
                *refused = Some(text);
            }
        }
    }
}

fn paths(files: &TlsFiles) -> impl Iterator<Item = PathBuf> {
    [Some(&files.certificate), Some(&files.private_key), files.client_ca.as_ref()]
        .into_iter()
        .flatten()
        .cloned()
}

fn hint(error: &TlsError, tls: &settings::Tls) -> String {
    match error {
        TlsError::Unreadable { path, source } if source.kind() == io::ErrorKind::NotFound => {
            let ours = *path == tls.certificate || *path == tls.private_key;
            if ours {
                return format!(
                    "put the certificate and its key there or, on a machine of your own, run `latchkey dev-cert --certificate {} --key {}`",
                    tls.certificate.display(),
                    tls.private_key.display()
                );
            }
            "put the file there, or leave client_ca out".to_owned()
        }
        TlsError::Unreadable { source, .. }
            if source.get_ref().is_some_and(<dyn Error + Send + Sync>::is::<FileError>) =>
        {
            "correct the file, or name another one under `tls`".to_owned()
        }
        TlsError::Unreadable { .. } => "let the server read the file".to_owned(),
        TlsError::NoCertificate(_)
        | TlsError::NoKey(_)
        | TlsError::ClientCa { .. }
        | TlsError::Mismatch { .. } => "fix the file, or name another one under `tls`".to_owned(),
    }
}
