//! Runs programs to their end, for at most a minute.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

pub(crate) const LONGEST: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// The output. The program must have succeeded.
    #[track_caller]
    pub(crate) fn output(self) -> String {
        assert_eq!(self.code, Some(0), "{}\n{}", self.out, self.err);
        self.out
    }

    /// The JSON document. The program must have succeeded.
    #[track_caller]
    pub(crate) fn json(self) -> Value {
        parsed(&self.output())
    }

    /// The JSON document, whatever the exit code is.
    #[track_caller]
    pub(crate) fn document(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Asserts the exit code, and that the error output contains these words.
    #[track_caller]
    pub(crate) fn assert_ends(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_has(&self.err, words);
    }
}

#[track_caller]
pub(crate) fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[track_caller]
pub(crate) fn assert_has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} in {text}");
    }
}

#[track_caller]
pub(crate) fn run(command: &mut Command) -> Ran {
    run_within(command, LONGEST)
}

/// Runs the program without input, for at most this time.
#[track_caller]
pub(crate) fn run_within(command: &mut Command, longest: Duration) -> Ran {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (out, err) = (read(child.stdout.take()), read(child.stderr.take()));
    let code = wait(&mut child, longest).unwrap_or_else(|| {
        child.kill().unwrap();
        panic!("{command:?} did not end");
    });
    let text = |stream: mpsc::Receiver<String>| {
        stream.recv_timeout(LONGEST).expect("the streams end with the program")
    };
    Ran { code, out: text(out), err: text(err) }
}

/// The exit code of a program. `None` if it does not end in time.
pub(crate) fn wait(child: &mut Child, longest: Duration) -> Option<Option<i32>> {
    let until = Instant::now() + longest;
    while Instant::now() < until {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status.code());
        }
        thread::sleep(Duration::from_millis(10));
    }
    None
}

#[track_caller]
pub(crate) fn signal(name: &str, pid: u32) {
    run(Command::new("kill").arg(format!("-{name}")).arg(pid.to_string())).output();
}

fn read(stream: Option<impl Read + Send + 'static>) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    let mut stream = stream.expect("a pipe");
    thread::spawn(move || {
        let mut bytes = Vec::new();
        drop(stream.read_to_end(&mut bytes));
        drop(sender.send(String::from_utf8_lossy(&bytes).into_owned()));
    });
    receiver
}
