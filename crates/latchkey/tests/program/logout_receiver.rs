//! The receiver for a client's logout tokens (OpenID Connect Back-Channel Logout §2.5).

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

/// Returns the URL of the receiver, and a channel with the path and the body of each request.
pub(crate) fn logout_receiver() -> (String, Receiver<(String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for connection in listener.incoming().map_while(Result::ok) {
            sender.send(received(connection).unwrap()).unwrap();
        }
    });
    (url, receiver)
}

fn received(mut connection: TcpStream) -> std::io::Result<(String, String)> {
    let mut reader = BufReader::new(connection.try_clone()?);
    let (mut lines, mut length) = (Vec::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        lines.push(line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    write!(connection, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")?;
    let path = lines[0].split(' ').nth(1).unwrap_or_default().to_owned();
    Ok((path, String::from_utf8(body).unwrap()))
}
