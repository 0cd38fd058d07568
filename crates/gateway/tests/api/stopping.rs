//! Shutdown: open requests get responses, and idle connections close immediately.

use crate::prelude::*;

const SOON: Duration = Duration::from_secs(5);

#[tokio::test]
async fn shutdown_answers_open_requests_and_closes_idle_connections() {
    for tenant in [ACME, GLOBEX] {
        let mut app = TestApp::start();
        let mut idle = app.connect().await;
        let strategies = format!("GET {} HTTP/1.1\r\nhost: x\r\n\r\n", tenant_path(tenant, "/strategies"));
        assert_eq!(Answer::to_bytes(&mut idle, strategies).await.status, 200);

        let secret = app.secrets(tenant).of(SVC);
        let body = format!("grant_type=client_credentials&client_id={SVC}&client_secret={secret}");
        let form = "content-type: application/x-www-form-urlencoded";
        let (path, length) = (token_path(tenant), body.len());
        let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\n{form}\r\ncontent-length: {length}\r\n\r\n");
        let mut open = app.connect().await;
        open.write_all(head.as_bytes()).await.unwrap();
        sleep(Duration::from_millis(200)).await;

        app.begin_to_stop();
        assert_eq!(timeout(SOON, idle.read(&mut [0])).await.unwrap().unwrap(), 0);
        let answer = timeout(SOON, Answer::to_bytes(&mut open, body)).await.unwrap();
        assert_eq!((answer.status, answer.header("connection")), (200, "close"), "{answer:?}");
        assert_eq!(timeout(SOON, open.read(&mut [0])).await.unwrap().unwrap(), 0);
    }
}
