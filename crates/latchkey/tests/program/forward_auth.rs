//! An API of several tenants behind a proxy that asks the server about each request: who passes, what the API
//! is told, and that nothing the caller writes changes either.

use std::time::Instant;

use crate::answer::Answer;
use crate::host::LONGEST;
use crate::proxies::{Cell, PUBLIC_URL, Site, failures, with_program};
use crate::proxy_files::{Front, Proxy};
use crate::upstream::{Target, answer};

const CELLS: [Cell; 8] = [
    ("200", api_is_told_who_calls),
    ("forged headers", forged_headers_never_reach_the_api),
    ("401", callers_without_a_valid_token_are_refused),
    ("403", token_without_the_scope_is_refused),
    ("API key", api_key_passes),
    ("hosts", host_names_only_one_tenant),
    ("request", request_reaches_the_api_unchanged),
    ("answers of the API", answers_of_the_api_are_its_own),
];

pub(crate) fn check(proxy: &'static Proxy) {
    let front = Front::start(proxy);
    front.api.lead_to(Target::Answer(api));
    let mut failed = Vec::new();
    with_program(&front, PUBLIC_URL, |site| failed.extend(failures(CELLS, site)));
    server_without_an_answer_is_no_permission(&front);
    assert_eq!(failed, [""; 0], "{}", proxy.name);
}

/// Answers with the status in the path.
fn api(head: &str) -> String {
    let status =
        head.split(' ').nth(1).unwrap().strip_prefix("/status/").map_or(200, |text| text.parse().unwrap());
    answer(status, if status == 401 { "www-authenticate: Basic realm=\"the API\"\r\n" } else { "" })
}

impl Site<'_> {
    /// The answer at the tenant's host, and what the API received.
    fn call(&self, path: &str, more: &[&str]) -> (Answer, String) {
        call(self.front, self.tenant, path, more)
    }

    /// Asserts that the API received nothing.
    #[track_caller]
    fn assert_refused(&self, status: u16, more: &[&str]) -> Answer {
        let (answer, received) = self.call("/orders", more);
        assert_eq!((answer.status, &*received), (status, ""), "{more:?} {answer:?}");
        answer
    }

    fn bearer(&self, client: &str) -> String {
        format!("Authorization: Bearer {}", self.token(client))
    }
}

fn call(front: &Front, tenant: &str, path: &str, more: &[&str]) -> (Answer, String) {
    front.api.taken();
    let answer = front.ask(&format!("https://{tenant}.orders.example.com{path}"), more);
    (answer, front.api.taken().0)
}

/// Asserts that the API was told each fact once.
#[track_caller]
fn assert_told(received: &str, tenant: &str, subject: &str) {
    let received = received.to_lowercase();
    let facts = [("tenant", tenant), ("subject", subject), ("client", "svc"), ("scope", "orders:read")];
    for (name, value) in facts {
        let lines: Vec<_> =
            received.lines().filter_map(|line| line.strip_prefix(&format!("x-auth-{name}: "))).collect();
        assert_eq!(lines, [value], "{name}: {received}");
    }
}

fn api_is_told_who_calls(site: &Site<'_>) {
    let bearer = site.bearer("svc");
    for version in [&["--http1.0", "--no-alpn"][..], &["--http1.1"], &["--http2"]] {
        let (answer, received) = site.call("/orders?page=2", &[version, &["-H", &bearer]].concat());
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_told(&received, site.tenant, "svc");
    }
}

fn forged_headers_never_reach_the_api(site: &Site<'_>) {
    let bearer = site.bearer("svc");
    let names = ["X-Auth-Tenant", "X-Auth-Subject", "X-Auth-Client", "X-Auth-Scope"];
    // CGI and WSGI applications read these as one name.
    let underscored = names.map(|name| name.replace('-', "_"));
    let mixed = names.map(|name| name.replacen('-', "_", 1));
    let other = names.map(|name| name.to_lowercase().replace("th-", "th_"));
    for names in [names.map(str::to_owned), underscored, mixed, other] {
        let forged = names.map(|name| format!("{name}: forged"));
        let headers: Vec<&str> = forged.iter().flat_map(|header| ["-H", header, "-H", header]).collect();
        for version in ["--http1.1", "--http2"] {
            let (_, received) = site.call("/orders", &[&headers[..], &[version, "-H", &bearer]].concat());
            assert_told(&received, site.tenant, "svc");
            assert!(!received.contains("forged"), "{received}");
        }
        site.assert_refused(401, &headers);
    }
    // RFC 9110 §7.6.1: a proxy removes the headers that `Connection` lists.
    let dropped = format!("Connection: close, {}", names.join(", "));
    let (_, received) = site.call("/orders", &["--http1.1", "-H", &dropped, "-H", &bearer]);
    assert_told(&received, site.tenant, "svc");
}

fn callers_without_a_valid_token_are_refused(site: &Site<'_>) {
    let bearer = site.bearer("svc");
    let challenge = |answer: Answer| answer.header("www-authenticate").to_owned();
    assert!(challenge(site.assert_refused(401, &[])).starts_with("Bearer "));
    let websocket = ["-H", "Connection: Upgrade", "-H", "Upgrade: websocket"];
    site.assert_refused(401, &[&["--http1.1"], &websocket[..]].concat());
    site.assert_refused(401, &["-b", &bearer.replace("Authorization: Bearer ", "access_token=")]);
    for wrong in [site.elsewhere().bearer("svc"), site.bearer("stock"), format!("{bearer}x")] {
        let challenge = challenge(site.assert_refused(401, &["-H", &wrong]));
        assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
    }
    // Which of two tokens was checked, the API could not know.
    for pair in
        [["-H", &*bearer, "-H", "Authorization: Bearer x"], ["-H", "Authorization: Bearer x", "-H", &bearer]]
    {
        let (answer, received) = site.call("/orders", &[&["--http1.1"], &pair[..]].concat());
        assert!([400, 401].contains(&answer.status) && received.is_empty(), "{answer:?}");
    }
    let bound = {
        let certificate = site.certificate(site.tenant);
        let certificate = certificate.each_ref().map(String::as_str);
        site.ask_mtls("grant_type=client_credentials&client_id=bound", &certificate).token()
    };
    site.assert_refused(401, &["-H", &format!("Authorization: Bearer {bound}")]);
}

