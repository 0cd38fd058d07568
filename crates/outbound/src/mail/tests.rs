//! Tests messages, and what is done about servers that answer badly. The tests of the program use a mail
//! server of others.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};
use values::Timestamp;

use super::*;

fn mail() -> OutgoingMail {
    OutgoingMail {
        from: "Acme, Inc. <no-reply@id.example.com>".parse().unwrap(),
        reply_to: Some("help+id@example.com".parse().unwrap()),
        to: "ada@example.com".to_owned(),
        subject: "Reset your password at Café".to_owned(),
        text: "Type ABCD-EF2H on the page.\n".to_owned(),
        html: "<p>Type <b>ABCD-EF2H</b></p><img src=\"cid:logo\" alt=\"\">".to_owned(),
        logo: Some(("image/png", Arc::new(vec![0x89, b'P', b'N', b'G']))),
        id: "0123456789abcdef".to_owned(),
        date: Timestamp::from_seconds(1_780_000_000),
        is_notice: true,
    }
}

fn text_of(mail: &OutgoingMail) -> String {
    String::from_utf8(mail.message().unwrap().formatted()).unwrap()
}

#[test]
fn message_has_its_parts_and_headers() {
    let text = text_of(&mail());
    let (head, parts) = text.split_once("\r\n\r\n").unwrap();
    for line in [
        "From: =?utf-8?b?QWNtZSwgSW5jLg==?= <no-reply@id.example.com>",
        "Reply-To: help+id@example.com",
        "To: ada@example.com",
        "Message-ID: <0123456789abcdef@id.example.com>",
        "Date: Thu, 28 May 2026 20:26:40 +0000",
        "Auto-Submitted: auto-generated",
        "List-Unsubscribe: <mailto:help+id@example.com?subject=unsubscribe>",
        "MIME-Version: 1.0",
    ] {
        assert!(head.split("\r\n").any(|found| found == line), "{line} is not in {head}");
    }
    let places = ["multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png"];
    let places = places.map(|part| text.find(&format!("Content-Type: {part}")).unwrap());
    assert!(places.is_sorted(), "{text}");
    assert!(parts.contains("Content-ID: <logo>") && parts.contains("Content-Disposition: inline"), "{parts}");
    let plain = text_of(&OutgoingMail { logo: None, reply_to: None, ..mail() });
    assert!(!plain.contains("related") && !plain.contains("List-Unsubscribe") && !plain.contains("Reply-To"));
    let asked = text_of(&OutgoingMail { is_notice: false, ..mail() });
    assert!(!asked.contains("List-Unsubscribe") && asked.contains("Reply-To"));
}

#[test]
fn line_feeds_in_values_add_no_headers() {
    for subject in
        ["Hi\r\nBcc: eve@example.com", "Hi\nBcc: eve@example.com", "Caf\u{e9}\r\n\r\nBcc: eve@example.com"]
    {
        let text = text_of(&OutgoingMail { subject: subject.to_owned(), ..mail() });
        assert!(!text.lines().any(|line| line.to_ascii_lowercase().starts_with("bcc")), "{text}");
        assert_eq!(text.matches("Content-Type: multipart/alternative").count(), 1);
        assert!(text.find("\r\n\r\n") > text.find("\r\nAuto-Submitted"), "{text}");
    }
    for to in ["ada@example.com\r\nBcc: eve@example.com", "ada@example.com, eve@example.com", "ada", ""] {
        let refused = OutgoingMail { to: to.to_owned(), ..mail() }.message();
        assert!(matches!(refused, Err(MailError::Refused(_))), "{to:?}");
    }
    for from in ["A\r\nBcc: b@c.example <a@b.example>", "a@b.example\r\nBcc: c@d.example", "<a@b.example"] {
        assert!(from.parse::<MailAddress>().is_err(), "{from:?}");
    }
}

