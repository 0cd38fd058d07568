//! `latchkey admin …`: creates the first administrator, which only works directly on the store, and invites
//! people.

use std::path::Path;
use std::process::ExitCode;
use values::{ShellCommand, with_commands};

use administration::documents;
use administration::documents::AccountView;
use anyhow::bail;
use clap::{Args, Subcommand};
use tenancy::TenantId;

use crate::account::to_person;
use crate::admin_client::{AdminArguments, ApiRequest, InProcess, segment};
use crate::client::welcome;
use crate::examples::example;
use crate::output::{OneTimeOutput, OutputArguments, json};
use crate::paths::accounts_path;
use crate::process::print;
use crate::runner::Runner;

/// What can be done about administrators.
#[derive(Subcommand)]
pub(crate) enum AdminCommand {
    /// Create the first administrator and print its secret once.
    ///
    /// The administrator is a client of the tenant `platform`. The command fails if an administrator
    /// exists.
    #[command(after_help = example!("admin init --secret-file admin.secret"))]
    Init(InitArguments),
    /// Invite a person as an administrator.
    ///
    /// The command creates an account in the tenant `platform` and prints a link to set its password. The
    /// link works once, within 24 hours. You can invite an account without a password again, which ends its
    /// earlier links and sessions.
    #[command(after_help = example!("admin invite ada@example.com --permission latchkey:tenants,latchkey:clients"))]
    Invite(Box<InviteArguments>),
}

/// Of `admin invite`.
#[derive(Args)]
pub(crate) struct InviteArguments {
    /// Email address that the person signs in with.
    email: String,
    /// Permissions of the administrator, at most your own (repeatable or comma-separated).
    #[arg(long = "permission", value_name = "SCOPE", value_delimiter = ',', required = true)]
    permissions: Vec<String>,
    #[command(flatten)]
    admin: AdminArguments,
}

/// Of `admin init`.
#[derive(Args)]
pub(crate) struct InitArguments {
    /// Client ID.
    #[arg(long, default_value = "admin")]
    name: String,
    /// Print the JSON document of the API.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    secret: OutputArguments,
}

pub(crate) fn run(config: &Path, command: AdminCommand) -> anyhow::Result<ExitCode> {
    match command {
        AdminCommand::Init(request) => init(config, &request),
        AdminCommand::Invite(request) => invite(Runner { config, arguments: &request.admin }, &request),
    }
}

fn invite(runner: Runner<'_>, request: &InviteArguments) -> anyhow::Result<ExitCode> {
    let InviteArguments { email, permissions, .. } = request;
    let accounts = accounts_path(&TenantId::platform());
    runner.run(async |admin| {
        let same = ApiRequest::get(format!("{accounts}?identifier={}", segment(email)));
        let same: documents::Page<AccountView> = admin.send(same).await?;
        let refuse_password = |account: &AccountView| {
            let AccountView { account_id, password_changed_at, .. } = account;
            if password_changed_at.is_some() {
                bail!(with_commands(
                    "{email} already has an account with a password. To change the account, run `latchkey account set platform ACCOUNT`",
                    &[("EMAIL", email.as_str()), ("ACCOUNT", account_id.as_str())],
                ))
            }
            Ok(())
        };
        let account: AccountView = match same.items.into_iter().next() {
            Some(known) => {
                refuse_password(&known)?;
                // Another administrator created the account, and may have a link to set its password.
                let path = format!("{accounts}/{}", known.account_id);
                let () = admin.send(ApiRequest::delete(format!("{path}/sessions"))).await?;
                let granting = |permissions: &[String]| {
                    ApiRequest::patch(path.clone(), serde_json::json!({ "permissions": permissions }))
                };
                let granted: AccountView = admin.send(granting(permissions)).await?;
                // The other administrator may just have used such a link.
                if let Err(refused) = refuse_password(&granted) {
                    admin.send::<AccountView>(granting(&known.settings.permissions)).await?;
                    return Err(refused);
                }
                granted
            }
            None => {
                let new = serde_json::json!({ "email": email, "permissions": permissions });
                admin.send(ApiRequest::post(accounts.clone(), &new)).await?
            }
        };
        let id = &account.account_id;
        let link: documents::PasswordLinkView =
            admin.send(ApiRequest::post(format!("{accounts}/{id}/password-link"), &())).await?;
        runner.print(&link, || {
            to_person(email, &format!("platform/{id}"), &link)
        })
    })
}

fn init(config: &Path, request: &InitArguments) -> anyhow::Result<ExitCode> {
    let mut sink = OneTimeOutput::open(&request.secret)?;
    let created: documents::CreatedClient =
        InProcess::with(config, async |_, store| store.init_admin(&request.name).await.document())?;
    let mut lines = welcome(&TenantId::platform(), &created, &mut sink)?;
    let (before, file) = match &request.secret.secret_file {
        Some(file) => ("Manage", file.display().to_string()),
        None => ("Save the secret in a file, then manage", "FILE".to_owned()),
    };
    lines.push_str(&format!(
        "\n{before} a running server:\n\n  {}\n",
        ShellCommand::new(
            "latchkey tenant list --server=URL --as-client=CLIENT --as-client-secret-file=SECRET",
            &[("CLIENT", created.client.client_id.as_str()), ("SECRET", &file)],
        )
    ));
    print(&if request.json { json(&sink.document(&created)) } else { lines })
}
