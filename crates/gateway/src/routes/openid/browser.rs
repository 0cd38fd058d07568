//! The browser of a request: the signed-in person, and the value that binds forms to the browser.

use std::borrow::Cow;

use actix_web::HttpResponse;
use actix_web::http::header::{HeaderMap, HeaderValue, SET_COOKIE};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use secrets::random_bytes;
use sessions::{KnownBrowser, KnownBrowsers, SessionToken, SessionWrite, SignedIn};
use tenancy::{Stored, Tenant};
use values::Timestamp;

use crate::Services;
use crate::page::{CookieName, Cookies, PageResult};

const BYTES: usize = 16;

/// A value that nobody can guess. It binds forms to a browser, or a mailed code to a page.
pub(super) fn random_value() -> String {
    BASE64URL.encode(random_bytes::<BYTES>().as_slice())
}

/// A browser and its cookies.
pub(super) struct Browser<'r> {
    cookies: Cookies,
    headers: &'r HeaderMap,
    /// Binds forms to the browser. Borrowed if the browser sent it in a cookie.
    id: Cow<'r, str>,
    /// For the response.
    set: Vec<HeaderValue>,
}

impl<'r> Browser<'r> {
    /// Creates the binding value if the browser sent none.
    pub(super) fn new(cookies: Cookies, headers: &'r HeaderMap) -> Self {
        if let Some(id) = cookies.read(headers, CookieName::Browser).filter(|id| !id.is_empty()) {
            return Self { cookies, headers, id: id.into(), set: Vec::new() };
        }
        let id = random_value();
        let cookie = cookies.set(CookieName::Browser, &id, None);
        Self { cookies, headers, id: id.into(), set: cookie.into_iter().collect() }
    }

    /// Forms are sealed for this value.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// `None` if the browser did not send the cookie, so it may not accept cookies.
    pub(super) fn sent_id(&self) -> Option<&str> {
        match self.id {
            Cow::Borrowed(id) => Some(id),
            Cow::Owned(_) => None,
        }
    }

    pub(super) async fn signed_in(
        &self,
        services: &Services,
        tenant: &Tenant,
        now: Timestamp,
    ) -> Stored<Option<SignedIn>> {
        let cookie = self.cookies.read(self.headers, CookieName::Session(&tenant.id));
        let Some(token) = cookie.and_then(SessionToken::parse) else { return Ok(None) };
        services.sessions.find(&tenant.id, tenant.sign_in.session, &token, now).await
    }

    /// The accounts that have signed in with this browser before.
    pub(super) fn known(&self, services: &Services, now: Timestamp) -> KnownBrowser {
        let cookie = self.cookies.read(self.headers, CookieName::KnownBrowser).unwrap_or_default();
        services.known_browsers.open(cookie, now)
    }

    /// Sets the cookie of the known accounts.
    pub(super) fn keep_known(&mut self, services: &Services, known: &KnownBrowser) -> PageResult<()> {
        let Some(cookie) = services.known_browsers.seal(known) else { return Ok(()) };
        let life = Some(KnownBrowsers::LIFETIME);
        self.set.push(self.cookies.set(CookieName::KnownBrowser, &cookie, life)?);
        Ok(())
    }

    /// Sets the cookie of a new session. If the browser has too many sessions, deletes the oldest
    /// cookies.
    pub(super) fn keep_session(&mut self, write: &SessionWrite, token: &SessionToken) -> PageResult<()> {
        let tenant = &write.session().tenant;
        let cookie = token.to_cookie();
        let session = CookieName::Session(tenant);
        let life = write.session().cookie_lifetime();
        self.set.push(self.cookies.set(session, cookie.expose(), life)?);
        let now = write.session().last_seen_at;
        let place = |cookie: &str| SessionToken::place_of(cookie, now);
        self.set.extend(self.cookies.make_room(self.headers, tenant, place));
        Ok(())
    }

    /// Deletes the cookie of the tenant's session.
    pub(super) fn forget_session(&mut self, tenant: &Tenant) -> PageResult<()> {
        self.set.push(self.cookies.remove(CookieName::Session(&tenant.id))?);
        Ok(())
    }

    /// Adds the cookies to the response.
    pub(super) fn finish(self, mut response: HttpResponse) -> HttpResponse {
        for cookie in self.set {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
        response
    }
}
