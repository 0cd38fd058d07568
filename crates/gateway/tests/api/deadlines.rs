//! Timeouts of requests: 5 s for a head, 10 s for a body. They do not limit the pause between
//! requests.

use tokio::time::Instant;

use crate::prelude::*;

/// How long a test waits.
const PATIENCE: Duration = Duration::from_secs(30);

fn strategies(tenant: &str) -> String {
    format!("GET {} HTTP/1.1\r\nhost: x\r\n\r\n", tenant_path(tenant, "/strategies"))
}

fn token_request(app: &TestApp, tenant: &str) -> (String, String) {
    let secret = app.secrets(tenant).of(SVC);
    let body = format!("grant_type=client_credentials&client_id={SVC}&client_secret={secret}");
    let form = "content-type: application/x-www-form-urlencoded";
    let path = token_path(tenant);
    (format!("POST {path} HTTP/1.1\r\nhost: x\r\n{form}\r\ncontent-length: {}\r\n\r\n", body.len()), body)
}

/// Sends one byte every 300 ms until a response arrives. Returns the response and its time.
async fn drip(connection: &mut TcpStream, text: &str) -> (Answer, Duration) {
    let started = Instant::now();
    for byte in text.as_bytes() {
        // The server may have closed the connection already. The response can still be read.
        let _ = connection.write_all(&[*byte]).await;
        if timeout(Duration::from_millis(300), connection.readable()).await.is_ok() {
            break;
        }
    }
    let answer = timeout(PATIENCE, Answer::next(connection)).await.unwrap();
    (answer, started.elapsed())
}

async fn assert_closed(mut connection: TcpStream) {
    let rest = timeout(PATIENCE, connection.read(&mut [0])).await.unwrap();
    assert!(rest.as_ref().map_or(true, |count| *count == 0), "{rest:?}");
}

async fn assert_late_head(mut connection: TcpStream, tenant: &str) {
    let (answer, after) = drip(&mut connection, &strategies(tenant)).await;
    answer.assert_refused(408, "invalid_request", "The request head took too long to arrive");
    assert_eq!(answer.header("connection"), "close");
    assert!((Duration::from_millis(4500)..Duration::from_secs(9)).contains(&after), "{after:?}");
    assert_closed(connection).await;
}

async fn first_request(app: &TestApp, tenant: &str) {
    assert_late_head(app.connect().await, tenant).await;
}

async fn second_request(app: &TestApp, tenant: &str) {
    let mut connection = app.connect().await;
    Answer::to_bytes(&mut connection, strategies(tenant)).await.assert_status(200);
    sleep(Duration::from_secs(1)).await;
    assert_late_head(connection, tenant).await;
}

/// The second head starts in the same packet as the first request.
async fn second_request_that_began_early(app: &TestApp, tenant: &str) {
    let mut connection = app.connect().await;
    let (head, body) = token_request(app, tenant);
    connection.write_all(head.as_bytes()).await.unwrap();
    sleep(Duration::from_millis(200)).await;
    Answer::to_bytes(&mut connection, body + "G").await.assert_status(200);
    let (answer, after) = drip(&mut connection, &strategies(tenant)[1..]).await;
    assert_eq!(answer.status, 408);
    assert!((Duration::from_millis(4500)..Duration::from_secs(9)).contains(&after), "{after:?}");
    assert_closed(connection).await;
}

async fn silent_connection(app: &TestApp) {
    let mut connection = app.connect().await;
    let started = Instant::now();
    assert_eq!(timeout(PATIENCE, Answer::next(&mut connection)).await.unwrap().status, 408);
    assert!((4..9).contains(&started.elapsed().as_secs()));
    assert_closed(connection).await;
}

