//! The connection to one Vault, for its keys and its secrets: the address, the namespace and the HTTP client.

use std::time::Duration;

use reqwest::{Certificate, redirect};
use rustify::clients::reqwest::Client as HttpClient;
use values::Secret;
use vaultrs::api::EndpointMiddleware;
use vaultrs::client::{VaultClient, VaultClientSettings, VaultClientSettingsBuilder};

use crate::{OptionsError, ServiceUrl};

const TO_CONNECT: Duration = Duration::from_secs(1);
/// The timeout of one attempt.
const TO_ANSWER: Duration = Duration::from_secs(3);

/// An address that was checked, and the client for it. No request is sent before the first use.
pub(crate) struct VaultConnection {
    address: ServiceUrl,
    namespace: Option<String>,
    http: reqwest::Client,
    settings: VaultClientSettings,
}

impl VaultConnection {
    /// Builds the client by hand: the library's own builder follows redirects, connects with a long timeout
    /// and reads the environment.
    pub(crate) fn new(
        address: ServiceUrl,
        namespace: Option<String>,
        ca: Option<&[u8]>,
    ) -> Result<Self, OptionsError> {
        let http = reqwest::Client::builder()
            .tls_backend_rustls()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(TO_CONNECT)
            .timeout(TO_ANSWER);
        let http = match (address.scheme(), ca) {
            // No certificate is checked, and the machine may have none.
            ("http", _) => http.tls_certs_only([]),
            (_, None) => http.https_only(true),
            (_, Some(pem)) => {
                let trusted = Certificate::from_pem_bundle(pem)
                    .map_err(|error| OptionsError::Certificate(error.into()))?;
                if trusted.is_empty() {
                    return Err(OptionsError::NoCertificate);
                }
                http.https_only(true).tls_certs_only(trusted)
            }
        };
        let http = http.build().map_err(|error| OptionsError::Client(error.into()))?;
        // No code in use here reads it. The token is only sent with the requests.
        let settings = VaultClientSettingsBuilder::default()
            .address(address.as_str())
            .token("")
            .ca_certs(Vec::new())
            .identity(None)
            .verify(true)
            .build()
            .map_err(|_| OptionsError::Address { what: "vault.address" })?;
        Ok(Self { address, namespace, http, settings })
    }

    /// The library's client, for requests with this token.
    pub(super) fn with_token(&self, token: &Secret) -> VaultClient {
        self.client(token.expose())
    }

    /// The client for a sign-in, which has no token yet.
    pub(super) fn without_token(&self) -> VaultClient {
        self.client("")
    }

    fn client(&self, token: &str) -> VaultClient {
        let middle = EndpointMiddleware {
            token: token.to_owned(),
            version: "v1".to_owned(),
            wrap: None,
            namespace: self.namespace.clone(),
        };
        let http = HttpClient::new(self.address.as_str(), self.http.clone());
        VaultClient { http, middle, settings: self.settings.clone() }
    }
}

/// The library copies names into paths and headers unchecked and panics if they do not fit.
pub(crate) fn check_name(what: &'static str, name: &str, may_have_parts: bool) -> Result<(), OptionsError> {
    let is_plain = |part: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        !part.is_empty() && part != "." && part != ".." && part.bytes().all(plain)
    };
    let fits = if may_have_parts { name.split('/').all(is_plain) } else { is_plain(name) };
    if fits { Ok(()) } else { Err(OptionsError::Name { what, name: name.to_owned() }) }
}
