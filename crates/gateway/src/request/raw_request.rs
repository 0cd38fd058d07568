//! A request before any check. The extractor never fails, because the handler decides the order of
//! the checks: tenant, form, client.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header::{
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH,
    TRANSFER_ENCODING, UPGRADE, USER_AGENT,
};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use protocol::ClientCertificate;
use secrets::CallerAddress;
use tenancy::Tenant;
use values::Timestamp;

use super::body::{self, BodyBounds, BodyError, WipedBody};
use super::failure::ServerFailure;
use super::log_fields::{self, RequestLogFields, RequestObserver};
use super::route::Route;
use crate::connection::Deadlines;
use crate::options::BaseUrl;
use crate::{ListenerOptions, Options, Services, TrustedPeers};

const DPOP: HeaderName = HeaderName::from_static("dpop");

pub(crate) const FORM: &str = "application/x-www-form-urlencoded";
pub(crate) const JSON: &str = "application/json";
pub(crate) const MERGE_PATCH: &str = "application/merge-patch+json";
pub(crate) const NDJSON: &str = "application/x-ndjson";

pub(crate) struct RawRequest {
    request: HttpRequest,
    payload: Payload,
    certificate: OnceCell<Option<Arc<ClientCertificate>>>,
}

/// The tenant whose pages the request is for, for the theme of an error page.
pub(crate) struct VisitedTenant(pub(crate) Arc<Tenant>);

/// The caller's address; see [`RawRequest::address`].
pub(crate) fn caller(request: &HttpRequest) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip().to_canonical();
    let proxies =
        request.app_data::<Data<ListenerOptions>>().and_then(|listener| listener.trusted_proxies.as_ref());
    Some(proxies.map_or(peer, |proxies| proxies.caller(peer, request.headers())))
}

impl FromRequest for RawRequest {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(Ok(Self { request: request.clone(), payload: payload.take(), certificate: OnceCell::new() }))
    }
}

impl RawRequest {
    /// The tenant in the path, without unescaping. The router unescapes the segments before it; an
    /// escaped letter there also makes the name unknown. `None` for routes without a tenant.
    pub(crate) fn tenant(&self) -> Option<&str> {
        const BEFORE: &str = "/api/v1/tenant/";
        if !self.request.app_data::<Route>()?.has_tenant {
            return None;
        }
        let path = self.request.uri().path();
        let rest = path.strip_prefix(BEFORE).or_else(|| path.split_once(BEFORE).map(|(_, rest)| rest));
        let rest = rest.unwrap_or_default();
        let end = rest.bytes().position(|byte| byte == b'/').unwrap_or(rest.len());
        Some(&rest[..end])
    }

    /// The tenant in the path, or the default tenant for paths without a tenant. Empty if there is
    /// no default tenant, because no tenant has an empty name.
    pub(crate) fn tenant_or_default(&self) -> &str {
        self.tenant().or_else(|| self.default_tenant()).unwrap_or_default()
    }

    /// The tenant of the paths without a tenant.
    pub(crate) fn default_tenant(&self) -> Option<&str> {
        self.request.app_data::<Data<Options>>()?.default_tenant.as_deref()
    }

    /// Not unescaped.
    pub(crate) fn path(&self) -> &str {
        self.request.uri().path()
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        self.request.headers()
    }

    /// Not unescaped.
    pub(crate) fn query(&self) -> &str {
        self.request.uri().query().unwrap_or_default()
    }

    pub(crate) fn method(&self) -> &str {
        self.request.method().as_str()
    }

    /// Whether the method is unsafe (RFC 9110 §9.2.1).
    pub(crate) fn writes(&self) -> bool {
        !self.request.method().is_safe()
    }

