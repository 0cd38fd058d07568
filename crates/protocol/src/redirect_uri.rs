//! Redirect URIs: which URIs a client may register, and whether the URI of a request is registered
//! (RFC 6749 §3.1.2, RFC 8252 §7, RFC 9700 §2.1).

/// Bytes.
const LONGEST: usize = 2_000;

/// An app may listen on any port of these addresses (RFC 8252 §7.3). The port of `localhost` has to
/// match (§8.3).
const LOOPBACK: [&str; 2] = ["http://127.0.0.1", "http://[::1]"];

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRedirectUri {
    /// Not an absolute URI of printable ASCII characters, or too long.
    #[error("this is not an absolute URI of at most 2000 printable ASCII characters (RFC 6749 §3.1.2)")]
    NotAbsolute,
    /// "The endpoint URI MUST NOT include a fragment component" (RFC 6749 §3.1.2).
    #[error("a redirect URI cannot have a fragment (RFC 6749 §3.1.2)")]
    Fragment,
    /// The server compares redirect URIs byte by byte and supports no patterns (RFC 9700 §2.1).
    #[error(
        "a redirect URI cannot contain a wildcard, because Latchkey compares it with requests byte by byte \
            (RFC 9700 §2.1); register each URI"
    )]
    Wildcard,
    /// The authority contains user information, or has no host.
    #[error("a redirect URI needs a host, and no user before it")]
    Authority,
    /// Plain HTTP to another machine than the person's own.
    #[error("http is allowed only for 127.0.0.1, [::1] and localhost; for other hosts, use https")]
    Http,
    /// A private-use scheme that is not a reversed domain name.
    #[error(
        "a private-use scheme must be a reversed domain name with a dot, such as com.example.app (RFC 8252 §7.1)"
    )]
    Scheme,
    /// A private-use scheme of a client that authenticates. Any app can register the scheme on a
    /// device, so only public clients may use one.
    #[error("only public clients can use a private-use scheme (RFC 8252 §7.1)")]
    NotPublic,
}

pub fn check_redirect_uri(uri: &str, is_public: bool) -> Result<(), InvalidRedirectUri> {
    let is_printable = |byte: u8| (0x21..=0x7E).contains(&byte) && byte != b'\\';
    let Some((scheme, rest)) = uri.split_once(':') else { return Err(InvalidRedirectUri::NotAbsolute) };
    if uri.len() > LONGEST || !uri.bytes().all(is_printable) || !is_scheme(scheme) {
        return Err(InvalidRedirectUri::NotAbsolute);
    }
    if uri.contains('#') {
        return Err(InvalidRedirectUri::Fragment);
    }
    if uri.contains('*') {
        return Err(InvalidRedirectUri::Wildcard);
    }
    match scheme {
        "https" => authority(rest).map(drop),
        "http" => {
            let (host, _) = host_and_port(authority(rest)?);
            let is_loopback = matches!(host, "127.0.0.1" | "[::1]" | "localhost");
            if is_loopback { Ok(()) } else { Err(InvalidRedirectUri::Http) }
        }
        _ if !scheme.contains('.') || rest.is_empty() => Err(InvalidRedirectUri::Scheme),
        _ if is_public => Ok(()),
        _ => Err(InvalidRedirectUri::NotPublic),
    }
}

/// Whether the redirect URI of a request is registered. The comparison is byte by byte, except for
/// the port of a loopback address. If the URI is not registered, "the authorization server … MUST
/// NOT automatically redirect the user-agent to the invalid redirection URI" (RFC 6749 §3.1.2.4).
#[must_use]
pub fn is_registered_redirect_uri<'a>(registered: impl IntoIterator<Item = &'a str>, sent: &str) -> bool {
    let other_port = without_loopback_port(sent);
    registered
        .into_iter()
        .any(|known| known == sent || (other_port.is_some() && without_loopback_port(known) == other_port))
}

/// For pages: the host with its port. For a private-use scheme, the scheme.
#[must_use]
pub fn redirect_host(uri: &str) -> &str {
    match uri.split_once("://") {
        Some(("http" | "https", rest)) => rest.split(['/', '?']).next().unwrap_or_default(),
        _ => uri.split(':').next().unwrap_or_default(),
    }
}

