//! The request of a load, as text for one exchange and as a script for wrk.

use std::fmt::Write as _;
use std::path::Path;

use super::endpoints::{Endpoints, PeoplesEndpoints};
use super::proofs::Proof;

/// `bench:bench-client-secret` in base64. The server hashes a chosen secret once and caches the result, so it
/// costs as much as a generated one.
const BASIC_CREDENTIALS: &str = "YmVuY2g6YmVuY2gtY2xpZW50LXNlY3JldA==";

/// `bench-web:bench-client-secret`.
const WEB_CREDENTIALS: &str = "YmVuY2gtd2ViOmJlbmNoLWNsaWVudC1zZWNyZXQ=";

const FORM: &str = "application/x-www-form-urlencoded";

const DPOP: &str = "DPoP";

pub(super) struct Request {
    method: &'static str,
    pub(super) path: &'static str,
    headers: Vec<(&'static str, String)>,
    body: String,
    /// The proof that each sending makes anew.
    pub(super) proof: Option<Proof>,
}

impl Request {
    pub(super) fn health(endpoints: Endpoints) -> Self {
        Self { method: "GET", path: endpoints.health, headers: Vec::new(), body: String::new(), proof: None }
    }

    pub(super) fn token(endpoints: Endpoints) -> Self {
        Self::post(endpoints.token, "grant_type=client_credentials&scope=api:read".to_owned())
    }

    /// Requests the JWKS, or only a newer one than that with this entity tag.
    pub(super) fn jwks(endpoints: Endpoints, tag: Option<String>) -> Self {
        let headers = tag.into_iter().map(|tag| ("If-None-Match", tag)).collect();
        Self { method: "GET", path: endpoints.jwks, headers, body: String::new(), proof: None }
    }

    pub(super) fn introspection(endpoints: Endpoints, token: &str) -> Self {
        Self::post(endpoints.introspection, format!("token={token}"))
    }

    /// Requests a token with an API key in place of the secret, like a library that demands a client id.
    pub(super) fn token_for_api_key(endpoints: Endpoints, key: &str) -> Self {
        let body =
            format!("grant_type=client_credentials&scope=api:read&client_id=bench&client_secret={key}");
        Self::post(endpoints.token, body).without_authorization()
    }

    /// Requests a token with an assertion instead of a secret, which the sending adds.
    pub(super) fn token_for_assertion(endpoints: Endpoints, proof: Proof) -> Self {
        let body = "grant_type=client_credentials&scope=api:read\
                    &client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer&client_assertion=";
        let request = Self::post(endpoints.token, body.to_owned()).without_authorization();
        Self { proof: Some(proof), ..request }
    }

    /// Requests a token that is bound to the key of a DPoP proof.
    pub(super) fn bound_token(endpoints: Endpoints) -> Self {
        let url = "http://127.0.0.1:3000/api/v1/tenant/bench/oauth/token";
        Self { proof: Some(Proof::Dpop { method: "POST", url, token: None }), ..Self::token(endpoints) }
    }

    /// Presents such a token.
    pub(super) fn resource(endpoints: Endpoints, token: String) -> Self {
        let url = "http://127.0.0.1:3000/api/v1/protected-resource";
        let headers = vec![("Authorization", format!("DPoP {token}"))];
        let proof = Some(Proof::Dpop { method: "GET", url, token: Some(token) });
        Self { method: "GET", path: endpoints.resource, headers, body: String::new(), proof }
    }

    /// Navigates to the authorization endpoint, in a browser with these cookies.
    pub(super) fn authorization(path: &'static str, cookies: &str) -> Self {
        let headers = vec![("Cookie", cookies.to_owned())];
        Self { method: "GET", path, headers, body: String::new(), proof: None }
    }

    /// Sends the form of the page of a sign-in.
    pub(super) fn sign_in(endpoints: PeoplesEndpoints, cookies: String, form: String) -> Self {
        let headers = vec![
            ("Content-Type", FORM.to_owned()),
            ("Cookie", cookies),
            ("Origin", "http://127.0.0.1:3000".to_owned()),
            ("Accept", "text/html".to_owned()),
        ];
        Self { method: "POST", path: endpoints.sign_in, headers, body: form, proof: None }
    }

    /// Redeems a code, which the sending adds.
    pub(super) fn redemption(endpoints: Endpoints, code: Proof) -> Self {
        let body =
            "grant_type=authorization_code&redirect_uri=http://127.0.0.1:3001/callback&code=".to_owned();
        let mut request = Self::post(endpoints.token, body);
        request.headers[0].1 = format!("Basic {WEB_CREDENTIALS}");
        Self { proof: Some(code), ..request }
    }

    /// Refreshes with this token, or with one that the sending adds.
    pub(super) fn refresh(endpoints: Endpoints, token: &str, proof: Option<Proof>) -> Self {
        let body = format!("grant_type=refresh_token&refresh_token={token}");
        let mut request = Self::post(endpoints.token, body);
        request.headers[0].1 = format!("Basic {WEB_CREDENTIALS}");
        Self { proof, ..request }
    }

    pub(super) fn userinfo(endpoints: PeoplesEndpoints, token: &str) -> Self {
        let headers = vec![("Authorization", format!("Bearer {token}"))];
        Self { method: "GET", path: endpoints.userinfo, headers, body: String::new(), proof: None }
    }

