//! A running program and its output. Dropping the value kills the program and searches its output for
//! secrets.

use std::io::{BufRead as _, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::canaries::Canaries;
use crate::folder::Folder;
use crate::host;

/// Far longer than anything that tests wait for.
const LONGEST: Duration = Duration::from_secs(30);

/// The number of lines of the output that a failed test shows.
const MOST_LINES: usize = 30;

pub(crate) struct Program {
    child: Child,
    out: Arc<Lines>,
    err: Arc<Lines>,
    readers: Vec<JoinHandle<()>>,
    addresses: Vec<SocketAddr>,
    canaries: Canaries,
}

/// A position in the log, from which a search begins.
#[derive(Clone, Copy)]
pub(crate) struct Mark(usize);

impl Mark {
    pub(crate) const START: Self = Self(0);
}

#[derive(Default)]
struct Lines {
    lines: Mutex<(Vec<String>, bool)>,
    grown: Condvar,
}

impl Program {
    /// Starts the program and waits until it is ready.
    #[track_caller]
    pub(crate) fn start(folder: &Folder) -> Self {
        Self::spawn(folder, &mut folder.program(&["serve"]))
    }

    /// Starts the program in its own folder, with these settings.
    #[track_caller]
    pub(crate) fn serving(settings: &str) -> (Folder, Self) {
        Self::serving_in(Folder::with(settings))
    }

    #[track_caller]
    pub(crate) fn serving_in(folder: Folder) -> (Folder, Self) {
        let program = Self::start(&folder);
        (folder, program)
    }

    /// Like [`Program::start`], with a command that the test has prepared.
    #[track_caller]
    pub(crate) fn spawn(folder: &Folder, command: &mut Command) -> Self {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (out, err) = (Arc::new(Lines::default()), Arc::new(Lines::default()));
        let readers = vec![follow(child.stdout.take(), &out), follow(child.stderr.take(), &err)];
        let canaries = folder.canaries.clone();
        let mut program = Self { child, out, err, readers, addresses: Vec::new(), canaries };
        program.log_after(Mark::START, "serving");
        let lines = program.log();
        let listening = lines.iter().filter(|line| line["message"] == "listening");
        program.addresses =
            listening.map(|line| line["address"].as_str().unwrap().parse().unwrap()).collect();
        program
    }

    /// The addresses of the listeners, in the order of the settings.
    pub(crate) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.addresses[0]
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }

    pub(crate) fn signal(&self, name: &str) {
        host::signal(name, self.child.id());
    }

    /// All log lines so far. Standard output must not contain anything else.
    #[track_caller]
    pub(crate) fn log(&self) -> Vec<Value> {
        let lines = self.out.lines.lock().unwrap();
        lines
            .0
            .iter()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not a log line: {line}")))
            .collect()
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark(self.out.lines.lock().unwrap().0.len())
    }

    #[track_caller]
    pub(crate) fn log_after(&self, mark: Mark, text: &str) -> String {
        self.out.find(mark, text).unwrap_or_else(|| panic!("no log line with {text:?}\n{}", self.output()))
    }

    /// Stops the program gracefully and waits for its end.
    #[track_caller]
    pub(crate) fn stop(self) {
        self.signal("TERM");
        self.stop_after_signal();
    }

    /// Waits for a program that got a signal. The program must end successfully.
    #[track_caller]
    pub(crate) fn stop_after_signal(self) {
        self.assert_ends_with(0);
    }

    #[track_caller]
    pub(crate) fn assert_ends_with(mut self, expected: i32) {
        let code = host::wait(&mut self.child, LONGEST).expect("the program ends in time");
        assert_eq!(code, Some(expected), "{}", self.output());
    }

    pub(crate) fn kill(self) {
        drop(self);
    }

    fn output(&self) -> String {
        let text = |lines: &Lines| lines.lines.lock().unwrap().0.join("\n");
        format!("{}\n{}", text(&self.out), text(&self.err))
    }

    /// Only the last lines, so that the failure stays visible.
    fn last_output(&self) -> String {
        let output = self.output();
        let lines: Vec<&str> = output.lines().collect();
        lines[lines.len().saturating_sub(MOST_LINES)..].join("\n")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // The program may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
        self.readers.drain(..).for_each(|reader| drop(reader.join()));
        if thread::panicking() {
            return eprintln!("the program wrote at last:\n{}", self.last_output());
        }
        self.canaries.assert_absent(&self.output());
        assert_eq!(self.err.lines.lock().unwrap().0, [""; 0], "a serving program writes to its log only");
        self.log();
    }
}

impl Lines {
    fn find(&self, mark: Mark, text: &str) -> Option<String> {
        let until = Instant::now() + LONGEST;
        let mut lines = self.lines.lock().unwrap();
        loop {
            if let Some(line) = lines.0.iter().skip(mark.0).find(|line| line.contains(text)) {
                return Some(line.clone());
            }
            let left = until.checked_duration_since(Instant::now()).filter(|_| !lines.1)?;
            lines = self.grown.wait_timeout(lines, left).unwrap().0;
        }
    }
}

fn follow(stream: Option<impl Read + Send + 'static>, lines: &Arc<Lines>) -> JoinHandle<()> {
    let (stream, lines) = (BufReader::new(stream.expect("a pipe")), Arc::clone(lines));
    thread::spawn(move || {
        for line in stream.lines().map_while(Result::ok) {
            lines.lines.lock().unwrap().0.push(line);
            lines.grown.notify_all();
        }
        lines.lines.lock().unwrap().1 = true;
        lines.grown.notify_all();
    })
}
