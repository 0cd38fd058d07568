//! `latchkey account …`.

use std::path::PathBuf;
use std::process::ExitCode;

use accounts::AccountId;
use administration::documents;
use administration::documents::{AccountView, Shaped};
use administration::rules::RecoveryObstacle;
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::{Value, json};
use tenancy::TenantId;

use crate::account_import::{self, ImportArguments};
use crate::admin_client::{ApiRequest, segment};
use crate::arguments::{ChangeArguments, ConfirmArguments, RowArguments};
use crate::examples::example;
use crate::output::{DocumentTable, ListArguments, confirm, details, details_of, readable};
use crate::parse::{Assignment, parse_assignment, patch};
use crate::paths::accounts_path;
use crate::process::{ask_secret, secret_input};
use crate::runner::Runner;

/// What can be done to accounts.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Create an account.
    #[command(after_help = example!("account add globex --email ada@example.com --claim name=Ada --ask-password"))]
    Add(Box<AddArguments>),
    /// Import accounts from a file with one JSON object per line.
    #[command(after_help = example!("account import globex accounts.ndjson"))]
    Import(ImportArguments),
    /// List a tenant's accounts.
    #[command(after_help = example!("account list globex --identifier ada@example.com"))]
    List {
        /// Tenant ID.
        tenant: TenantId,
        /// Find the account with this email address or user name.
        #[arg(long, value_name = "TEXT")]
        identifier: Option<String>,
        /// Find the account with this external ID.
        #[arg(long, value_name = "TEXT")]
        external_id: Option<String>,
        #[command(flatten)]
        list: ListArguments,
    },
    /// Show an account.
    #[command(after_help = example!("account show globex usr_mfrggzdfmztwq2lknnwg23tpoa"))]
    Show(Arguments),
    /// Change account settings with name=value or a JSON merge patch.
    #[command(after_help = example!("account set globex usr_mfrggzdfmztwq2lknnwg23tpoa groups=staff,accounting"))]
    Set(RowArguments<Arguments, ChangeArguments>),
    /// Suspend an account and end all its sessions.
    #[command(after_help = example!("account suspend globex usr_mfrggzdfmztwq2lknnwg23tpoa"))]
    Suspend(Arguments),
    /// Let a suspended account sign in again.
    #[command(after_help = example!("account resume globex usr_mfrggzdfmztwq2lknnwg23tpoa"))]
    Resume(Arguments),
    /// Clear the failed sign-in attempts that throttle an account.
    #[command(after_help = example!("account unlock globex usr_mfrggzdfmztwq2lknnwg23tpoa"))]
    Unlock(Arguments),
    /// Set the password of an account and end all its sessions.
    ///
    /// The command asks for the password at the terminal, or reads it from a file.
    #[command(after_help = example!("account password globex usr_mfrggzdfmztwq2lknnwg23tpoa --password-file -"))]
    Password(RowArguments<Arguments, PasswordArguments>),
    /// Create a link with which the person sets a password. The link works once, for 24 hours.
    #[command(after_help = example!("account password-link globex usr_mfrggzdfmztwq2lknnwg23tpoa"))]
    PasswordLink(Arguments),
    /// Mail a link with which a person sets the first password. The link works once, for 7 days.
    #[command(after_help = example!("account invite globex usr_mfrggzdfmztwq2lknnwg23tpoa"))]
    Invite(Arguments),
    /// Show why a person gets no mail, and what became of the latest messages.
    #[command(after_help = example!("account mail globex usr_mfrggzdfmztwq2lknnwg23tpoa"))]
    Mail(Arguments),
    /// List the sessions of an account, or end one of them.
    #[command(after_help = example!("account sessions globex usr_mfrggzdfmztwq2lknnwg23tpoa"))]
    Sessions {
        #[command(flatten)]
        of: Arguments,
        /// End the session with this ID.
        #[arg(long, value_name = "SESSION")]
        end: Option<String>,
    },
    /// List the consents that the person gave to clients, or revoke one of them.
    #[command(after_help = example!("account consents globex usr_mfrggzdfmztwq2lknnwg23tpoa --revoke billing"))]
    Consents {
        #[command(flatten)]
        of: Arguments,
        /// Revoke the consent for this client.
        #[arg(long, value_name = "CLIENT")]
        revoke: Option<String>,
    },
    /// End all sessions of an account.
    #[command(after_help = example!("account sign-out globex usr_mfrggzdfmztwq2lknnwg23tpoa"))]
    SignOut(Arguments),
    /// Delete an account. Its ID is never reused.
    #[command(after_help = example!("account delete globex usr_mfrggzdfmztwq2lknnwg23tpoa --yes"))]
    Delete(RowArguments<Arguments, ConfirmArguments>),
}