fn token_without_the_scope_is_refused(site: &Site<'_>) {
    let refused = site.assert_refused(403, &["-H", &site.bearer("writer")]);
    assert!(refused.header("www-authenticate").contains("error=\"insufficient_scope\""), "{refused:?}");
}

fn api_key_passes(site: &Site<'_>) {
    let file = format!("{}.key", site.tenant);
    let add = ["api-key", "add", site.tenant, "svc", "--name", "Nightly", "--secret-file", &file];
    site.folder.run(&add).output();
    let key = site.folder.read(&file);
    let bearer = format!("Authorization: Bearer {}", key.trim());
    // The program sees the change of another process within a second.
    let until = Instant::now() + LONGEST;
    let mut called = site.call("/orders", &["-H", &bearer]);
    while called.0.status != 200 {
        assert!(Instant::now() < until, "{called:?}");
        called = site.call("/orders", &["-H", &bearer]);
    }
    assert_told(&called.1, site.tenant, "svc");
    site.assert_refused(401, &["-H", &format!("{bearer}x")]);
}

fn host_names_only_one_tenant(site: &Site<'_>) {
    let bearer = site.bearer("svc");
    let tricks = [
        format!("{}%2Foauth%2Fforward-auth%3Faudience=stock-api&x=.orders.example.com", site.other),
        format!("{}/../{}.orders.example.com", site.other, site.tenant),
        format!("{}.{}.orders.example.com", site.tenant, site.other),
        "unknown.orders.example.com".to_owned(),
        ".orders.example.com".to_owned(),
    ];
    for host in tricks {
        let host = format!("Host: {host}");
        // For a host without a site, Caddy itself answers with an empty 200.
        let (answer, received) = site.call("/orders", &["--http1.1", "-H", &host, "-H", &bearer]);
        assert!(received.is_empty() && answer.body.is_empty() | (answer.status != 200), "{host}: {answer:?}");
    }
}

fn request_reaches_the_api_unchanged(site: &Site<'_>) {
    let bearer = site.bearer("svc");
    let body = "b".repeat(100_000);
    site.front.folder.write("body", &body);
    let file = format!("@{}", site.front.folder.path("body").display());
    site.front.latchkey.taken();
    let sent = ["-X", "PUT", "-b", "session=of-the-api", "--data-binary", &file, "-H", &bearer];
    let (answer, received) = site.call("/orders/a%2Fb?q=%2F", &sent);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(received.starts_with("PUT /orders/a%2Fb?q=%2F HTTP/1."), "{received}");
    assert!(received.ends_with(&body) && received.to_lowercase().contains("cookie: session=of-the-api"));
    assert!(received.to_lowercase().contains(&bearer.to_lowercase()), "the API may read the token itself");
    let (asked, _) = site.front.latchkey.taken();
    assert!(
        asked.contains("/oauth/forward-auth?audience=orders-api&scope=orders:read HTTP/1.1\r\n"),
        "{asked}"
    );
    assert!(!asked.contains("of-the-api") && !asked.contains("bbb"), "{asked}");
}

fn answers_of_the_api_are_its_own(site: &Site<'_>) {
    let bearer = site.bearer("svc");
    for status in [204, 400, 401, 403, 429, 500, 503] {
        let (answer, _) = site.call(&format!("/status/{status}"), &["-H", &bearer]);
        let expected = if status == 401 { "Basic realm=\"the API\"" } else { "" };
        assert_eq!((answer.status, answer.header("www-authenticate")), (status, expected), "{answer:?}");
    }
}

/// Whatever the server answers, only a 200 lets a request pass.
fn server_without_an_answer_is_no_permission(front: &Front) {
    front.latchkey.lead_to(Target::Answer(|head| {
        let status = head.to_lowercase();
        let status = status.split("bearer ").nth(1).map_or(401, |rest| rest[..3].parse().unwrap());
        answer(status, if matches!(status, 429 | 503) { "Retry-After: 7\r\n" } else { "" })
    }));
    for (sent, expected) in [
        (400, &[400, 503][..]),
        (404, &[404, 503]),
        (429, &[429]),
        (503, &[503]),
        (302, &[302, 503]),
        (500, &[500, 503]),
    ] {
        let bearer = format!("Authorization: Bearer {sent}");
        let (answer, received) = call(front, "acme", "/orders", &["-H", &bearer]);
        assert!(expected.contains(&answer.status) && received.is_empty(), "{sent}: {answer:?}");
        let retry_after = if matches!(sent, 429 | 503) { "7" } else { "" };
        assert_eq!(answer.header("retry-after"), retry_after, "{sent}: {answer:?}");
    }
    // A server that says less than it should.
    let forged = ["-H", "Authorization: Bearer 200", "-H", "X-Auth-Subject: forged"];
    let (answer, received) = call(front, "acme", "/orders", &forged);
    assert!(answer.status == 200 && !received.contains("forged"), "{answer:?}");
    front.latchkey.lead_to(Target::Away);
    let (answer, received) = call(front, "acme", "/orders", &forged);
    assert!([502, 503].contains(&answer.status) && received.is_empty(), "{answer:?}");
}
