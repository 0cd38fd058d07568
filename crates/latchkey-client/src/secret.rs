//! A client secret, from any place. It is read again when it may have changed, so that a rotated secret needs
//! no restart.

mod command;
mod file;

use std::ffi::OsString;
use std::fmt;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::credential::{Attempt, BoxFuture, ClientCredential, CredentialError, Presented};

/// A file is looked at this often at most.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The output of a command is kept for this time.
const KEEP_OUTPUT: Duration = Duration::from_secs(300);

type Text = Zeroizing<String>;

/// A client secret. It is sent as Basic credentials, or in the form after [`Secret::in_body`].
pub struct Secret {
    place: TextPlace,
    in_body: bool,
    loaded: Mutex<LoadedText>,
}

type Made = Arc<dyn Fn() -> BoxFuture<'static, Result<String, CredentialError>> + Send + Sync>;

enum TextPlace {
    Value(Text),
    Variable(String),
    File(PathBuf),
    Command(Vec<OsString>),
    Function(Made),
}

/// The last text that was read, and when.
struct LoadedText {
    text: Option<Text>,
    /// Counts the changes of the text.
    version: u64,
    looked: Option<Instant>,
    stamp: Option<file::Stamp>,
}

impl Secret {
    /// This secret.
    pub fn value(secret: impl Into<String>) -> Self {
        Self::at(TextPlace::Value(Zeroizing::new(secret.into())))
    }

    /// The secret in an environment variable.
    pub fn env(name: impl Into<String>) -> Self {
        Self::at(TextPlace::Variable(name.into()))
    }

    /// The secret in a file, without the newline at its end. The file is read again after a change.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::at(TextPlace::File(path.into()))
    }

    /// The secret that a program prints, such as
    /// `["vault", "kv", "get", "-field=client_secret", "secret/billing"]`. No shell runs. The program has 5 s
    /// and prints at most 64 KiB; its output is kept for 5 min.
    pub fn command(words: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        Self::at(TextPlace::Command(words.into_iter().map(Into::into).collect()))
    }

    /// The secret that a function gets, which is called for each token request.
    pub fn from_fn<F, R>(function: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<String, CredentialError>> + Send + 'static,
    {
        Self::at(TextPlace::Function(Arc::new(move || Box::pin(function()))))
    }

    /// Sends name and secret in the form (`client_secret_post`) instead of as Basic credentials.
    #[must_use]
    pub fn in_body(mut self) -> Self {
        self.in_body = true;
        self
    }

    const fn at(place: TextPlace) -> Self {
        let loaded = LoadedText { text: None, version: 0, looked: None, stamp: None };
        Self { place, in_body: false, loaded: Mutex::const_new(loaded) }
    }

    /// The secret and its version. `again` reads it whatever was read before.
    pub(crate) async fn read(&self, again: bool) -> Result<(Text, u64), CredentialError> {
        let mut loaded = self.loaded.lock().await;
        match self.changed(&mut loaded, again).await {
            Ok(None) => {}
            Ok(Some(text)) => {
                loaded.looked = Some(Instant::now());
                if loaded.text.as_ref() != Some(&text) {
                    loaded.version += 1;
                    loaded.text = Some(text);
                }
            }
            // A file that is being replaced is absent or empty for a moment, and a program may fail. The
            // previous text is sent meanwhile.
            Err(error) if loaded.text.is_some() => {
                (loaded.looked, loaded.stamp) = (None, None);
                tracing::debug!(target: "latchkey_client", %error, "the secret cannot be read; the one before is used");
            }
            Err(error) => return Err(error),
        }
        let text = loaded.text.clone().ok_or_else(|| CredentialError::new("there is no secret"))?;
        Ok((text, loaded.version))
    }

    /// The new text, or `None` if the previous one is still right.
    async fn changed(&self, loaded: &mut LoadedText, again: bool) -> Result<Option<Text>, CredentialError> {
        let is_young = |span| !again && loaded.looked.is_some_and(|looked| looked.elapsed() < span);
        let text = match &self.place {
            TextPlace::Value(text) => text.clone(),
            TextPlace::Variable(name) => variable(name)?,
            TextPlace::File(_) if is_young(LOOK_AGAIN) => return Ok(None),
            TextPlace::File(path) => {
                let before = loaded.stamp.take_if(|_| !again);
                let Some((text, stamp)) = file::read(path.clone(), before.clone()).await? else {
                    (loaded.stamp, loaded.looked) = (before, Some(Instant::now()));
                    return Ok(None);
                };
                loaded.stamp = Some(stamp);
                text
            }
            TextPlace::Command(_) if is_young(KEEP_OUTPUT) => return Ok(None),
            TextPlace::Command(words) => command::run(words.clone()).await?,
            TextPlace::Function(function) => Zeroizing::new(function().await?),
        };
        if text.is_empty() {
            return Err(CredentialError::new(format!("{} is empty", self.place)));
        }
        Ok(Some(text))
    }
}

