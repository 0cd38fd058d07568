//! Tests the files in `deploy/proxies`: each proxy runs with its file in front of a program, and curl calls
//! it for two tenants. Each cell of the table of proxies in docs/operations.md is a function here.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use crate::answer::Answer;
use crate::folder::Folder;
use crate::forward_auth;
use crate::jwt;
use crate::person::after;
use crate::program::{Mark, Program};
use crate::proxy_files::{APACHE, CADDY, Front, HAPROXY, NGINX, Proxy};
use crate::running::tenant_path;
use crate::settings::TENANTS;
use crate::upstream::Target;

pub(crate) const PUBLIC_URL: &str = "https://auth.example.com";
const BELOW_A_PATH: &str = "https://example.com/auth";
const MTLS: &str = "https://mtls.example.com:8443";
const REDIRECT_URI: &str = "https://app.example.com/cb";
const PASSWORD: &str = "ada-canary-71e0";

/// A program behind a proxy, at one tenant.
pub(crate) struct Site<'t> {
    pub(crate) front: &'t Front,
    program: &'t Program,
    pub(crate) folder: &'t Folder,
    public_url: &'static str,
    pub(crate) tenant: &'static str,
    pub(crate) secret: &'static str,
    pub(crate) other: &'static str,
}

pub(crate) type Cell = (&'static str, fn(&Site<'_>));

/// The features of a proxy.
const FEATURES: [Cell; 11] = [
    ("issuer", issuer_is_the_public_url),
    ("sign-in page", cookies_and_redirects_are_of_the_public_url),
    ("client address", client_address_cannot_be_forged),
    ("request id", request_id_is_that_of_the_log),
    ("client certificate", certificate_is_of_the_connection_only),
    ("large heads", large_heads_reach_the_server_and_the_caller),
    ("keep-alive", connections_are_reused),
    ("HTTP/1.0", http_1_0_is_answered),
    ("HTTP/2 in front", http_2_is_http_1_1_behind),
    ("upgrade", upgrades_are_ignored),
    ("encoded path", path_stays_as_the_caller_wrote_it),
];

const BELOW_A_PATH_TOO: [&str; 3] = ["issuer", "sign-in page", "encoded path"];

#[test]
fn nginx_serves_every_feature() {
    check_features(&NGINX);
}

#[test]
fn apache_serves_every_feature() {
    check_features(&APACHE);
}

#[test]
fn haproxy_serves_every_feature() {
    check_features(&HAPROXY);
}

#[test]
fn caddy_serves_every_feature() {
    check_features(&CADDY);
}

#[test]
fn nginx_asks_about_each_request() {
    forward_auth::check(&NGINX);
}

#[test]
fn caddy_asks_about_each_request() {
    forward_auth::check(&CADDY);
}

fn check_features(proxy: &'static Proxy) {
    let front = Front::start(proxy);
    let mut failed = Vec::new();
    for public_url in [PUBLIC_URL, BELOW_A_PATH] {
        // A path changes nothing about the rest.
        let is_checked = |name| public_url == PUBLIC_URL || BELOW_A_PATH_TOO.contains(&name);
        let features = FEATURES.into_iter().filter(|(name, _)| is_checked(*name));
        with_program(&front, public_url, |site| failed.extend(failures(features.clone(), site)));
    }
    front.latchkey.lead_to(Target::Away);
    let away = front.ask(&format!("{PUBLIC_URL}/health/live"), &[]);
    assert!([502, 503].contains(&away.status), "{away:?}");
    assert_eq!(failed, [""; 0], "{}", proxy.name);
}

/// The cells that fail, so that one run shows them all.
pub(crate) fn failures<'t>(cells: impl IntoIterator<Item = Cell>, site: &Site<'t>) -> Vec<&'static str> {
    let fails = |(_, check): &Cell| catch_unwind(AssertUnwindSafe(|| check(site))).is_err();
    cells.into_iter().filter(fails).map(|(name, _)| name).collect()
}

/// Starts a program behind the proxy and calls the check for each tenant.
pub(crate) fn with_program(front: &Front, public_url: &'static str, mut check: impl FnMut(&Site<'_>)) {
    let folder = Folder::with("");
    folder.write_secret("ada", PASSWORD);
    let tenants = TENANTS.map(|(tenant, secret, _)| (tenant.to_owned(), declared(tenant, secret)));
    // JSON is also YAML.
    let settings = json!({
        "server": {
            "public_url": public_url,
            "mtls_url": MTLS,
            "listeners": [{ "address": "127.0.0.1:0", "trusted_proxies": {
                "from": ["127.0.0.1"],
                "header": "x-forwarded-for",
                "client_certificate": {
                    "header": "X-Client-Cert",
                    "format": front.proxy.certificate_format,
                    "client_ca": front.folder.path("ca.pem"),
                },
            } }],
        },
        "storage": { "url": "sqlite://data/latchkey.db" },
        "keys": { "sealing_key": { "file": "keys/sealing.key" } },
        "tenants": tenants.into_iter().collect::<Map<_, _>>(),
    });
    folder.write("config.yaml", &settings.to_string());
    TENANTS.iter().for_each(|(_, secret, _)| folder.canaries.add(secret));
    let program = Program::start(&folder);
    front.latchkey.lead_to(Target::Program(program.address()));
    for (tenant, secret, other) in TENANTS {
        check(&Site { front, program: &program, folder: &folder, public_url, tenant, secret, other });
    }
    program.stop();
}

