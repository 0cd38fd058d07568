//! `latchkey backup`: a consistent copy of the store in a file, while it is served.

use std::fs::OpenOptions;
use std::io::{BufWriter, Write, stderr, stdout};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use storage::store_copy::{self, CopyStep};

use crate::process::OUTPUT;
use crate::progress::CopyBar;
use crate::store::{named_or_configured, sum};
use server::block_on;
use server::clock;
use server::database::store_place;

/// What is backed up, and where to.
#[derive(Args)]
pub(crate) struct BackupArguments {
    /// A new file, or `-` for the standard output.
    file: PathBuf,
    /// The store, as in `storage.url` [default: the store of the settings].
    #[arg(long, value_name = "URL")]
    from: Option<String>,
}

/// A new file that only its owner may read, or the standard output.
pub(super) fn new_output(file: &Path) -> anyhow::Result<Box<dyn Write + Send>> {
    if file.as_os_str() == "-" {
        return Ok(Box::new(stdout()));
    }
    let new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    Ok(Box::new(new.with_context(|| format!("{} cannot be written", file.display()))?))
}

pub(crate) fn run(
    config: &Path,
    BackupArguments { file, from }: &BackupArguments,
) -> anyhow::Result<ExitCode> {
    let from = store_place(&named_or_configured("--from", from.as_deref(), config)?);
    let to_stdout = file.as_os_str() == "-";
    let mut out = new_output(file)?;
    let mut buffered = BufWriter::with_capacity(1 << 16, &mut *out);
    let bar = CopyBar::new(false);
    let tell = |step: CopyStep<'_>| bar.show(step);
    let written =
        block_on(async { Ok(store_copy::backup(&from, &mut buffered, clock::now(), &tell).await) })?;
    drop(buffered);
    bar.end();
    let written = match written {
        Ok(written) => written,
        Err(error) => {
            // An incomplete backup could be mistaken for a complete one.
            if !to_stdout {
                drop(std::fs::remove_file(file));
            }
            return Err(error.into());
        }
    };
    let done = format!(
        "Backed up: {}. The sealing key is not among them: without it nothing that is sealed can be opened, so keep it elsewhere.\n",
        sum(&written)
    );
    stderr().write_all(done.as_bytes()).context(OUTPUT)?;
    Ok(ExitCode::SUCCESS)
}
