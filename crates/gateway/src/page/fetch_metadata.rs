//! Decides by the headers of browsers (W3C Fetch Metadata Request Headers) which requests may load
//! a page or send a form. All tenants of a host share one origin, so scripts of one tenant must not
//! load, frame, prerender or submit the pages of another.

use actix_web::http::header::{HeaderMap, HeaderName, ORIGIN};
use pages::ErrorKind;
use url::{Origin, Url};

const DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const PURPOSE: HeaderName = HeaderName::from_static("sec-purpose");
const SERVICE_WORKER: HeaderName = HeaderName::from_static("service-worker");

/// Refuses a request for a page that is not a navigation: a fetch, a frame, a prefetch, a
/// prerender, a worker. Programs and old browsers send none of these headers and are accepted. The
/// mode is not checked, because `fetch` of Node.js sends it.
pub(crate) fn judge_navigation(headers: &HeaderMap) -> Result<(), ErrorKind> {
    let is_document = matches!(
        SingleHeader::in_headers(headers, &DEST),
        SingleHeader::Nothing | SingleHeader::Value("document")
    );
    let is_ahead = headers.contains_key(PURPOSE) || headers.contains_key(SERVICE_WORKER);
    if is_document && !is_ahead { Ok(()) } else { Err(ErrorKind::NotANavigation) }
}

/// Refuses a form that was not sent by a page of this origin.
pub(crate) fn judge_form(headers: &HeaderMap, own: &OwnOrigin) -> Result<(), ErrorKind> {
    judge_navigation(headers)?;
    let site = SingleHeader::in_headers(headers, &SITE);
    let is_ours = match SingleHeader::in_headers(headers, &ORIGIN) {
        // Under `Referrer-Policy: no-referrer`, browsers send `Origin: null` with forms of this
        // server's own pages (Fetch standard, "append a request `Origin` header").
        SingleHeader::Value("null") => site == SingleHeader::Value("same-origin"),
        SingleHeader::Value(origin) => {
            own.is(origin) && matches!(site, SingleHeader::Nothing | SingleHeader::Value("same-origin"))
        }
        SingleHeader::Nothing | SingleHeader::Unreadable => false,
    };
    if is_ours { Ok(()) } else { Err(ErrorKind::ForeignForm) }
}

/// The origin of the public URL (RFC 6454), as browsers write it.
#[derive(Clone, Debug)]
pub(crate) struct OwnOrigin(Option<String>);

impl OwnOrigin {
    /// `None` if the URL cannot be parsed. Then every form is refused.
    pub(crate) fn from_public_url(public_url: &str) -> Self {
        let origin = Url::parse(public_url).ok().map(|url| url.origin()).filter(Origin::is_tuple);
        Self(origin.map(|origin| origin.ascii_serialization()))
    }

    fn is(&self, origin: &str) -> bool {
        self.0.as_deref() == Some(origin)
    }
}

/// A header that may be sent once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SingleHeader<'h> {
    Nothing,
    Value(&'h str),
    /// Sent twice, or not text.
    Unreadable,
}

impl<'h> SingleHeader<'h> {
    fn in_headers(headers: &'h HeaderMap, name: &HeaderName) -> Self {
        let mut values = headers.get_all(name);
        match (values.next(), values.next()) {
            (None, _) => Self::Nothing,
            (Some(value), None) => value.to_str().map_or(Self::Unreadable, Self::Value),
            (Some(_), Some(_)) => Self::Unreadable,
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn headers(sent: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[track_caller]
    fn check_navigation(sent: &[(&'static str, &str)], passes: bool) {
        let expected = if passes { Ok(()) } else { Err(ErrorKind::NotANavigation) };
        assert_eq!(judge_navigation(&headers(sent)), expected, "{sent:?}");
    }

    #[test]
    fn only_top_level_navigations_get_a_page() {
        check_navigation(&[], true);
        check_navigation(&[("sec-fetch-dest", "document"), ("sec-fetch-mode", "navigate")], true);
        check_navigation(&[("sec-fetch-dest", "document"), ("sec-fetch-site", "cross-site")], true);
        check_navigation(&[("sec-fetch-mode", "cors")], true);
        let others = "empty iframe frame embed object script image serviceworker Document";
        for other in others.split(' ').chain([""]) {
            check_navigation(&[("sec-fetch-dest", other)], false);
        }
        check_navigation(&[("sec-fetch-dest", "document"), ("sec-fetch-dest", "document")], false);
        check_navigation(&[("sec-fetch-dest", "document"), ("sec-purpose", "prefetch;prerender")], false);
        check_navigation(&[("sec-purpose", "prefetch")], false);
        check_navigation(&[("service-worker", "script")], false);
    }

    #[track_caller]
    fn check_form(sent: &[(&'static str, &str)], expected: Result<(), ErrorKind>) {
        let own = OwnOrigin::from_public_url("https://ID.example.com:443/auth");
        assert_eq!(judge_form(&headers(sent), &own), expected, "{sent:?}");
    }

    #[test]
    fn only_same_origin_pages_may_send_forms() {
        let foreign = Err(ErrorKind::ForeignForm);
        let ours = ("origin", "https://id.example.com");
        let document = ("sec-fetch-dest", "document");
        let same = ("sec-fetch-site", "same-origin");
        check_form(&[ours], Ok(()));
        check_form(&[ours, document, same], Ok(()));
        check_form(&[("origin", "null"), document, same], Ok(()));
        check_form(&[], foreign);
        check_form(&[document, same], foreign);
        check_form(&[("origin", "null")], foreign);
        check_form(&[("origin", "null"), document, ("sec-fetch-site", "cross-site")], foreign);
        check_form(&[("origin", "null"), document, ("sec-fetch-site", "same-site")], foreign);
        check_form(&[("origin", "null"), same, same], foreign);
        for other in ["cross-site", "same-site", "none", "SAME-ORIGIN"] {
            check_form(&[ours, document, ("sec-fetch-site", other)], foreign);
        }
        for other in [
            "https://evil.example.com",
            "http://id.example.com",
            "https://id.example.com:8443",
            "https://id.example.com.evil.example",
            "https://id.example.com/",
            "https://ID.example.com",
            "",
        ] {
            check_form(&[("origin", other)], foreign);
            check_form(&[("origin", other), document, same], foreign);
        }
        check_form(&[ours, ours], foreign);
        check_form(&[ours, ("sec-fetch-dest", "empty"), same], Err(ErrorKind::NotANavigation));
    }

    #[test]
    fn origin_matches_the_serialization_of_browsers() {
        for (url, origin) in [
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://127.0.0.1:80/x", "http://127.0.0.1"),
            ("https://[::1]:8443", "https://[::1]:8443"),
        ] {
            assert!(OwnOrigin::from_public_url(url).is(origin), "{url}");
        }
        for url in ["", "nowhere", "data:text/html,x"] {
            let origin = OwnOrigin::from_public_url(url);
            assert!(!origin.is("null") && !origin.is(""), "{url}");
        }
    }
}
