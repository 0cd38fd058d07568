//! A plain connection to Redis (RESP 2), which forges values like an attacker with access.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(5);

pub(super) struct Connection(BufReader<TcpStream>);

/// The parts of an answer that matter here.
enum Reply {
    Text(Vec<u8>),
    Many(Vec<Reply>),
    Nothing,
}

impl Connection {
    pub(super) fn open(port: u16, password: &str) -> io::Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut connection = Self(BufReader::new(stream));
        connection.send(&[b"AUTH", password.as_bytes()])?;
        Ok(connection)
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.send(&[b"FLUSHALL"]).map(drop)
    }

    /// Overwrites every value with random bytes.
    pub(super) fn forge(&mut self) -> io::Result<()> {
        self.names()?.iter().try_for_each(|name| self.send(&[b"SET", name, b"nonsense"]).map(drop))
    }

    /// The values of tenants, clients and keys, with their names.
    pub(super) fn values(&mut self) -> io::Result<Vec<(Vec<u8>, Vec<u8>)>> {
        let mut values = Vec::new();
        for name in self.names()?.into_iter().filter(|name| is_value(name)) {
            if let Reply::Text(value) = self.send(&[b"GET", &name])? {
                values.push((name, value));
            }
        }
        Ok(values)
    }

    /// Replays old values.
    pub(super) fn put_back(&mut self, values: &[(Vec<u8>, Vec<u8>)]) -> io::Result<()> {
        values
            .iter()
            .try_for_each(|(name, value)| self.send(&[b"SET", name, value, b"PX", b"10000"]).map(drop))
    }

    fn names(&mut self) -> io::Result<Vec<Vec<u8>>> {
        let Reply::Many(names) = self.send(&[b"KEYS", b"latchkey:*"])? else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        let text = |name| if let Reply::Text(name) = name { Some(name) } else { None };
        Ok(names.into_iter().filter_map(text).collect())
    }

    fn send(&mut self, words: &[&[u8]]) -> io::Result<Reply> {
        let mut request = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            request.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            request.extend_from_slice(word);
            request.extend_from_slice(b"\r\n");
        }
        self.0.get_mut().write_all(&request)?;
        read(&mut self.0)
    }
}

fn is_value(name: &[u8]) -> bool {
    let name = String::from_utf8_lossy(name);
    [":tenant", ":keys"].iter().any(|end| name.ends_with(end)) || name.contains(":client:")
}

fn read(stream: &mut impl BufRead) -> io::Result<Reply> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let line = line.trim_end();
    let (kind, rest) = line.split_at_checked(1).ok_or(io::ErrorKind::UnexpectedEof)?;
    match (kind, rest.parse::<usize>()) {
        ("-", _) => Err(io::Error::other(rest.to_owned())),
        ("$", Ok(length)) => {
            let mut text = vec![0; length + 2];
            stream.read_exact(&mut text)?;
            text.truncate(length);
            Ok(Reply::Text(text))
        }
        ("*", Ok(length)) => Ok(Reply::Many((0..length).map(|_| read(stream)).collect::<Result<_, _>>()?)),
        _ => Ok(Reply::Nothing),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_as_redis_writes_them() {
        let mut stream = &b"*2\r\n$3\r\na\r\n\r\n$-1\r\n+OK\r\n-ERR no\r\n"[..];
        let Reply::Many(all) = read(&mut stream).unwrap() else { panic!("a list") };
        assert!(matches!(&all[..], [Reply::Text(text), Reply::Nothing] if text == b"a\r\n"));
        assert!(matches!(read(&mut stream).unwrap(), Reply::Nothing));
        assert!(read(&mut stream).is_err());
    }
}
