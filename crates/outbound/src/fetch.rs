//! Fetches a small document from a URL that a tenant or a client named. The guard judges each address at the moment of connecting, so that
//! a name cannot resolve to another address than the one that was judged.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use protocol::cropped;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue,
};
use reqwest::{Client, Response, StatusCode, redirect};
use tokio::sync::Semaphore;

use crate::guard::{Guard, UnfitUrl};

/// A fetch takes no longer, from the resolution of the name to the last byte.
const LONGEST: Duration = Duration::from_secs(2);
/// What is posted is answered within this time.
const LONGEST_POST: Duration = Duration::from_secs(5);
/// A document has no more bytes.
const LARGEST: usize = 64 << 10;
/// Names that are resolved at the same time. A lookup occupies a thread of the runtime until the resolver gives up, also when the fetch has
/// ended before.
const LOOKUPS: usize = 64;

/// Fetches documents.
pub struct Fetcher {
    guard: Guard,
    /// Made by the first fetch: most servers need none, and some have no certificates to trust.
    client: OnceLock<Client>,
}

/// A document.
#[derive(Debug)]
pub struct Fetched {
    /// Its bytes.
    pub body: Vec<u8>,
    /// For how long it may be used without asking again, where the answer says so (RFC 9111 §5.2.2).
    pub max_age: Option<Duration>,
}

/// Why there is no document. No variant holds bytes of the answer.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The URL is refused before anything is sent.
    #[error(transparent)]
    Url(#[from] UnfitUrl),
    /// The name has no address that may be connected to.
    #[error("the name resolves to no address that is public or listed in server.outbound.allowed_networks")]
    Address,
    /// The name is unknown, the connection is refused, or the certificate is not trusted.
    #[error("no connection: {0}")]
    Connection(String),
    /// It took too long.
    #[error("no whole answer in time")]
    TooSlow,
    /// Another status than 200, or for a form than one of success. Redirects are not followed.
    #[error("the answer has status {0}")]
    Status(u16),
    /// The answer is compressed, although the request accepts no compression.
    #[error("the answer is compressed")]
    Encoded,
    /// More bytes than a document may have.
    #[error("the answer is larger than {} KiB", LARGEST >> 10)]
    TooLarge,
    /// The answer ended early, or is no HTTP.
    #[error("the answer broke off: {0}")]
    Broken(String),
    /// No client can be made: the machine trusts no certificate.
    #[error("no HTTP client: {0}")]
    NoClient(String),
}

impl Fetcher {
    /// A fetcher behind this guard.
    #[must_use]
    pub const fn new(guard: Guard) -> Self {
        Self { guard, client: OnceLock::new() }
    }

    /// Fetches a document of these media types. No proxy of the environment is used, no cookie kept, no redirect followed.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn fetch(&self, url: &str, accept: &'static str) -> Result<Fetched, FetchError> {
        let fetching = self.fetch_unlimited(url, accept);
        tokio::time::timeout(LONGEST, fetching).await.unwrap_or(Err(FetchError::TooSlow))
    }

    async fn fetch_unlimited(&self, url: &str, accept: &'static str) -> Result<Fetched, FetchError> {
        // The address of a literal host is judged here: no resolver sees it.
        let url = self.guard.check(url)?;
        let request = self
            .client()?
            .get(url)
            .header(ACCEPT, HeaderValue::from_static(accept))
            .header(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let response = request.send().await.map_err(|error| not_sent(&error))?;
        if response.status() != StatusCode::OK {
            return Err(FetchError::Status(response.status().as_u16()));
        }
        let is_plain = |encoding: &HeaderValue| encoding.as_bytes().eq_ignore_ascii_case(b"identity");
        if !response.headers().get_all(CONTENT_ENCODING).iter().all(is_plain) {
            return Err(FetchError::Encoded);
        }
        let max_age = max_age(response.headers());
        Ok(Fetched { body: read(response).await?, max_age })
    }

    /// Posts a form. Any status of success will do, and the answer is not read. As for a fetch, no redirect is followed.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn post_form(&self, url: &str, form: String) -> Result<(), FetchError> {
        let posting = async {
            let url = self.guard.check(url)?;
            let request = self.client()?.post(url).timeout(LONGEST_POST);
            let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form);
            let response = request.send().await.map_err(|error| not_sent(&error))?;
            let status = response.status();
            if status.is_success() { Ok(()) } else { Err(FetchError::Status(status.as_u16())) }
        };
        tokio::time::timeout(LONGEST_POST, posting).await.unwrap_or(Err(FetchError::TooSlow))
    }

    fn client(&self) -> Result<&Client, FetchError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = Client::builder()
            .tls_backend_rustls()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .user_agent("latchkey")
            .connect_timeout(LONGEST)
            .timeout(LONGEST)
            // Each fetch connects anew, so that each is judged.
            .pool_max_idle_per_host(0)
            .dns_resolver(Arc::new(GuardedResolver::new(self.guard.clone())))
            .build()
            .map_err(|error| FetchError::NoClient(last_cause(&error)))?;
        Ok(self.client.get_or_init(|| client))
    }
}