/// Which account.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Tenant ID.
    tenant: TenantId,
    /// Account ID as in `account list`: usr_ and 26 characters.
    account: AccountId,
}

/// Of `account add`: the members of the document by their names.
#[derive(Args, Serialize)]
pub(crate) struct AddArguments {
    /// Tenant ID.
    #[serde(skip)]
    tenant: TenantId,
    /// Email address to sign in with.
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// Mark the email address as verified.
    #[arg(long, requires = "email")]
    email_verified: bool,
    /// User name to sign in with.
    #[arg(long, value_name = "NAME")]
    username: Option<String>,
    /// ID of the person in another system.
    #[arg(long, value_name = "TEXT")]
    external_id: Option<String>,
    /// Set a claim, for example name="Ada Lovelace" (repeatable).
    #[arg(long = "claim", value_name = "NAME=VALUE", value_parser = parse_assignment)]
    #[serde(skip)]
    claims: Vec<Assignment>,
    /// Add the person to a group (repeatable or comma-separated).
    #[arg(long = "group", value_name = "GROUP", value_delimiter = ',')]
    groups: Vec<String>,
    /// Grant an administrator permission, for example latchkey:clients (repeatable or comma-separated).
    #[arg(long = "permission", value_name = "SCOPE", value_delimiter = ',')]
    permissions: Vec<String>,
    /// Ask for a password at the terminal. By default, the account has no password.
    #[arg(long, conflicts_with = "password_file")]
    #[serde(skip)]
    ask_password: bool,
    #[command(flatten)]
    #[serde(skip)]
    password: PasswordArguments,
}

