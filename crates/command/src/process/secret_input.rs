//! Reads a secret from a file, or from standard input if the file is `-`.

use std::io::{Read as _, stdin};
use std::path::Path;

use anyhow::{Context as _, bail};
use settings::files;
use zeroize::Zeroizing;

/// Longer than any key, secret or assertion.
pub(crate) const LARGEST: usize = 64 * 1024;

/// `named` is the name of the file and `what` its content, for errors.
pub(crate) fn read(file: &Path, named: &str, what: &str) -> anyhow::Result<Zeroizing<String>> {
    let unreadable = || format!("{named} cannot be read");
    if file.to_str() != Some("-") {
        return files::read_secret_text(file).with_context(unreadable);
    }
    // Allocates the whole buffer first: a text that grows leaves copies of parts of a secret in memory.
    let mut text = Zeroizing::new(String::with_capacity(LARGEST + 1));
    let mut input = stdin().lock();
    files::skip_mark(&mut input)
        .and_then(|()| input.take(LARGEST as u64 + 1).read_to_string(&mut text))
        .with_context(unreadable)?;
    if text.len() > LARGEST {
        bail!("{named} is larger than any {what}");
    }
    Ok(text)
}