fn declared(tenant: &str, secret: &str) -> Value {
    let service = |audience: &str, scope: &str| json!({ "client_secret": { "value": secret }, "audiences": [audience], "scopes": [scope] });
    json!({
        "strategies": { "oauth2": { "enabled": true }, "oidc": { "enabled": true } },
        "signing": { "algorithm": "ES256" },
        "api_keys": {},
        "resource_servers": {
            "orders-api": { "scopes": ["orders:read", "orders:write"] },
            "stock-api": { "scopes": ["orders:read"] },
        },
        "accounts": { "ada": { "email": "ada@example.com", "password": { "file": "ada" } } },
        "clients": {
            "svc": service("orders-api", "orders:read"),
            "writer": service("orders-api", "orders:write"),
            "stock": service("stock-api", "orders:read"),
            "bound": {
                "token_endpoint_auth_method": "tls_client_auth",
                "tls_client_auth_subject_dn": format!("CN={tenant}, O=Example Ltd"),
                "tls_client_certificate_bound_access_tokens": true,
                "audiences": ["orders-api"],
                "scopes": ["orders:read"],
            },
            "web": {
                "token_endpoint_auth_method": "none",
                "grant_types": ["authorization_code"],
                "redirect_uris": [REDIRECT_URI, long_redirect_uri()],
                "scopes": ["openid"],
                "first_party": true,
            },
        },
    })
}

impl Site<'_> {
    fn url(&self, rest: &str) -> String {
        format!("{}{}", self.public_url, tenant_path(self.tenant, rest))
    }

    fn ask(&self, rest: &str, more: &[&str]) -> Answer {
        self.front.ask(&self.url(rest), more)
    }

    /// The form with which a client with the tenant's secret gets a token.
    fn form(&self, client: &str) -> String {
        format!("grant_type=client_credentials&client_id={client}&client_secret={}", self.secret)
    }

    /// The same place at the other tenant.
    pub(crate) fn elsewhere(&self) -> Self {
        let (tenant, secret, other) = TENANTS.into_iter().find(|(tenant, ..)| *tenant == self.other).unwrap();
        Self { tenant, secret, other, ..*self }
    }

    pub(crate) fn token(&self, client: &str) -> String {
        self.ask("/oauth/token", &["-d", &self.form(client)]).token()
    }

    /// What the server answers to the form at the address that asks for certificates.
    pub(crate) fn ask_mtls(&self, form: &str, more: &[&str]) -> Answer {
        let url = format!("{MTLS}{}", tenant_path(self.tenant, "/oauth/token"));
        self.front.ask(&url, &[&["-d", form], more].concat())
    }

    /// Arguments of curl for the certificate of a tenant's client.
    pub(crate) fn certificate(&self, tenant: &str) -> [String; 4] {
        let file = |name: String| self.front.folder.path(name).display().to_string();
        [
            "--cert".to_owned(),
            file(format!("{tenant}.pem")),
            "--key".to_owned(),
            file(format!("{tenant}.key")),
        ]
    }

    /// The line of the access log for an answer.
    fn logged(&self, answer: &Answer) -> Value {
        let id = answer.header("x-request-id");
        assert_eq!(id.len(), 16, "{answer:?}");
        serde_json::from_str(&self.program.log_after(Mark::START, id)).unwrap()
    }

    /// The head that the proxy sent for this request.
    #[track_caller]
    fn passed_on(&self, rest: &str, more: &[&str]) -> (Answer, String) {
        self.front.latchkey.taken();
        let answer = self.ask(rest, more);
        (answer, self.front.latchkey.taken().0)
    }
}

fn issuer_is_the_public_url(site: &Site<'_>) {
    let issuer = site.url("");
    let (origin, path) = origin_and_path(&issuer);
    // RFC 8414 §3.1.
    let metadata = format!("{origin}/.well-known/oauth-authorization-server{path}");
    assert_eq!(site.front.ask(&metadata, &[]).json()["issuer"], issuer);
    for place in ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"] {
        assert_eq!(site.ask(place, &[]).json()["issuer"], issuer);
    }
}

fn origin_and_path(url: &str) -> (&str, &str) {
    url.split_at(url.find(".com").unwrap() + 4)
}

