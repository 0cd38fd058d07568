//! The requests of a measurement, and the expected answers.

use clap::ValueEnum;

use super::algorithm::Algorithm;
use super::exchange::{Answer, exchange};
use super::people;
use super::proofs::{Proof, Proofs};
use super::request::Request;
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
    /// The JWKS, answered 200
    Jwks,
    /// The JWKS with If-None-Match, answered 304
    NotModified,
    /// Introspection of an own RS256 token
    Introspection,
    /// Tokens signed with ES256 for an API key, beside those for a secret
    ApiKey,
    /// Introspection of an own API key, beside that of an RS256 token
    ApiKeyIntrospection,
    /// Tokens signed with ES256 for an ES256 assertion
    Assertion,
    /// Tokens signed with ES256 for an ES256 assertion of another issuer, by a rule of the client
    Federated,
    /// A protected resource with an ES256 token that is bound to the key of an ES256 DPoP proof
    Dpop,
    /// Sign-ins of a person by password: from the form to the page that leads to the client
    SignIn,
    /// RS256 tokens, with an ID token, for the codes of a person
    Redemption,
    /// RS256 tokens, with an ID token, for a refresh token that stays as it is
    Refresh,
    /// RS256 tokens, with an ID token, for refresh tokens that change with each use
    Rotation,
    /// The claims about a person, for an RS256 token
    Userinfo,
    /// ES256 tokens over kept TLS connections
    Tls,
    /// ES256 tokens, each over a new TLS connection that resumes a session
    TlsResumption,
}

/// Which times of a workload are measured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Times {
    /// The figures at each number of connections, with a goal.
    Compared,
    /// The figures at the lowest number of connections, without a goal.
    Shown,
    /// The figures at a number of connections that does not fill the queue for passwords of one source,
    /// without a goal.
    OfPasswords,
}

/// How the requests arrive.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    Http,
    Tls,
    TlsResumption,
}

impl Workload {
    pub(super) const CONNECTIONS_WITH_PASSWORDS: u32 = 4;

    pub(super) const ALL: [Self; 18] = [
        Self::Rs256,
        Self::Es256,
        Self::EdDsa,
        Self::Jwks,
        Self::NotModified,
        Self::Introspection,
        Self::ApiKey,
        Self::ApiKeyIntrospection,
        Self::Assertion,
        Self::Federated,
        Self::Dpop,
        Self::SignIn,
        Self::Redemption,
        Self::Refresh,
        Self::Rotation,
        Self::Userinfo,
        Self::Tls,
        Self::TlsResumption,
    ];

