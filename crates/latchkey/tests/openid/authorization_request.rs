//! An authorization request as the conformance suite builds it. The parameters keep their order, and each
//! module may change them.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use secrets::random_bytes;
use url::form_urlencoded::Serializer;

use super::callback::Mode;
use super::provider::{Client, REDIRECT_URI};

#[derive(Clone, Debug)]
pub(super) struct AuthorizationRequest {
    parameters: Vec<(&'static str, String)>,
}

impl AuthorizationRequest {
    pub(super) fn new(client: Client, mode: Mode) -> Self {
        let request = Self { parameters: Vec::new() };
        let request = request.with("client_id", client.id()).with("redirect_uri", REDIRECT_URI);
        let request = request.with("scope", "openid").with("state", &random_text(10));
        let request = request.with("nonce", &random_text(10)).with("response_type", "code");
        match mode {
            Mode::Query => request,
            Mode::FormPost => request.with("response_mode", "form_post"),
        }
    }

    pub(super) fn with(self, name: &'static str, value: &str) -> Self {
        let mut request = self.without(name);
        request.parameters.push((name, value.to_owned()));
        request
    }

    pub(super) fn without(mut self, name: &str) -> Self {
        self.parameters.retain(|(known, _)| *known != name);
        self
    }

    pub(super) fn reversed(mut self) -> Self {
        self.parameters.reverse();
        self
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn client(&self) -> Client {
        let is_it = |client: &Client| self.get("client_id") == Some(client.id());
        [Client::First, Client::Second].into_iter().find(is_it).unwrap()
    }

    pub(super) fn mode(&self) -> Mode {
        if self.get("response_mode") == Some("form_post") { Mode::FormPost } else { Mode::Query }
    }

    pub(super) fn encoded(&self) -> String {
        Serializer::new(String::new()).extend_pairs(&self.parameters).finish()
    }
}

/// Returns a random text with `length` letters, digits, `-` and `_`.
pub(super) fn random_text(length: usize) -> String {
    let mut text = BASE64_URL_SAFE_NO_PAD.encode(random_bytes::<128>().as_slice());
    text.truncate(length);
    text
}
