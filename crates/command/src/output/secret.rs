//! The destination of a new secret: the standard output, once, or a file that only its owner can read.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;
use serde_json::Value;

/// Where it goes.
#[derive(Args)]
pub(crate) struct OutputArguments {
    /// Write the secret to this new file instead of printing it. Only the file's owner can read it.
    #[arg(long, value_name = "FILE")]
    pub(crate) secret_file: Option<PathBuf>,
}

/// Open it before creating the secret, because a secret that cannot be written is lost.
pub(crate) struct OneTimeOutput(Option<(PathBuf, Option<File>)>);

impl OneTimeOutput {
    /// Never overwrites an existing file.
    pub(crate) fn open(arguments: &OutputArguments) -> anyhow::Result<Self> {
        let Some(path) = &arguments.secret_file else { return Ok(Self(None)) };
        let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let file = opened.with_context(|| unwritable(path))?;
        Ok(Self(Some((path.clone(), Some(file)))))
    }

    /// Writes the secret to the file, if there is one, and returns the text to show instead.
    pub(crate) fn take(&mut self, secret: &str) -> anyhow::Result<String> {
        let Some((path, file)) = &mut self.0 else { return Ok(secret.to_owned()) };
        if let Some(mut file) = file.take() {
            let written = writeln!(file, "{secret}").and_then(|()| file.sync_all());
            written.with_context(|| unwritable(path))?;
        }
        Ok(format!("in {}", path.display()))
    }

    /// The note below a printed secret. Empty if the secret is in a file.
    pub(crate) fn once(&self) -> &'static str {
        if self.0.is_some() { "" } else { "\nThis secret is only shown once.\n" }
    }

    /// The document for programs, without the secret if the secret is in a file.
    pub(crate) fn document(&self, document: &impl Serialize) -> Value {
        let mut document = serde_json::to_value(document).expect("documents are plain JSON");
        if self.0.is_some() {
            redact(&mut document);
        }
        document
    }
}

/// Removes the empty file if no secret was created.
impl Drop for OneTimeOutput {
    fn drop(&mut self) {
        if let Some((path, Some(_))) = &self.0 {
            let _ = fs::remove_file(path);
        }
    }
}

fn unwritable(path: &Path) -> String {
    format!("cannot write {}", path.display())
}

fn redact(document: &mut Value) {
    let Value::Object(members) = document else { return };
    members.remove("client_secret");
    members.values_mut().for_each(redact);
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use serde_json::json;

    use super::*;

    fn to(path: PathBuf) -> OutputArguments {
        OutputArguments { secret_file: Some(path) }
    }

    #[test]
    fn secret_goes_to_the_file_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let mut sink = OneTimeOutput::open(&to(path.clone())).unwrap();
        assert!(!sink.take("hunter2").unwrap().contains("hunter2"));
        assert_eq!(sink.once(), "", "the file has it");
        let shown = sink.document(&json!({"client": {"secret": {"client_secret": "hunter2", "id": "s1"}}}));
        assert_eq!(shown, json!({"client": {"secret": {"id": "s1"}}}));
        drop(sink);
        assert_eq!(fs::read_to_string(&path).unwrap(), "hunter2\n");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(OneTimeOutput::open(&to(path)).is_err());
    }

    #[test]
    fn unused_secret_file_is_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        drop(OneTimeOutput::open(&to(path.clone())).unwrap());
        assert!(!path.exists());
    }

    #[test]
    fn secret_is_shown_without_a_file() {
        let mut sink = OneTimeOutput::open(&OutputArguments { secret_file: None }).unwrap();
        assert_eq!(sink.take("hunter2").unwrap(), "hunter2");
        assert!(sink.once().contains("only shown once"));
        let document = json!({"client_secret": "hunter2"});
        assert_eq!(sink.document(&document), document);
    }
}
