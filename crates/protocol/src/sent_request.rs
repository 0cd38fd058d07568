//! Where the parameters of an authorization request are: in its query, in a pushed request, or in a
//! request object. With a pushed request or a request object, the server ignores all parameters of
//! the query except `client_id` (RFC 9101 §5, RFC 9126 §4).

use serde::Serialize;

use crate::{AuthorizationError, Form};

/// The prefix of the request URIs of pushed requests (RFC 9126 §2.2).
const PUSHED: &str = "urn:ietf:params:oauth:request_uri:";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentRequest {
    /// Always in the query.
    pub client_id: String,
    pub source: RequestSource,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestSource {
    Parameters,
    /// A pushed request of this server. The text is the request URI without its prefix.
    Pushed(String),
    /// A request URI of another server.
    Elsewhere,
    Object(String),
}

impl SentRequest {
    /// # Errors `invalid_request` when `client_id` is missing, when a parameter is repeated, or
    /// when the request has both `request` and `request_uri` (OpenID Connect Core §6.1).
    pub fn take(form: &mut Form<'_>) -> Result<Self, AuthorizationError> {
        let client_id = form.require("client_id")?.into_owned();
        Ok(Self { client_id, source: RequestSource::take(form)? })
    }
}

impl RequestSource {
    /// # Errors The errors of [`SentRequest::take`].
    pub fn take(form: &mut Form<'_>) -> Result<Self, AuthorizationError> {
        let uri = form.take("request_uri")?;
        let object = form.take("request")?;
        match (uri, object) {
            (None, None) => Ok(Self::Parameters),
            (Some(_), Some(_)) => {
                Err(AuthorizationError::invalid_request("Both request and request_uri were sent"))
            }
            (None, Some(object)) => Ok(Self::Object(object.into_owned())),
            (Some(uri), None) => {
                let reference = uri.strip_prefix(PUSHED).map(str::to_owned);
                Ok(reference.map_or(Self::Elsewhere, Self::Pushed))
            }
        }
    }
}

/// The answer to a pushed authorization request (RFC 9126 §2.2).
#[derive(Debug, Serialize)]
pub struct PushedResponse {
    /// The client passes this URI to the authorization endpoint.
    pub request_uri: String,
    /// Seconds.
    pub expires_in: u64,
}

impl PushedResponse {
    #[must_use]
    pub fn new(reference: &str, expires_in: u64) -> Self {
        Self { request_uri: format!("{PUSHED}{reference}"), expires_in }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // [core RFC 9101 §5]
    #[test]
    fn a_request_has_one_source() {
        let take = |query: &str| {
            let sent = SentRequest::take(&mut Form::parse(query.as_bytes()).unwrap());
            sent.map(|sent| sent.source).map_err(|refused| refused.description)
        };
        let pushed = PushedResponse::new("3abc", 60).request_uri;
        let both = format!("client_id=a&request=a.b.c&request_uri={pushed}");
        for (query, expected) in [
            ("client_id=web&state=s".to_owned(), Ok(RequestSource::Parameters)),
            ("client_id=web&request=a.b.c".to_owned(), Ok(RequestSource::Object("a.b.c".to_owned()))),
            (format!("client_id=web&request_uri={pushed}"), Ok(RequestSource::Pushed("3abc".to_owned()))),
            ("client_id=web&request_uri=https://a.example/r".to_owned(), Ok(RequestSource::Elsewhere)),
            ("request=a.b.c".to_owned(), Err("Missing client_id parameter")),
            ("client_id=a&client_id=a".to_owned(), Err("Parameter client_id was sent more than once")),
            (both, Err("Both request and request_uri were sent")),
        ] {
            assert_eq!(take(&query), expected.map_err(Into::into), "{query}");
        }
    }
}
