//! Tokens that commands share: a file for each combination of profile, scopes and resources, and a lock file,
//! so that only one of several commands fetches a token.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use aws_lc_rs::digest::{SHA256, digest};
use latchkey_client::{AccessToken, Request, TokenSource};
use serde::{Deserialize, Serialize};
use values::{Lifetime, Timestamp};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::folders::Folders;
use super::private_files::{self, lock};
use super::profile_name::ProfileName;
use super::source::{no_token, source_builder};
use super::store::{Chosen, ProfileStore};
use server::clock;

/// A token is used while at least this much time, or a tenth of its lifetime if that is shorter, remains.
const MIN_LEFT: Lifetime = Lifetime::from_seconds(60);

/// A token in a file.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub(crate) struct CachedToken {
    pub(crate) access_token: String,
    pub(crate) token_type: String,
    pub(crate) scope: String,
    /// Seconds since 1970.
    issued_at: u64,
    pub(crate) expires_at: u64,
    /// The profile of the token, which `logout` needs to find its tokens.
    profile: String,
}

pub(crate) struct SharedTokens<'a> {
    pub(crate) folders: &'a Folders,
    /// How long a token must still be valid, if the user set a minimum.
    pub(crate) min_left: Option<Lifetime>,
    pub(crate) is_used: bool,
}

impl CachedToken {
    fn new(token: &AccessToken, profile: &ProfileName) -> Self {
        let now = clock::now().seconds();
        Self {
            access_token: token.expose().to_owned(),
            token_type: token.kind().scheme().to_owned(),
            scope: token.scope().join(" "),
            issued_at: now,
            expires_at: now + token.expires_in().as_secs(),
            profile: profile.as_str().to_owned(),
        }
    }

    /// How long the token is still valid. If the clock was set back, the token is not used, because it could
    /// seem valid for too long.
    pub(crate) fn left(&self, now: Timestamp) -> u64 {
        if now.seconds() + 60 < self.issued_at { 0 } else { self.expires_at.saturating_sub(now.seconds()) }
    }

    fn is_fresh(&self, min_left: Option<Lifetime>) -> bool {
        let tenth = self.expires_at.saturating_sub(self.issued_at) / 10;
        let needed = min_left.map_or(MIN_LEFT.seconds().min(tenth), Lifetime::seconds);
        self.left(clock::now()) > needed
    }
}

impl<'a> SharedTokens<'a> {
    /// The tokens of this user, with the default minimum of remaining validity.
    pub(crate) const fn from_folders(folders: &'a Folders) -> Self {
        Self { folders, min_left: None, is_used: true }
    }

    /// Returns the shared token, or fetches and shares one.
    pub(crate) async fn token(&self, chosen: &Chosen, request: &Request) -> anyhow::Result<CachedToken> {
        if !self.is_used {
            return self.fetch(chosen, request).await;
        }
        let path = self.path(chosen, request);
        if let Some(token) = read(&path)?.filter(|token| token.is_fresh(self.min_left)) {
            return Ok(token);
        }
        let _lock = lock(&path.with_extension("lock"))?;
        // Another command may have fetched a token in the meantime.
        let before = match read(&path)? {
            Some(token) if token.is_fresh(self.min_left) => return Ok(token),
            before => before,
        };
        match self.fetch(chosen, request).await {
            Ok(token) => {
                write(&path, &token)?;
                Ok(token)
            }
            // If fetching fails, a token that is still valid is used.
            Err(error) => {
                match before.filter(|token| self.min_left.is_none() && token.left(clock::now()) > 1) {
                    Some(token) => Ok(token),
                    None => Err(error),
                }
            }
        }
    }

    /// Deletes a token that a service refused, if it is still the shared one.
    pub(crate) fn invalidate(
        &self,
        chosen: &Chosen,
        request: &Request,
        token: &CachedToken,
    ) -> anyhow::Result<()> {
        let path = self.path(chosen, request);
        if !self.is_used {
            return Ok(());
        }
        let _lock = lock(&path.with_extension("lock"))?;
        match read(&path)? {
            Some(shared) if shared.access_token == token.access_token => private_files::remove(&path),
            _ => Ok(()),
        }
    }

    pub(crate) fn share(
        &self,
        chosen: &Chosen,
        request: &Request,
        token: &AccessToken,
    ) -> anyhow::Result<()> {
        write(&self.path(chosen, request), &CachedToken::new(token, &chosen.name))
    }

    /// The shared token for the profile's default request, if there is a valid one.
    pub(crate) fn peek(&self, chosen: &Chosen, request: &Request) -> anyhow::Result<Option<CachedToken>> {
        Ok(read(&self.path(chosen, request))?.filter(|token| token.left(clock::now()) > 0))
    }

    pub(crate) fn remove(&self, name: &ProfileName) -> anyhow::Result<()> {
        for (path, token) in self.files() {
            if token.is_none_or(|token| token.profile == name.as_str()) {
                private_files::remove(&path)?;
            }
        }
        Ok(())
    }

    pub(crate) fn valid(&self, name: &ProfileName) -> Vec<CachedToken> {
        let tokens = self.files().filter_map(|(_, token)| token);
        tokens.filter(|token| token.profile == name.as_str() && token.left(clock::now()) > 0).collect()
    }

    /// All token files. A file without a readable token has `None`.
    fn files(&self) -> impl Iterator<Item = (PathBuf, Option<CachedToken>)> {
        let entries = fs::read_dir(self.folders.tokens()).into_iter().flatten().flatten();
        let paths = entries.map(|entry| entry.path());
        let tokens = paths.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
        tokens.map(|path| {
            let token = read(&path).ok().flatten();
            (path, token)
        })
    }

    async fn fetch(&self, chosen: &Chosen, request: &Request) -> anyhow::Result<CachedToken> {
        let tokens = self.source(chosen, request)?;
        let token = tokens.token().await.map_err(|error| no_token(&chosen.profile, error))?;
        Ok(CachedToken::new(&token, &chosen.name))
    }

    /// The source of the profile's tokens, with its credential.
    pub(crate) fn source(&self, chosen: &Chosen, request: &Request) -> anyhow::Result<TokenSource> {
        let credential = ProfileStore(self.folders).credential(chosen)?;
        let profile = &chosen.profile;
        let builder = source_builder(profile, &credential, &profile.trust())?;
        Ok(builder.request(request.clone()).build()?)
    }

    /// The file name is a digest of everything that the token depends on.
    fn path(&self, chosen: &Chosen, request: &Request) -> PathBuf {
        let Chosen { name, profile } = chosen;
        // Each part is quoted, so that different keys have different texts.
        let key = format!("{name:?} {:?} {:?} {request:?}", profile.endpoint.to_string(), profile.client_id);
        let mut file = String::with_capacity(64);
        for byte in digest(&SHA256, key.as_bytes()).as_ref() {
            let _ = write!(file, "{byte:02x}");
        }
        self.folders.tokens().join(file).with_extension("json")
    }
}

/// An unreadable file counts as absent, and the next command replaces it.
fn read(path: &Path) -> anyhow::Result<Option<CachedToken>> {
    Ok(private_files::read(path)?.and_then(|text| serde_json::from_str(&text).ok()))
}

fn write(path: &Path, token: &CachedToken) -> anyhow::Result<()> {
    let text = zeroize::Zeroizing::new(serde_json::to_string(token).context("a token is plain JSON")?);
    private_files::write(path, &text)
}
