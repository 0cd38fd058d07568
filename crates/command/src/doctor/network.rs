//! Checks over the network: the server's own listeners, and the issuers of its tenants as a verifier sees
//! them.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::time::Duration;

use administration::kinds::DeclaredTenant;
use futures_util::future::join_all;
use protocol::Validity;
use registry::CertificateFacts;
use reqwest::tls::TlsInfo;
use reqwest::{Client, redirect};
use serde_json::Value;
use tokio::net::lookup_host;
use tokio::time::timeout;
use url::Url;
use values::{Timestamp, with_commands};

use super::certificates::remaining;
use super::report::{DoctorCheck, ReportLine};
use crate::health::ask;
use server::clock;
use settings::{Listener, Loaded};

const LISTENER: DoctorCheck = DoctorCheck("listener");
const ISSUER: DoctorCheck = DoctorCheck("issuer");
const KEY_SET: DoctorCheck = DoctorCheck("key-set");
const NAME: DoctorCheck = DoctorCheck("name");
const PROXY: DoctorCheck = DoctorCheck("proxy");
const TLS: DoctorCheck = DoctorCheck("tls");
const PATIENCE: Duration = Duration::from_secs(3);
const MOST: usize = 10;

pub(super) async fn listeners(loaded: &Loaded) -> Vec<ReportLine> {
    join_all(loaded.platform.server.listeners.iter().map(check_listener)).await
}

async fn check_listener(listener: &Listener) -> ReportLine {
    let address = listener.address.socket();
    if address.port() == 0 {
        return LISTENER.ok(format!("{address}: the system chooses a free port"));
    }
    // Only tests whether the address is free; nothing is accepted.
    let Err(error) = TcpListener::bind(address) else {
        return LISTENER.ok(format!("{address} is free"));
    };
    match error.kind() {
        ErrorKind::AddrInUse => match health(listener).await {
            Some(true) => LISTENER.ok(format!("a ready Latchkey server listens on {address}")),
            Some(false) => LISTENER.warning(
                format!("a Latchkey server that is not ready listens on {address}"),
                with_commands(
                    "run `latchkey health --address=ADDRESS` and read the server's log",
                    &[("ADDRESS", &address.to_string())],
                ),
            ),
            None => LISTENER.error(
                format!("another program uses {address}"),
                format!(
                    "stop the other program (find it with `ss -ltnp 'sport = :{}'`), or choose another port in server.listeners",
                    address.port()
                ),
            ),
        },
        ErrorKind::AddrNotAvailable => LISTENER.error(
            format!("no network interface of this machine has the address {}", address.ip()),
            "set server.listeners to an address of this machine, or to 0.0.0.0 for all addresses",
        ),
        ErrorKind::PermissionDenied => LISTENER.error(
            format!("this user may not listen on {address}, because ports below 1024 need a privilege"),
            "choose a port of at least 1024, or give the service CAP_NET_BIND_SERVICE",
        ),
        _ => LISTENER.error(format!("cannot listen on {address}: {error}"), "correct server.listeners"),
    }
}

/// Whether a Latchkey server at this address is ready. `None` if there is no answer.
async fn health(listener: &Listener) -> Option<bool> {
    let scheme = if listener.tls.is_some() { "https" } else { "http" };
    let answer = ask(scheme, reachable(listener.address.socket())).await.ok()?;
    let is_ready = answer.status().is_success();
    let body: Value = answer.json().await.ok()?;
    body["checks"].is_object().then_some(is_ready)
}

/// For a listener on all addresses of the machine, the loopback address.
fn reachable(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => SocketAddr::from((Ipv4Addr::LOCALHOST, address.port())),
        IpAddr::V6(ip) if ip.is_unspecified() => SocketAddr::from((Ipv6Addr::LOCALHOST, address.port())),
        _ => address,
    }
}

