//! The API that the documents' examples call with their token. It records every token for the test.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

pub(crate) struct StubApi {
    address: SocketAddr,
    shown: Arc<Mutex<Vec<String>>>,
}

impl StubApi {
    /// Refuses this many requests with 401 before it accepts any token. Its thread ends with the test.
    pub(crate) fn refusing_first(refusals: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shown = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&shown);
        thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                drop(answer(connection, refusals, &kept));
            }
        });
        Self { address, shown }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn tokens(&self) -> Vec<String> {
        self.shown.lock().unwrap().clone()
    }
}

fn answer(mut connection: TcpStream, refusals: usize, shown: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut token = None;
    for line in BufReader::new(connection.try_clone()?).lines() {
        let line = line?;
        if line.is_empty() {
            break;
        }
        let header = line.split_once(": ").filter(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        token = header.and_then(|(_, value)| value.strip_prefix("Bearer ")).map(str::to_owned).or(token);
    }
    let mut shown = shown.lock().unwrap();
    shown.extend(token);
    let (status, body) =
        if shown.len() > refusals { ("200 OK", r#"{"api":"answered"}"#) } else { ("401 Unauthorized", "{}") };
    let length = body.len();
    write!(
        connection,
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}
