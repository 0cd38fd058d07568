//! `latchkey account import`: sends the lines of a file in several calls, because the API limits the size of
//! a call, and shows the result of each line.

use std::fs::File;
use std::io::{BufRead, BufReader, Write as _, stderr, stdin};
use std::path::PathBuf;
use std::process::ExitCode;

use administration::documents::{ImportResult, ImportedLine};
use anyhow::Context as _;
use clap::Args;
use serde::Serialize;
use settings::files::skip_mark;
use tenancy::TenantId;
use zeroize::Zeroizing;

use crate::admin_client::ApiRequest;
use crate::paths::accounts_path;
use crate::runner::Runner;

/// The most lines of one call.
const LINES: usize = 2_000;
/// A call is sent when it reaches this number of bytes.
const BYTES: usize = 4 * 1024 * 1024;
/// The most lines with a password in one call. Checking and hashing each takes about 20 ms.
const PASSWORDS: usize = 250;
/// Lines with a password contain this text.
const PASSWORD: &[u8] = b"\"password\"";

/// Of `account import`.
#[derive(Args)]
pub(crate) struct ImportArguments {
    /// Tenant ID.
    tenant: TenantId,
    /// File with one JSON object per line (application/x-ndjson); `-` reads standard input.
    file: PathBuf,
}

#[derive(Default, Serialize)]
struct Summary {
    created: u64,
    exist: u64,
    refused: Vec<ImportedLine>,
}

/// Fails if a line was refused.
pub(super) fn run(runner: Runner<'_>, arguments: &ImportArguments) -> anyhow::Result<ExitCode> {
    let ImportArguments { tenant, file } = arguments;
    let named = file.display();
    let unreadable = || format!("cannot read {named}");
    let mut lines: Box<dyn BufRead> = if file.to_str() == Some("-") {
        Box::new(stdin().lock())
    } else {
        Box::new(BufReader::new(File::open(file).with_context(unreadable)?))
    };
    skip_mark(&mut lines).with_context(unreadable)?;
    runner.run(async |admin| {
        let (mut summary, mut sent) = (Summary::default(), 0);
        while let Some((call, count)) = next_call(&mut lines).with_context(unreadable)? {
            let request = ApiRequest::lines(format!("{}/import", accounts_path(tenant)), call);
            let results = admin.send_lines::<ImportedLine>(request).await.with_context(|| {
                format!("the import into {tenant} stopped after line {sent} of {named}. You can safely import the whole file again")
            })?;
            for result in results {
                summary.add(ImportedLine { line: result.line + sent, ..result });
            }
            sent += count;
        }
        let (created, exist, refused) = (summary.created, summary.exist, summary.refused.len());
        runner.print(&summary, || {
            format!("Tenant {tenant}: {created} accounts created, {exist} already existed, {refused} lines refused.\n")
        })?;
        Ok(if refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

impl Summary {
    /// A refused line is also shown immediately, because a long import takes a while.
    fn add(&mut self, line: ImportedLine) {
        match line.result {
            ImportResult::Created => self.created += 1,
            ImportResult::Exists => self.exist += 1,
            ImportResult::Refused => {
                for error in &line.errors {
                    let place =
                        if error.pointer.is_empty() { String::new() } else { format!(" {}", error.pointer) };
                    let _ = writeln!(
                        stderr(),
                        "line {}{}: {}",
                        line.line,
                        values::printable(&place),
                        values::printable(&error.detail)
                    );
                }
                self.refused.push(line);
            }
        }
    }
}

/// The lines of one call and their number. `None` at the end of the file.
pub(super) fn next_call(lines: &mut impl BufRead) -> std::io::Result<Option<(Zeroizing<Vec<u8>>, u32)>> {
    // Allocates the whole buffer first: a buffer that grows leaves copies of passwords in memory.
    let mut call = Zeroizing::new(Vec::with_capacity(BYTES + 64 * 1024));
    let (mut count, mut passwords) = (0, 0);
    while count < LINES && passwords < PASSWORDS && call.len() < BYTES {
        let begin = call.len();
        if lines.read_until(b'\n', &mut call)? == 0 {
            break;
        }
        count += 1;
        passwords += usize::from(call[begin..].windows(PASSWORD.len()).any(|part| part == PASSWORD));
    }
    let number = u32::try_from(count).unwrap_or(u32::MAX);
    Ok((count > 0).then_some((call, number)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(text: &str) -> Vec<u32> {
        let mut lines = text.as_bytes();
        let mut calls = Vec::new();
        let mut all = Vec::new();
        while let Some((call, count)) = next_call(&mut lines).unwrap() {
            calls.push(count);
            all.extend_from_slice(&call);
        }
        assert_eq!(all, text.as_bytes(), "nothing is lost and nothing is added");
        calls
    }

    #[test]
    fn calls_stay_within_the_limits_of_the_api() {
        assert_eq!(calls(""), [0; 0]);
        assert_eq!(calls("{}"), [1]);
        assert_eq!(calls("{}\n\n{}"), [3]);
        assert_eq!(calls(&"{}\n".repeat(4_001)), [2_000, 2_000, 1]);
        assert_eq!(calls(&"{\"password\":1}\n".repeat(251)), [250, 1]);
        assert_eq!(calls(&"{\"password_hash\":1}\n".repeat(251)), [251]);
        let long = format!("{}\n", "a".repeat(1024 * 1024));
        assert_eq!(calls(&long.repeat(6)), [4, 2]);
    }
}
