//! Sends mail to people over SMTP, or hands each message to a function. The operator configures the server,
//! so private addresses are allowed.

mod address;
mod answer;
mod message;
mod smtp;
#[cfg(test)]
mod tests;

use std::io;
use std::sync::Arc;

use values::{Secret, Timestamp};

pub use address::{MailAddress, MailUrl};
use answer::shown;
use smtp::SmtpServer;

/// A message to one person.
#[derive(Clone, Debug)]
pub struct OutgoingMail {
    pub from: MailAddress,
    pub reply_to: Option<MailAddress>,
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    /// Media type and content of the picture `cid:logo` in `html`.
    pub logo: Option<(&'static str, Arc<Vec<u8>>)>,
    /// The part of the Message-ID before the `@`. All attempts to send a message have the same, so that mail
    /// programs show a message that was sent twice only once.
    pub id: String,
    pub date: Timestamp,
    /// Whether the message only reports an event.
    pub is_notice: bool,
}

/// Why a message was not sent. The texts are single lines without addresses and codes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// The server refuses this message for good.
    #[error("{0}")]
    Refused(String),
    /// The server does not accept this message now.
    #[error("{0}")]
    Failed(String),
    /// The server cannot be reached, or does not accept the credentials.
    #[error("{0}")]
    Unreachable(String),
}

/// Takes a message, and its bytes in the Internet Message Format (RFC 5322).
pub type KeepMail = Arc<dyn Fn(&OutgoingMail, &[u8]) -> io::Result<()> + Send + Sync>;

/// The way of a message out of this program.
pub struct MailServer(Way);

enum Way {
    Smtp(Box<SmtpServer>),
    Kept(KeepMail),
}

impl MailServer {
    /// Signs in with these credentials: user name and password. `ca` are the only certificates to trust, in
    /// PEM; by default those of the machine.
    ///
    /// # Errors
    /// If the certificates cannot be read.
    pub fn open(
        url: MailUrl,
        credentials: Option<(String, Secret)>,
        ca: Option<&[u8]>,
    ) -> Result<Self, String> {
        Ok(Self(Way::Smtp(Box::new(SmtpServer::new(url, credentials, ca)?))))
    }

    /// Messages go to this function, which may block.
    #[must_use]
    pub fn keeping(keep: KeepMail) -> Self {
        Self(Way::Kept(keep))
    }

    /// Sends a message, and returns the answer of the server.
    ///
    /// # Errors
    /// [`MailError`].
    pub async fn send(&self, mail: &OutgoingMail) -> Result<String, MailError> {
        let message = mail.message()?;
        match &self.0 {
            Way::Smtp(server) => server.send(&message).await.map_err(|error| error.without(mail)),
            Way::Kept(keep) => {
                let (keep, mail, bytes) = (Arc::clone(keep), mail.clone(), message.formatted());
                let kept = tokio::task::spawn_blocking(move || keep(&mail, &bytes)).await;
                let failed = |why: String| MailError::Unreachable(why);
                kept.map_err(|why| failed(why.to_string()))?.map_err(|why| failed(why.to_string()))?;
                Ok("kept on this machine".to_owned())
            }
        }
        .map(|answer| shown(&answer, &mail.text))
    }

    /// Connects to the server and signs in, but sends nothing.
    ///
    /// # Errors
    /// [`MailError::Unreachable`].
    pub async fn check(&self) -> Result<(), MailError> {
        match &self.0 {
            Way::Smtp(server) => server.check().await,
            Way::Kept(_) => Ok(()),
        }
    }
}

impl MailError {
    fn without(self, mail: &OutgoingMail) -> Self {
        match self {
            Self::Refused(text) => Self::Refused(shown(&text, &mail.text)),
            Self::Failed(text) => Self::Failed(shown(&text, &mail.text)),
            Self::Unreachable(text) => Self::Unreachable(shown(&text, &mail.text)),
        }
    }
}
