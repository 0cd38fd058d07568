//! The answer that a client gets at its redirect URI, and the checks of the suite on it.

use std::collections::BTreeSet;

use url::Url;

use super::authorization_request::AuthorizationRequest;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Query,
    FormPost,
}

/// A request of the browser to an address of a client.
#[derive(Clone, Debug)]
pub(super) struct Callback {
    /// The address without the parameters that the suite checks.
    pub(super) uri: Url,
    pub(super) mode: Mode,
    pub(super) parameters: Vec<(String, String)>,
}

impl Callback {
    pub(super) fn by_query(mut uri: Url) -> Self {
        let pairs = uri.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned()));
        let parameters = pairs.collect();
        assert_eq!(uri.fragment(), None, "{uri}");
        uri.set_query(None);
        Self { uri, mode: Mode::Query, parameters }
    }

    /// Asserts that the address itself contains neither code nor error.
    pub(super) fn by_form(uri: Url, parameters: Vec<(String, String)>) -> Self {
        assert_eq!((uri.query(), uri.fragment()), (None, None), "{uri}");
        Self { uri, mode: Mode::FormPost, parameters }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut found = self.parameters.iter().filter(|(known, _)| known == name);
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "{name} is there twice: {self:?}");
        value
    }

    fn assert_names(&self, names: &[&str]) {
        let found: BTreeSet<_> = self.parameters.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(found, names.iter().copied().collect(), "{self:?}");
    }

    fn assert_answers(&self, request: &AuthorizationRequest, issuer: &str) {
        assert_eq!((self.mode, self.uri.as_str()), (request.mode(), request.get("redirect_uri").unwrap()));
        assert_eq!(self.get("state"), request.get("state"));
        assert_eq!(self.get("iss"), Some(issuer));
    }

    /// Returns the code. Fails if the answer has none.
    pub(super) fn code(&self, request: &AuthorizationRequest, issuer: &str) -> &str {
        assert_eq!(self.get("error"), None, "{self:?}");
        self.assert_answers(request, issuer);
        self.assert_names(&["code", "state", "iss"]);
        let code = self.get("code").unwrap();
        assert!(code.len() * 6 >= 128, "{} characters", code.len());
        assert!(entropy(code) >= 96.0, "{} bits", entropy(code));
        code
    }

    /// Returns the error. Fails if the answer has none (`iss` is defined by RFC 9207).
    pub(super) fn error(&self, request: &AuthorizationRequest, issuer: &str) -> &str {
        self.assert_answers(request, issuer);
        self.assert_names(&["error", "error_description", "state", "iss"]);
        let is_allowed = |byte: u8| matches!(byte, 0x20 | 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        assert!(self.get("error_description").unwrap().bytes().all(is_allowed), "{self:?}");
        self.get("error").unwrap()
    }
}

/// The entropy of a text in bits, by the frequency of its characters (Shannon).
#[expect(clippy::cast_precision_loss, reason = "a code has some forty characters")]
fn entropy(text: &str) -> f64 {
    let length = text.len() as f64;
    let kinds: BTreeSet<_> = text.chars().collect();
    let of = |kind: char| {
        let count = text.chars().filter(|character| *character == kind).count() as f64;
        -count * (count / length).log2()
    };
    kinds.into_iter().map(of).sum()
}
