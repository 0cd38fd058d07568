//! `latchkey audit verify`: verifies lines of the audit stream without a store.

use std::io::{BufRead as _, Write as _, stderr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::process::{OUTPUT, print};
use administration::audit::audit_stream::{AuditHead, AuditVerification};
use anyhow::{Context as _, bail};
use clap::Args;
use serde_json::json;
use settings::files;
use values::{json_for_terminals, printable};

use crate::output::{counted, json};

/// Which lines.
#[derive(Args)]
pub(crate) struct VerifyArguments {
    /// Files with lines of the stream, in any order. Pass all files of all replicas. Other log lines are
    /// ignored.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// File with lines that you know from elsewhere, for example from your log service or an earlier run.
    /// The audit must contain every line up to them.
    #[arg(long, value_name = "FILE")]
    head: Option<PathBuf>,
    /// Print one JSON document with the heads and the faults.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(
    VerifyArguments { files, head, json: as_json }: &VerifyArguments,
) -> anyhow::Result<ExitCode> {
    let heads = head.as_deref().map(heads).transpose()?.unwrap_or_default();
    let mut verification = AuditVerification::default();
    for file in files {
        verification.begin_file(&file.display().to_string());
        each_line(file, |line| {
            verification.read_line(line);
            Ok(())
        })?;
    }
    let verified = verification.finish(&heads);
    if verified.heads.is_empty() && verified.faults.is_empty() {
        bail!("the files contain no line of the audit stream");
    }
    if *as_json {
        print(&json(&json!({ "heads": verified.heads, "faults": verified.faults })))?;
    } else {
        for fault in &verified.faults {
            writeln!(stderr(), "{}", printable(&fault.to_string())).context(OUTPUT)?;
        }
    }
    if !verified.faults.is_empty() {
        bail!("the audit was changed: {}", counted(verified.faults.len(), "fault"));
    }
    if *as_json {
        return Ok(ExitCode::SUCCESS);
    }
    let heads = verified.heads.iter().map(|head| json_for_terminals(&json!(head).to_string()) + "\n");
    print(&heads.collect::<String>())
}

fn heads(file: &Path) -> anyhow::Result<Vec<AuditHead>> {
    let mut heads = Vec::new();
    each_line(file, |line| {
        let problem =
            || format!("{}: this line is neither a head nor a line of the audit stream", file.display());
        heads.push(AuditHead::from_line(line).with_context(problem)?);
        Ok(())
    })?;
    Ok(heads)
}

fn each_line(file: &Path, mut read: impl FnMut(&str) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let unread = || format!("cannot read {}", file.display());
    let mut lines = files::open(file).with_context(unread)?;
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).with_context(unread)? > 0 {
        // Lines of the stream are UTF-8, so other lines are ignored.
        if let Ok(text) = std::str::from_utf8(&line) {
            read(text.strip_suffix('\n').unwrap_or(text))?;
        }
        line.clear();
    }
    Ok(())
}
