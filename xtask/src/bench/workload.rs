//! The requests of a measurement, and the expected answers.

use clap::ValueEnum;

use super::request::{Answer, Request};
use super::server::Server;
use crate::workspace::{Doing, Failure};

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Workload {
    /// Tokens signed with RS256 (2048 bits)
    Rs256,
    /// Tokens signed with ES256
    Es256,
    /// Tokens signed with EdDSA (Ed25519)
    #[value(name = "eddsa")]
    EdDsa,
    /// Identical requests within their window of reuse, with EdDSA
    Reuse,
    /// Opaque tokens
    Opaque,
    /// The JWKS, answered 200
    Jwks,
    /// The JWKS with If-None-Match, answered 304
    NotModified,
    /// Introspection of an own RS256 token
    Introspection,
    /// Forward authentication with an RS256 token
    ForwardAuth,
}

impl Workload {
    pub(super) const ALL: [Self; 9] = [
        Self::Rs256,
        Self::Es256,
        Self::EdDsa,
        Self::Reuse,
        Self::Opaque,
        Self::Jwks,
        Self::NotModified,
        Self::Introspection,
        Self::ForwardAuth,
    ];

    /// The name in tables and of the folder.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256 token",
            Self::Es256 => "ES256 token",
            Self::EdDsa => "EdDSA token",
            Self::Reuse => "reused token",
            Self::Opaque => "opaque token",
            Self::Jwks => "JWKS 200",
            Self::NotModified => "JWKS 304",
            Self::Introspection => "introspection",
            Self::ForwardAuth => "forward authentication",
        }
    }

    /// The algorithm of the tenant's key (RFC 7518 §3.1, RFC 8037 §3.1).
    pub(super) fn algorithm(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa | Self::Reuse | Self::Opaque => "EdDSA",
            Self::Rs256 | Self::Jwks | Self::NotModified | Self::Introspection | Self::ForwardAuth => "RS256",
        }
    }

    /// More settings of the tenant's tokens.
    pub(super) fn access_token(self) -> &'static str {
        match self {
            Self::Reuse => "format: jwt, reuse: 50%",
            Self::Opaque => "format: opaque",
            _ => "format: jwt",
        }
    }

    /// Whether the bare handler answers token requests with a fixed body of the same size.
    pub(super) fn is_static(self) -> bool {
        matches!(self, Self::Reuse | Self::Opaque)
    }

    /// The smallest share of the bare handler's rate that is good enough. `None` for opaque tokens, whose
    /// goal is a share of the rate of EdDSA.
    pub(super) fn goal(self) -> Option<f64> {
        Some(match self {
            Self::Rs256 => 0.98,
            Self::Es256 | Self::Jwks | Self::NotModified => 0.90,
            Self::EdDsa => 0.88,
            Self::Introspection | Self::ForwardAuth => 0.85,
            Self::Reuse => 0.60,
            Self::Opaque => return None,
        })
    }

    /// The smallest rate that is good enough, as a multiple of the rate of EdDSA tokens.
    pub(super) fn goal_over_eddsa(self) -> Option<f64> {
        match self {
            Self::Reuse => Some(1.4),
            Self::Opaque => Some(1.3),
            _ => None,
        }
    }

    /// Whether each answer contains one token.
    pub(super) fn signs(self) -> bool {
        matches!(self, Self::Rs256 | Self::Es256 | Self::EdDsa)
    }

    /// The request for this server, which has issued this token.
    pub(super) fn request(self, server: &Server, token: &str) -> Result<Request, Failure> {
        Ok(match self {
            Self::Rs256 | Self::Es256 | Self::EdDsa | Self::Reuse | Self::Opaque => Request::token(),
            Self::Jwks => Request::jwks(None),
            Self::NotModified => {
                let answer = Request::jwks(None).send(server.address).doing("get the JWKS")?;
                let tag = answer.header("etag").ok_or_else(|| Failure::new("the JWKS has no ETag"))?;
                Request::jwks(Some(tag))
            }
            Self::Introspection => Request::introspection(token),
            Self::ForwardAuth => Request::forward_auth(token),
        })
    }

    /// Fails unless the server answers as expected: wrk counts statuses only, and 304 and 200 alike.
    pub(super) fn check(self, server: &Server, request: &Request) -> Result<(), Failure> {
        let answer = request.send(server.address).doing("send the request of the load")?;
        if self.accepts(&answer) {
            return Ok(());
        }
        Err(Failure::new(format!("{}: unexpected answer:\n{}", self.title(), answer.0)))
    }

    /// The token in the answer, if it has the expected form.
    pub(super) fn token(self, answer: &Answer) -> Option<String> {
        let token = answer.member("access_token")?.as_str()?.to_owned();
        let signature = if self.algorithm() == "RS256" { 342 } else { 86 };
        let lengths: Vec<usize> = token.split('.').map(str::len).collect();
        let is_signed = matches!(lengths[..], [_, _, length] if length == signature);
        (is_signed || self == Self::Opaque).then_some(token)
    }

    fn accepts(self, answer: &Answer) -> bool {
        match self {
            Self::Rs256 | Self::Es256 | Self::EdDsa | Self::Reuse | Self::Opaque => {
                self.token(answer).is_some()
            }
            Self::Jwks => answer.member("keys").is_some_and(|keys| keys[0].is_object()),
            Self::NotModified => answer.status() == 304,
            Self::Introspection => answer.member("active").is_some_and(|active| active == true),
            Self::ForwardAuth => answer.status() == 200 && answer.header("x-auth-client") == Some("bench"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unexpected_answer_is_rejected() {
        let token = |signature: usize| format!(r#"{{"access_token":"eyJh.eyJp.{}"}}"#, "A".repeat(signature));
        for (workload, status, body, expected) in [
            (Workload::Rs256, "200 OK", &*token(342), true),
            (Workload::Rs256, "200 OK", &token(86), false),
            (Workload::Rs256, "401 Unauthorized", &token(342), false),
            (Workload::Es256, "200 OK", &token(86), true),
            (Workload::EdDsa, "200 OK", r#"{"access_token":"opaque"}"#, false),
            (Workload::Reuse, "200 OK", &token(86), true),
            (Workload::Opaque, "200 OK", r#"{"access_token":"opaque"}"#, true),
            (Workload::Opaque, "200 OK", "{}", false),
            (Workload::Jwks, "200 OK", r#"{"keys":[{"kid":"1"}]}"#, true),
            (Workload::Jwks, "200 OK", r#"{"keys":[]}"#, false),
            (Workload::NotModified, "304 Not Modified", "", true),
            (Workload::NotModified, "200 OK", r#"{"keys":[{"kid":"1"}]}"#, false),
            (Workload::Introspection, "200 OK", r#"{"active":true}"#, true),
            (Workload::Introspection, "200 OK", r#"{"active":false}"#, false),
            (Workload::ForwardAuth, "200 OK\r\nX-Auth-Client: bench", "", true),
            (Workload::ForwardAuth, "200 OK", "", false),
            (Workload::ForwardAuth, "401 Unauthorized", "", false),
        ] {
            let answer = Answer(format!("HTTP/1.1 {status}\r\n\r\n{body}"));
            assert_eq!(workload.accepts(&answer), expected, "{}: {status} {body}", workload.title());
        }
    }
}