fn cookies_and_redirects_are_of_the_public_url(site: &Site<'_>) {
    let request = |redirect_uri: &str, rest: &str| {
        format!(
            "/oauth/authorize?response_type=code&client_id=web&redirect_uri={redirect_uri}&scope=openid{rest}\
             &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
        )
    };
    let page = site.ask(&request(REDIRECT_URI, ""), &[]);
    let cookie = page.header("set-cookie");
    assert!(cookie.starts_with("__Host-") && cookie.ends_with("; Secure; Path=/"), "{page:?}");
    let action = after(&page, "<form method=\"post\" action=\"");
    let (origin, path) = origin_and_path(site.public_url);
    assert_eq!(action, format!("{path}{}", tenant_path(site.tenant, "/oauth/sign-in")));

    let origin_header = format!("Origin: {origin}");
    let flow = format!("flow={}", after(&page, "name=\"flow\" value=\""));
    let password = format!("password={PASSWORD}");
    let mut arguments = vec!["-b", cookie.split(';').next().unwrap(), "-H", &origin_header];
    arguments.extend(["-d", &flow, "-d", "identifier=ada@example.com", "-d", &password]);
    let done = site.front.ask(&format!("{origin}{action}"), &arguments);
    let redirect = after(&done, "content=\"0;url=");
    assert!(redirect.starts_with(&format!("{REDIRECT_URI}?code=")), "{done:?}");
    let mut cookies = done.headers.iter().filter(|(name, _)| name == "set-cookie");
    assert!(cookies.all(|(_, cookie)| cookie.contains("; Secure")), "{done:?}");

    // The server refuses longer requests than 8 KiB. This redirect has 7.8 KiB.
    let state = "%25".repeat(2048);
    let refused = site.ask(&request(&long_redirect_uri(), &format!("&prompt=none&state={state}")), &[]);
    assert_eq!(refused.status, 303, "{refused:?}");
    assert!(refused.header("location").contains(&state), "{refused:?}");
}

fn long_redirect_uri() -> String {
    format!("{REDIRECT_URI:a<1700}")
}

fn client_address_cannot_be_forged(site: &Site<'_>) {
    let headers = ["X-Forwarded-For: 192.0.2.66", "Forwarded: for=192.0.2.66", "X-Real-IP: 192.0.2.66"];
    let forged = headers.map(|header| ["-H", header]).concat();
    let twice = [&forged[..], &["-H", "X-Forwarded-For: 192.0.2.67, 192.0.2.68"]].concat();
    // RFC 9110 §7.6.1: a proxy removes the headers that `Connection` lists.
    let dropped = ["--http1.1", "-H", "Connection: close, X-Forwarded-For"];
    for arguments in [&forged[..], &twice, &dropped] {
        for address in ["127.0.0.1", "127.0.0.2"] {
            let answer = site.ask("/strategies", &[arguments, &["--interface", address]].concat());
            let logged = site.logged(&answer);
            assert_eq!((answer.status, &logged["address"]), (200, &json!(address)), "{arguments:?}");
        }
    }
}

fn request_id_is_that_of_the_log(site: &Site<'_>) {
    let refused =
        site.ask("/oauth/token", &["-H", "X-Request-Id: 0123456789abcdef", "-d", "grant_type=none"]);
    assert_ne!(refused.header("x-request-id"), "0123456789abcdef");
    let logged = site.logged(&refused);
    assert_eq!((&logged["tenant"], &logged["status"]), (&json!(site.tenant), &json!(refused.status)));
}

fn certificate_is_of_the_connection_only(site: &Site<'_>) {
    let bound = "grant_type=client_credentials&client_id=bound";
    let own = site.certificate(site.tenant);
    let own = own.each_ref().map(String::as_str);
    let thumbprint = |answer: &Answer| jwt::claims(&answer.token())["cnf"]["x5t#S256"].clone();
    assert!(thumbprint(&site.ask_mtls(bound, &own)).is_string());
    // The second connection resumes the TLS session of the first.
    let url = format!("{MTLS}{}", tenant_path(site.tenant, "/oauth/token"));
    let twice = ["--http1.1", "-H", "Connection: close", "-d", bound, &url, &url, "-w", "%{num_connects}"];
    let twice = site.front.curl(&[&own[..], &twice].concat());
    assert_eq!((twice.matches("access_token").count(), twice.matches("}1").count()), (2, 2), "{twice}");

    let other = site.certificate(site.other);
    let other = other.each_ref().map(String::as_str);
    site.ask_mtls(bound, &other).assert_refused(401, "invalid_client");

    // Without a certificate, whatever the caller writes in its place.
    let der = site.front.folder.read(&format!("{}.pem", site.tenant));
    let lines = der.lines().filter(|line| !line.starts_with('-')).collect::<Vec<_>>();
    let forged = [
        format!("X-Client-Cert: {}", lines.concat()),
        format!("X-Client-Cert: -----BEGIN CERTIFICATE----- {} -----END CERTIFICATE-----", lines.join(" ")),
    ];
    for header in &forged {
        for headers in [&["-H", header][..], &["-H", header, "-H", &forged[0]]] {
            site.ask_mtls(bound, headers).assert_refused(401, "invalid_client");
            site.ask("/oauth/token", &[headers, &["-d", bound]].concat())
                .assert_refused(401, "invalid_client");
            for answer in [
                site.ask_mtls(&site.form("svc"), headers),
                site.ask("/oauth/token", &[headers, &["-d", &site.form("svc")]].concat()),
            ] {
                assert_eq!(jwt::claims(&answer.token()).get("cnf"), None);
            }
            assert!(thumbprint(&site.ask_mtls(bound, &[headers, &own].concat())).is_string());
        }
    }
}

