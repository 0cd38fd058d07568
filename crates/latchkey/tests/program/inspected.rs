//! The output of `latchkey inspect`.

use std::io::Write as _;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use serde_json::Value;

use crate::folder::Folder;

/// The exit code, and the JSON document.
pub(crate) struct Inspected {
    pub(crate) code: Option<i32>,
    pub(crate) document: Value,
}

impl Inspected {
    #[track_caller]
    pub(crate) fn new(folder: &Folder, input: &[u8], arguments: &[&str]) -> Self {
        let (code, out) = inspect(folder, input, &[arguments, &["--json"]].concat());
        let document = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"));
        Self { code, document }
    }

    #[track_caller]
    pub(crate) fn assert_valid(&self) {
        assert_eq!((self.code, self.verdict()), (Some(0), ["valid", "", ""]), "{}", self.document);
    }

    /// Asserts that no check failed, and that some necessary checks were not made.
    #[track_caller]
    pub(crate) fn assert_unverified(&self) {
        assert_eq!((self.code, self.verdict()), (Some(7), ["unverified", "", ""]), "{}", self.document);
    }

    /// Asserts that this check failed with this reason, and says what to do.
    #[track_caller]
    pub(crate) fn assert_refused(&self, failed: &str, reason: &str) {
        assert_eq!((self.code, self.verdict()), (Some(7), ["refused", failed, reason]), "{}", self.document);
        let line = self.check(failed);
        assert_eq!(line["status"], "failed", "{line}");
        assert!(line["fix"].as_str().is_some_and(|fix| !fix.is_empty()) && line["expected"].is_string());
    }

    #[track_caller]
    pub(crate) fn check(&self, name: &str) -> &Value {
        let checks = self.document["checks"].as_array().unwrap();
        checks.iter().find(|check| check["check"] == name).unwrap_or_else(|| panic!("{name}"))
    }

    #[track_caller]
    pub(crate) fn found(&self, name: &str) -> &str {
        self.check(name)["found"].as_str().unwrap()
    }

    #[track_caller]
    pub(crate) fn assert_status(&self, status: &str, checks: &[&str]) {
        for check in checks {
            assert_eq!(self.check(check)["status"], status, "{check}: {}", self.document);
        }
    }

    fn verdict(&self) -> [&str; 3] {
        ["verdict", "failed", "reason"].map(|member| self.document[member].as_str().unwrap_or_default())
    }
}

/// Returns the exit code and the whole output. Asserts that the output contains no canary of the folder, and
/// no signature, with which somebody could replay the token.
#[track_caller]
pub(crate) fn inspect(folder: &Folder, input: &[u8], arguments: &[&str]) -> (Option<i32>, String) {
    let (code, out) = with_input(&mut folder.program(&[&["inspect"], arguments].concat()), input);
    folder.canaries.assert_absent(&out);
    if let Some((_, signature)) = String::from_utf8_lossy(input).trim().rsplit_once('.') {
        assert!(signature.len() < 20 || !out.contains(signature), "the signature is shown: {out}");
    }
    (code, out)
}

/// The exit code and the whole output.
pub(crate) fn with_input(command: &mut Command, input: &[u8]) -> (Option<i32>, String) {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // If the input is too large, the program ends before it has read everything.
    let _ = stdin.write_all(input);
    drop(stdin);
    let ran = child.wait_with_output().unwrap();
    let text = [ran.stdout, ran.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (ran.status.code(), text)
}

pub(crate) fn changed(token: &str, part: usize, change: impl FnOnce(&mut Value)) -> String {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    let mut value: Value = serde_json::from_slice(&BASE64URL.decode(&parts[part]).unwrap()).unwrap();
    change(&mut value);
    parts[part] = BASE64URL.encode(value.to_string());
    parts.join(".")
}
