//! Connections that try to exhaust the server: clients that never read, and clients that never
//! finish a request.

use gateway::ConnectionLimits;
use tokio::net::TcpSocket;

use crate::prelude::*;

async fn number(app: &TestApp, name: &str) -> u64 {
    let numbers = app.get("/metrics").await.body;
    let line = numbers.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
    line.unwrap_or_else(|| panic!("{name} in {numbers}")).parse().unwrap()
}

/// A client that never reads, with a minimal receive buffer.
async fn unread(app: &TestApp) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut connection = socket.connect(app.addresses[0]).await.unwrap();
    connection.write_all("GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n".repeat(8).as_bytes()).await.unwrap();
    connection
}

// [limits #5]: time in which a client reads nothing of an answer | 30 s | connection reset
// [found 3]: A client that read no answer kept its connection for ever; connections had no limit | fixed | 30
//   s without progress in writing end a connection; `server.max_connections` has a share for each source,
//   except trusted proxies; when no place is free, the oldest connection without a complete request is
//   closed. An idle connection ends after 75 s, never before
#[tokio::test]
async fn clients_that_never_read_are_disconnected() {
    let stalled = Duration::from_millis(500);
    let app = TestApp::start_with(&Options {
        connections: ConnectionLimits { stalled, ..ConnectionLimits::default() },
        ..options(ACME)
    });
    let mut held = Vec::new();
    for _ in 0..25 {
        held.push(unread(&app).await);
    }
    // Only the test's own connection remains.
    for _ in 0..600 {
        if number(&app, "latchkey_connections").await == 1 {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("{} connections are held by {} clients", number(&app, "latchkey_connections").await, held.len());
}

// [found 3]
#[tokio::test]
async fn half_open_connections_do_not_block_other_clients() {
    let limits = ConnectionLimits { all: 60, of_source: 30, ..ConnectionLimits::default() };
    let app = TestApp::start_with(&Options { connections: limits, ..options(ACME) });
    // The connection has sent a complete request, so a new one does not replace it.
    let mut kept = app.connect().await;
    let strategies =
        |tenant: &str| format!("GET {} HTTP/1.1\r\nhost: x\r\n\r\n", tenant_path(tenant, "/strategies"));
    assert_eq!(Answer::to_bytes(&mut kept, strategies(ACME)).await.status, 200);
    let mut held = Vec::new();
    for count in 1..=400 {
        let mut half = app.connect().await;
        // The server may have closed the connection already.
        let _ = half.write_all(&b"GET /health/live HTTP/1.1\r\nhost"[..count % 30]).await;
        held.push(half);
        if count % 40 == 0 {
            for tenant in [ACME, GLOBEX] {
                let answer = Answer::to_bytes(&mut app.connect().await, strategies(tenant)).await;
                assert_eq!(answer.json()["tenant_id"], tenant);
            }
        }
    }
    assert_eq!(Answer::to_bytes(&mut kept, strategies(GLOBEX)).await.status, 200);
    assert!(number(&app, "latchkey_connections").await <= 31);
    assert!(number(&app, "latchkey_connections_ousted_total").await >= 370);
    assert_eq!(number(&app, "latchkey_connections_refused_total").await, 0);
}

// [limits #6], [found 3]
#[tokio::test]
async fn address_over_its_connection_share_gets_503() {
    let limits = ConnectionLimits { all: 4, of_source: 2, ..ConnectionLimits::default() };
    let app = TestApp::start_with(&Options { connections: limits, ..options(ACME) });
    let request = "GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n";
    let mut held = [app.connect().await, app.connect().await];
    for connection in &mut held {
        assert_eq!(Answer::to_bytes(connection, request).await.status, 200);
    }
    let refused = Answer::next(&mut app.connect().await).await;
    assert_eq!((refused.status, refused.header("connection")), (503, "close"));
    refused.assert_refused(503, "temporarily_unavailable", "Too many connections are open; try again");
    for connection in &mut held {
        assert_eq!(Answer::to_bytes(connection, request).await.status, 200, "they are kept");
    }
    drop(held);
    for _ in 0..600 {
        let mut connection = app.connect().await;
        if Answer::to_bytes(&mut connection, request).await.status == 200 {
            return;
        }
        sleep(Duration::from_millis(20)).await;
    }
    panic!("a place that became free is not given away");
}
