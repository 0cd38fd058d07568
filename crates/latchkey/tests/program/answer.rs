//! Reads a complete answer, from an HTTP library or from a raw connection. Tests use raw connections for
//! requests that the library cannot send.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::RequestBuilder;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The longest time for an answer, even on a busy machine.
const LONGEST: Duration = Duration::from_secs(20);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The names are in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) async fn to(request: RequestBuilder) -> Self {
        Self::try_to(request).await.unwrap()
    }

    /// Returns an error if the connection breaks before the answer is complete.
    pub(crate) async fn try_to(request: RequestBuilder) -> reqwest::Result<Self> {
        Self::try_within(request, LONGEST).await
    }

    pub(crate) async fn try_within(request: RequestBuilder, longest: Duration) -> reqwest::Result<Self> {
        let response = request.timeout(longest).send().await?;
        let status = response.status().as_u16();
        let header = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
            (name.as_str().to_owned(), value.to_str().unwrap().to_owned())
        };
        let headers = response.headers().iter().map(header).collect();
        Ok(Self { status, headers, body: response.text().await? })
    }

    /// Returns the answer to raw bytes. Closes the write half, and reads to the end.
    pub(crate) async fn to_bytes(address: SocketAddr, request: &[u8]) -> Self {
        let exchange = async {
            let mut connection = TcpStream::connect(address).await.unwrap();
            connection.write_all(request).await.unwrap();
            let mut read = Vec::new();
            while !is_whole(&read) && connection.read_buf(&mut read).await.unwrap() > 0 {}
            read
        };
        let read = timeout(LONGEST, exchange).await.expect("an answer in time");
        Self::of_text(&String::from_utf8(read).unwrap())
    }

    /// The head and the body as they were read.
    #[track_caller]
    pub(crate) fn of_text(read: &str) -> Self {
        let (head, body) = read.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head in {read:?}"));
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
        Self { status, headers, body: body.to_owned() }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The access token in a token response.
    #[track_caller]
    pub(crate) fn token(&self) -> String {
        assert_eq!(self.status, 200, "{self:?}");
        self.json()["access_token"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    pub(crate) fn assert_refused(&self, status: u16, error: &str) {
        assert_eq!((self.status, self.json()["error"].as_str()), (status, Some(error)), "{self:?}");
    }
}

fn is_whole(read: &[u8]) -> bool {
    let text = String::from_utf8_lossy(read);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let mut lengths = head.lines().filter_map(|line| line.split_once(": "));
    let length = lengths.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    length.is_some_and(|(_, length)| length.parse::<usize>().is_ok_and(|length| body.len() >= length))
}