fn large_heads_reach_the_server_and_the_caller(site: &Site<'_>) {
    for (bytes, versions) in [(16 * 1024, ["--http1.1", "--http2"]), (31 * 1024, ["--http1.1", "--http2"])] {
        let header = format!("X-Large: {}", "a".repeat(bytes));
        for version in versions {
            let answer = site.ask("/oauth/token", &[version, "-H", &header, "-d", &site.form("svc")]);
            assert_eq!(answer.status, 200, "{version} {bytes} {answer:?}");
        }
    }
    let too_large = format!("X-Large: {}", "a".repeat(40 * 1024));
    let refused = site.ask("/strategies", &["--http1.1", "-H", &too_large]);
    assert_eq!(refused.status, site.front.proxy.too_large, "{refused:?}");
}

fn connections_are_reused(site: &Site<'_>) {
    let url = site.url("/strategies");
    site.front.latchkey.taken();
    let urls = [["-o", "/dev/null", &url]; 5].concat();
    let printed = site.front.curl(&[&["-w", "%{http_code}/%{num_connects} "], &urls[..]].concat());
    assert_eq!(printed, "200/1 200/0 200/0 200/0 200/0 ");
    let (sent, connections) = site.front.latchkey.taken();
    assert_eq!(sent.matches("/strategies HTTP/1.1\r\n").count(), 5, "{sent}");
    assert!(connections <= 1, "{connections} connections");
}

fn http_1_0_is_answered(site: &Site<'_>) {
    let (answer, sent) = site.passed_on("/strategies", &["--http1.0", "--no-alpn"]);
    assert_eq!(answer.status, 200, "{answer:?}");
    // HAProxy passes on the version of the caller.
    assert!(sent.contains("/strategies HTTP/1."), "{sent}");
    // Proxies with older settings speak HTTP/1.0 to the server.
    let direct = site.program.url(&tenant_path(site.tenant, "/strategies"));
    let direct = Answer::of_text(&site.front.curl(&["--include", "--http1.0", &direct]));
    assert_eq!(direct.body, answer.body);
}

fn http_2_is_http_1_1_behind(site: &Site<'_>) {
    let version = site.front.curl(&["-o", "/dev/null", "-w", "%{http_version}", &site.url("/strategies")]);
    let (answer, sent) = site.passed_on("/oauth/token", &["-d", &site.form("svc")]);
    assert_eq!((answer.status, &*version), (200, "2"));
    assert!(sent.contains("/oauth/token HTTP/1.1\r\n"), "{sent}");
}

fn upgrades_are_ignored(site: &Site<'_>) {
    let websocket =
        ["Upgrade: websocket", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13"];
    let h2c = ["Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA", "X-None: none"];
    for (connection, headers) in
        [("Connection: Upgrade", websocket), ("Connection: Upgrade, HTTP2-Settings", h2c)]
    {
        let headers = headers.map(|header| ["-H", header]).concat();
        let form = site.form("svc");
        for body in [&["-d", &*form][..], &[]] {
            let arguments = [&["--http1.1", "-H", connection], &headers[..], body].concat();
            let began = Instant::now();
            let answer = site.ask(if body.is_empty() { "/strategies" } else { "/oauth/token" }, &arguments);
            assert!(answer.status == 200 && began.elapsed() < Duration::from_secs(3), "{answer:?}");
        }
    }
}

fn path_stays_as_the_caller_wrote_it(site: &Site<'_>) {
    let (answer, sent) = site.passed_on("/clients/spiffe%3A%2F%2Fa%2f%2Fb?q=%2F&r=a%20b", &[]);
    let path = tenant_path(site.tenant, "/clients/spiffe%3A%2F%2Fa%2f%2Fb?q=%2F&r=a%20b");
    assert!(sent.starts_with(&format!("GET {path} HTTP/1.1\r\n")), "{sent}");
    assert_eq!(answer.status, 401, "{answer:?}");
}