/// Checks whether the host name of the public URL can be resolved.
pub(super) async fn name(loaded: &Loaded) -> ReportLine {
    let url = Url::parse(loaded.platform.server.public_url.as_str());
    let Some((host, port)) =
        url.ok().and_then(|url| Some((url.host_str()?.to_owned(), url.port_or_known_default()?)))
    else {
        return NAME.skipped("server.public_url has no host name");
    };
    let found = timeout(PATIENCE, lookup_host((host.trim_matches(['[', ']']).to_owned(), port))).await;
    let fix = "add the name to DNS, or correct server.public_url";
    match found.map(|found| found.map(Iterator::count)) {
        Ok(Ok(0)) => NAME.warning(format!("{host} has no IP address"), fix),
        Ok(Ok(count)) => NAME.ok(format!("{host} resolves to {count} address(es)")),
        Ok(Err(error)) => NAME.warning(format!("cannot resolve {host}: {error}"), fix),
        Err(_) => NAME.warning(format!("resolving {host} takes longer than 3 s"), fix),
    }
}

/// Checks whether the address of callers is known if a proxy ends TLS.
pub(super) fn proxy(loaded: &Loaded) -> ReportLine {
    let server = &loaded.platform.server;
    let is_trusted = |listener: &Listener| listener.tls.is_some() || listener.trusted_proxies.is_some();
    if !server.public_url.is_https() || server.listeners.iter().any(is_trusted) {
        return PROXY.ok("clients connect directly or through a trusted proxy");
    }
    PROXY.warning(
        "server.public_url is https but no listener has TLS. There must be a proxy, but no listener trusts it, so all callers \
             seem to have the proxy's address",
        "add the proxy to `trusted_proxies` of the listener, so that limits count each caller",
    )
}

/// Checks each issuer, and returns the clock of one that answered. Before the first start, issuers need not
/// answer.
pub(super) async fn issuers(loaded: &Loaded, is_before_start: bool) -> (Vec<ReportLine>, Option<Timestamp>) {
    let served = || loaded.declaration.tenants.values().filter(|declared| declared.tenant.strategies.oauth2);
    let (mut lines, mut clock) = (Vec::new(), None);
    for declared in served().take(MOST) {
        let (found, date) = check_issuer(declared, is_before_start).await;
        lines.extend(found);
        clock = clock.or(date);
    }
    let more = served().count().saturating_sub(MOST);
    if more > 0 {
        lines.push(ISSUER.skipped(format!("skipped {more} more tenants after the first {MOST}")));
    }
    (lines, clock)
}

/// Fetches the metadata as a verifier does (RFC 8414 §3).
async fn check_issuer(
    DeclaredTenant { tenant, .. }: &DeclaredTenant,
    is_before_start: bool,
) -> (Vec<ReportLine>, Option<Timestamp>) {
    let issuer = tenant.issuer.as_str();
    let Some(url) = metadata_url(issuer) else {
        return (vec![ISSUER.skipped(format!("{issuer} is not a URL"))], None);
    };
    let named = |words: &str| format!("{issuer} (tenant {}): {words}", tenant.id);
    let ServerAnswer { status, document, date, certificate } = match request(&url).await {
        Ok(answer) => answer,
        Err(_) if is_before_start => {
            return (vec![ISSUER.skipped(named("the first start of the server serves this issuer"))], None);
        }
        Err(words) => {
            let fix = "start the server, then check DNS, proxy, firewall and certificate on the path to server.public_url";
            return (vec![ISSUER.warning(named(&words), fix)], None);
        }
    };
    let member = |name: &str| document.as_ref()?.get(name)?.as_str();
    let mut lines = Vec::new();
    lines.extend(certificate.map(|validity| remaining(TLS, issuer, validity, clock::now())));
    lines.push(match (status, member("issuer")) {
        (200, Some(found)) if found == issuer => ISSUER.ok(named("the metadata has the correct issuer")),
        (200, Some(found)) => ISSUER.error(
            named(&format!("the metadata has another issuer: {}", values::cropped(found))),
            "correct server.public_url or the tenant's issuer, or configure the proxy to forward the path unchanged",
        ),
        (status, _) => ISSUER.error(
            named(&format!("{url} responds with {status} instead of metadata")),
            "configure the proxy to forward this path to the server, and check that the settings are applied",
        ),
    });
    if let Some(url) = member("jwks_uri").and_then(|url| Url::parse(url).ok()) {
        lines.push(check_key_set(&url, &named).await);
    }
    (lines, date)
}

