//! Tests the example with two services in `docs/examples/rust`: a gateway checks its callers' tokens, and
//! calls a service with its own token.

use actix_web::{App, HttpServer};
use latchkey_client::Secret;

use crate::program::Program;
use crate::running::tenant_path;
use crate::settings::{generated, own_address};

#[path = "../../../../docs/examples/rust/gateway.rs"]
#[expect(unreachable_pub, reason = "it is a program")]
mod gateway;
#[path = "../../../../docs/examples/rust/orders.rs"]
#[expect(dead_code, unreachable_pub, reason = "as above, whose `main` has an address of its own")]
mod orders;

#[actix_web::test]
async fn gateway_calls_the_service_with_its_own_token() {
    let ((url, server), secret) = (own_address(), generated());
    let tenant = format!(
        "{{ strategies: {{ oauth2: {{ enabled: true }} }}, \
         resource_servers: {{ shop-api: {{ scopes: ['shop:read', 'shop:write'] }}, orders-api: {{ scopes: ['orders:read'] }} }}, clients: {{ \
         web: {{ client_secret: {{ value: {secret} }}, audiences: [shop-api], scopes: ['shop:read'] }}, \
         till: {{ client_secret: {{ value: {secret} }}, audiences: [shop-api], scopes: ['shop:write'] }}, \
         gateway: {{ client_secret: {{ value: {secret} }}, audiences: [orders-api], scopes: ['orders:read'] }} }} }}"
    );
    let settings = format!("{server}tenants:\n  globex: {tenant}\n  initech: {tenant}\n");
    let (_folder, program) = Program::serving(&settings);
    let issuer = format!("{url}{}", tenant_path("globex", ""));

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let orders = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, orders::router(&issuer).unwrap()).into_future());
    let gateway = gateway::Gateway::new(&issuer, Secret::value(&secret), &orders).unwrap();
    let server = HttpServer::new(move || App::new().configure(|config| gateway.routes(config)));
    let server = server.workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
    let shop = format!("http://{}", server.addrs()[0]);
    actix_web::rt::spawn(server.run());

    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let get = async |url: String, token: &str| {
        let answer = http.get(url).bearer_auth(token).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let web = program.token("globex", "web", &secret).await;
    let through = get(format!("{shop}/shop/orders"), &web).await;
    assert_eq!(through, (200, "the orders, for the service gateway".to_owned()));
    // The service refuses a token for the gateway, and a token without the scope of the route.
    assert_eq!(get(format!("{orders}/orders"), &web).await.0, 401);
    let own = program.token("globex", "gateway", &secret).await;
    assert_eq!(get(format!("{orders}/orders"), &own).await.0, 200);
    assert_eq!(http.post(format!("{orders}/orders")).bearer_auth(&own).send().await.unwrap().status(), 403);
    // The first client has a different scope at the gateway. The second has the same names in another tenant.
    for (tenant, client, status) in [("globex", "till", 403), ("initech", "web", 401)] {
        let token = program.token(tenant, client, &secret).await;
        assert_eq!(get(format!("{shop}/shop/orders"), &token).await.0, status, "{tenant} {client}");
    }
    assert_eq!(http.get(format!("{shop}/shop/orders")).send().await.unwrap().status(), 401);
}
