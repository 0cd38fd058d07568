//! The configuration of a source.

use std::fmt;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::ClientBuilder;

use crate::binding::NewBinding;
use crate::config_error::ConfigError;
use crate::credential::ClientCredential;
use crate::endpoint::{AuthorizationServer, Endpoints};
use crate::exchange::Exchange;
use crate::http_clients::{Adjustment, HttpPool};
use crate::moment::Clocks;
use crate::observer::Observer;
use crate::request::Request;
use crate::source::{SourceState, TokenSource};

/// The configuration of a [`TokenSource`]. Nothing is read or sent before the first call for a token.
#[must_use]
pub struct Builder {
    issuer: Option<String>,
    endpoints: Endpoints,
    client_id: Option<String>,
    credential: Option<Box<dyn ClientCredential>>,
    request: Request,
    timeout: Duration,
    assumed_lifetime: Duration,
    max_cached: usize,
    allow_plain_http: bool,
    http: Vec<Adjustment>,
    observer: Option<Arc<dyn Observer>>,
    /// Makes the key that tokens are bound to.
    binding: Option<NewBinding>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            issuer: None,
            endpoints: Endpoints::default(),
            client_id: None,
            credential: None,
            request: Request::new(),
            timeout: Duration::from_secs(10),
            assumed_lifetime: Duration::from_secs(300),
            max_cached: 64,
            allow_plain_http: false,
            http: Vec::new(),
            observer: None,
            binding: None,
        }
    }
}

impl Builder {
    /// The issuer, whose metadata (RFC 8414) name the token endpoint.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// The token endpoint, instead of the issuer.
    pub fn token_endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoints.token_endpoint = Some(url.into());
        self
    }

    /// The URL that revokes tokens (RFC 7009), in place of the one in the issuer's metadata.
    pub fn revocation_endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoints.revocation_endpoint = Some(url.into());
        self
    }

    /// The URL that introspects tokens (RFC 7662), in place of the one in the issuer's metadata.
    pub fn introspection_endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoints.introspection_endpoint = Some(url.into());
        self
    }

    /// The client's name at the server.
    pub fn client_id(mut self, client_id: impl Into<String>) -> Self {
        self.client_id = Some(client_id.into());
        self
    }

    /// How the client proves that it is this client, such as a [`crate::Secret`].
    pub fn credential(mut self, credential: impl ClientCredential + 'static) -> Self {
        self.credential = Some(Box::new(credential));
        self
    }

    /// Adds a scope, or several that blanks separate.
    pub fn scope(mut self, scope: impl AsRef<str>) -> Self {
        self.request = self.request.scope(scope);
        self
    }

    /// Adds a resource (RFC 8707). Tokens may be sent to its origin.
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.request = self.request.resource(resource);
        self
    }

    /// Lets tokens be sent to the origin of this URL, too. With neither a resource nor an origin they may be
    /// sent to every `https` URL that the caller's code names.
    pub fn origin(mut self, url: impl Into<String>) -> Self {
        self.request = self.request.origin(url);
        self
    }

    /// Replaces what tokens are requested for.
    pub fn request(mut self, request: Request) -> Self {
        self.request = request;
        self
    }

    /// How long a caller waits for a token (10 s). The request itself continues for other callers.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The lifetime of a token whose answer does not say it (5 min).
    pub const fn assumed_lifetime(mut self, lifetime: Duration) -> Self {
        self.assumed_lifetime = lifetime;
        self
    }

    /// How many tokens are cached, one for each set of scopes and resources (64).
    pub const fn max_cached(mut self, tokens: usize) -> Self {
        self.max_cached = tokens;
        self
    }

    /// Sends secrets and tokens in clear if a URL says `http`. Without it plain http is for this machine
    /// only.
    pub const fn allow_plain_http(mut self) -> Self {
        self.allow_plain_http = true;
        self
    }

    /// Changes the HTTP client of token requests, for example its trusted certificates or its proxy.
    /// Redirects and time-outs are set after it. With a client certificate, the client that calls APIs is
    /// changed, too, and both are created anew when the certificate is renewed.
    pub fn http(mut self, change: impl Fn(ClientBuilder) -> ClientBuilder + Send + Sync + 'static) -> Self {
        self.http.push(Box::new(change));
        self
    }

    /// Tells this observer what the source does, for metrics.
    pub fn observer(mut self, observer: impl Observer + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Requests tokens that are bound to a key (DPoP, RFC 9449). The key is generated with the source and
    /// never leaves it. `send_with` proves each request; for another HTTP library there is
    /// [`TokenSource::proof`].
    #[cfg(feature = "key-proofs")]
    pub const fn dpop(mut self) -> Self {
        self.binding = Some(crate::dpop::DpopKey::generate);
        self
    }

    /// Checks everything that was given.
    pub fn build(self) -> Result<TokenSource, ConfigError> {
        let binding = self.binding.map(|generate| generate()).transpose();
        let binding = binding.map_err(|error| ConfigError::Key(error.to_string()))?;
        let server = AuthorizationServer::new(self.issuer, self.endpoints, self.allow_plain_http)?;
        let client_id = self.client_id.filter(|id| !id.is_empty());
        let client_id = client_id
            .ok_or_else(|| ConfigError::missing("client_id", "it is the client's name at the server"))?;
        let credential = self.credential.ok_or_else(|| {
            ConfigError::missing("credential", "give a `Secret`, or another proof of the client")
        })?;
        let http = HttpPool::new(self.http, server.is_on_this_machine());
        let exchange = Exchange {
            http: http.map_err(|error| ConfigError::Http(error.to_string()))?,
            server,
            client_id,
            credential,
            binding,
            observer: self.observer,
            assumed_lifetime: self.assumed_lifetime,
            allow_plain_http: self.allow_plain_http,
            clock_difference: AtomicI64::new(0),
        };
        let client = SourceState {
            exchange: exchange.into(),
            clock: Clocks::new(),
            timeout: self.timeout,
            max_cached: self.max_cached.max(1),
            entries: Mutex::default(),
        };
        TokenSource::new(client, self.request)
    }
}

impl TokenSource {
    /// Begins the configuration of a source.
    pub fn builder() -> Builder {
        Builder::default()
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Secret;

    #[test]
    fn configuration_errors_say_what_to_do() {
        let without_credential = || TokenSource::builder().issuer("https://id.example.com").client_id("me");
        let whole = || without_credential().credential(Secret::value("s"));
        assert!(whole().build().is_ok());
        let refused = |builder: Builder| builder.build().unwrap_err().to_string();
        let both = whole().token_endpoint("https://x.example");
        let in_clear = "issuer `http://id.example.com` is not https; plain http is for this machine only, unless `allow_plain_http` is set";
        for (builder, message) in [
            (TokenSource::builder(), "issuer is missing: give the issuer's URL, or `token_endpoint`"),
            (both, "issuer and token_endpoint exclude each other: leave one out"),
            (whole().client_id(""), "client_id is missing: it is the client's name at the server"),
            (without_credential(), "credential is missing: give a `Secret`, or another proof of the client"),
            (
                whole().issuer("id.example.com"),
                "issuer `id.example.com` is no URL: relative URL without a base",
            ),
            (whole().issuer("http://id.example.com"), in_clear),
        ] {
            assert_eq!(refused(builder), message);
        }
        assert!(whole().issuer("http://id.example.com").allow_plain_http().build().is_ok());
    }
}
