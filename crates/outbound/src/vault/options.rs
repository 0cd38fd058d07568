//! The checks of the options of Vault, and the HTTP client for them.

use std::time::Duration;

use reqwest::{Certificate, redirect};
use url::Url;
use vaultrs::api::EndpointMiddleware;
use vaultrs::client::{VaultClient, VaultClientSettingsBuilder};

use crate::{OptionsError, ServiceUrl, VaultOptions};

const TO_CONNECT: Duration = Duration::from_secs(1);
/// The timeout of one attempt.
const TO_ANSWER: Duration = Duration::from_secs(3);

impl VaultOptions {
    /// The library copies these values into paths and headers unchecked and panics if they do not fit.
    pub(super) fn check(&self) -> Result<ServiceUrl, OptionsError> {
        check_name("transit_key", &self.transit_key, false)?;
        check_name("mount", &self.mount, true)?;
        if let Some(namespace) = &self.namespace {
            check_name("namespace", namespace, true)?;
        }
        ServiceUrl::parse("vault.address", &self.address)
    }

    /// Builds the client by hand: the library's own builder follows redirects, connects with a long timeout and reads
    /// the environment.
    pub(super) fn client(&self, address: &Url) -> Result<VaultClient, OptionsError> {
        let http = reqwest::Client::builder()
            .tls_backend_rustls()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(TO_CONNECT)
            .timeout(TO_ANSWER);
        let http = match (address.scheme(), &self.ca) {
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
        let middle = EndpointMiddleware {
            token: self.token.find()?.expose().to_owned(),
            version: "v1".to_owned(),
            wrap: None,
            namespace: self.namespace.clone(),
        };
        let http = rustify::clients::reqwest::Client::new(address.as_str(), http);
        Ok(VaultClient { http, middle, settings })
    }
}

fn check_name(what: &'static str, name: &str, may_have_parts: bool) -> Result<(), OptionsError> {
    let is_plain = |part: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        !part.is_empty() && part != "." && part != ".." && part.bytes().all(plain)
    };
    let fits = if may_have_parts { name.split('/').all(is_plain) } else { is_plain(name) };
    if fits { Ok(()) } else { Err(OptionsError::Name { what, name: name.to_owned() }) }
}
