//! How a person gets a token: the page, its form, and the code in the answer.

use super::exchange::{Answer, exchange};
use super::proofs::{Browser, Proof};
use super::request::Request;
use super::server::Server;
use crate::workspace::{Doing, Failure};
use std::net::SocketAddr;

const IDENTIFIER: &str = "ada%40example.com";
const PASSWORD: &str = "bench-account-password";

/// The cookie by which a browser is known in which a person has signed in.
const KNOWN_BROWSER: &str = "lk-d=";

/// The sign-in of a person, which a page accepts again and again, because each is a new one. Those that the
/// load drops at its end count as failed attempts, so the load uses a known browser, which has more attempts.
pub(super) fn sign_in(server: &Server) -> Result<Request, Failure> {
    let answer = at(server.address(), &form(server, None)?)?;
    let cookies = cookies(&answer);
    form(server, cookies.split("; ").find(|cookie| cookie.starts_with(KNOWN_BROWSER)))
}

/// The form of a new page, with this cookie more.
fn form(server: &Server, cookie: Option<&str>) -> Result<Request, Failure> {
    let people = server.endpoints().people;
    let page = at(server.address(), &Request::authorization(people.authorization, ""))?;
    let flow = between(&page.0, r#"name="flow" value=""#, "\"").ok_or_else(|| unexpected("page", &page))?;
    let form = format!("flow={flow}&identifier={IDENTIFIER}&password={PASSWORD}");
    let cookies: Vec<_> = [cookies(&page)].into_iter().chain(cookie.map(str::to_owned)).collect();
    Ok(Request::sign_in(people, cookies.join("; "), form))
}

/// Whether the page continues to the client with a code.
pub(super) fn is_signed_in(answer: &Answer) -> bool {
    answer.status() == 200 && between(&answer.0, "code=", "&").is_some()
}

impl Browser {
    fn signed_in(server: &Server) -> Result<Self, Failure> {
        let answer = at(server.address(), &sign_in(server)?)?;
        let cookies = Some(cookies(&answer)).filter(|_| is_signed_in(&answer));
        let cookies = cookies.ok_or_else(|| unexpected("answer to a sign-in", &answer))?;
        Ok(Self { server: server.address(), endpoints: server.endpoints(), cookies })
    }

    /// A new code.
    fn code(&self) -> Result<String, Failure> {
        let navigation = Request::authorization(self.endpoints.people.authorization, &self.cookies);
        let answer = at(self.server, &navigation)?;
        let code = answer.header("location").and_then(|location| between(location, "code=", "&"));
        code.map(str::to_owned).ok_or_else(|| unexpected("answer to a navigation", &answer))
    }

    /// A member of the answer to the redemption of a new code.
    fn redeemed(&self, member: &str) -> Result<String, Failure> {
        let request = Request::redemption(self.endpoints, Proof::Code(self.clone()));
        let answer = at(self.server, &request.with_proof(&self.code()?))?;
        let token = answer.member(member).ok_or_else(|| unexpected("answer to a redemption", &answer))?;
        Ok(token.as_str().unwrap_or_default().to_owned())
    }

    /// New codes, a line each.
    pub(super) fn codes(&self, count: u32) -> Result<String, Failure> {
        (0..count).map(|_| self.code().map(|code| code + "\n")).collect()
    }

    /// New refresh tokens, a line each.
    pub(super) fn refresh_tokens(&self, count: u32) -> Result<String, Failure> {
        (0..count).map(|_| self.redeemed("refresh_token").map(|token| token + "\n")).collect()
    }
}

/// The redemption of the codes of a person who has signed in.
pub(super) fn redemption(server: &Server) -> Result<Request, Failure> {
    Ok(Request::redemption(server.endpoints(), Proof::Code(Browser::signed_in(server)?)))
}

/// Refreshes a person's tokens again and again with the same refresh token.
pub(super) fn refresh(server: &Server) -> Result<Request, Failure> {
    let token = Browser::signed_in(server)?.redeemed("refresh_token")?;
    Ok(Request::refresh(server.endpoints(), &token, None))
}

/// Refreshes a person's tokens, each time with the refresh token of the previous answer.
pub(super) fn rotation(server: &Server) -> Result<Request, Failure> {
    Ok(Request::refresh(server.endpoints(), "", Some(Proof::RefreshToken(Browser::signed_in(server)?))))
}

/// The request for the claims about the person, with the token of a redemption.
pub(super) fn userinfo(server: &Server) -> Result<Request, Failure> {
    let token = Browser::signed_in(server)?.redeemed("access_token")?;
    Ok(Request::userinfo(server.endpoints().people, &token))
}

fn at(server: SocketAddr, request: &Request) -> Result<Answer, Failure> {
    exchange(server, request).doing("send a request of a sign-in")
}

/// The cookies that the answer sets, as a request has them.
fn cookies(answer: &Answer) -> String {
    let (head, _) = answer.0.split_once("\r\n\r\n").unwrap_or((&answer.0, ""));
    let fields = head.lines().filter_map(|line| line.split_once(": "));
    let set = fields.filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
    let pairs: Vec<&str> = set.filter_map(|(_, value)| value.split(';').next()).collect();
    pairs.join("; ")
}

fn between<'a>(text: &'a str, begin: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(begin)?;
    rest.split_once(end).map(|(found, _)| found).filter(|found| !found.is_empty())
}

fn unexpected(what: &str, answer: &Answer) -> Failure {
    Failure::new(format!("unexpected {what}:\n{}", answer.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_and_codes_are_read() {
        let answer = |text: &str| Answer(text.replace('\n', "\r\n"));
        let page =
            answer("HTTP/1.1 200 OK\nSet-Cookie: a=1; Path=/\nset-cookie: b=2\n\nx code=c.d&amp;state=s");
        assert_eq!(cookies(&page), "a=1; b=2");
        assert!(is_signed_in(&page));
        assert!(!is_signed_in(&answer("HTTP/1.1 503 Busy\n\ncode=c&")));
        assert!(!is_signed_in(&answer("HTTP/1.1 200 OK\n\ncode=&")));
        assert_eq!(between("value=\"x\"", "value=\"", "\""), Some("x"));
    }
}
