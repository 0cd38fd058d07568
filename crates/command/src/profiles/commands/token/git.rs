//! git's credential protocol (gitcredentials(7)): git writes the URL that it connects to, and reads name,
//! password and expiry.
//!
//! git asks for every host, even for one that a fetched repository names. So tokens are only for the origins
//! of the profile's resources and for its other origins. For other URLs the answer is empty, and git asks
//! elsewhere.

use std::io::{Read as _, Write as _, stderr, stdin};

use anyhow::Context as _;
use clap::ValueEnum;
use latchkey_client::Request;
use url::Url;

use crate::profiles::{CachedToken, Chosen};

/// Longer than any input from git.
const LARGEST: u64 = 64 * 1024;

/// What git wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum GitOperation {
    /// Print a user name and a password.
    Get,
    /// Store a credential (does nothing).
    Store,
    /// Erase a credential (does nothing).
    Erase,
}

/// The server to which git connects.
pub(super) struct Question {
    username: String,
}

impl Question {
    /// Reads git's input from standard input. `None` if no token is meant for the URL.
    pub(super) fn read(chosen: &Chosen, request: &Request) -> anyhow::Result<Option<Self>> {
        let mut text = String::new();
        stdin().lock().take(LARGEST).read_to_string(&mut text).context("cannot read standard input")?;
        let question = judge(&text, request);
        if question.is_none() {
            let name = &chosen.name;
            let _ = writeln!(
                stderr(),
                "latchkey: profile `{name}` does not send its tokens to this URL. Log in again with --origin or --resource for this URL"
            );
        }
        Ok(question)
    }

    pub(super) fn answer(&self, token: &CachedToken) -> String {
        let (username, CachedToken { access_token, expires_at, .. }) = (&self.username, token);
        format!("username={username}\npassword={access_token}\npassword_expiry_utc={expires_at}\n")
    }
}

fn judge(text: &str, request: &Request) -> Option<Question> {
    let value = |name: &str| {
        text.lines()
            .find_map(|line| line.split_once('=').filter(|(found, _)| *found == name).map(|(_, value)| value))
    };
    let url: Url = format!("{}://{}", value("protocol")?, value("host")?).parse().ok()?;
    if !request.names_origin_of(&url) {
        return None;
    }
    let username = value("username").filter(|name| !name.is_empty()).unwrap_or("oauth2");
    Some(Question { username: username.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_for_the_named_origins_only() {
        let request = Request::new().resource("https://git.example.com/api").origin("http://127.0.0.1:3000");
        for (text, username) in [
            ("protocol=https\nhost=git.example.com\n", Some("oauth2")),
            ("protocol=https\nhost=git.example.com\nusername=me\n", Some("me")),
            ("protocol=http\nhost=127.0.0.1:3000\n", Some("oauth2")),
            ("protocol=http\nhost=git.example.com\n", None),
            ("protocol=https\nhost=evil.example\n", None),
            ("protocol=https\nhost=git.example.com@evil.example\n", None),
            ("protocol=https\n", None),
        ] {
            assert_eq!(
                judge(text, &request).map(|question| question.username).as_deref(),
                username,
                "{text}"
            );
        }
        // Without a resource and an origin git gets no token, because the URL may come from a repository of
        // somebody else.
        assert!(judge("protocol=https\nhost=git.example.com\n", &Request::new()).is_none());
    }
}
