//! Reads a secret from a file or a pipe, or from standard input if the file is `-`.

use std::fs::{File, metadata};
use std::io::{Read, stdin};
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use settings::files;
use zeroize::Zeroizing;

/// Longer than any key, secret or assertion.
pub(crate) const LARGEST: usize = 64 * 1024;

/// `named` is the name of the file and `what` its content, for errors.
pub(crate) fn read(file: &Path, named: &str, what: &str) -> anyhow::Result<Zeroizing<String>> {
    let unreadable = || format!("cannot read {named}");
    if file.to_str() == Some("-") {
        return read_stream(stdin().lock(), named, what);
    }
    // A shell passes the output of a command as a pipe: `--password-file <(command)`.
    let Some(pipe) = metadata(file).ok().filter(|file| file.file_type().is_fifo()) else {
        return files::read_secret_text(file).with_context(unreadable);
    };
    files::check_writers(&pipe).with_context(unreadable)?;
    read_stream(File::open(file).with_context(unreadable)?, named, what)
}

fn read_stream(stream: impl Read, named: &str, what: &str) -> anyhow::Result<Zeroizing<String>> {
    // Allocates the whole buffer first: a text that grows leaves copies of parts of a secret in memory.
    let mut text = Zeroizing::new(String::with_capacity(LARGEST + 1));
    stream
        .take(LARGEST as u64 + 1)
        .read_to_string(&mut text)
        .with_context(|| format!("cannot read {named}"))?;
    if text.len() > LARGEST {
        bail!("{named} is too large for a {what}");
    }
    let mark = text.len() - files::without_mark(text.as_bytes()).len();
    text.drain(..mark);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::fs::{Permissions, set_permissions, write};
    use std::os::unix::fs::PermissionsExt as _;
    use std::process::Command;
    use std::thread;

    use super::*;

    #[test]
    fn pipe_is_read_unless_others_may_write_it() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        set_permissions(&pipe, Permissions::from_mode(0o622)).unwrap();
        assert!(format!("{:#}", read(&pipe, "pipe", "password").unwrap_err()).contains("chmod go-w"));
        set_permissions(&pipe, Permissions::from_mode(0o600)).unwrap();
        for (text, expected) in [
            ("hunter2\n".to_owned(), Some("hunter2\n")),
            ("\u{feff}x".to_owned(), Some("x")),
            ("x".repeat(LARGEST + 1), None),
        ] {
            let writer = pipe.clone();
            let writing = thread::spawn(move || write(writer, text));
            let found = read(&pipe, "pipe", "password").ok();
            assert_eq!(found.as_ref().map(|text| text.as_str()), expected);
            let _ = writing.join().unwrap();
        }
    }
}