/// Counts while reading: `Content-Length` is the other side's word.
async fn read(mut response: Response) -> Result<Vec<u8>, FetchError> {
    if response.content_length().is_some_and(|length| length > LARGEST as u64) {
        return Err(FetchError::TooLarge);
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| FetchError::Broken(last_cause(&error)))? {
        if body.len() + chunk.len() > LARGEST {
            return Err(FetchError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// `no-store` and `no-cache` are an age of zero.
fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let directives = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let ages = directives.flat_map(|value| value.split(',')).filter_map(|directive| {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        let (name, value) = (name.trim(), value.trim().trim_matches('"'));
        if name.eq_ignore_ascii_case("no-store") || name.eq_ignore_ascii_case("no-cache") {
            return Some(Duration::ZERO);
        }
        let seconds = name.eq_ignore_ascii_case("max-age").then(|| value.parse().ok())??;
        Some(Duration::from_secs(seconds))
    });
    ages.min()
}

/// Resolves names as the machine does, and drops the addresses that the guard refuses.
struct GuardedResolver {
    guard: Guard,
    lookups: Arc<Semaphore>,
}

#[derive(Debug, thiserror::Error)]
#[error("no address is allowed")]
struct NoAddressAllowed;

impl GuardedResolver {
    fn new(guard: Guard) -> Self {
        Self { guard, lookups: Arc::new(Semaphore::new(LOOKUPS)) }
    }
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (guard, lookups) = (self.guard.clone(), Arc::clone(&self.lookups));
        Box::pin(async move {
            let turn = lookups.acquire_owned().await?;
            let lookup = tokio::spawn(async move {
                let found = tokio::net::lookup_host((name.as_str(), 0)).await.map(Vec::from_iter);
                drop(turn);
                found
            });
            let mut addresses: Vec<SocketAddr> = lookup.await??;
            addresses.retain(|address| guard.allows(address.ip()));
            if addresses.is_empty() {
                return Err(NoAddressAllowed.into());
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

fn not_sent(error: &reqwest::Error) -> FetchError {
    if causes(error).any(<dyn Error>::is::<NoAddressAllowed>) {
        return FetchError::Address;
    }
    if error.is_timeout() {
        return FetchError::TooSlow;
    }
    FetchError::Connection(last_cause(error))
}

/// The innermost cause. The outer ones quote the URL.
fn last_cause(error: &reqwest::Error) -> String {
    causes(error).last().map_or_else(|| "unknown".to_owned(), |cause| cropped(&cause.to_string()))
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    let mut next = error.source();
    std::iter::from_fn(move || {
        let cause = next?;
        next = cause.source();
        Some(cause)
    })
}

#[cfg(test)]
mod tests;