/// Fetches the keys as a verifier does.
async fn check_key_set(url: &Url, named: impl Fn(&str) -> String) -> ReportLine {
    let fix = "configure the proxy to forward the path of jwks_uri, and caches to respect Cache-Control";
    let answer = match request(url).await {
        Ok(answer) => answer,
        Err(words) => return KEY_SET.warning(named(&format!("{url}: {words}")), fix),
    };
    let keys = answer.document.as_ref().and_then(|document| document.get("keys")?.as_array()).map(Vec::len);
    match (answer.status, keys) {
        (200, Some(0)) => {
            KEY_SET.skipped(named("the key set is empty; the first token creates the first key"))
        }
        (200, Some(count)) => KEY_SET.ok(named(&format!("the key set has {count} key(s)"))),
        (status, _) => KEY_SET.error(named(&format!("{url} responds with {status} instead of keys")), fix),
    }
}

struct ServerAnswer {
    status: u16,
    document: Option<Value>,
    /// The time according to the server's clock.
    date: Option<Timestamp>,
    certificate: Option<Validity>,
}

async fn request(url: &Url) -> Result<ServerAnswer, String> {
    let mut builder = Client::builder().timeout(PATIENCE).redirect(redirect::Policy::none()).tls_info(true);
    if values::is_loopback(url) {
        builder = builder.no_proxy();
    }
    let sent = match builder.build() {
        Ok(client) => client.get(url.clone()).send().await,
        Err(error) => Err(error),
    };
    let answer =
        sent.map_err(|error| format!("cannot reach it: {}", values::causes(&error.without_url())))?;
    let date = answer.headers().get("date").and_then(|date| date.to_str().ok()).and_then(http_date);
    let status = answer.status().as_u16();
    let der = answer.extensions().get::<TlsInfo>().and_then(TlsInfo::peer_certificate);
    let certificate = der.and_then(CertificateFacts::read).map(|facts| facts.validity);
    let document = answer.json().await.ok();
    Ok(ServerAnswer { status, document, date, certificate })
}

/// The path of the issuer comes after the well-known path.
fn metadata_url(issuer: &str) -> Option<Url> {
    let mut url = Url::parse(issuer).ok().filter(Url::has_host)?;
    let path = format!("/.well-known/oauth-authorization-server{}", url.path().trim_end_matches('/'));
    url.set_path(&path);
    Some(url)
}

/// Parses a `Date` header in the usual form, IMF-fixdate (RFC 9110 §5.6.7).
fn http_date(text: &str) -> Option<Timestamp> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let fields: Vec<&str> = text.split_whitespace().collect();
    let [_, day, month, year, time, "GMT"] = fields[..] else { return None };
    let month = 1 + MONTHS.iter().position(|name| *name == month)?;
    Timestamp::parse_rfc3339(&format!("{year}-{month:02}-{day}T{time}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_url_follows_the_standard() {
        for (issuer, expected) in [
            (
                "https://auth.example.com",
                Some("https://auth.example.com/.well-known/oauth-authorization-server"),
            ),
            (
                "http://localhost:3000/api/v1/tenant/acme",
                Some("http://localhost:3000/.well-known/oauth-authorization-server/api/v1/tenant/acme"),
            ),
            ("thunder", None),
        ] {
            assert_eq!(metadata_url(issuer).as_ref().map(Url::as_str), expected);
        }
    }

    #[test]
    fn date_header_is_parsed() {
        let date = http_date("Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(date, Timestamp::parse_rfc3339("1994-11-06T08:49:37Z"));
        for text in ["", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT"] {
            assert_eq!(http_date(text), None, "{text}");
        }
    }

    #[test]
    fn unspecified_address_is_reached_over_loopback() {
        for (address, expected) in
            [("0.0.0.0:1", "127.0.0.1:1"), ("[::]:2", "[::1]:2"), ("10.0.0.1:3", "10.0.0.1:3")]
        {
            assert_eq!(reachable(address.parse().unwrap()).to_string(), expected);
        }
    }
}