/// Where a password is found. It is never an argument, which other users of the machine can see.
#[derive(Args)]
pub(crate) struct PasswordArguments {
    /// Read the password from this file or pipe; `-` reads standard input. A trailing newline is removed.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

const COLUMNS: DocumentTable = DocumentTable {
    none: "No accounts.",
    columns: "account_id as ID, email, username, status, managed_by, created_at",
};

const SESSIONS: DocumentTable = DocumentTable {
    none: "No sessions.",
    columns: "session_id as SESSION, authenticated_at as SIGNED IN, last_seen_at, expires_at as EXPIRES, source as ADDRESS, user_agent \
         as BROWSER",
};

const MAIL: DocumentTable = DocumentTable {
    none: "No messages in the last 30 days.",
    columns: "letter, created_at as QUEUED, attempts, outcome, ended_at as ENDED, next_attempt_at as NEXT, answer",
};

const CONSENTS: DocumentTable =
    DocumentTable { none: "No consents.", columns: "client_id as CLIENT, scopes, granted_at as GRANTED" };

pub(crate) fn run(runner: Runner<'_>, command: Command) -> anyhow::Result<ExitCode> {
    let step = |of: &Arguments, verb: &str| {
        runner.show(of.post(verb), |view: &AccountView| {
            format!("Account {} is {}.\n", of.named(view), view.status)
        })
    };
    match command {
        Command::Add(arguments) => {
            let request = ApiRequest::post(accounts_path(&arguments.tenant), &arguments.document()?);
            runner.show(request, |view: &AccountView| {
                format!("Account {}/{} created.\n", arguments.tenant, view.account_id)
            })
        }
        Command::Import(arguments) => account_import::run(runner, &arguments),
        Command::List { tenant, identifier, external_id, list } => {
            let filters = vec![("identifier", identifier), ("external_id", external_id)];
            runner.list::<AccountView>(&accounts_path(&tenant), filters, &list, &COLUMNS)
        }
        Command::Show(of) => show(runner, &of),
        Command::Set(RowArguments { of, more: changes }) => {
            let patch = changes.patch::<documents::AccountSettings>()?;
            runner.show(ApiRequest::patch(of.path(), patch), |view: &AccountView| changed(&of, view))
        }
        Command::Suspend(of) => step(&of, "suspend"),
        Command::Resume(of) => step(&of, "resume"),
        Command::Unlock(of) => runner.show(of.post("unlock"), |view: &AccountView| {
            format!("Cleared the failed sign-in attempts of account {}.\n", of.named(view))
        }),
        Command::Password(RowArguments { of, more: password }) => {
            let password = match password.read()? {
                Some(password) => password,
                None => asked()?,
            };
            let request = ApiRequest::post(of.part("password"), &json!({ "password": password }));
            runner.show(request, |view: &AccountView| {
                format!("Password of account {} changed. All earlier sessions have ended.\n", of.named(view))
            })
        }
        Command::PasswordLink(of) => {
            let text = |link: &documents::PasswordLinkView| to_person("the person", &of.name(), link);
            runner.show(of.post("password-link"), text)
        }
        Command::Invite(of) => {
            let words = format!("The invitation of account {} waits to be sent.", of.name());
            runner.done(of.post("invitation"), &words)
        }
        Command::Mail(of) => runner.show(ApiRequest::get(of.part("mail")), mail),
        Command::Sessions { of, end: None } => {
            let table = |all: &documents::Page<documents::SessionView>| SESSIONS.table(&all.items);
            runner.show(ApiRequest::get(of.part("sessions")), table)
        }
        Command::Sessions { of, end: Some(session) } => {
            let request = ApiRequest::delete(of.part(&format!("sessions/{}", segment(&session))));
            runner.done(request, &format!("Session {session} of account {} ended.", of.name()))
        }
        Command::Consents { of, revoke: None } => {
            let table = |all: &documents::Page<documents::ConsentView>| CONSENTS.table(&all.items);
            runner.show(ApiRequest::get(of.part("consents")), table)
        }
        Command::Consents { of, revoke: Some(client) } => {
            let request = ApiRequest::delete(of.part(&format!("consents/{}", segment(&client))));
            let words = format!("Revoked the consent of account {} for client {client}.", of.name());
            runner.done(request, &words)
        }
        Command::SignOut(of) => {
            let request = ApiRequest::delete(of.part("sessions"));
            runner.done(request, &format!("Ended all sessions of account {}.", of.name()))
        }
        Command::Delete(RowArguments { of, more: ConfirmArguments { yes } }) => {
            confirm(&format!("Delete account {} permanently?", of.name()), yes)?;
            runner.done(ApiRequest::delete(of.path()), &format!("Account {} deleted.", of.name()))
        }
    }
}

/// What keeps a person from resetting the password by mail, and the messages.
fn mail(view: &documents::MailView) -> String {
    let mut text = String::new();
    for obstacle in &view.recovery_obstacles {
        let why = RecoveryObstacle::text_of(obstacle).unwrap_or(obstacle);
        text.push_str(&format!("No code to reset the password is sent: {why}\n"));
    }
    if view.is_limited {
        text.push_str("The person has asked for 5 codes within an hour. Further codes are sent later.\n");
    }
    text + &MAIL.table(&view.messages)
}

/// Describes the account, and the link that replaced a password because of a grant.
fn changed(of: &Arguments, view: &AccountView) -> String {
    let mut text = details(&AccountView { password_link: None, ..view.clone() });
    if let Some(link) = &view.password_link {
        let why = "\nSomebody else may know the old password of this account, so granting permissions removed the password.\n";
        text.push_str(why);
        text.push_str(&to_person("the person", &of.name(), link));
    }
    text
}

/// Tells the administrator what to do with a link to set a password.
pub(super) fn to_person(person: &str, account: &str, link: &documents::PasswordLinkView) -> String {
    let until = readable(link.expires_at.0);
    let link = &link.link;
    format!(
        "Send this link to {person}. It works once, until {until}, and sets the password of account {account}:\n\n  {link}\n"
    )
}

/// An account in the form of `account show`.
#[derive(Serialize)]
struct ShownPerson<'a> {
    #[serde(flatten)]
    account: &'a AccountView,
    /// The failed sign-ins that the answering replica knows. Null without a server.
    throttling: Value,
}

