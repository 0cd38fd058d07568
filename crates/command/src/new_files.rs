//! Creates two files that belong together: both or neither. No file is overwritten.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};
use settings::files;

/// The path, the content and the mode.
pub(super) type NewFile<'a> = (&'a Path, &'a str, u32);

/// Fails if one of the files exists. `option` is the option for choosing another file.
pub(super) fn refuse_existing(paths: [&Path; 2], option: &str) -> anyhow::Result<()> {
    let Some(path) = paths.into_iter().find(|path| path.exists()) else { return Ok(()) };
    let path = path.display();
    bail!(
        "{path} already exists and will not be overwritten. Remove the file, or choose another file{option}"
    )
}

/// Deletes the first file if the second cannot be created. Otherwise the first file would block the next
/// attempt.
pub(super) fn create(first: NewFile<'_>, second: NewFile<'_>) -> anyhow::Result<()> {
    let create = |(path, text, mode): NewFile<'_>| {
        let unwritten = || format!("cannot write {}", path.display());
        files::create(path, text.as_bytes(), mode).with_context(unwritten)
    };
    create(first)?;
    create(second).inspect_err(|_| drop(fs::remove_file(first.0)))
}
