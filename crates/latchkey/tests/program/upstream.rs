//! The server behind a proxy, as a test sees it: each byte that the proxy sends is kept. It passes everything
//! on to a program, or answers itself.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::mem;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

pub(crate) struct Upstream {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

struct State {
    target: Target,
    received: String,
    connections: usize,
    open: Vec<TcpStream>,
}

#[derive(Clone, Copy)]
pub(crate) enum Target {
    Program(SocketAddr),
    /// The answer to a request with this head.
    Answer(fn(&str) -> String),
    /// No longer listens.
    Away,
}

/// An answer without a body.
pub(crate) fn answer(status: u16, headers: &str) -> String {
    format!("HTTP/1.1 {status} Status\r\ncontent-length: 0\r\n{headers}\r\n")
}

impl Upstream {
    pub(crate) fn new(target: Target) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = State { target, received: String::new(), connections: 0, open: Vec::new() };
        let upstream = Self { address, state: Arc::new(Mutex::new(state)) };
        let state = Arc::clone(&upstream.state);
        thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let target = {
                    let mut state = state.lock().unwrap();
                    state.connections += 1;
                    state.open.push(connection.try_clone().unwrap());
                    state.target
                };
                let state = Arc::clone(&state);
                match target {
                    Target::Program(address) => {
                        drop(thread::spawn(move || pass_on(&connection, address, &state)));
                    }
                    Target::Answer(answer) => {
                        drop(thread::spawn(move || respond(&connection, answer, &state)));
                    }
                    Target::Away => return,
                }
            }
        });
        upstream
    }

    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// Closes the connections of the previous target.
    pub(crate) fn lead_to(&self, target: Target) {
        let open = {
            let mut state = self.state.lock().unwrap();
            state.target = target;
            mem::take(&mut state.open)
        };
        open.iter().for_each(|connection| drop(connection.shutdown(Shutdown::Both)));
        if let Target::Away = target {
            drop(TcpStream::connect(self.address));
        }
    }

    /// The requests since the last call, and the number of connections that were opened for them.
    pub(crate) fn taken(&self) -> (String, usize) {
        let mut state = self.state.lock().unwrap();
        (mem::take(&mut state.received), mem::take(&mut state.connections))
    }
}

fn pass_on(connection: &TcpStream, to: SocketAddr, state: &Mutex<State>) {
    let Ok(program) = TcpStream::connect(to) else { return };
    let (mut back, mut from_program) = (connection.try_clone().unwrap(), program.try_clone().unwrap());
    thread::spawn(move || {
        drop(std::io::copy(&mut from_program, &mut back));
        drop(back.shutdown(Shutdown::Both));
    });
    let (mut from_proxy, mut to_program) = (connection, &program);
    let mut bytes = [0; 8192];
    while let Ok(count @ 1..) = from_proxy.read(&mut bytes) {
        state.lock().unwrap().received.push_str(&String::from_utf8_lossy(&bytes[..count]));
        if to_program.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    drop(program.shutdown(Shutdown::Both));
}

fn respond(mut connection: &TcpStream, answer: fn(&str) -> String, state: &Mutex<State>) {
    let mut reader = BufReader::new(connection);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if !matches!(reader.read_line(&mut head), Ok(1..)) {
                return;
            }
        }
        let lower = head.to_lowercase();
        let length = lower.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        state.lock().unwrap().received.push_str(&format!("{head}{}", String::from_utf8_lossy(&body)));
        if connection.write_all(answer(&head).as_bytes()).is_err() {
            return;
        }
    }
}
