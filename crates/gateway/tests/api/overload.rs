//! More token requests than the worker can answer: some wait, some are refused immediately, and no
//! other request is refused.

use gateway::ConnectionLimits;

use crate::prelude::*;

/// Each connection sends one request at a time.
const CONNECTIONS: usize = 1_000;
/// Requests per ten milliseconds: more than a worker can answer in any build.
const CHUNK: usize = 50;
/// Maximum rounds until a request is refused, because the test may send too slowly on a busy
/// machine.
const ROUNDS: usize = 20;
/// Concurrent requests that are all answered. Both ends of their connections are open files of this
/// process.
const BURST: usize = 300;

type Sender = (&'static str, Option<TcpStream>);

fn request(app: &TestApp, tenant: &str) -> String {
    let secret = app.secrets(tenant).of(SVC);
    let body = format!("grant_type=client_credentials&client_id={SVC}&client_secret={secret}");
    format!(
        "POST {} HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        token_path(tenant),
        body.len()
    )
}

/// Opens the connection together with its first request, because the server closes a connection
/// without a request.
async fn send(app: &TestApp, (tenant, connection): &mut Sender) {
    if connection.is_none() {
        *connection = Some(app.connect().await);
    }
    connection.as_mut().unwrap().write_all(request(app, tenant).as_bytes()).await.unwrap();
}

async fn answer((_, connection): &mut Sender) -> Answer {
    Answer::next(connection.as_mut().unwrap()).await
}

async fn refusals(app: &TestApp) -> usize {
    let numbers = app.get("/metrics").await.body;
    let line = numbers.lines().find_map(|line| line.strip_prefix("latchkey_requests_refused_total "));
    line.unwrap().parse().unwrap()
}

#[tokio::test]
async fn overloaded_worker_refuses_tokens_answers_probes_and_recovers() {
    // Only a few requests may wait, in any build.
    let app = TestApp::start_with(&queueing(Duration::from_millis(20)));
    let mut senders: Vec<Sender> =
        (0..CONNECTIONS).map(|number| (if number % 2 == 0 { ACME } else { GLOBEX }, None)).collect();
    let mut probe = app.connect().await;
    let (mut accepted, mut refused) = ([0, 0], [0, 0]);
    for _ in 0..ROUNDS {
        for chunk in senders.chunks_mut(CHUNK) {
            for sender in chunk {
                send(&app, sender).await;
            }
            sleep(Duration::from_millis(10)).await;
        }
        Answer::to_bytes(&mut probe, "GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n").await.assert_status(200);
        for sender in &mut senders {
            let answer = answer(sender).await;
            assert_eq!(answer.header("connection"), "", "it is kept: {answer:?}");
            let index = usize::from(sender.0 == GLOBEX);
            if answer.status == 200 {
                accepted[index] += 1;
            } else {
                answer.assert_refused(503, "temporarily_unavailable", "The server is overloaded; try again");
                assert_eq!(answer.header("retry-after"), "1");
                refused[index] += 1;
            }
        }
        if refused[0] + refused[1] > 0 {
            break;
        }
    }
    assert!(accepted.iter().chain(&refused).all(|count| *count > 0), "{accepted:?} {refused:?}");
    assert_eq!(refusals(&app).await, refused[0] + refused[1]);

    // The server still serves the same connections one after the other.
    for sender in senders.iter_mut().take(20) {
        send(&app, sender).await;
        assert_eq!(answer(sender).await.status, 200);
    }
    assert_eq!(refusals(&app).await, refused[0] + refused[1]);
}

fn queueing(queued: Duration) -> Options {
    Options { connections: ConnectionLimits { queued, ..ConnectionLimits::default() }, ..options(ACME) }
}

/// The queue time is long, so that the result does not depend on the speed of the machine. Tests of
/// the queue check the limit of a second with their own clock.
// [third 18]
#[tokio::test]
async fn every_request_of_a_burst_is_answered() {
    let app = TestApp::start_with(&queueing(Duration::from_secs(120)));
    let mut senders: Vec<Sender> =
        (0..BURST).map(|number| (if number % 2 == 0 { ACME } else { GLOBEX }, None)).collect();
    for sender in &mut senders {
        send(&app, sender).await;
    }
    for sender in &mut senders {
        assert_eq!(answer(sender).await.status, 200, "raise nofile to 1024 if a connection was not taken");
    }
    assert_eq!(refusals(&app).await, 0);
}
