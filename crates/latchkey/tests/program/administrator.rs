//! The admin API of a running program, as an administrator's own client calls it.

use std::process::Command;
use std::time::{Duration, Instant};

use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use tokio::time::sleep;

use crate::canaries::Canaries;
use crate::host::run;
use crate::program::Program;

/// A running program sees a write of another process within a second. A busy machine needs longer.
const SEEN: Duration = Duration::from_secs(20);
/// The longest time for an answer.
const LONGEST: Duration = Duration::from_secs(20);

/// Status and body of an answer. `None` if the connection broke first.
pub(crate) type Said = Option<(u16, Value)>;

/// An administrator of the whole platform, with a token that is valid longer than any test.
#[derive(Clone)]
pub(crate) struct Administrator {
    http: reqwest::Client,
    origin: String,
    token: String,
}

impl Administrator {
    /// Creates the first administrator. `command` is a prepared `admin init --json` on the store of the
    /// running program.
    pub(crate) async fn init(program: &Program, command: &mut Command, canaries: &Canaries) -> Self {
        let made: Value = serde_json::from_str(&run(command).output()).unwrap();
        let client = made["client_id"].as_str().unwrap();
        let secret = made["secret"]["client_secret"].as_str().unwrap();
        canaries.add(secret);
        let began = Instant::now();
        loop {
            match program.administration_token(client, secret).await {
                Ok(token) => return Self { http: reqwest::Client::new(), origin: program.url(""), token },
                Err(error) => {
                    assert!(began.elapsed() < SEEN, "no token for the first administrator: {error:?}");
                }
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// The same administrator, at a program that started later on the same store.
    pub(crate) fn at(&self, program: &Program) -> Self {
        self.at_origin(&program.url(""))
    }

    pub(crate) fn at_origin(&self, origin: &str) -> Self {
        Self { origin: origin.to_owned(), ..self.clone() }
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Said {
        self.send_as(None, method, path, body).await
    }

    /// A request with the administrator's token.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.origin)).bearer_auth(&self.token)
    }

    /// Sends a request with this `Idempotency-Key`.
    pub(crate) async fn send_as(
        &self,
        once: Option<&str>,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Said {
        let mut request = self.request(method, path).timeout(LONGEST);
        if let Some(once) = once {
            request = request.header("idempotency-key", once);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.ok()?;
        let (status, text) = (answer.status().as_u16(), answer.text().await.ok()?);
        Some((status, serde_json::from_str(&text).unwrap_or(Value::Null)))
    }

    /// Returns the answer to a request that must succeed. Repeats a read if a busy store did not answer in
    /// time.
    pub(crate) async fn send_request(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let began = Instant::now();
        let (status, said) = loop {
            let (status, said) = self.send(method.clone(), path, body.as_ref()).await.expect("an answer");
            if status != 503 || method != Method::GET || began.elapsed() > LONGEST {
                break (status, said);
            }
            sleep(Duration::from_millis(50)).await;
        };
        assert!((200..300).contains(&status), "{method} {path}: {status} {said}");
        said
    }

    /// All items of a list, from all pages.
    pub(crate) async fn all(&self, path: &str) -> Vec<Value> {
        let (mut items, mut cursor) = (Vec::new(), String::new());
        loop {
            let more = if path.contains('?') { '&' } else { '?' };
            let said = self.send_request(Method::GET, &format!("{path}{more}limit=200{cursor}"), None).await;
            items.extend(said["items"].as_array().unwrap().iter().cloned());
            let Some(next) = said["next_cursor"].as_str() else { return items };
            cursor = format!("&cursor={}", percent_encoded(next));
        }
    }
}

fn percent_encoded(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'_' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}
