//! Forwards connections between a database and its server. A test can make it refuse connections, stop
//! forwarding, or forward to another server.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;

/// Stops when it is dropped.
pub(crate) struct Forwarder {
    address: SocketAddr,
    server: String,
    silent: Arc<AtomicBool>,
    rewriting: Arc<Mutex<Option<[String; 2]>>>,
    task: Option<JoinHandle<()>>,
}

impl Forwarder {
    /// Creates a forwarder to the server of the URL, and returns the URL of the forwarder.
    pub(crate) async fn new(url: &str) -> (Self, String) {
        let (login, server, database) = split(url);
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut forwarder = Self {
            address,
            server: server.to_owned(),
            silent: Arc::default(),
            rewriting: Arc::default(),
            task: None,
        };
        forwarder.accept().await;
        let url = format!("{login}@{}/{database}", forwarder.address);
        (forwarder, url)
    }

    /// Accepts connections on the same port as before.
    pub(crate) async fn accept(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.address = listener.local_addr().unwrap();
        self.silent.store(false, Ordering::SeqCst);
        self.task = Some(tokio::spawn(forward(
            listener,
            self.server.clone(),
            Arc::clone(&self.silent),
            Arc::clone(&self.rewriting),
        )));
    }

    /// Closes all connections and accepts no new ones.
    pub(crate) async fn refuse(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
            drop(task.await);
        }
    }

    /// Closes all connections, and forwards new ones to the server of this URL.
    pub(crate) async fn turn_to(&mut self, url: &str) {
        self.refuse().await;
        self.server = split(url).1.to_owned();
        self.accept().await;
    }

    /// Replaces a text in messages to the server by a text that is not longer, and spaces.
    pub(crate) fn rewrite(&self, from: &str, to: &str) {
        let to = format!("{to:width$}", width = from.len());
        assert_eq!(from.len(), to.len());
        *self.rewriting.lock().unwrap() = Some([from.to_owned(), to]);
    }

    /// Keeps connections open and accepts new ones, but forwards nothing.
    pub(crate) fn hang(&self) {
        self.silent.store(true, Ordering::SeqCst);
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// The login, the address and the database of a URL.
fn split(url: &str) -> (&str, &str, &str) {
    let (login, place) = url.rsplit_once('@').unwrap();
    let (server, database) = place.split_once('/').unwrap();
    (login, server, database)
}

async fn forward(
    listener: TcpListener,
    server: String,
    silent: Arc<AtomicBool>,
    rewriting: Arc<Mutex<Option<[String; 2]>>>,
) {
    // Dropped together with this task, which stops all forwarding.
    let mut halves = JoinSet::new();
    loop {
        let (client, _) = listener.accept().await.unwrap();
        let Ok(server) = TcpStream::connect(&server).await else { continue };
        for stream in [&client, &server] {
            stream.set_nodelay(true).unwrap();
        }
        let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
        halves.spawn(copy(from_client, to_server, Arc::clone(&silent), Arc::clone(&rewriting)));
        halves.spawn(copy(from_server, to_client, Arc::clone(&silent), Arc::default()));
    }
}

async fn copy(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    silent: Arc<AtomicBool>,
    rewriting: Arc<Mutex<Option<[String; 2]>>>,
) {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        while silent.load(Ordering::SeqCst) {
            sleep(Duration::from_millis(5)).await;
        }
        if let Some([from, to]) = &*rewriting.lock().unwrap() {
            while let Some(at) = bytes[..length].windows(from.len()).position(|part| part == from.as_bytes())
            {
                bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
            }
        }
        if to.write_all(&bytes[..length]).await.is_err() {
            return;
        }
    }
}
