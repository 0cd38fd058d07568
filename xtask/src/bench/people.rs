//! The way of a person to a token: the page, the form that it sends, the code in the answer.

use std::net::SocketAddr;

use super::exchange::{Answer, exchange};
use super::program::Endpoints;
use super::proofs::{Proof, Proofs};
use super::request::Request;
use super::server::Server;
use crate::workspace::{Doing, Failure};

const IDENTIFIER: &str = "ada%40example.com";
const PASSWORD: &str = "bench-account-password";

/// The sign-in of a person, which a page accepts again and again: each is one of its own.
pub(super) fn sign_in(server: &Server) -> Result<Request, Failure> {
    let people = server.endpoints().people;
    let page = at(server.address(), &Request::authorization(people.authorization, ""))?;
    let flow = between(&page.0, r#"name="flow" value=""#, "\"").ok_or_else(|| unexpected("page", &page))?;
    let form = format!("flow={flow}&identifier={IDENTIFIER}&password={PASSWORD}");
    Ok(Request::sign_in(people, cookies(&page), form))
}

/// Whether the page goes on to the client with a code.
pub(super) fn is_signed_in(answer: &Answer) -> bool {
    answer.status() == 200 && between(&answer.0, "code=", "&").is_some()
}

/// The redemption of the codes of a person who has signed in.
pub(super) fn redemption(server: &Server) -> Result<Request, Failure> {
    let Endpoints { people, .. } = server.endpoints();
    let answer = at(server.address(), &sign_in(server)?)?;
    let cookies = Some(cookies(&answer)).filter(|_| is_signed_in(&answer));
    let cookies = cookies.ok_or_else(|| unexpected("answer to a sign-in", &answer))?;
    let code = Proof::Code { server: server.address(), authorization: people.authorization, cookies };
    Ok(Request::redemption(server.endpoints(), code))
}

/// The request for the claims about the person, with the token of a redemption.
pub(super) fn userinfo(server: &Server, proofs: &Proofs<'_>) -> Result<Request, Failure> {
    let redemption = redemption(server)?;
    let code = redemption.proof.as_ref().map_or_else(|| Ok(String::new()), |code| proofs.sign(code, 1))?;
    let answer = at(server.address(), &redemption.with_proof(code.trim_end()))?;
    let token = answer.member("access_token").ok_or_else(|| unexpected("answer to a redemption", &answer))?;
    Ok(Request::userinfo(server.endpoints().people, token.as_str().unwrap_or_default()))
}

/// New codes, a line each.
pub(super) fn codes(
    server: SocketAddr,
    authorization: &'static str,
    cookies: &str,
    count: u32,
) -> Result<String, Failure> {
    let navigation = Request::authorization(authorization, cookies);
    let mut lines = String::new();
    for _ in 0..count {
        let answer = at(server, &navigation)?;
        let location = answer.header("location").and_then(|location| between(location, "code=", "&"));
        lines.push_str(location.ok_or_else(|| unexpected("answer to a navigation", &answer))?);
        lines.push('\n');
    }
    Ok(lines)
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