    /// The segment of the path at `{name}` in the route's pattern, not unescaped.
    pub(crate) fn place(&self, name: &str) -> Option<&str> {
        let mut parts = self.routed();
        parts
            .find(|(part, _)| part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) == Some(name))
            .map(|(_, sent)| sent)
    }

    /// Whether the literal segments of the path contain no escapes. The router reads
    /// `/api/v1/%61dmin` as `/api/v1/admin`, but a proxy that blocks that path may not.
    pub(crate) fn is_plain(&self) -> bool {
        self.routed().all(|(part, sent)| part.starts_with('{') || part == sent)
    }

    pub(crate) fn pattern(&self) -> &'static str {
        self.request.app_data::<Route>().map_or("", |route| route.pattern)
    }

    fn routed(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pattern().split('/').zip(self.path().split('/'))
    }

    /// Refuses a repeated header.
    pub(crate) fn authorization(&self) -> Result<Option<&[u8]>, ServerFailure<'static>> {
        let mut headers = self.request.headers().get_all(AUTHORIZATION);
        let first = headers.next().map(HeaderValue::as_bytes);
        if headers.next().is_some() {
            return Err(ServerFailure::RepeatedAuthorization);
        }
        Ok(first)
    }

    /// The headers with DPoP proofs. A valid request has at most one.
    pub(crate) fn dpop_headers(&self) -> impl Iterator<Item = &[u8]> {
        self.request.headers().get_all(DPOP).map(HeaderValue::as_bytes)
    }

    /// Joins the lines of a list header (RFC 9110 §5.3).
    pub(crate) fn list(&self, name: &HeaderName) -> Option<Cow<'_, str>> {
        let lines = self.request.headers().get_all(name);
        lines.map(|line| String::from_utf8_lossy(line.as_bytes())).reduce(|all, line| all + ", " + line)
    }

    /// Whether the caller already has the representation with this entity tag (weak comparison, RFC
    /// 9110 §13.1.2).
    pub(crate) fn knows(&self, tag: impl AsRef<[u8]>) -> bool {
        self.list(&IF_NONE_MATCH).is_some_and(|tags| names_tag(&tags, tag))
    }

    /// Of any length. Empty if the header is missing or not ASCII.
    pub(crate) fn user_agent(&self) -> &str {
        let header = self.request.headers().get(USER_AGENT);
        header.and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The caller's address: the peer, or the address in the forwarding header of a trusted proxy.
    /// Forwarding headers of other peers are ignored.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        caller(&self.request)
    }

    pub(crate) fn client_certificate(
        &self,
        now: Timestamp,
    ) -> Result<Option<&Arc<ClientCertificate>>, ServerFailure<'static>> {
        let certificate = match self.certificate.get() {
            Some(certificate) => certificate,
            None => {
                let read = self.read_certificate(now)?;
                self.certificate.get_or_init(|| read)
            }
        };
        Ok(certificate.as_ref())
    }

    /// Whether nobody could read the request on its way: it arrived by TLS, from this machine, or
    /// through a trusted proxy and the public URL is https.
    pub(crate) fn is_confidential(&self, public_url: &BaseUrl) -> bool {
        if self.listener().is_some_and(|listener| listener.tls.is_some()) {
            return true;
        }
        let Some(peer) = self.request.peer_addr().map(|address| address.ip().to_canonical()) else {
            return false;
        };
        let is_proxied =
            || public_url.is_https() && self.proxies().is_some_and(|proxies| proxies.trusts(peer));
        peer.is_loopback() || is_proxied()
    }

    pub(crate) fn listener(&self) -> Option<&ListenerOptions> {
        Some(self.request.app_data::<Data<ListenerOptions>>()?)
    }

    fn proxies(&self) -> Option<&TrustedPeers> {
        self.listener()?.trusted_proxies.as_ref()
    }

    /// If a proxy sent the request, the connection has the proxy's own certificate, so the header
    /// is read instead.
    fn read_certificate(
        &self,
        now: Timestamp,
    ) -> Result<Option<Arc<ClientCertificate>>, ServerFailure<'static>> {
        let peer = self.request.peer_addr().map(|address| address.ip().to_canonical());
        if !peer.zip(self.proxies()).is_some_and(|(peer, proxies)| proxies.trusts(peer)) {
            return Ok(self.request.conn_data::<Arc<ClientCertificate>>().cloned());
        }
        let header = self.listener().and_then(|listener| listener.client_certificate_header.as_ref());
        let Some(header) = header else { return Ok(None) };
        let certificate =
            header.read(self.request.headers(), now).map_err(ServerFailure::CertificateHeader)?;
        Ok(certificate.map(Arc::new))
    }

    /// The source to which failures are counted.
    pub(crate) fn source(&self) -> CallerAddress {
        CallerAddress::new(self.address())
    }

    pub(crate) fn log(&self, note: impl FnOnce(&mut RequestLogFields)) {
        log_fields::note(note);
    }

    /// Notes the tenant for log and usage.
    pub(crate) fn serve(&self, services: &Services, tenant: &Tenant) {
        self.log(|fields| {
            fields.tenant = Some(tenant.id.clone());
            fields.observer = Some(RequestObserver {
                usage: Arc::clone(&services.usage),
                refusals: Arc::clone(&services.refusals),
                source: self.source(),
                now: (services.clock)(),
            });
        });
    }

    /// Like [`Self::serve`], and shows error pages in the tenant's theme from now on.
    pub(crate) fn visit(&self, services: &Services, tenant: &Arc<Tenant>) {
        self.serve(services, tenant);
        self.request.extensions_mut().insert(VisitedTenant(Arc::clone(tenant)));
    }

    /// From now on the request is dropped if its client hangs up.
    pub(crate) fn needs_client(&self) {
        if let Some(deadlines) = self.request.conn_data::<Rc<Deadlines>>() {
            deadlines.need_client();
        }
    }

    /// Whether the Content-Type is that of a form.
    pub(crate) fn has_form(&self) -> bool {
        self.is_one_of(&[FORM])
    }

    /// Reads the body of a form. Credentials are read only from the body and never from the URI
    /// (RFC 6749 §2.3.1).
    pub(crate) async fn form(&mut self) -> Result<WipedBody, BodyError> {
        self.body(&[FORM], FORM, BodyBounds::ORDINARY).await
    }

    /// Not parsed.
    pub(crate) async fn json(&mut self) -> Result<WipedBody, BodyError> {
        self.json_within(BodyBounds::ORDINARY).await
    }

    pub(crate) async fn json_within(&mut self, bounds: BodyBounds) -> Result<WipedBody, BodyError> {
        let wanted = "application/json, or application/merge-patch+json for a patch";
        self.body(&[JSON, MERGE_PATCH], wanted, bounds).await
    }

    /// Reads lines of JSON without parsing them.
    pub(crate) async fn import_lines(&mut self) -> Result<WipedBody, BodyError> {
        self.body(&[NDJSON], NDJSON, BodyBounds::IMPORT).await
    }

    /// Reads a body of any media type, because some callers of the Thunder-compatible API send
    /// none.
    pub(crate) async fn untyped(&mut self) -> Result<WipedBody, BodyError> {
        self.read(BodyBounds::ORDINARY).await
    }

    async fn read(&mut self, bounds: BodyBounds) -> Result<WipedBody, BodyError> {
        let headers = self.request.headers();
        let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let is_upgrade = headers.contains_key(UPGRADE) && !headers.contains_key(TRANSFER_ENCODING);
        let ends_at = is_upgrade.then_some(announced.unwrap_or(0));
        let body = body::read(&mut self.payload, announced, ends_at, bounds).await?;
        if let Some(deadlines) = self.request.conn_data::<Rc<Deadlines>>() {
            deadlines.body_read();
        }
        Ok(body)
    }

    async fn body(
        &mut self,
        types: &[&str],
        wanted: &'static str,
        bounds: BodyBounds,
    ) -> Result<WipedBody, BodyError> {
        let body = self.read(bounds).await?;
        if self.request.headers().get_all(CONTENT_TYPE).nth(1).is_some() {
            return Err(BodyError::TwoTypes);
        }
        if !body.is_empty() && !self.is_one_of(types) {
            return Err(BodyError::MediaType(wanted));
        }
        Ok(body)
    }

    pub(crate) fn is_one_of(&self, types: &[&str]) -> bool {
        let value = self.request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = value.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        types.iter().any(|wanted| media_type.eq_ignore_ascii_case(wanted))
    }
}

