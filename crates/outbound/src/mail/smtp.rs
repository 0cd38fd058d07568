//! An SMTP server (RFC 5321) that accepts mail to any recipient from clients that sign in (RFC 6409).

use std::time::Duration;

use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::{Error, PoolConfig};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use tokio::time::timeout;
use values::Secret;

use super::answer::shown;
use super::{MailError, MailUrl};

/// The longest time for all steps of one message.
const LONGEST: Duration = Duration::from_secs(20);
/// The longest time until one of the addresses of the host accepts a connection.
const LONGEST_CONNECT: Duration = Duration::from_secs(8);
/// A connection that was unused for longer is closed, because servers close it soon.
const LONGEST_IDLE: Duration = Duration::from_secs(30);
const MOST_IDLE: u32 = 4;
/// The server requires credentials, other credentials, or TLS (RFC 4954 §6, RFC 3207 §4).
const NOT_SIGNED_IN: [u16; 5] = [454, 530, 534, 535, 538];
/// The server closes the connection, whatever the message is.
const CLOSING: u16 = 421;

pub(super) struct SmtpServer(AsyncSmtpTransport<Tokio1Executor>);

impl SmtpServer {
    pub(super) fn new(
        url: MailUrl,
        credentials: Option<(String, Secret)>,
        ca: Option<&[u8]>,
    ) -> Result<Self, String> {
        // A server on this machine needs no TLS.
        let needs_tls = url.uses_tls_at_once || ca.is_some() || !url.is_on_loopback();
        let tls = needs_tls.then(|| tls(&url.host, ca)).transpose().map_err(|error| error.to_string())?;
        let tls = match tls {
            None => Tls::None,
            Some(tls) if url.uses_tls_at_once => Tls::Wrapper(tls),
            Some(tls) => Tls::Required(tls),
        };
        let mut server = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(url.host)
            .port(url.port)
            .tls(tls)
            .timeout(Some(LONGEST_CONNECT))
            .pool_config(PoolConfig::new().max_size(MOST_IDLE).idle_timeout(LONGEST_IDLE));
        if let Some((user, password)) = credentials {
            let credentials = Credentials::new(user, password.expose().to_owned());
            server = server.credentials(credentials).authentication(vec![Mechanism::Plain, Mechanism::Login]);
        }
        Ok(Self(server.build()))
    }

    pub(super) async fn check(&self) -> Result<(), MailError> {
        let checked = within(self.0.test_connection()).await?;
        checked.map(drop).map_err(|error| MailError::Unreachable(shown(&said(&error), "")))
    }

    /// An error of the library does not tell whether the server has refused the message or the connection, so
    /// the connection is checked after it.
    pub(super) async fn send(&self, message: &Message) -> Result<String, MailError> {
        match within(self.0.send_raw(message.envelope(), &message.formatted())).await? {
            Ok(answer) => Ok(format!("{} {}", answer.code(), answer.message().collect::<Vec<_>>().join(" "))),
            Err(error) => {
                let not_sent = not_sent(&error);
                if !matches!(not_sent, MailError::Unreachable(_)) {
                    self.check().await?;
                }
                Err(not_sent)
            }
        }
    }
}

fn tls(host: &str, ca: Option<&[u8]>) -> Result<TlsParameters, Error> {
    let mut tls = TlsParameters::builder(host.to_owned());
    if let Some(ca) = ca {
        tls = tls.certificate_store(CertificateStore::None).add_root_certificate(Certificate::from_pem(ca)?);
    }
    tls.build_rustls()
}

async fn within<T>(work: impl Future<Output = T>) -> Result<T, MailError> {
    let late = |_| MailError::Unreachable(format!("no answer within {} s", LONGEST.as_secs()));
    timeout(LONGEST, work).await.map_err(late)
}

/// A text that begins with the code of the answer, if there is one.
fn said(error: &Error) -> String {
    let source = std::error::Error::source(error).map(ToString::to_string);
    match (error.status(), source) {
        (Some(code), source) => format!("{code} {}", source.unwrap_or_default()),
        (None, Some(source)) => source,
        (None, None) => error.to_string(),
    }
}

fn not_sent(error: &Error) -> MailError {
    let code = error.status().map(u16::from).unwrap_or_default();
    match () {
        () if code == CLOSING || NOT_SIGNED_IN.contains(&code) => MailError::Unreachable(said(error)),
        () if error.is_transient() => MailError::Failed(said(error)),
        // The server lacks an extension that the address needs (SMTPUTF8, RFC 6531).
        () if error.is_permanent() || error.is_client() => MailError::Refused(said(error)),
        () => MailError::Unreachable(said(error)),
    }
}
