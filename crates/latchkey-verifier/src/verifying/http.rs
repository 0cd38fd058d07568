//! Fetches the documents of issuers: bounded in time and size, without redirects, conditionally.

use std::error::Error;
use std::time::Duration;

use reqwest::header::{ACCEPT, AGE, CACHE_CONTROL, ETAG, HeaderMap, HeaderName, IF_NONE_MATCH};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Response, StatusCode};
use url::Url;
use zeroize::Zeroizing;

use crate::verifying::cache_control::CacheControl;

const CONNECT: Duration = Duration::from_secs(2);
const ALL: Duration = Duration::from_secs(3);

/// The client of all fetches.
pub(crate) struct FetchClient(Client);

/// An answer that can be used.
pub(crate) struct FetchedAnswer {
    /// `None` where nothing has changed (304).
    pub(crate) body: Option<String>,
    pub(crate) cache: CacheControl,
    pub(crate) etag: Option<String>,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchFailure {
    #[error("the request failed: {}", causes(.0))]
    Request(#[from] reqwest::Error),
    #[error("the answer has status {0}")]
    Status(StatusCode),
    #[error("the answer has more than {0} bytes")]
    TooLarge(usize),
    #[error("the answer is no text")]
    NotText,
}

impl FetchClient {
    pub(crate) fn new(roots: Vec<Certificate>) -> reqwest::Result<Self> {
        let client = Client::builder()
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .connect_timeout(CONNECT)
            .timeout(ALL)
            // A connection would outlive the runtime that opened it, and fetches are minutes apart.
            .pool_max_idle_per_host(0);
        let client = roots.into_iter().fold(client, reqwest::ClientBuilder::add_root_certificate);
        Ok(Self(client.build()?))
    }

    /// Fetches a document of at most so many bytes, unless it still has this tag.
    pub(crate) async fn get(
        &self,
        url: &Url,
        accept: &'static str,
        etag: Option<&str>,
        limit: usize,
    ) -> Result<FetchedAnswer, FetchFailure> {
        let mut request = self.0.get(url.clone()).header(ACCEPT, accept);
        if let Some(etag) = etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        let answer = request.send().await?;
        let headers = answer.headers();
        let cache = CacheControl::read(texts(headers, CACHE_CONTROL), texts(headers, AGE).next());
        let new_etag = texts(headers, ETAG).next().map(str::to_owned);
        if answer.status() == StatusCode::NOT_MODIFIED && etag.is_some() {
            return Ok(FetchedAnswer { body: None, cache, etag: new_etag.or(etag.map(str::to_owned)) });
        }
        if answer.status() != StatusCode::OK {
            return Err(FetchFailure::Status(answer.status()));
        }
        let body = text_of(answer, limit).await?;
        Ok(FetchedAnswer { body: Some(body), cache, etag: new_etag })
    }

    /// Posts a form as this client, and returns the answer with status 200.
    pub(crate) async fn post(
        &self,
        url: &Url,
        [user, password]: &[Zeroizing<String>; 2],
        form: &[(&str, &str)],
        limit: usize,
    ) -> Result<String, FetchFailure> {
        let request = self
            .0
            .post(url.clone())
            .header(ACCEPT, "application/json")
            .basic_auth(user.as_str(), Some(password.as_str()));
        let answer = request.form(form).send().await?;
        if answer.status() != StatusCode::OK {
            return Err(FetchFailure::Status(answer.status()));
        }
        text_of(answer, limit).await
    }
}

async fn text_of(mut answer: Response, limit: usize) -> Result<String, FetchFailure> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if body.len() + chunk.len() > limit {
            return Err(FetchFailure::TooLarge(limit));
        }
        body.extend_from_slice(&chunk);
    }
    String::from_utf8(body).map_err(|_| FetchFailure::NotText)
}

fn texts(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok())
}

/// The error with its causes, which reqwest leaves out.
fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
