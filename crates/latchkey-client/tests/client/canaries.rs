//! Tests that no secret and no token appears in the log at `trace`, in `Debug` output or in an error.

use std::error::Error;
use std::fmt::Debug;
use std::io;
use std::sync::{Arc, Mutex};

use latchkey_client::{Builder, ClientCredential, PrivateKeyJwt, Secret, SendWith as _};
use tokio::task::JoinSet;
use tracing_subscriber::fmt::MakeWriter;

use crate::builder;
use crate::certificates::TestEnv;
use crate::observer::Noting;
use crate::proofs::JWK;
use crate::stub::{Reply, Stub};

const SECRET: &str = "canary-secret-3141";
const TOKEN: &str = "canary-token-2718";
const TORN: &str = "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"access_token\":\"canary-token-2718";
/// How assertions and proofs begin: `{"alg":` in base64url.
const JWS: &str = "eyJhbGci";
/// The private number of the key in [`JWK`].
const D: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
/// `billing:` and the secret in base64.
const BASIC: &str = "YmlsbGluZzpjYW5hcnktc2VjcmV0LTMxNDE";

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Written {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn shown(error: &dyn Error) -> String {
    let mut text = format!("{error:?} {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(" {error:?} {error}");
        cause = error.source();
    }
    text
}

/// Returns all output while a source is used.
async fn use_of(
    credential: impl ClientCredential + Debug + 'static,
    builder: Builder,
    url: String,
) -> String {
    let noting = Arc::new(Noting::default());
    let mut text = format!("{credential:?}");
    let builder = builder.credential(credential).observer(Arc::clone(&noting));
    text += &format!("{builder:?}");
    let tokens = builder.build().expect("a whole configuration");
    match tokens.token().await {
        Ok(token) => text += &format!("{token:?} {:?} {:?}", token.authorization(), tokens.cached()),
        Err(error) => text += &shown(&error),
    }
    if let Err(error) = reqwest::Client::new().get(url).send_with(&tokens).await {
        text += &shown(&error);
    }
    text + &format!("{tokens:?} {:?} {:?}", tokens.status(), noting.0.lock())
}

#[tokio::test]
async fn secrets_and_tokens_never_appear_in_output() {
    let written = Written::default();
    let subscriber = tracing_subscriber::fmt().with_env_filter("trace").with_writer(written.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let mut text = String::new();
    let env = TestEnv::new();
    let certificate = env.issue("billing.example");
    env.write(&certificate);
    let key = certificate.key.serialize_pem();
    let replies: [fn() -> Reply; 7] = [
        || Reply::token(TOKEN),
        || Reply::json(200, format!(r#"{{"access_token":"{TOKEN}","token_type":"DPoP"}}"#)),
        || Reply::rejected(401, "invalid_client"),
        || Reply::json(200, format!(r#"{{"access_token":"{TOKEN}","token_type":7}}"#)),
        || Reply::json(200, format!(r#"{{"access_token":"{TOKEN}\n","token_type":"Bearer"}}"#)),
        || Reply::json(500, TOKEN),
        || Reply::Torn(TORN),
    ];
    let mut tasks = JoinSet::new();
    for reply in replies {
        for secret in
            [Secret::value(SECRET), Secret::value(SECRET).in_body(), Secret::command(["echo", SECRET])]
        {
            let stub = Stub::start(move |_| reply()).await;
            tasks.spawn(use_of(secret, builder(&stub), stub.url("/")));
        }
        let stub = Stub::start(move |_| reply()).await;
        tasks.spawn(use_of(PrivateKeyJwt::value(JWK), builder(&stub).dpop(), stub.url("/")));
        let stub = env.server(move |_| reply()).await;
        tasks.spawn(use_of(env.certificate(), env.trusting(builder(&stub)), stub.url("/")));
    }
    while let Some(shown) = tasks.join_next().await {
        text += &shown.unwrap();
    }
    text += &String::from_utf8_lossy(&written.0.lock().unwrap());
    let is_written = text.contains("requested a token") && text.contains("client_id=\"billing\"");
    assert!(is_written, "events are written");
    assert!(text.contains("AccessToken([redacted], DPoP") && text.contains("AccessToken([redacted], Bearer"));
    // The first and the last line of PEM are not secret.
    let key_lines = key.lines().filter(|line| !line.starts_with("-----"));
    for canary in [SECRET, TOKEN, BASIC, JWS, D].into_iter().chain(key_lines) {
        let at = text.find(canary);
        assert!(at.is_none(), "{}", at.map_or("", |at| &text[at.saturating_sub(300)..at + canary.len()]));
    }
}
