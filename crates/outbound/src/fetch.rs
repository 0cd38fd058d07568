//! Fetches a small document from a URL that a tenant or a client has configured. The guard checks each
//! address of the host name, and the connection is opened to one of the checked addresses. So the name cannot
//! resolve to a different address in between.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue,
};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url, redirect};
use tenancy::{TenantId, Turn};
use values::cropped;

use crate::fetch_error::{FetchError, LARGEST};
use crate::guard::Guard;
use crate::lookups::Lookups;

/// The time limit of a fetch, from resolving the name to the last byte. Waiting for a turn to resolve the
/// name does not count.
const LONGEST: Duration = Duration::from_secs(2);
/// The time limit for the response to a posted form.
const LONGEST_POST: Duration = Duration::from_secs(5);

pub struct Fetcher {
    guard: Guard,
    lookups: Lookups,
    /// Created by the first fetch: most servers never need it, and some machines have no trusted
    /// certificates.
    client: OnceLock<Client>,
}

#[derive(Debug)]
pub struct Fetched {
    pub body: Vec<u8>,
    /// How long the document may be used without a new request, if the response says so (RFC 9111 §5.2.2).
    pub max_age: Option<Duration>,
}

impl Fetcher {
    /// All tenants of a fetcher share its limit on name lookups.
    #[must_use]
    pub fn new(guard: Guard) -> Self {
        Self::with_lookups(guard, Lookups::new())
    }

    pub(crate) const fn with_lookups(guard: Guard, lookups: Lookups) -> Self {
        Self { guard, lookups, client: OnceLock::new() }
    }

    /// Fetches a document of one of these media types for a tenant. Does not use a proxy from the environment
    /// or cookies, and does not follow redirects.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn fetch(
        &self,
        tenant: &TenantId,
        url: &str,
        accept: &'static str,
    ) -> Result<Fetched, FetchError> {
        let (url, turn) = self.admit(tenant, url).await?;
        let fetching = self.fetch_unlimited(url, turn, accept);
        tokio::time::timeout(LONGEST, fetching).await.unwrap_or(Err(FetchError::TooSlow))
    }

    async fn fetch_unlimited(
        &self,
        url: Url,
        turn: Option<Turn>,
        accept: &'static str,
    ) -> Result<Fetched, FetchError> {
        let request = self
            .client()?
            .get(url.clone())
            .header(ACCEPT, HeaderValue::from_static(accept))
            .header(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let response = self.send(&url, turn, request).await?;
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

    /// Posts a form for a tenant. Accepts any success status and does not read the response. Does not follow
    /// redirects.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn post_form(&self, tenant: &TenantId, url: &str, form: String) -> Result<(), FetchError> {
        let (url, turn) = self.admit(tenant, url).await?;
        let posting = async {
            let request = self.client()?.post(url.clone()).timeout(LONGEST_POST);
            let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form);
            let status = self.send(&url, turn, request).await?.status();
            if status.is_success() { Ok(()) } else { Err(FetchError::Status(status.as_u16())) }
        };
        tokio::time::timeout(LONGEST_POST, posting).await.unwrap_or(Err(FetchError::TooSlow))
    }

    /// Checks the URL, including the address of a literal host. For a host name, takes the tenant's turn to
    /// resolve it.
    async fn admit(&self, tenant: &TenantId, url: &str) -> Result<(Url, Option<Turn>), FetchError> {
        let url = self.guard.check(url)?;
        let turn = match url.domain() {
            Some(_) => Some(self.lookups.take_turn(tenant).await?),
            None => None,
        };
        Ok((url, turn))
    }

    /// Sends the request to the addresses of the host name that the guard allows.
    async fn send(
        &self,
        url: &Url,
        turn: Option<Turn>,
        request: RequestBuilder,
    ) -> Result<Response, FetchError> {
        let mut judged = Judged::default();
        if let (Some(name), Some(turn)) = (url.domain(), turn) {
            judged = Judged { name: name.to_owned(), addresses: self.lookups.resolve(name, turn).await? };
            judged.addresses.retain(|address| self.guard.allows(address.ip()));
            if judged.addresses.is_empty() {
                return Err(FetchError::Address);
            }
        }
        JUDGED.scope(judged, request.send()).await.map_err(|error| not_sent(&error))
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
            // Each fetch opens a new connection, so that its address is checked.
            .pool_max_idle_per_host(0)
            .dns_resolver(Arc::new(JudgedAddresses))
            .build()
            .map_err(|error| FetchError::NoClient(last_cause(&error)))?;
        Ok(self.client.get_or_init(|| client))
    }
}

/// Counts the bytes while reading, because the server may send a wrong `Content-Length`.
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

/// `no-store` and `no-cache` count as an age of zero.
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

tokio::task_local! {
    /// The checked addresses of the current request.
    static JUDGED: Judged;
}

#[derive(Clone, Default)]
struct Judged {
    name: String,
    addresses: Vec<SocketAddr>,
}

/// Resolves to the addresses that were checked for the current request, and to nothing else.
struct JudgedAddresses;

#[derive(Debug, thiserror::Error)]
#[error("none of the addresses is allowed")]
struct NoAddressAllowed;

impl Resolve for JudgedAddresses {
    fn resolve(&self, name: Name) -> Resolving {
        let judged = JUDGED.try_with(Clone::clone).unwrap_or_default();
        Box::pin(async move {
            if judged.addresses.is_empty() || !judged.name.eq_ignore_ascii_case(name.as_str()) {
                return Err(NoAddressAllowed.into());
            }
            Ok(Box::new(judged.addresses.into_iter()) as Addrs)
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

/// The innermost cause. The outer ones contain the URL.
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
