//! A secret that a command reads from a file or, named `-`, from standard input.

use std::io::{Read as _, stdin};
use std::path::Path;

use anyhow::{Context as _, bail};
use settings::files;
use zeroize::Zeroizing;

/// More than any key, secret or assertion has.
pub(crate) const LARGEST: usize = 64 * 1024;

/// Reads it whole. `named` is the file as errors name it, `what` is what it holds.
pub(crate) fn read(file: &Path, named: &str, what: &str) -> anyhow::Result<Zeroizing<String>> {
    let unreadable = || format!("{named} cannot be read");
    if file.to_str() != Some("-") {
        return files::read_secret_text(file).with_context(unreadable);
    }
    // The text has room for the whole secret: a growing text leaves parts of it in memory.
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
