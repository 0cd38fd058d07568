//! Tests a log pipe that is never read: the program still answers requests, and stops on a signal.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{ChildStdout, Stdio};
use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::folder::Folder;
use crate::foreign::Killed;
use crate::host;
use crate::settings::TWO_TENANTS;

/// Enough for four times the capacity of a pipe on this system. The log line of every request is longer than
/// 100 bytes.
const REQUESTS: usize = 4 * 65_536 / 100;

/// A program whose standard output is full.
struct Unread {
    child: Killed,
    address: SocketAddr,
    /// Open, so that writing blocks instead of failing.
    _out: BufReader<ChildStdout>,
}

impl Unread {
    async fn start(folder: &Folder) -> Self {
        let mut command = folder.program(&["serve"]);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut address = None;
        loop {
            let mut text = String::new();
            out.read_line(&mut text).unwrap();
            let line: Value = serde_json::from_str(&text).unwrap();
            match line["message"].as_str() {
                Some("listening") => address = line["address"].as_str().unwrap().parse().ok(),
                Some("serving") => break,
                _ => {}
            }
        }
        let program = Self { child: Killed(child), address: address.unwrap(), _out: out };
        let http = Client::new();
        for _ in 0..REQUESTS {
            let answer = http.get(program.url("/health/live")).send().await.unwrap();
            assert_eq!(answer.status(), 200);
            answer.bytes().await.unwrap();
        }
        program
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The exit code, and how long the program took to end.
    fn end_after(&mut self, signal: &str) -> (Option<i32>, Duration) {
        let requested = Instant::now();
        host::signal(signal, self.child.0.id());
        let code = host::wait(&mut self.child.0, Duration::from_secs(20)).expect("the program ends in time");
        (code, requested.elapsed())
    }
}

#[tokio::test]
async fn unread_log_does_not_delay_the_stop() {
    let folder = Folder::with(TWO_TENANTS);
    let (code, took) = Unread::start(&folder).await.end_after("TERM");
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test]
async fn unread_log_does_not_delay_a_second_signal() {
    let folder = Folder::with(TWO_TENANTS);
    let mut program = Unread::start(&folder).await;
    // The drain waits for an open request, and for the next probe.
    let mut open = TcpStream::connect(program.address).await.unwrap();
    let head = "POST /oauth/token HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n";
    open.write_all(head.as_bytes()).await.unwrap();
    let probe = async || reqwest::get(program.url("/health/ready")).await.unwrap().status();
    assert_eq!(probe().await, 200);
    host::signal("TERM", program.child.0.id());
    while probe().await == 200 {
        sleep(Duration::from_millis(20)).await;
    }
    let (code, took) = program.end_after("TERM");
    assert_eq!(code, Some(1));
    assert!(took < Duration::from_secs(4), "{took:?}");
}
