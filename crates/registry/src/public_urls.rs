//! The URLs of the server as its clients see them. They come from the configuration only, never from a
//! request.

/// The base URLs of all endpoints.
#[derive(Clone, Debug)]
pub struct PublicUrls(Vec<String>);

impl PublicUrls {
    /// `mtls_url` is the URL for clients with certificates (RFC 8705 §5).
    #[must_use]
    pub fn new(public_url: &str, mtls_url: Option<&str>) -> Self {
        let urls = [Some(public_url), mtls_url].into_iter().flatten();
        Self(urls.map(|url| url.trim_end_matches('/').to_owned()).collect())
    }

    /// The URLs of this path.
    pub(crate) fn at(&self, path: &str) -> impl Iterator<Item = String> {
        self.0.iter().map(move |url| format!("{url}{path}"))
    }
}
