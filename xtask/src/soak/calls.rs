//! HTTP requests over persistent connections, one at a time per connection, with the result of each. They
//! name the host of the public URL, because the program serves administration and metrics under this name
//! only.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::program::HOST;
use super::tenants::{Client, SECRET};

const CONNECTIONS: u32 = 16;
const PATIENCE: Duration = Duration::from_secs(5);

/// The request rate.
#[derive(Clone, Copy)]
pub(super) enum Pace {
    /// Each connection sends the next request as soon as it has the answer, which
    /// saturates the program's core.
    Full,
    /// This many requests a second over all connections.
    PerSecond(u32),
}

/// The outcome of a request. Status 0: no answer.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) has_retry_after: bool,
    pub(super) took: Duration,
}

/// An answer, read whole.
#[derive(Default)]
struct Answered {
    status: u16,
    has_retry_after: bool,
    /// `name=value` of each cookie that it sets.
    cookies: Vec<String>,
    body: String,
}

/// One connection, opened on demand and reopened after a failure.
pub(super) struct Caller {
    address: SocketAddr,
    stream: Option<BufReader<TcpStream>>,
}

impl Caller {
    pub(super) fn new(address: SocketAddr) -> Self {
        Self { address, stream: None }
    }

    pub(super) fn token(&mut self, client: &Client) -> Answer {
        let Client { tenant, id } = client;
        let form = format!("grant_type=client_credentials&client_id={id}&client_secret={SECRET}");
        self.post_form(&format!("/api/v1/tenant/{tenant}/oauth/token"), &form).0
    }

    /// Returns the body of the answer, too.
    pub(super) fn post_form(&mut self, path: &str, form: &str) -> (Answer, String) {
        self.send_form(path, "", form)
    }

    /// Sends a form with these lines in the head.
    pub(super) fn send_form(&mut self, path: &str, headers: &str, form: &str) -> (Answer, String) {
        self.timed(&format!(
            "POST {path} HTTP/1.1\r\nHost: {HOST}\r\n{headers}\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        ))
    }

    /// Sends a request to the admin API and returns the body of the answer, too.
    pub(super) fn administer(
        &mut self,
        token: &str,
        method: &str,
        path: &str,
        body: &str,
    ) -> (Answer, String) {
        self.timed(&format!(
            "{method} {path} HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    fn timed(&mut self, request: &str) -> (Answer, String) {
        let began = Instant::now();
        let answered = self.exchange(request);
        let took = began.elapsed();
        if answered.is_err() {
            self.stream = None;
        }
        let Answered { status, has_retry_after, body, .. } = answered.unwrap_or_default();
        (Answer { status, has_retry_after, took }, body)
    }

    /// The body, empty when there is none.
    pub(super) fn get(&mut self, path: &str) -> String {
        self.page(path).0
    }

    /// Returns the page with the cookies that it sets, in the form of a request.
    pub(super) fn page(&mut self, path: &str) -> (String, String) {
        let answered = self.exchange(&format!("GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n"));
        let Answered { body, cookies, .. } = answered.unwrap_or_default();
        (body, cookies.join("; "))
    }

    fn exchange(&mut self, request: &str) -> io::Result<Answered> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => connect(self.address)?,
        };
        stream.get_mut().write_all(request.as_bytes())?;
        let (mut answered, mut length, mut closes) = (Answered::default(), 0, false);
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let line = line.trim_end();
            if line.is_empty() {
                break;
            } else if let Some((name, value)) = line.split_once(": ") {
                match &*name.to_ascii_lowercase() {
                    "content-length" => length = value.parse().map_err(io::Error::other)?,
                    "retry-after" => answered.has_retry_after = true,
                    "connection" => closes = value.eq_ignore_ascii_case("close"),
                    "set-cookie" => answered.cookies.extend(value.split(';').next().map(str::to_owned)),
                    _ => {}
                }
            } else {
                answered.status = line.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body)?;
        if !closes {
            self.stream = Some(stream);
        }
        answered.body = String::from_utf8_lossy(&body).into_owned();
        Ok(answered)
    }
}

fn connect(address: SocketAddr) -> io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(BufReader::new(stream))
}

/// Requests tokens for all these clients in turn over sixteen connections while `meanwhile` runs.
pub(super) fn load<T>(
    address: SocketAddr,
    clients: &[Client],
    pace: Pace,
    meanwhile: impl FnOnce() -> T,
) -> (Vec<Answer>, T) {
    let interval = match pace {
        Pace::Full => Duration::ZERO,
        Pace::PerSecond(rate) => Duration::from_secs(1) * CONNECTIONS / rate,
    };
    let (stop, next) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        let callers: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                scope.spawn(|| {
                    let (mut caller, mut answers) = (Caller::new(address), Vec::new());
                    while !stop.load(Ordering::Relaxed) {
                        let turn = next.fetch_add(1, Ordering::Relaxed);
                        let answer = caller.token(&clients[turn % clients.len()]);
                        thread::sleep(interval.saturating_sub(answer.took));
                        answers.push(answer);
                    }
                    answers
                })
            })
            .collect();
        let result = meanwhile();
        stop.store(true, Ordering::Relaxed);
        let answers = callers.into_iter().flat_map(|caller| caller.join().unwrap_or_default());
        (answers.collect(), result)
    })
}

/// The percentile in milliseconds.
pub(super) fn percentile(times: impl Iterator<Item = Duration>, percent: usize) -> f64 {
    let mut times: Vec<Duration> = times.collect();
    times.sort_unstable();
    let index = (times.len() * percent / 100).min(times.len().saturating_sub(1));
    times.get(index).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentile_is_one_of_the_times() {
        let times = |count: u64| (1..=count).rev().map(Duration::from_millis);
        assert_eq!(percentile(times(3), 50), 2.0);
        assert_eq!(percentile(times(100), 99), 100.0);
        assert_eq!(percentile(times(1), 99), 1.0);
        assert!(percentile(times(0), 50).is_nan());
    }
}