    /// The name in tables and of the folder.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256 token",
            Self::Es256 => "ES256 token",
            Self::EdDsa => "EdDSA token",
            Self::Jwks => "JWKS 200",
            Self::NotModified => "JWKS 304",
            Self::Introspection => "introspection",
            Self::ApiKey => "ES256 token for an API key",
            Self::ApiKeyIntrospection => "introspection of an API key",
            Self::Assertion => "ES256 token for an assertion",
            Self::Federated => "ES256 token for an assertion of an issuer",
            Self::Dpop => "resource with DPoP",
            Self::SignIn => "sign-in",
            Self::Redemption => "redemption of a code",
            Self::Refresh => "refresh",
            Self::Rotation => "refresh with rotation",
            Self::Userinfo => "userinfo",
            Self::Tls => "ES256 token over TLS",
            Self::TlsResumption => "ES256 token, TLS resumed",
        }
    }

    /// The algorithm of the tenant's key.
    pub(super) fn algorithm(self) -> Algorithm {
        match self {
            Self::Rs256
            | Self::Jwks
            | Self::NotModified
            | Self::Introspection
            | Self::ApiKeyIntrospection
            | Self::SignIn
            | Self::Redemption
            | Self::Refresh
            | Self::Rotation
            | Self::Userinfo => Algorithm::Rs256,
            Self::Es256
            | Self::ApiKey
            | Self::Assertion
            | Self::Federated
            | Self::Dpop
            | Self::Tls
            | Self::TlsResumption => Algorithm::Es256,
            Self::EdDsa => Algorithm::EdDsa,
        }
    }

    /// Whether the tenant's refresh tokens change with each use.
    pub(super) fn rotation(self) -> &'static str {
        if self == Self::Rotation { "always" } else { "never" }
    }

    pub(super) fn transport(self) -> Transport {
        match self {
            Self::Tls => Transport::Tls,
            Self::TlsResumption => Transport::TlsResumption,
            _ => Transport::Http,
        }
    }

    pub(super) fn times(self) -> Times {
        match self {
            Self::SignIn => Times::OfPasswords,
            Self::Redemption
            | Self::Refresh
            | Self::Rotation
            | Self::Userinfo
            | Self::ApiKey
            | Self::ApiKeyIntrospection
            | Self::Tls
            | Self::TlsResumption => Times::Shown,
            _ => Times::Compared,
        }
    }

    /// The workload that differs only in its credential or its token. The platform answers it, too, in the
    /// same rounds, under this name.
    pub(super) fn base(self) -> Option<(&'static str, Self)> {
        match self {
            Self::ApiKey => Some(("latchkey, for a secret", Self::Es256)),
            Self::ApiKeyIntrospection => Some(("latchkey, of an RS256 token", Self::Introspection)),
            _ => None,
        }
    }

    /// Peers have no TLS listener here, and no API keys.
    pub(super) fn concerns_peers(self) -> bool {
        self.transport() == Transport::Http && self.base().is_none()
    }

    /// Whether each answer contains one token.
    pub(super) fn signs(self) -> bool {
        matches!(
            self,
            Self::Rs256
                | Self::Es256
                | Self::EdDsa
                | Self::ApiKey
                | Self::Assertion
                | Self::Federated
                | Self::Tls
                | Self::TlsResumption
        )
    }

    /// The request for this server, which has issued this token.
    pub(super) fn request(
        self,
        server: &Server,
        token: &str,
        proofs: &Proofs<'_>,
    ) -> Result<Request, Failure> {
        let endpoints = server.endpoints();
        Ok(match self {
            Self::Rs256 | Self::Es256 | Self::EdDsa | Self::Tls | Self::TlsResumption => {
                Request::token(endpoints)
            }
            Self::Jwks => Request::jwks(endpoints, None),
            Self::NotModified => {
                let answer =
                    exchange(server.address(), &Request::jwks(endpoints, None)).doing("get the JWKS")?;
                let tag = answer.header("etag").ok_or_else(|| Failure::new("the JWKS has no ETag"))?;
                Request::jwks(endpoints, Some(tag.to_owned()))
            }
            Self::Introspection => Request::introspection(endpoints, token),
            // The bare handler has no API keys, and answers the base.
            Self::ApiKey => match server.make_api_key(proofs.workspace)? {
                Some(key) => Request::token_for_api_key(endpoints, &key),
                None => Request::token(endpoints),
            },
            Self::ApiKeyIntrospection => {
                let key = server.make_api_key(proofs.workspace)?;
                Request::introspection(endpoints, key.as_deref().unwrap_or(token))
            }
            Self::Assertion => Request::token_for_assertion(endpoints, Proof::Assertion),
            Self::Federated => Request::token_for_assertion(endpoints, Proof::Workload),
            Self::SignIn => people::sign_in(server)?,
            Self::Redemption => people::redemption(server)?,
            Self::Refresh => people::refresh(server)?,
            Self::Rotation => people::rotation(server)?,
            Self::Userinfo => people::userinfo(server)?,
            Self::Dpop => {
                let answer = sent(server, &Request::bound_token(endpoints), proofs)?;
                let token = answer.access_token(self.algorithm());
                let no_token = || Failure::new(format!("no token for a DPoP proof:\n{}", answer.0));
                Request::resource(endpoints, token.ok_or_else(no_token)?)
            }
        })
    }

    /// Fails unless the server answers as expected: wrk counts statuses only, and 304 and 200 alike.
    pub(super) fn check(
        self,
        server: &Server,
        request: &Request,
        proofs: &Proofs<'_>,
    ) -> Result<(), Failure> {
        let answer = sent(server, request, proofs)?;
        if self.accepts(&answer) {
            return Ok(());
        }
        Err(Failure::new(format!("{}: unexpected answer:\n{}", self.title(), answer.0)))
    }

    fn accepts(self, answer: &Answer) -> bool {
        match self {
            Self::Rs256
            | Self::Es256
            | Self::EdDsa
            | Self::ApiKey
            | Self::Assertion
            | Self::Federated
            | Self::Tls
            | Self::TlsResumption => answer.access_token(self.algorithm()).is_some(),
            Self::SignIn => people::is_signed_in(answer),
            Self::Redemption | Self::Refresh => self.accepts_tokens(answer),
            Self::Rotation => self.accepts_tokens(answer) && answer.member("refresh_token").is_some(),
            Self::Userinfo => answer.status() == 200 && answer.member("sub").is_some(),
            Self::Jwks => {
                let keys = answer.member("keys").filter(|_| answer.status() == 200);
                keys.is_some_and(|keys| keys.as_array().is_some_and(|keys| !keys.is_empty()))
            }
            Self::Dpop => answer.status() == 200 && answer.member("data").is_some(),
            Self::NotModified => answer.status() == 304,
            Self::Introspection | Self::ApiKeyIntrospection => {
                answer.status() == 200 && answer.member("active").is_some_and(|active| active == true)
            }
        }
    }

    /// An access token and an ID token.
    fn accepts_tokens(self, answer: &Answer) -> bool {
        answer.access_token(self.algorithm()).is_some() && answer.member("id_token").is_some()
    }
}

