//! The cookies of browsers (RFC 6265): names, parsing and attributes. All tenants of a host share
//! their cookies, so the name of a session cookie contains the tenant.

use actix_web::http::header::{COOKIE, HeaderMap, HeaderValue, InvalidHeaderValue};
use cookie::time::Duration;
use cookie::{Cookie, SameSite};
use tenancy::TenantId;
use values::Lifetime;

use crate::options::BaseUrl;

/// Browsers accept a cookie with this prefix only over https, without a domain, for the path `/`,
/// and not from a script.
const PREFIX: &str = "__Host-Http-";
const SESSION: &str = "lk-s.";
const CONSOLE: &str = "lk-c.";
/// The maximum number of sessions of a browser at one host. More cookies would make requests too
/// long.
const MOST_SESSIONS: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CookieName<'t> {
    Session(&'t TenantId),
    /// The console session of an administrator of this tenant.
    Console(&'t TenantId),
    /// Binds a sign-in form to its browser. It does not prove who the person is.
    Browser,
    /// The accounts of all tenants that have signed in with this browser before.
    KnownBrowser,
    #[cfg_attr(not(test), expect(dead_code, reason = "there is one language yet"))]
    Language,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cookies {
    /// Over http, cookies have no prefix and no `Secure`, because browsers would reject them.
    secure: bool,
}

impl Cookies {
    /// Decides by the scheme of the public URL.
    pub(crate) fn from_public_url(public_url: &BaseUrl) -> Self {
        Self { secure: public_url.is_https() }
    }

    /// If two cookies have the same name, both are ignored, because another host of the same site
    /// may have set one of them.
    pub(crate) fn read<'h>(self, headers: &'h HeaderMap, name: CookieName<'_>) -> Option<&'h str> {
        let name = self.name(name);
        let mut values = sent(headers).filter(|(found, _)| *found == name).map(|(_, value)| value);
        let first = values.next()?;
        values.next().is_none().then_some(first)
    }

    /// The tenants of the browser's console sessions.
    pub(crate) fn consoles(self, headers: &HeaderMap) -> impl Iterator<Item = TenantId> {
        let prefix = self.with_prefix(CONSOLE);
        sent(headers).filter_map(move |(name, _)| TenantId::parse(name.strip_prefix(&*prefix)?).ok())
    }

    /// The value of `Set-Cookie`. Without a lifetime the cookie lasts until the browser is closed.
    pub(crate) fn set(
        self,
        name: CookieName<'_>,
        value: &str,
        life: Option<Lifetime>,
    ) -> Result<HeaderValue, InvalidHeaderValue> {
        let age = life.map(|span| Duration::seconds(i64::try_from(span.seconds()).unwrap_or(i64::MAX)));
        self.header(name, value, age)
    }

    /// The value of `Set-Cookie` that deletes a cookie.
    pub(crate) fn remove(self, name: CookieName<'_>) -> Result<HeaderValue, InvalidHeaderValue> {
        self.header(name, "", Some(Duration::ZERO))
    }

    /// Deletes the oldest session cookies of other tenants, so that there is room for one at
    /// `tenant`. `place` returns the age of a session from its cookie; a session whose cookie
    /// cannot be read is deleted first.
    pub(crate) fn make_room(
        self,
        headers: &HeaderMap,
        tenant: &TenantId,
        place: impl Fn(&str) -> Option<u32>,
    ) -> Vec<HeaderValue> {
        let prefix = self.with_prefix(SESSION);
        let others = sent(headers).filter_map(|(name, value)| {
            let other = TenantId::parse(name.strip_prefix(&*prefix)?).ok().filter(|other| other != tenant)?;
            Some((place(value), other))
        });
        let mut others: Vec<_> = others.collect();
        others.sort();
        let surplus = (others.len() + 1).saturating_sub(MOST_SESSIONS);
        others.truncate(surplus);
        others.iter().filter_map(|(_, other)| self.remove(CookieName::Session(other)).ok()).collect()
    }

    fn name(self, name: CookieName<'_>) -> String {
        match name {
            CookieName::Session(tenant) => self.with_prefix(&format!("{SESSION}{tenant}")),
            CookieName::Console(tenant) => self.with_prefix(&format!("{CONSOLE}{tenant}")),
            CookieName::Browser => self.with_prefix("lk-b"),
            CookieName::KnownBrowser => self.with_prefix("lk-d"),
            CookieName::Language => self.with_prefix("lk-l"),
        }
    }

    fn with_prefix(self, name: &str) -> String {
        format!("{}{name}", if self.secure { PREFIX } else { "" })
    }

    /// `SameSite=Lax`, because a client's authorization request is a navigation from another site.
    /// Cookies of the console are `Strict`, because no other site links to the console.
    fn header(
        self,
        name: CookieName<'_>,
        value: &str,
        age: Option<Duration>,
    ) -> Result<HeaderValue, InvalidHeaderValue> {
        let same_site = if matches!(name, CookieName::Console(_)) { SameSite::Strict } else { SameSite::Lax };
        let mut cookie = Cookie::new(self.name(name), value);
        cookie.set_path("/");
        cookie.set_secure(self.secure);
        cookie.set_http_only(true);
        cookie.set_same_site(same_site);
        cookie.set_max_age(age);
        HeaderValue::from_str(&cookie.to_string())
    }
}

/// The cookies of a request. Malformed cookies and cookies that are not ASCII are ignored, because
/// a script or another host of the same site may have set them. Other cookies are still read. A
/// name with a Unicode blank at its start is ignored, too: browsers do not recognise a prefix in
/// such a name, but parsers remove the blank.
fn sent(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    let cookies = headers.get_all(COOKIE).flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
    cookies.filter(|cookie| cookie.is_ascii()).filter_map(|cookie| {
        let cookie = Cookie::parse(std::str::from_utf8(cookie).ok()?).ok()?;
        Some((cookie.name_raw()?, cookie.value_raw()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HTTPS: Cookies = Cookies { secure: true };
    const HTTP: Cookies = Cookies { secure: false };

    fn tenant(name: &str) -> TenantId {
        TenantId::parse(name).unwrap()
    }

    fn headers(lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        lines.iter().for_each(|line| headers.append(COOKIE, HeaderValue::from_str(line).unwrap()));
        headers
    }

    fn text(header: Result<HeaderValue, InvalidHeaderValue>) -> String {
        header.unwrap().to_str().unwrap().to_owned()
    }

    #[test]
    fn public_url_scheme_selects_secure_cookies() {
        for (url, expected) in [
            ("https://id.example.com", HTTPS),
            ("http://localhost:3000", HTTP),
            ("HTTP://127.0.0.1", HTTP),
            ("HTTPS://id.example.com", HTTPS),
            ("", HTTPS),
        ] {
            assert_eq!(
                Cookies::from_public_url(&BaseUrl(url.to_owned(), pages::Language::English)),
                expected,
                "{url}"
            );
        }
    }

    // [attacks #10]
    #[test]
    fn a_cookie_is_set_with_all_its_attributes() {
        let (acme, globex) = (tenant("acme"), tenant("globex"));
        for (found, expected) in [
            (
                HTTPS.set(CookieName::Session(&acme), "v1.a", None),
                "__Host-Http-lk-s.acme=v1.a; HttpOnly; SameSite=Lax; Secure; Path=/",
            ),
            (
                HTTPS.set(CookieName::KnownBrowser, "x", Some(Lifetime::from_seconds(60))),
                "__Host-Http-lk-d=x; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=60",
            ),
            (
                HTTPS.remove(CookieName::Session(&globex)),
                "__Host-Http-lk-s.globex=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0",
            ),
            (HTTP.set(CookieName::Browser, "b", None), "lk-b=b; HttpOnly; SameSite=Lax; Path=/"),
            (HTTP.set(CookieName::Language, "en", None), "lk-l=en; HttpOnly; SameSite=Lax; Path=/"),
        ] {
            assert_eq!(text(found), expected);
        }
        assert!(HTTPS.set(CookieName::Browser, "a\r\nset-cookie: b", None).is_err());
    }

    // [attacks #12]
    #[test]
    fn cookie_is_read_by_full_name_and_tenant() {
        let (acme, globex) = (tenant("acme"), tenant("globex"));
        let sent = headers(&["a=b; __Host-Http-lk-s.acme=one;__Host-Http-lk-b=two", "lk-s.acme=three; =; x"]);
        assert_eq!(HTTPS.read(&sent, CookieName::Session(&acme)), Some("one"));
        assert_eq!(HTTPS.read(&sent, CookieName::Browser), Some("two"));
        assert_eq!(HTTP.read(&sent, CookieName::Session(&acme)), Some("three"));
        for cookies in [HTTPS, HTTP] {
            assert_eq!(cookies.read(&sent, CookieName::Session(&globex)), None);
            assert_eq!(cookies.read(&sent, CookieName::KnownBrowser), None);
            assert_eq!(cookies.read(&headers(&[]), CookieName::Session(&acme)), None);
        }
    }

    // [found 29]: A cookie with letters beyond ASCII, which script at the origin or a page of a sibling host
    //   can set, made the server read no cookie of the request: the person was signed out at all tenants |
    //   fixed | Each cookie is read by itself, and one with such letters counts as none
    #[test]
    fn non_ascii_cookie_does_not_hide_other_cookies() {
        let acme = tenant("acme");
        for other in [&b"\xe2\x80\x80lk-s.acme=two"[..], b"a=\xff", b"\xc3\x28=b", b"lk-s.acme\xa0=two"] {
            let mut sent = HeaderMap::new();
            let line = [other, b"; lk-s.acme=one; ", other].concat();
            sent.append(COOKIE, HeaderValue::from_bytes(&line).unwrap());
            assert_eq!(HTTP.read(&sent, CookieName::Session(&acme)), Some("one"), "{other:?}");
        }
    }

    // [attacks #12]: Cookies that a sibling host or a script sets | The prefix `__Host-Http-`; of two cookies
    //   with one name neither counts
    #[test]
    fn cookies_with_duplicate_names_are_ignored() {
        let acme = tenant("acme");
        for lines in [
            &["lk-s.acme=one; lk-s.acme=two"][..],
            &["lk-s.acme=one; lk-s.acme=one"],
            &["lk-s.acme=one", "lk-s.acme=two"],
            &["lk-s.acme=one; lk-s.acme="],
        ] {
            assert_eq!(HTTP.read(&headers(lines), CookieName::Session(&acme)), None, "{lines:?}");
        }
    }

    // [attacks #33]
    #[test]
    fn oldest_sessions_beyond_sixteen_are_removed() {
        let acme = tenant("acme");
        let began = |value: &str| value.parse().ok();
        let with = |count: u64| {
            let sessions = (0..count).map(|at| format!("lk-s.t{at}={}", 100 + at));
            sessions.collect::<Vec<_>>().join("; ")
        };
        let removed = |line: &str| {
            let removed = HTTP.make_room(&headers(&[line]), &acme, began).into_iter();
            removed.map(|header| text(Ok(header)).split('=').next().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(removed(&with(15)), Vec::<String>::new());
        // Replacing a session needs no further room.
        assert_eq!(removed(&(with(15) + "; lk-s.acme=1")), Vec::<String>::new());
        assert_eq!(removed(&with(18)), ["lk-s.t0", "lk-s.t1", "lk-s.t2"]);
        assert_eq!(removed(&(with(15) + "; lk-s.odd=unreadable")), ["lk-s.odd"]);
        assert_eq!(removed(&(with(15) + "; lk-s.NO=1; lk-d.t1=1")), Vec::<String>::new());
    }
}