/// The host without its port. `None` if the scheme is not http or https.
#[must_use]
pub fn uri_host(uri: &str) -> Option<&str> {
    let (_, rest) = uri.split_once("://").filter(|(scheme, _)| matches!(*scheme, "http" | "https"))?;
    Some(host_and_port(rest.split(['/', '?']).next().unwrap_or_default()).0)
}

/// Whether the URI opens an app on the person's machine. Another app might receive the answer (RFC
/// 8252 §8.6).
#[must_use]
pub fn leads_to_an_app(uri: &str) -> bool {
    without_loopback_port(uri).is_some() || !(uri.starts_with("https://") || uri.starts_with("http://"))
}

/// RFC 3986 §3.1. Only lower case, because browsers write schemes in lower case.
fn is_scheme(scheme: &str) -> bool {
    scheme.starts_with(|first: char| first.is_ascii_lowercase())
        && scheme.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'+' | b'-' | b'.'))
}

fn authority(rest: &str) -> Result<&str, InvalidRedirectUri> {
    let rest = rest.strip_prefix("//").ok_or(InvalidRedirectUri::NotAbsolute)?;
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let (host, port) = host_and_port(authority);
    let is_host = !host.is_empty() && !authority.contains('@');
    let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok());
    if is_host && is_port { Ok(authority) } else { Err(InvalidRedirectUri::Authority) }
}

fn host_and_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

