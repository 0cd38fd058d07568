//! `latchkey token`: prints a token of a profile in the form that another program needs.

mod exec_credential;
mod format;
mod git;

use std::io::{IsTerminal as _, Write as _, stderr, stdout};
use std::process::ExitCode;

use clap::Args;
use settings::Environment;
use values::Lifetime;

use crate::process::print;
use crate::profiles::{Folders, ProfileArguments, ProfileStore, RequestArguments, SharedTokens};
use format::{PrintFormat, Shell};
use server::block_on;

/// Which token, and how it is printed.
#[derive(Args)]
pub(crate) struct TokenArguments {
    #[command(flatten)]
    profile: ProfileArguments,
    #[command(flatten)]
    request: RequestArguments,
    /// Output format.
    #[arg(long, value_enum, default_value_t = PrintFormat::Raw)]
    format: PrintFormat,
    /// Shell for `--format env`.
    #[arg(long, value_enum, default_value_t = Shell::Sh)]
    shell: Shell,
    /// Fetch a new token if the current one expires sooner than this. Default: 60s, or a tenth of the
    /// lifetime if that is shorter.
    #[arg(long, value_name = "SPAN")]
    min_left: Option<Lifetime>,
    /// Fetch a new token that other commands do not use.
    #[arg(long)]
    no_cache: bool,
    /// Operation that git passes with `--format git`.
    #[arg(value_enum, requires = "format")]
    operation: Option<git::GitOperation>,
}

pub(crate) fn run(arguments: &TokenArguments) -> anyhow::Result<ExitCode> {
    let environment = Environment::of_process();
    let folders = Folders::from_environment(&environment)?;
    let chosen = ProfileStore(&folders).choose(arguments.profile.profile.as_ref())?;
    let request = arguments.request.request(&chosen.profile);
    let question = match (arguments.format, arguments.operation) {
        (PrintFormat::Git, None | Some(git::GitOperation::Get)) => {
            match git::Question::read(&chosen, &request)? {
                Some(question) => Some(question),
                None => return Ok(ExitCode::SUCCESS),
            }
        }
        // git reports the credential that it used. There is nothing to store or delete.
        (PrintFormat::Git, Some(git::GitOperation::Store | git::GitOperation::Erase)) => {
            return Ok(ExitCode::SUCCESS);
        }
        (_, Some(_)) => anyhow::bail!("get, store and erase require --format git"),
        (_, None) => None,
    };
    let version = match arguments.format {
        PrintFormat::ExecCredential => {
            Some(exec_credential::version(environment.text("KUBERNETES_EXEC_INFO"))?)
        }
        _ => None,
    };
    let shared =
        SharedTokens { folders: &folders, min_left: arguments.min_left, is_used: !arguments.no_cache };
    let token = block_on(shared.token(&chosen, &request))?;
    if arguments.format == PrintFormat::Raw && stdout().is_terminal() {
        let _ =
            writeln!(stderr(), "warning: this token is a secret until it expires. Do not share this output");
    }
    print(&match (question, version) {
        (Some(question), _) => question.answer(&token),
        (None, Some(version)) => exec_credential::text(&token, version),
        (None, None) => format::text(&token, arguments.format, arguments.shell, stdout().is_terminal()),
    })
}
