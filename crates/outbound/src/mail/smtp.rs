//! An SMTP server (RFC 5321) that accepts mail to any recipient from clients that sign in (RFC 6409).

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lettre::Message;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;
use tokio::time::{Instant, timeout};
use values::Secret;

use super::answer::shown;
use super::{MailError, MailUrl};

/// The longest time for all steps of one message.
const LONGEST: Duration = Duration::from_secs(20);
/// The longest time until one of the addresses of the host accepts a connection.
const LONGEST_CONNECT: Duration = Duration::from_secs(8);
/// A connection that was unused for longer is closed, because servers close it soon.
const LONGEST_IDLE: Duration = Duration::from_secs(30);
const MOST_IDLE: usize = 4;
/// The server requires credentials, other credentials, or TLS (RFC 4954 §6, RFC 3207 §4).
const NOT_SIGNED_IN: [u16; 5] = [454, 530, 534, 535, 538];
/// The server closes the connection, whatever the message is.
const CLOSING: u16 = 421;

pub(super) struct SmtpServer {
    url: MailUrl,
    /// `None` for a server on this machine without TLS.
    tls: Option<TlsParameters>,
    credentials: Option<Credentials>,
    idle: Mutex<Vec<(AsyncSmtpConnection, Instant)>>,
}

impl SmtpServer {
    pub(super) fn new(
        url: MailUrl,
        credentials: Option<(String, Secret)>,
        ca: Option<&[u8]>,
    ) -> Result<Self, String> {
        let needs_tls = url.uses_tls_at_once || ca.is_some() || !url.is_on_loopback();
        let tls = needs_tls.then(|| tls(&url.host, ca)).transpose();
        let tls = tls.map_err(|error| error.to_string())?;
        let credentials =
            credentials.map(|(user, password)| Credentials::new(user, password.expose().to_owned()));
        Ok(Self { url, tls, credentials, idle: Mutex::default() })
    }

    pub(super) async fn check(&self) -> Result<(), MailError> {
        within(async {
            self.connect().await?.quit().await.map_err(|error| unreachable(&error))?;
            Ok(())
        })
        .await
    }

    pub(super) async fn send(&self, message: &Message) -> Result<String, MailError> {
        within(async {
            let mut connection = match self.idle().await {
                Some(connection) => connection,
                None => self.connect().await?,
            };
            let answer = connection.send(message.envelope(), &message.formatted()).await;
            let answer = answer.map_err(|error| not_sent(&error))?;
            self.keep(connection);
            Ok(words(&answer))
        })
        .await
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, MailError> {
        let (hello, tls) = (ClientId::default(), self.tls.clone());
        let (at_once, later) = if self.url.uses_tls_at_once { (tls, None) } else { (None, tls) };
        let server = (self.url.host.as_str(), self.url.port);
        let connecting =
            AsyncSmtpConnection::connect_tokio1(server, Some(LONGEST_CONNECT), &hello, at_once, None);
        let mut connection = connecting.await.map_err(|error| unreachable(&error))?;
        if let Some(tls) = later {
            connection.starttls(tls, &hello).await.map_err(|error| unreachable(&error))?;
        }
        if let Some(credentials) = &self.credentials {
            let ways = [Mechanism::Plain, Mechanism::Login];
            connection.auth(&ways, credentials).await.map_err(|error| unreachable(&error))?;
        }
        Ok(connection)
    }

    /// A connection that the server has not closed.
    async fn idle(&self) -> Option<AsyncSmtpConnection> {
        loop {
            let (mut connection, since) = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
            if since.elapsed() < LONGEST_IDLE && connection.test_connected().await {
                return Some(connection);
            }
        }
    }

    fn keep(&self, connection: AsyncSmtpConnection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(_, since)| since.elapsed() < LONGEST_IDLE);
        idle.truncate(MOST_IDLE - 1);
        idle.push((connection, Instant::now()));
    }
}

fn tls(host: &str, ca: Option<&[u8]>) -> Result<TlsParameters, Error> {
    let mut tls = TlsParameters::builder(host.to_owned());
    if let Some(ca) = ca {
        tls = tls.certificate_store(CertificateStore::None).add_root_certificate(Certificate::from_pem(ca)?);
    }
    tls.build_rustls()
}

async fn within<T>(work: impl Future<Output = Result<T, MailError>>) -> Result<T, MailError> {
    let late = |_| MailError::Unreachable(format!("no answer within {} s", LONGEST.as_secs()));
    timeout(LONGEST, work).await.map_err(late)?
}

fn words(answer: &Response) -> String {
    format!("{} {}", answer.code(), answer.message().collect::<Vec<_>>().join(" "))
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

fn unreachable(error: &Error) -> MailError {
    MailError::Unreachable(shown(&said(error), ""))
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