async fn body(app: &TestApp, tenant: &str) {
    let mut connection = app.connect().await;
    let (head, body) = token_request(app, tenant);
    connection.write_all(head.as_bytes()).await.unwrap();
    let (answer, after) = drip(&mut connection, &body).await;
    answer.assert_refused(408, "invalid_request", "The request body took too long to arrive");
    assert_eq!(answer.header("connection"), "close");
    assert!((Duration::from_millis(9500)..Duration::from_secs(15)).contains(&after), "{after:?}");
    assert_closed(connection).await;
}

/// Idle time does not count as a slow request: after a request with a body, after one without a
/// body, and after a refused request.
async fn idle(app: &TestApp, tenant: &str) {
    let (head, body) = token_request(app, tenant);
    let after = async |request: String| {
        let mut connection = app.connect().await;
        for _ in 0..2 {
            assert_eq!(Answer::to_bytes(&mut connection, &request).await.header("connection"), "");
            assert!(timeout(Duration::from_millis(6500), connection.read(&mut [0])).await.is_err());
        }
    };
    tokio::join!(after(head + &body), after(strategies(tenant)), after(strategies("initech")));
}

/// For an unknown tenant the body is not read, so the response announces that the connection
/// closes.
async fn unread_body(app: &TestApp) {
    let (head, body) = token_request(app, ACME);
    let head = head.replace("/acme/", "/initech/");
    let mut connection = app.connect().await;
    let answer = Answer::to_bytes(&mut connection, head.clone() + &body).await;
    assert_eq!((answer.status, answer.header("connection")), (404, "close"));
    assert_closed(connection).await;

    let request = head.replace(&format!("content-length: {}", body.len()), "transfer-encoding: chunked");
    let request = format!("{request}{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let mut connection = app.connect().await;
    let answer = Answer::to_bytes(&mut connection, &request).await;
    assert_eq!((answer.status, answer.header("connection")), (404, "close"));
    assert_closed(connection).await;
}

// [limits #2]: time for a head, on every request of a connection | 5 s | 408, connection closed
// [http RFC 9110 §15.5.9]
#[tokio::test]
async fn slow_requests_get_408_and_idle_connections_stay() {
    let app = TestApp::start();
    let of = |tenant: &'static str| {
        let app = &app;
        async move {
            tokio::join!(
                first_request(app, tenant),
                second_request(app, tenant),
                second_request_that_began_early(app, tenant),
                body(app, tenant),
                idle(app, tenant),
            )
        }
    };
    tokio::join!(of(ACME), of(GLOBEX), silent_connection(&app), unread_body(&app));
}

#[tokio::test]
async fn connection_serves_several_requests() {
    let app = TestApp::start();
    let mut connection = app.connect().await;
    for _ in 0..3 {
        for tenant in [ACME, GLOBEX] {
            let (head, body) = token_request(&app, tenant);
            let answer = Answer::to_bytes(&mut connection, head + &body).await;
            assert_eq!((answer.status, answer.header("connection")), (200, ""), "{answer:?}");
            let answer = Answer::to_bytes(&mut connection, strategies(tenant)).await;
            assert_eq!(answer.json()["tenant_id"], tenant);
        }
    }
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let app = TestApp::start();
    let mut connection = app.connect().await;
    let mut bytes = String::new();
    for tenant in [ACME, GLOBEX, ACME] {
        let (head, body) = token_request(&app, tenant);
        bytes += &(strategies(tenant) + &head + &body);
    }
    connection.write_all(bytes.as_bytes()).await.unwrap();
    for tenant in [ACME, GLOBEX, ACME] {
        assert_eq!(Answer::next(&mut connection).await.json()["tenant_id"], tenant);
        Answer::next(&mut connection).await.assert_status(200);
    }
}

#[tokio::test]
async fn connection_close_header_closes_the_connection() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let mut connection = app.connect().await;
        let request = strategies(tenant).replace("host: x", "host: x\r\nconnection: close");
        let answer = Answer::to_bytes(&mut connection, request).await;
        assert_eq!((answer.status, answer.header("connection")), (200, "close"));
        assert_closed(connection).await;
    }
}