/// Sends the request once, with a new proof if it needs one.
fn sent(server: &Server, request: &Request, proofs: &Proofs<'_>) -> Result<Answer, Failure> {
    let answer = match &request.proof {
        Some(proof) => exchange(server.address(), &request.with_proof(proofs.sign(proof, 1)?.trim_end())),
        None => exchange(server.address(), request),
    };
    answer.doing("send the request of the load")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(workload: Workload, status: &str, body: &str, expected: bool) {
        let answer = Answer(format!("HTTP/1.1 {status}\r\n\r\n{body}"));
        assert_eq!(workload.accepts(&answer), expected, "{}: {status} {body}", workload.title());
    }

    #[test]
    fn another_answer_is_not_measured() {
        let token = |signature: usize| format!(r#"{{"access_token":"eyJh.eyJp.{}"}}"#, "A".repeat(signature));
        check(Workload::Rs256, "200 OK", &token(342), true);
        check(Workload::Rs256, "200 OK", &token(86), false);
        check(Workload::Rs256, "401 Unauthorized", &token(342), false);
        check(Workload::Es256, "200 OK", &token(86), true);
        check(Workload::EdDsa, "200 OK", r#"{"access_token":"opaque"}"#, false);
        check(Workload::Jwks, "200 OK", r#"{"keys":[{"kid":"1"}]}"#, true);
        check(Workload::Jwks, "200 OK", r#"{"keys":[]}"#, false);
        check(Workload::NotModified, "304 Not Modified", "", true);
        check(Workload::Dpop, "200 OK", r#"{"data":"x"}"#, true);
        check(Workload::Redemption, "200 OK", &token(342), false);
        let two = token(342).replace('}', r#","id_token":"e"}"#);
        check(Workload::Refresh, "200 OK", &two, true);
        check(Workload::Rotation, "200 OK", &two, false);
        check(Workload::Userinfo, "200 OK", r#"{"sub":"usr_a"}"#, true);
        check(Workload::Userinfo, "403 Forbidden", r#"{"error":"insufficient_scope"}"#, false);
        check(Workload::Dpop, "401 Unauthorized", r#"{"error":"invalid_token"}"#, false);
        check(Workload::NotModified, "200 OK", r#"{"keys":[{"kid":"1"}]}"#, false);
        check(Workload::Introspection, "200 OK", r#"{"active":true}"#, true);
        check(Workload::Introspection, "200 OK", r#"{"active":false}"#, false);
    }
}