/// Weak comparison. `*` matches every tag.
fn names_tag(tags: &str, tag: impl AsRef<[u8]>) -> bool {
    let names = |listed: &str| listed.strip_prefix("W/").unwrap_or(listed).as_bytes() == tag.as_ref();
    tags.split(',').map(str::trim).any(|listed| listed == "*" || names(listed))
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use actix_web::test::TestRequest;

    use super::*;
    use crate::{ForwardingHeader, ListenerSurface};

    // [http RFC 9110 §13.1.2]: `If-None-Match` is compared weakly, with lists and `*`
    #[test]
    fn if_none_match_accepts_lists_weak_tags_and_star() {
        for tags in ["\"a\"", "W/\"a\"", "\"b\", \"a\"", "*"] {
            assert!(names_tag(tags, "\"a\""), "{tags}");
        }
        for tags in ["", "a", "\"b\"", "\"ab\""] {
            assert!(!names_tag(tags, "\"a\""), "{tags}");
        }
    }

    #[test]
    fn plain_http_is_confidential_from_loopback_or_https_proxy() {
        let (local, proxy, stranger) = ("127.0.0.1:9", "192.0.2.7:9", "198.51.100.1:9");
        for (peer, public_url, expected) in [
            (local, "http://id.example.com", true),
            ("[::1]:9", "http://id.example.com", true),
            ("[::ffff:127.0.0.1]:9", "http://id.example.com", true),
            (proxy, "https://id.example.com", true),
            (proxy, "http://id.example.com", false),
            (stranger, "https://id.example.com", false),
            (stranger, "http://id.example.com", false),
        ] {
            let mut listener =
                ListenerOptions::new(SocketAddr::from(([0, 0, 0, 0], 0)), ListenerSurface::new(true, true));
            let (from, header) = ("192.0.2.0/24".parse().unwrap(), ForwardingHeader::XForwardedFor);
            listener.trusted_proxies = Some(TrustedPeers { from: vec![from], header });
            // Forwarding headers of untrusted peers are ignored.
            let request = TestRequest::default().insert_header(("x-forwarded-for", "127.0.0.1"));
            let request = request.peer_addr(peer.parse().unwrap()).app_data(Data::new(listener));
            let raw = RawRequest::from_request(&request.to_http_request(), &mut Payload::None);
            let is_confidential = raw
                .into_inner()
                .unwrap()
                .is_confidential(&BaseUrl(public_url.to_owned(), pages::Language::English));
            assert_eq!(is_confidential, expected, "{peer} {public_url}");
        }
    }
}
