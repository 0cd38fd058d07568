//! A client that allocates nothing and whose instructions are not counted: `cargo xtask instructions` leaves
//! out calls of [`send`] and [`receive`] by their names.

use std::io::ErrorKind;

use tokio::net::TcpStream;

/// One connection that is kept.
pub(crate) struct KeptConnection {
    connection: TcpStream,
    answer: Box<[u8]>,
}

impl KeptConnection {
    pub(crate) fn new(connection: TcpStream) -> Self {
        Self { connection, answer: vec![0; 1 << 16].into() }
    }

    /// Sends a request and returns its whole answer.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> &[u8] {
        self.connection.writable().await.unwrap();
        send(&self.connection, request);
        let mut length = 0;
        loop {
            self.connection.readable().await.unwrap();
            if receive(&self.connection, &mut self.answer, &mut length) {
                return &self.answer[..length];
            }
        }
    }
}

/// A request is smaller than the buffer of its socket.
#[inline(never)]
fn send(connection: &TcpStream, request: &[u8]) {
    assert_eq!(connection.try_write(request).unwrap(), request.len());
}

/// Returns whether the answer is whole.
#[inline(never)]
fn receive(connection: &TcpStream, answer: &mut [u8], length: &mut usize) -> bool {
    match connection.try_read(&mut answer[*length..]) {
        Ok(0) => panic!("the server closed the connection"),
        Ok(read) => *length += read,
        Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
        Err(error) => panic!("{error}"),
    }
    let text = std::str::from_utf8(&answer[..*length]).unwrap();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    body.len() == header(head, "content-length").map_or(0, |value| value.parse().unwrap())
}

/// The value of a header, whose name is in small letters.
pub(crate) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let fields = head.split("\r\n").filter_map(|line| line.split_once(": "));
    fields.filter(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
}