/// Splits a loopback URI into the parts before and after its port. `None` for any other URI.
fn without_loopback_port(uri: &str) -> Option<(&'static str, &str)> {
    let (origin, rest) = LOOPBACK.iter().find_map(|origin| Some((*origin, uri.strip_prefix(origin)?)))?;
    let rest = match rest.strip_prefix(':') {
        Some(port) => {
            let digits = port.bytes().take_while(u8::is_ascii_digit).count();
            port[..digits].parse::<u16>().ok()?;
            &port[digits..]
        }
        None => rest,
    };
    (rest.is_empty() || rest.starts_with(['/', '?'])).then_some((origin, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    // [oauth RFC 6749 §3.1.2, §3.1.2.4]: The redirect URI is absolute, without a fragment, and registered;
    //   with another one the browser is not redirected
    // [native RFC 8252 §7.1]: Private-use schemes may be registered, with a dot in their name, for public
    //   clients
    // [native RFC 8252 §7.2]: https redirect URIs that an app claims are like all others
    // [native RFC 8252 §8.4]: Clients are registered with their type and their whole redirect URIs
    #[test]
    fn unsafe_redirect_uris_cannot_be_registered() {
        use InvalidRedirectUri::{Authority, Fragment, Http, NotAbsolute, NotPublic, Scheme, Wildcard};
        let long = format!("https://app.example/{}", "a".repeat(2_000));
        let good = "
            https://app.example/callback https://app.example https://app.example:8443/callback?from=a&to=b
            https://[2001:db8::1]/callback http://localhost:3000/callback http://127.0.0.1/callback
            http://[::1]:80/callback";
        let http = "
            http://app.example/callback http://localhost.app.example/ http://127.0.0.1.example/ http://127.0.0.2/";
        let authority = "
            https://user@app.example/ https://:word@app.example/ https:// https:///callback
            https://app.example:99999/ https://app.example:/";
        let not_absolute = "
            https:app.example /callback HTTPS://app.example/ https://app.example\\@evil.example/ https://ä.example/";
        let scheme = "
            javascript:alert(1) data:text/html,x file:///etc/passwd blob:https://app.example/1 app:/callback
            com.example.app:";
        for (uris, expected) in [
            (good, Ok(())),
            (http, Err(Http)),
            ("https://app.example/#", Err(Fragment)),
            ("https://*.app.example/callback https://app.example/* http://localhost:*/", Err(Wildcard)),
            (authority, Err(Authority)),
            (not_absolute, Err(NotAbsolute)),
            (&long, Err(NotAbsolute)),
            (scheme, Err(Scheme)),
            ("com.example.app:/callback", Err(NotPublic)),
        ] {
            for uri in uris.split_whitespace() {
                assert_eq!(check_redirect_uri(uri, false), expected, "{uri}");
            }
        }
        assert_eq!(check_redirect_uri("https://app.example/a b", false), Err(NotAbsolute));
        assert_eq!(check_redirect_uri("com.example.app:/callback", true), Ok(()));
        assert_eq!(check_redirect_uri("app:/callback", true), Err(Scheme));
    }

    // [core Core §3.1.2.1 c]: `redirect_uri` is one of the registered ones, byte by byte
    // [native RFC 8252 §7.3]: The port of a loopback redirect URI may vary
    // [native RFC 8252 §8.3]: `localhost` is not an address: its port does not vary
    // [rfc9700 §2.1]: Redirect URIs match exactly; no open redirector; defences against CSRF and mix-up |
    //   Compared byte by byte; nothing is redirected before a sign-in; forms are sealed for their browser;
    //   each answer names the issuer
    // [rfc9700 §4.1]: Insufficient validation of redirect URIs | Compared byte by byte; otherwise a page, and
    //   no redirect
    // [V10 10.4.1]: 1 | Redirect URIs are compared exactly with a list | Byte by byte; the port of a loopback
    //   address is free (RFC 8252 §7.3)
    // [oauth RFC 6749 §3.1.2, §3.1.2.4], [attacks #1]
    #[test]
    fn redirect_uri_must_match_exactly() {
        const KNOWN: [&str; 5] = [
            "https://app.example/callback",
            "https://app.example/callback?a=b",
            "http://localhost:3000/callback",
            "http://127.0.0.1:1234/callback",
            "com.example.app:/callback",
        ];
        let is_registered = |sent: &str| is_registered_redirect_uri(KNOWN, sent);
        for known in KNOWN {
            assert!(is_registered(known), "{known}");
        }
        for loopback in
            ["http://127.0.0.1:9/callback", "http://127.0.0.1/callback", "http://127.0.0.1:65535/callback"]
        {
            assert!(is_registered(loopback), "{loopback}");
        }
        let others = "
            https://app.example/ https://app.example/callback/ https://app.example/callback#
            https://app.example/callback? https://app.example/callback?a=b&c=d https://app.example/callback/../other
            https://app.example//callback https://app.example/Callback https://app.example/callbac%6B
            https://APP.example/callback https://app.example:443/callback https://app.example.evil.example/callback
            https://evil.example/app.example/callback https://app.example@evil.example/callback
            https://user@app.example/callback https://app.example\\.evil.example/callback
            https://app.example%2eevil.example/callback https://xn--pp-zka.example/callback
            http://app.example/callback //app.example/callback http://localhost/callback
            http://localhost:3001/callback http://127.0.0.1:1234/ http://127.0.0.1:1234/callback?
            http://127.0.0.1:1234/callback# http://127.0.0.1:1234@evil.example/callback http://127.0.0.1:/callback
            http://127.0.0.1:65536/callback http://127.0.0.1:12a4/callback http://127.0.0.1.evil.example/callback
            http://[::1]:1234/callback https://127.0.0.1:1234/callback com.example.app:/callback2
            com.example.app:callback javascript:alert(1)";
        for other in others.split_whitespace().chain([""]) {
            assert!(!is_registered(other), "{other}");
        }
    }

    #[test]
    fn uri_host_excludes_port_and_app_schemes() {
        for (uri, host) in [
            ("https://app.example:8443/a?b", Some("app.example")),
            ("https://app.example?b", Some("app.example")),
            ("http://127.0.0.1:3000/", Some("127.0.0.1")),
            ("http://[::1]:3000/", Some("[::1]")),
            ("http://[::1]", Some("[::1]")),
            ("com.example.app:/callback", None),
            ("com.example.app://callback", None),
        ] {
            assert_eq!(uri_host(uri), host, "{uri}");
        }
    }

    #[test]
    fn redirect_host_and_app_targets_are_recognised() {
        for (uri, host, is_app) in [
            ("https://app.example:8443/a?b", "app.example:8443", false),
            ("https://app.example?b", "app.example", false),
            ("http://localhost:3000/", "localhost:3000", false),
            ("http://127.0.0.1:3000/", "127.0.0.1:3000", true),
            ("com.example.app:/callback", "com.example.app", true),
        ] {
            assert_eq!((redirect_host(uri), leads_to_an_app(uri)), (host, is_app), "{uri}");
        }
    }
}
