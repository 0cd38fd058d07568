//! `latchkey mail`: whether the mail servers of the settings accept mail.

use std::path::Path;
use std::process::ExitCode;

use accounts::EmailAddress;
use anyhow::{anyhow, bail};
use clap::Subcommand;
use outbound::MailError;
use server::mail_servers::{MailServers, NamedServer};
use server::{block_on, clock};
use settings::{Environment, read};
use tenancy::{Issuer, Tenant, TenantId};
use values::{Letter, LetterKind};

use crate::examples::example;
use crate::process::print;

#[derive(Subcommand)]
pub(crate) enum MailCommand {
    /// Send a test message with the settings, without a running server.
    ///
    /// Prints the answer of the mail server.
    #[command(after_help = example!("mail test ada@example.com --tenant globex"))]
    Test {
        /// Address to send the message to.
        address: String,
        /// Send the message as this tenant does [default: as the platform does].
        #[arg(long, value_name = "TENANT")]
        tenant: Option<TenantId>,
    },
}

pub(crate) fn run(config: &Path, command: MailCommand) -> anyhow::Result<ExitCode> {
    let MailCommand::Test { address, tenant: id } = command;
    let to = EmailAddress::parse(&address).map_err(|_| anyhow!("this is not a valid email address"))?;
    let loaded = read(config, &Environment::of_process())?;
    let Some(settings) = &loaded.platform.mail else {
        bail!("the settings have no section `mail`. Add it (docs/operations.md, \"Send mail\")");
    };
    let (now, public_url) = (clock::now(), loaded.platform.server.public_url.as_str());
    let id = id.unwrap_or_else(TenantId::platform);
    let tenant = match loaded.declaration.tenants.get(&id) {
        Some(declared) => declared.tenant.clone(),
        None => Tenant::new(id.clone(), Issuer::derived(public_url, &id)),
    };
    block_on(async {
        let servers = MailServers::open(settings, None)?;
        let NamedServer { key, server } = servers.of(&tenant.id);
        let letter = (to.to_string(), &Letter::new(LetterKind::Test, now));
        let mail = servers.message(&tenant, public_url, letter, format!("test-{}", now.seconds()), now);
        match server.send(&mail).await {
            Ok(answer) => print(&format!("The mail server of {key} accepted the message: {answer}\n")),
            Err(error) => bail!("{key}: {error}. {}", fix(&error)),
        }
    })
}

/// What an operator can do about an error.
pub(crate) fn fix(error: &MailError) -> &'static str {
    match error {
        MailError::Refused(_) => "Check the address, and that the server lets `from` send mail",
        MailError::Failed(_) => {
            "Try again in a few minutes; many servers refuse the first message of a new sender"
        }
        MailError::Unreachable(_) => {
            "Check url, username, password and ca, and that the firewall lets mail out"
        }
    }
}