    fn post(path: &'static str, body: String) -> Self {
        let headers = vec![
            ("Authorization", format!("Basic {BASIC_CREDENTIALS}")),
            ("Content-Type", FORM.to_owned()),
            ("Accept", "application/json".to_owned()),
        ];
        Self { method: "POST", path, headers, body, proof: None }
    }

    fn without_authorization(mut self) -> Self {
        self.headers.retain(|(name, _)| *name != "Authorization");
        self
    }

    /// The request with a proof that was signed for it.
    pub(super) fn with_proof(&self, signed: &str) -> Self {
        let (mut headers, mut body) = (self.headers.clone(), self.body.clone());
        match &self.proof {
            Some(Proof::Assertion | Proof::Workload | Proof::Code(_) | Proof::RefreshToken(_)) => {
                body.push_str(signed);
            }
            Some(Proof::Dpop { .. }) => headers.push((DPOP, signed.to_owned())),
            None => {}
        }
        Self { method: self.method, path: self.path, headers, body, proof: None }
    }

    /// The text of the request, the last one of its connection.
    pub(super) fn http(&self, host: impl std::fmt::Display) -> String {
        let Self { method, path, headers, body, proof: _ } = self;
        let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
        for (name, value) in headers {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        let _ = write!(text, "Content-Length: {}\r\n\r\n{body}", body.len());
        text
    }

    /// Makes wrk send this request, with the proofs in a file if it needs them. Rust's escapes of
    /// ASCII strings are Lua's, too.
    pub(super) fn script(&self, proofs: &Path) -> String {
        let mut script = format!("wrk.method = {:?}\nwrk.body = {:?}\n", self.method, self.body);
        for (name, value) in &self.headers {
            let _ = writeln!(script, "wrk.headers[{name:?}] = {value:?}");
        }
        let sent = match &self.proof {
            None => return script,
            Some(Proof::Assertion | Proof::Workload | Proof::Code(_) | Proof::RefreshToken(_)) => {
                "return wrk.format(nil, nil, nil, body .. proof)".to_owned()
            }
            Some(Proof::Dpop { .. }) => format!("wrk.headers[{DPOP:?}] = proof; return wrk.format()"),
        };
        // After the last one the server refuses the request, and the figures of the load show that.
        if matches!(self.proof, Some(Proof::RefreshToken(_))) {
            // Each answer has the next one.
            let _ = write!(
                script,
                "local waiting, body = {{}}, wrk.body\nfor line in io.lines({proofs:?}) do waiting[#waiting + 1] = line end\n\
                 request = function() local proof = table.remove(waiting, 1) or \"none\"; {sent} end\n\
                 response = function(status, headers, answer)\n  \
                   waiting[#waiting + 1] = string.match(answer, '\"refresh_token\":\"([^\"]+)\"')\nend\n"
            );
            return script;
        }
        let _ = write!(
            script,
            "local proofs, body = io.lines({proofs:?}), wrk.body\n\
             request = function() local proof = proofs() or \"none\"; {sent} end\n"
        );
        script
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEOPLE: PeoplesEndpoints =
        PeoplesEndpoints { authorization: "/authorize", sign_in: "/sign-in", userinfo: "/userinfo" };
    const ENDPOINTS: Endpoints = Endpoints {
        health: "/",
        token: "/token",
        jwks: "/jwks",
        introspection: "/introspect",
        resource: "/resource",
        people: PEOPLE,
    };

    #[test]
    fn a_request_is_sent_alike_once_and_under_load() {
        let request = Request::jwks(ENDPOINTS, Some("\"a\"".to_owned()));
        let expected = "GET /jwks HTTP/1.1\r\nHost: h\r\nConnection: close\r\nIf-None-Match: \"a\"\r\n\
                        Content-Length: 0\r\n\r\n";
        assert_eq!(request.http("h"), expected);
        assert!(request.script(Path::new("")).contains(r#"wrk.headers["If-None-Match"] = "\"a\"""#));

        let request = Request::introspection(ENDPOINTS, "e.e.e");
        assert!(request.http("h").ends_with("Content-Length: 11\r\n\r\ntoken=e.e.e"));
        assert!(request.script(Path::new("")).contains("wrk.body = \"token=e.e.e\""));

        let request = Request::token_for_api_key(ENDPOINTS, "lkk_a");
        assert!(request.http("h").ends_with("&client_id=bench&client_secret=lkk_a"));
        assert!(!request.http("h").contains("Authorization"));

        let request = Request::token_for_assertion(ENDPOINTS, Proof::Assertion);
        assert!(request.with_proof("e.e.e").http("h").ends_with("&client_assertion=e.e.e"));
        assert!(!request.script(Path::new("a")).contains("Authorization"));
        assert!(request.script(Path::new("a")).contains(r#"io.lines("a")"#));

        let request = Request::resource(ENDPOINTS, "t.t.t".to_owned());
        let sent = request.with_proof("e.e.e").http("h");
        assert!(sent.contains("\r\nAuthorization: DPoP t.t.t\r\nDPoP: e.e.e\r\n"));
        assert!(request.script(Path::new("a")).contains(r#"wrk.headers["DPoP"] = proof"#));
    }
}
