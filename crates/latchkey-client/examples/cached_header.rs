//! Measures what a caller pays for the header of a cached token: prints a name, a tab and the median in
//! nanoseconds. The goal is 200 ns.

use std::error::Error;
use std::hint::black_box;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::thread;
use std::time::Instant;

use latchkey_client::{Secret, TokenSource};

const ROUNDS: u32 = 7;
const HEADERS: u32 = 1_000_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}/token", listener.local_addr()?);
    thread::spawn(move || answer_one(&listener));
    let tokens = TokenSource::builder()
        .token_endpoint(url)
        .client_id("bench")
        .credential(Secret::value("x"))
        .build()?;
    tokens.authorization().await?;
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        for _ in 0..HEADERS {
            black_box(tokens.authorization().await?);
        }
        rounds.push(begun.elapsed().as_nanos() / u128::from(HEADERS));
    }
    rounds.sort_unstable();
    writeln!(io::stdout(), "latchkey-client: cached header, ns\t{}", rounds[rounds.len() / 2])?;
    Ok(())
}

/// A token endpoint for one request.
fn answer_one(listener: &TcpListener) -> io::Result<()> {
    let (mut stream, _) = listener.accept()?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or(0);
        }
        if line.trim().is_empty() {
            break;
        }
    }
    reader.take(length).read_to_end(&mut Vec::new())?;
    let body = r#"{"access_token":"token-of-a-bench","token_type":"Bearer","expires_in":86400}"#;
    write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}