impl ClientCredential for Secret {
    fn present<'a>(&'a self, attempt: &'a Attempt<'a>) -> BoxFuture<'a, Result<Presented, CredentialError>> {
        Box::pin(async move {
            let (secret, version) = self.read(false).await?;
            let presented = if self.in_body {
                Presented::name_only().parameter("client_secret", secret.as_str())
            } else {
                Presented::basic(attempt.client_id, &secret)
            };
            Ok(presented.version(version))
        })
    }

    fn reload(&self) -> BoxFuture<'_, Result<u64, CredentialError>> {
        Box::pin(async { Ok(self.read(true).await?.1) })
    }
}

#[expect(clippy::disallowed_methods, reason = "the caller of this crate named the variable")]
fn variable(name: &str) -> Result<Text, CredentialError> {
    let text = std::env::var(name).map_err(|error| {
        CredentialError::new(format!("the variable {name} cannot be read")).caused_by(unshown(&error))
    })?;
    Ok(Zeroizing::new(text))
}

/// The error of a variable without its value.
fn unshown(error: &std::env::VarError) -> &'static str {
    match error {
        std::env::VarError::NotPresent => "it is not set",
        std::env::VarError::NotUnicode(_) => "it is no UTF-8",
    }
}

impl fmt::Display for TextPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(_) => f.write_str("the secret"),
            Self::Variable(name) => write!(f, "the variable {name}"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Command(words) => {
                write!(f, "the output of {}", words.first().cloned().unwrap_or_default().display())
            }
            Self::Function(_) => f.write_str("what the function returns"),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({})", self.place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn changed_file_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let secret = Secret::file(&path);
        let refused = secret.read(false).await.unwrap_err();
        assert_eq!(refused.to_string(), format!("{} cannot be read", path.display()));
        std::fs::write(&path, "one\n").unwrap();
        let read = async |again| {
            let (text, version) = secret.read(again).await.unwrap();
            (text.to_string(), version)
        };
        assert_eq!(read(false).await, ("one".to_owned(), 1));
        std::fs::write(&path, "second\r\n").unwrap();
        assert_eq!(read(false).await, ("one".to_owned(), 1), "looked at once a second");
        assert_eq!(read(true).await, ("second".to_owned(), 2));
        tokio::time::sleep(LOOK_AGAIN).await;
        assert_eq!(read(false).await, ("second".to_owned(), 2));
        std::fs::write(&path, "").unwrap();
        assert_eq!(read(true).await, ("second".to_owned(), 2), "the file is being replaced");
        std::fs::write(&path, "third").unwrap();
        assert_eq!(read(false).await, ("third".to_owned(), 3));
    }

    #[tokio::test]
    async fn secrets_are_read_from_each_source() {
        let of = async |secret: Secret| secret.read(false).await.map(|(text, _)| text.to_string());
        assert_eq!(of(Secret::value("v")).await.unwrap(), "v");
        assert_eq!(of(Secret::command(["printf", "%s\n", "a b"])).await.unwrap(), "a b");
        assert_eq!(of(Secret::from_fn(async || Ok("f".to_owned()))).await.unwrap(), "f");
        let error = of(Secret::env("LATCHKEY_CLIENT_NO_SUCH_VARIABLE")).await.unwrap_err();
        assert_eq!(error.to_string(), "the variable LATCHKEY_CLIENT_NO_SUCH_VARIABLE cannot be read");
        assert_eq!(of(Secret::value("")).await.unwrap_err().to_string(), "the secret is empty");
    }

    #[tokio::test]
    async fn failing_command_is_reported_without_its_output() {
        for (command, expected) in [
            (&["sh", "-c", "echo hunter2; echo hunter3 >&2; exit 3"][..], "`sh` failed: exit status: 3"),
            (&["sh", "-c", "head -c 70000 /dev/zero"], "`sh` printed more than 65536 bytes"),
            (&["no-such-program-here"], "`no-such-program-here` cannot be started"),
        ] {
            let refused = Secret::command(command).read(false).await.unwrap_err();
            assert_eq!(refused.to_string(), expected);
        }
        assert!(Secret::command(Vec::<OsString>::new()).read(false).await.is_err());
    }

    #[test]
    fn debug_shows_only_the_source() {
        assert_eq!(format!("{:?}", Secret::value("hunter2")), "Secret(the secret)");
        assert_eq!(format!("{:?}", Secret::file("/run/secrets/x")), "Secret(/run/secrets/x)");
        assert_eq!(format!("{:?}", Secret::command(["vault", "hunter2"])), "Secret(the output of vault)");
    }
}
