//! A library in its own process, which verifies one token after another and keeps its keys meanwhile.

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::foreign::{Killed, go_run, node_command, python_command, without_proxy};
use crate::host::parsed;

pub(crate) struct Library {
    // Dropped first: a Go program ends with its input, because only `go run` is killed.
    questions: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    _process: Killed,
    _folder: TempDir,
}

impl Library {
    pub(crate) fn jose() -> Self {
        Self::start(node_command(), "verify.cjs", include_str!("scripts/verify.cjs"))
    }

    pub(crate) fn pyjwt() -> Self {
        Self::start(python_command(), "verify.py", include_str!("scripts/verify.py"))
    }

    pub(crate) fn authlib() -> Self {
        let mut python = python_command();
        // Its own code calls what it announces to remove.
        python.args(["-W", "ignore"]);
        Self::start(python, "verify.py", include_str!("scripts/verify_authlib.py"))
    }

    pub(crate) fn go_oidc() -> Self {
        Self::start(go_run(), "verify.go", include_str!("scripts/verify.go"))
    }

    pub(crate) fn ruby_jwt() -> Self {
        Self::start(Command::new("ruby"), "verify.rb", include_str!("scripts/verify.rb"))
    }

    fn start(mut command: Command, name: &str, text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join(name);
        std::fs::write(&script, text).unwrap();
        without_proxy(&mut command).arg(script).current_dir(folder.path());
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        Self {
            questions: process.stdin.take().unwrap(),
            answers: BufReader::new(process.stdout.take().unwrap()).lines(),
            _process: Killed(process),
            _folder: folder,
        }
    }

    /// What the library says of a token: `claims`, or why it is `refused`.
    #[track_caller]
    pub(crate) fn verdict(&mut self, question: &Value, token: &str) -> Value {
        let mut question = question.clone();
        question["token"] = json!(token);
        writeln!(self.questions, "{question}").unwrap();
        parsed(&self.answers.next().expect("the library still runs").unwrap())
    }
}
