//! A source of tokens for one client, and its cached tokens.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};

use crate::binding::DPOP;
use crate::config_error::ConfigError;
use crate::entry::TokenEntry;
use crate::error::TokenError;
use crate::exchange::Exchange;
use crate::fetch::FromEndpoint;
use crate::keep_warm::KeepWarm;
use crate::moment::Clocks;
use crate::request::Request;
use crate::status::Status;
use crate::token::{AccessToken, TokenKind};
use crate::urls::Origins;

/// A source of access tokens for one client and one set of scopes and resources.
/// Clones share the cached token.
///
/// It needs a tokio runtime when the first token is fetched. When the last clone of a source is dropped,
/// its running request ends.
#[derive(Clone)]
pub struct TokenSource {
    client: Arc<SourceState>,
    pub(crate) entry: Arc<TokenEntry>,
    request: Arc<Request>,
    origins: Arc<Origins>,
}

/// The state that all cached tokens of a client share.
pub(crate) struct SourceState {
    pub(crate) exchange: Arc<Exchange>,
    pub(crate) clock: Clocks,
    pub(crate) timeout: Duration,
    pub(crate) max_cached: usize,
    /// The tokens that are cached, each with what it was requested for.
    pub(crate) entries: Mutex<Vec<(Arc<Request>, Arc<TokenEntry>)>>,
}

impl TokenSource {
    pub(crate) fn new(client: SourceState, request: Request) -> Result<Self, ConfigError> {
        Arc::new(client).source(request)
    }

    /// A source of the same client for another request, which has its own cached token.
    pub fn with(&self, request: Request) -> Result<Self, ConfigError> {
        self.client.source(request)
    }

    /// The value of `Authorization`, marked as sensitive. With a fresh token in the cache it costs no
    /// allocation and no waiting. It is not enough for a bound token, which needs its proof
    /// ([`TokenSource::proof`]) or the connection of its certificate ([`AccessToken::http_client`]). For such
    /// tokens use [`TokenSource::token`].
    pub async fn authorization(&self) -> Result<HeaderValue, TokenError> {
        self.entry.token(|token| token.header.clone()).await
    }

    /// The cached token, or a new one.
    pub async fn token(&self) -> Result<AccessToken, TokenError> {
        self.entry.token(|token| AccessToken(Arc::clone(token))).await
    }

    /// The proof that a request with this token needs beside `Authorization`, as the value of the header
    /// `DPoP` (RFC 9449 §4). `None` for a token that is not bound to a key. Each request needs a new one.
    pub fn proof(
        &self,
        token: &AccessToken,
        method: &str,
        url: &Url,
    ) -> Result<Option<HeaderValue>, TokenError> {
        let exchange = &self.client.exchange;
        let Some(binding) = exchange.binding.as_ref().filter(|_| token.kind() == TokenKind::Dpop) else {
            return Ok(None);
        };
        Ok(Some(binding.proof(method, url, Some(token.expose()), exchange.server_time())?))
    }

    /// Stores the nonce of an answer (RFC 9449 §8.2) for the next proof. Returns whether it is a new one:
    /// then a request that was refused with `use_dpop_nonce` can be repeated.
    pub fn note_nonce(&self, url: &Url, headers: &HeaderMap) -> bool {
        self.client.exchange.binding.as_ref().is_some_and(|binding| binding.note_nonce(url, headers))
    }

    /// Adds a token and its proof to the headers of a request.
    pub(crate) fn authorize(
        &self,
        method: &str,
        url: &Url,
        headers: &mut HeaderMap,
        token: &AccessToken,
    ) -> Result<(), TokenError> {
        if let Some(proof) = self.proof(token, method, url)? {
            headers.insert(DPOP, proof);
        }
        headers.insert(AUTHORIZATION, token.authorization());
        Ok(())
    }

    pub(crate) fn exchange(&self) -> &Exchange {
        &self.client.exchange
    }

    /// The cached token, if it has not ended. Never waits, and begins no request.
    pub fn cached(&self) -> Option<AccessToken> {
        self.entry.cached()
    }

    /// Drops this token after a service refused it: the next call fetches another one. Returns `false` if it
    /// is no longer the cached one, or if it replaced a refused one less than 5 s ago.
    pub fn invalidate(&self, token: &AccessToken) -> bool {
        self.entry.invalidate(token)
    }

    /// Renews the token by a timer as long as the guard lives, so that no call after a quiet time waits.
    /// Without it no task runs for an unused source.
    pub fn keep_warm(&self) -> KeepWarm {
        KeepWarm::start(&self.entry)
    }

    /// The facts for a health page.
    pub fn status(&self) -> Status {
        self.entry.status()
    }

    /// Whether the token may be sent to this URL.
    pub fn may_be_sent_to(&self, url: &Url) -> bool {
        self.origins.allow(url, self.client.exchange.allow_plain_http)
    }
}

impl SourceState {
    fn source(self: &Arc<Self>, request: Request) -> Result<TokenSource, ConfigError> {
        let origins = request.check(self.exchange.allow_plain_http)?;
        let (shared, entry) = self.entry(&request);
        // Origins are not part of the key, so each source has its own.
        let request = if *shared == request { shared } else { Arc::new(request) };
        Ok(TokenSource { client: Arc::clone(self), entry, request, origins: Arc::new(origins) })
    }

    /// The cached token for this request. Over the limit, the least recently used one is dropped. Its sources
    /// stay usable, and fetch again.
    fn entry(&self, request: &Request) -> (Arc<Request>, Arc<TokenEntry>) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((shared, entry)) = entries.iter().find(|(other, _)| other.has_same_token(request)) {
            return (Arc::clone(shared), Arc::clone(entry));
        }
        if entries.len() >= self.max_cached
            && let Some(oldest) = (0..entries.len()).min_by_key(|index| entries[*index].1.used())
        {
            entries.swap_remove(oldest).1.forget();
        }
        let request = Arc::new(request.clone());
        let fetch = FromEndpoint {
            exchange: Arc::clone(&self.exchange),
            request: Arc::clone(&request),
            clock: self.clock.clone(),
        };
        let entry = Arc::new(TokenEntry::new(
            Box::new(fetch),
            self.clock.clone(),
            self.timeout,
            self.exchange.observer.clone(),
        ));
        entries.push((Arc::clone(&request), Arc::clone(&entry)));
        (request, entry)
    }
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSource")
            .field("client_id", &self.client.exchange.client_id)
            .field("request", &self.request)
            .field("cached", &self.cached())
            .finish_non_exhaustive()
    }
}