/// Failed sign-ins are only in the memory of servers.
const NOT_KNOWN_HERE: &str = "unknown without a server; pass --server";

fn show(runner: Runner<'_>, of: &Arguments) -> anyhow::Result<ExitCode> {
    runner.run(async |admin| {
        let account: AccountView = admin.send(ApiRequest::get(of.path())).await?;
        let path = of.part("throttling");
        let throttling = match admin.server() {
            Some(_) => Some(admin.send::<documents::ThrottlingView>(ApiRequest::get(path)).await?),
            None => None,
        };
        let in_lines = throttling.as_ref().map_or_else(|| json!(NOT_KNOWN_HERE), |known| json!(known));
        let shown = ShownPerson { account: &account, throttling: json!(throttling) };
        let in_lines = ShownPerson { account: &account, throttling: in_lines };
        runner.print(&shown, || details_of(&in_lines, &AccountView::shape()))
    })
}

impl AddArguments {
    fn document(&self) -> anyhow::Result<Value> {
        let mut document = json!(self);
        let shape = documents::Shape::new::<administration::documents::ClaimsSettings>();
        document["claims"] = patch(&self.claims, &shape).map_err(anyhow::Error::msg)?;
        let password = match self.password.read()? {
            None if self.ask_password => Some(asked()?),
            password => password,
        };
        if let Some(password) = password {
            document["password"] = password.into();
        }
        Ok(document)
    }
}

impl PasswordArguments {
    fn read(&self) -> anyhow::Result<Option<String>> {
        let Some(file) = &self.password_file else { return Ok(None) };
        let text = secret_input::read(file, &format!("--password-file {}", file.display()), "password")?;
        Ok(Some(text.strip_suffix('\n').unwrap_or(&text).to_owned()))
    }
}

/// Asks twice, because the typed text is not visible.
fn asked() -> anyhow::Result<String> {
    let instead = "Pass --password-file FILE, or --password-file - for standard input";
    let first = ask_secret("Password: ", instead)?;
    let second = ask_secret("Again: ", instead)?;
    anyhow::ensure!(first == second, "the two passwords differ. Nothing was changed");
    Ok(first.trim_end_matches(['\r', '\n']).to_owned())
}

impl Arguments {
    fn path(&self) -> String {
        format!("{}/{}", accounts_path(&self.tenant), self.account)
    }

    fn part(&self, name: &str) -> String {
        format!("{}/{name}", self.path())
    }

    fn post(&self, action: &str) -> ApiRequest {
        ApiRequest::post(self.part(action), &())
    }

    fn name(&self) -> String {
        format!("{}/{}", self.tenant, self.account)
    }

    fn named(&self, view: &AccountView) -> String {
        match view.settings.email.as_ref().or(view.settings.username.as_ref()) {
            Some(name) => format!("{name} ({})", self.name()),
            None => self.name(),
        }
    }
}
