//! Callers behind proxies: which proxies may name the caller's address, and the warning about
//! ignored headers.

use gateway::{ForwardingHeader, TrustedPeers};

use crate::prelude::*;

fn behind(from: &str, header: ForwardingHeader) -> Options {
    let mut options = options(ACME);
    options.listeners[0].trusted_proxies = Some(TrustedPeers { from: vec![from.parse().unwrap()], header });
    options
}

/// Checks the address in the audit.
async fn check(options: &Options, headers: &[(&'static str, &str)], expected: &str) {
    let test_env = TestEnv::over(TestApp::start_with(options));
    for (tenant, boss) in test_env.of_each(BOSS).await {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let body = Some(json!({ "client_id": "web" }));
        let path = clients_path(tenant);
        test_env.ask(&boss, Ask { body, headers, ..ask(Method::POST, &path) }).await.assert_status(201);
        let records = test_env.get(&boss, &tenant_path(tenant, "/audit")).await.json();
        assert_eq!(records["items"][0]["source"], expected, "{records}");
    }
}

// [rfc9700 §4.13], [found 11]
#[tokio::test]
async fn only_a_trusted_proxy_names_the_caller() {
    use ForwardingHeader::{Forwarded, XForwardedFor};
    let loopback = "127.0.0.0/8";
    let forged =
        [("x-forwarded-for", "192.0.2.66"), ("forwarded", "for=192.0.2.66"), ("x-real-ip", "192.0.2.66")];
    check(&options(ACME), &forged, "127.0.0.1").await;
    check(&behind("192.0.2.0/24", XForwardedFor), &forged, "127.0.0.1").await;
    let both = [("x-forwarded-for", "192.0.2.66, 192.0.2.1"), ("forwarded", "for=192.0.2.2")];
    check(&behind(loopback, XForwardedFor), &both, "192.0.2.1").await;
    check(&behind(loopback, Forwarded), &both, "192.0.2.2").await;
}

/// As their documentation describes the header, with what the caller wrote on the left.
#[tokio::test]
async fn documented_headers_of_load_balancers_name_the_caller() {
    let options = behind("127.0.0.0/8", ForwardingHeader::XForwardedFor);
    for value in [
        // Envoy, Traefik.
        "192.0.2.1",
        // AWS Application Load Balancer.
        "192.0.2.66, 192.0.2.1",
        // Google Cloud Application Load Balancer, which appends its own address.
        "192.0.2.66,192.0.2.1,127.0.0.9",
        // Azure Application Gateway.
        "192.0.2.66, 192.0.2.1:51234",
    ] {
        check(&options, &[("x-forwarded-for", value)], "192.0.2.1").await;
    }
}

// [found 11]
#[tokio::test]
async fn ignored_forwarding_headers_are_counted() {
    let behind = behind("127.0.0.1/32", ForwardingHeader::XForwardedFor);
    for (options, expected) in [(options(ACME), 4), (behind, 0)] {
        let app = TestApp::start_with(&options);
        for tenant in [ACME, GLOBEX] {
            let cases = [("x-forwarded-for", "192.0.2.1"), ("forwarded", "for=192.0.2.1"), ("via", "1.1 x")];
            for (name, value) in cases {
                let request = app.request(Method::GET, &tenant_path(tenant, "/strategies"));
                Answer::to(request.header(name, value)).await;
            }
        }
        let numbers = app.get("/metrics").await.body;
        assert!(numbers.contains(&format!("\nlatchkey_forwarding_not_read_total {expected}\n")), "{numbers}");
    }
}
