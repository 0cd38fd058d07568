//! Ten thousand identical requests at the same time cost one signature, and none is refused.

use std::collections::BTreeSet;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::program::Program;
use crate::running::tenant_path;
use crate::settings::own_address;

const CONNECTIONS: usize = 500;
/// For each connection.
const REQUESTS: usize = 20;
const SECRET: &str = "a-canary-of-a-stampede-19d4";

/// The numbers of new and of reused tokens, and of successful token requests.
async fn counted(program: &Program) -> [u64; 3] {
    let metrics = program.get("/metrics").await.body;
    let number = |series: &str| {
        let line = metrics.lines().find_map(|line| line.strip_prefix(series));
        line.map_or(0, |number| number.trim().parse().unwrap())
    };
    let route = tenant_path("{id}", "/oauth/token");
    let answered = format!("latchkey_http_requests_total{{route=\"{route}\",status=\"200\",error=\"\"}}");
    let of = |token: &str| format!("latchkey_client_tokens_total{{token=\"{token}\"}}");
    [number(&of("new")), number(&of("reused")), number(&answered)]
}

/// Sends all requests of a connection before it reads the answers. Returns their tokens.
async fn call(address: std::net::SocketAddr, tenant: &'static str) -> Vec<String> {
    let form = format!("grant_type=client_credentials&client_id=svc&client_secret={SECRET}");
    let request = |more: &str| {
        let path = tenant_path(tenant, "/oauth/token");
        format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/x-www-form-urlencoded\r\n\
             {more}content-length: {}\r\n\r\n{form}",
            form.len()
        )
    };
    let text = request("").repeat(REQUESTS - 1) + &request("connection: close\r\n");
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(text.as_bytes()).await.unwrap();
    let mut answers = String::new();
    connection.read_to_string(&mut answers).await.unwrap();
    assert_eq!(answers.matches("HTTP/1.1 200 OK\r\n").count(), REQUESTS, "{answers}");
    let tokens = answers.split("\"access_token\":\"").skip(1);
    tokens.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_identical_requests_cost_one_signature() {
    let tenant = json!({
        "strategies": { "oauth2": { "enabled": true } },
        "access_token": { "reuse": "50%" },
        "resource_servers": { "api": { "scopes": ["read"] } },
        "clients": { "svc": { "client_secret": { "value": SECRET }, "audiences": ["api"], "scopes": ["read"] } },
    });
    let tenants = json!({ "acme": tenant, "globex": tenant });
    let (_folder, program) = Program::serving(&format!("{}tenants: {tenants}\n", own_address().1));
    let mut all = BTreeSet::new();
    for (tenant, connections) in [("acme", CONNECTIONS), ("globex", 5)] {
        // Another token: the first use of a chosen secret costs a hash, and that of the tenant a key.
        let form = [("grant_type", "client_credentials"), ("client_id", "svc"), ("client_secret", SECRET)];
        let form = [&form[..], &[("audience", "api")]].concat();
        assert_eq!(program.post(&tenant_path(tenant, "/oauth/token"), &form).await.status, 200);
        let [new, reused, answered] = counted(&program).await;
        let mut calls: JoinSet<_> = (0..connections).map(|_| call(program.address(), tenant)).collect();
        let mut tokens = BTreeSet::new();
        while let Some(of_connection) = calls.join_next().await {
            tokens.extend(of_connection.unwrap());
        }
        assert_eq!(tokens.len(), 1, "{tenant}");
        all.extend(tokens);
        let requests = (connections * REQUESTS) as u64;
        assert_eq!(counted(&program).await, [new + 1, reused + requests - 1, answered + requests]);
    }
    assert_eq!(all.len(), 2);
    program.stop();
}