#[test]
fn urls_name_host_port_and_tls() {
    for (url, expected) in [
        ("smtp://mail.example", Some(("mail.example", 587, false, false))),
        ("smtps://mail.example/", Some(("mail.example", 465, true, false))),
        ("smtp://127.0.0.1:2525", Some(("127.0.0.1", 2525, false, true))),
        ("smtp://[::1]:25", Some(("::1", 25, false, true))),
        ("smtp://localhost", Some(("localhost", 587, false, true))),
        ("smtp://user:hunter2@mail.example", None),
        ("smtp://mail.example/path", None),
        ("smtp://", None),
        ("mail.example:25", None),
        ("https://mail.example", None),
    ] {
        let parsed = url.parse::<MailUrl>().ok();
        let found =
            parsed.as_ref().map(|url| (&*url.host, url.port, url.uses_tls_at_once, url.is_on_loopback()));
        assert_eq!(found, expected, "{url}");
    }
}

/// A server on loopback that answers each command by its first letters. Returns what it got.
async fn server(answers: &'static [(&'static str, &'static str)]) -> (MailServer, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap()).parse().unwrap();
    let got = Arc::<Mutex<Vec<String>>>::default();
    let log = got.clone();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            let log = log.clone();
            tokio::spawn(async move {
                let mut lines = BufReader::new(connection);
                let answer = |line: &str| {
                    answers.iter().find(|(begins, _)| line.starts_with(begins)).map(|(_, answer)| *answer)
                };
                let mut line = "hello".to_owned();
                loop {
                    log.lock().unwrap().push(line.trim().to_owned());
                    if let Some(answer) = answer(&line) {
                        lines.get_mut().write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
                    }
                    line.clear();
                    if lines.read_line(&mut line).await.unwrap_or_default() == 0 {
                        return;
                    }
                }
            });
        }
    });
    let credentials = Some(("user".to_owned(), Secret::new("hunter2".to_owned())));
    (MailServer::open(url, credentials, None).unwrap(), got)
}

const ACCEPTS: [(&str, &str); 8] = [
    ("hello", "220 mail.example"),
    ("EHLO", "250-mail.example\r\n250 AUTH PLAIN"),
    ("AUTH", "235 welcome"),
    ("NOOP", "250 ok"),
    ("MAIL", "250 ok"),
    ("RCPT", "250 ok"),
    ("DATA", "354 go on"),
    (".", "250 2.0.0 queued for ada@example.com with ABCD-EF2H"),
];

#[tokio::test]
async fn connection_is_used_for_several_messages() {
    const ANSWERS: &[(&str, &str)] = &ACCEPTS;
    let (server, got) = server(ANSWERS).await;
    for _ in 0..3 {
        let answer = server.send(&mail()).await.unwrap();
        assert_eq!(answer, "250 2.0.0 queued for <address> with <code>");
        // The pool takes the connection back in a task of its own.
        sleep(Duration::from_millis(20)).await;
    }
    let got = got.lock().unwrap();
    let count = |command: &str| got.iter().filter(|line| line.starts_with(command)).count();
    assert_eq!((count("AUTH"), count("RCPT"), count("NOOP")), (1, 3, 2));
}

#[tokio::test]
async fn answers_tell_message_from_server() {
    const CLOSING: &[(&str, &str)] =
        &[ACCEPTS[0], ACCEPTS[1], ACCEPTS[2], ("MAIL", "421 4.7.0 too many messages"), ("QUIT", "221 bye")];
    const UNWELCOME: &[(&str, &str)] = &[("hello", "554 no service"), ("QUIT", "221 bye")];
    const NO_AUTH: &[(&str, &str)] = &[ACCEPTS[0], ("EHLO", "250 mail.example"), ("QUIT", "221 bye")];
    for (answers, expected) in [
        (CLOSING, "421 4.7.0 too many messages"),
        (UNWELCOME, "554 no service"),
        (NO_AUTH, "No compatible authentication mechanism was found"),
    ] {
        let error = server(answers).await.0.send(&mail()).await.unwrap_err();
        assert_eq!(error, MailError::Unreachable(expected.to_owned()));
    }
}

#[tokio::test(start_paused = true)]
async fn silent_server_is_given_up() {
    let (server, _) = server(&[]).await;
    let begun = Instant::now();
    let error = server.send(&mail()).await.unwrap_err();
    assert_eq!(error, MailError::Unreachable("no answer within 20 s".to_owned()));
    assert!(begun.elapsed() < Duration::from_secs(21), "{:?}", begun.elapsed());
}
