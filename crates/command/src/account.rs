//! `latchkey account …`.

use std::path::PathBuf;
use std::process::ExitCode;

use accounts::AccountId;
use administration::{
    AccountSettings, AccountView, ConsentView, Page, PasswordLinkView, SessionView, Shape, Shaped,
    ThrottlingView,
};
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::{Value, json};
use tenancy::TenantId;

use crate::account_import::{self, ImportArguments};
use crate::admin_client::{ApiRequest, segment};
use crate::arguments::{ChangeArguments, ConfirmArguments, RowArguments};
use crate::examples::example;
use crate::output::{DocumentTable, ListArguments, confirm, details};
use crate::parse::{Assignment, parse_assignment, patch};
use crate::paths::accounts_path;
use crate::process::{ask_secret, secret_input};
use crate::runner::Runner;

/// What can be done to accounts.
#[derive(Subcommand)]
pub(crate) enum AccountCommand {
    /// Create an account.
    #[command(after_help = example!("account add globex --email ada@example.com --claim name=Ada --ask-password"))]
    Add(Box<AddArguments>),
    /// Import accounts from a file with one JSON object a line.
    #[command(after_help = example!("account import globex accounts.ndjson"))]
    Import(ImportArguments),
    /// List a tenant's accounts.
    #[command(after_help = example!("account list globex --identifier ada@example.com"))]
    List {
        /// The tenant's id.
        tenant: TenantId,
        /// Only the account that signs in by this e-mail address or user name.
        #[arg(long, value_name = "TEXT")]
        identifier: Option<String>,
        /// Only the account of this identifier in another system.
        #[arg(long, value_name = "TEXT")]
        external_id: Option<String>,
        #[command(flatten)]
        list: ListArguments,
    },
    /// Show an account.
    #[command(after_help = example!("account show globex usr_mfrggzdfmztwq2lknnwg23tpoa"))]
    Show(AccountArguments),
    /// Change settings: name=value, or a merge patch.
    #[command(after_help = example!("account set globex usr_mfrggzdfmztwq2lknnwg23tpoa groups=staff,accounting"))]
    Set(RowArguments<AccountArguments, ChangeArguments>),
    /// Stop the person from signing in, and end all sessions.
    #[command(after_help = example!("account suspend globex usr_mfrggzdfmztwq2lknnwg23tpoa"))]
    Suspend(AccountArguments),
    /// Let the person sign in again.
    #[command(after_help = example!("account resume globex usr_mfrggzdfmztwq2lknnwg23tpoa"))]
    Resume(AccountArguments),
    /// Forget the failed sign-ins, so that the account refuses no browser for them.
    #[command(after_help = example!("account unlock globex usr_mfrggzdfmztwq2lknnwg23tpoa"))]
    Unlock(AccountArguments),
    /// Set the password: asked for at the terminal, or read from a file. All sessions until now end.
    #[command(after_help = example!("account password globex usr_mfrggzdfmztwq2lknnwg23tpoa --password-file -"))]
    Password(RowArguments<AccountArguments, PasswordArguments>),
    /// List where the person is signed in, or end one of these sessions.
    #[command(after_help = example!("account sessions globex usr_mfrggzdfmztwq2lknnwg23tpoa"))]
    Sessions {
        #[command(flatten)]
        of: AccountArguments,
        /// End this session.
        #[arg(long, value_name = "SESSION")]
        end: Option<String>,
    },
    /// List what the person has allowed clients, or forget one of these consents.
    #[command(after_help = example!("account consents globex usr_mfrggzdfmztwq2lknnwg23tpoa --revoke billing"))]
    Consents {
        #[command(flatten)]
        of: AccountArguments,
        /// Forget what this client was allowed.
        #[arg(long, value_name = "CLIENT")]
        revoke: Option<String>,
    },
    /// Sign the person out everywhere.
    #[command(after_help = example!("account sign-out globex usr_mfrggzdfmztwq2lknnwg23tpoa"))]
    SignOut(AccountArguments),
    /// Delete the account; its id is not given again.
    #[command(after_help = example!("account delete globex usr_mfrggzdfmztwq2lknnwg23tpoa --yes"))]
    Delete(RowArguments<AccountArguments, ConfirmArguments>),
}

/// Which account.
#[derive(Args)]
pub(crate) struct AccountArguments {
    /// The id of its tenant.
    tenant: TenantId,
    /// Its id, usr_ and 26 characters, as `account list` shows it.
    account: AccountId,
}

/// Of `account add`: the members of the document by their names.
#[derive(Args, Serialize)]
pub(crate) struct AddArguments {
    /// The id of its tenant.
    #[serde(skip)]
    tenant: TenantId,
    /// The e-mail address that the person signs in by.
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// It is known that the address is the person's.
    #[arg(long, requires = "email")]
    email_verified: bool,
    /// The user name that the person signs in by.
    #[arg(long, value_name = "NAME")]
    username: Option<String>,
    /// The identifier of the person in another system.
    #[arg(long, value_name = "TEXT")]
    external_id: Option<String>,
    /// A claim and its value, such as name="Ada Lovelace"; repeated.
    #[arg(long = "claim", value_name = "NAME=VALUE", value_parser = parse_assignment)]
    #[serde(skip)]
    claims: Vec<Assignment>,
    /// A group of the person; repeated, or with commas.
    #[arg(long = "group", value_name = "GROUP", value_delimiter = ',')]
    groups: Vec<String>,
    /// What the person may do as an administrator, such as latchkey:clients; repeated, or with commas.
    #[arg(long = "permission", value_name = "SCOPE", value_delimiter = ',')]
    permissions: Vec<String>,
    /// Ask for a password at the terminal. Default: the person cannot sign in with one.
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
    /// The file that holds the password; `-` is the standard input. One newline at its end is left out.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

const COLUMNS: DocumentTable = DocumentTable {
    none: "No accounts.",
    columns: "account_id as ID, email, username, status, managed_by, created_at",
};

const SESSIONS: DocumentTable = DocumentTable {
    none: "No sessions.",
    columns: "session_id as SESSION, authenticated_at as SIGNED IN, last_seen_at, expires_at as ENDS, \
              source as ADDRESS, user_agent as BROWSER",
};

const CONSENTS: DocumentTable =
    DocumentTable { none: "No consents.", columns: "client_id as CLIENT, scopes, granted_at as ALLOWED" };

/// Runs the command.
pub(crate) fn run(runner: Runner<'_>, command: AccountCommand) -> anyhow::Result<ExitCode> {
    let step = |of: &AccountArguments, verb: &str| {
        let request = ApiRequest::post(format!("{}/{verb}", of.path()), &());
        runner.show(request, |view: &AccountView| format!("Account {} is {}.\n", of.name(), view.status))
    };
    match command {
        AccountCommand::Add(arguments) => {
            let request = ApiRequest::post(accounts_path(&arguments.tenant), &arguments.document()?);
            runner.show(request, |view: &AccountView| {
                format!("Account {}/{} is created.\n", arguments.tenant, view.account_id)
            })
        }
        AccountCommand::Import(arguments) => account_import::run(runner, &arguments),
        AccountCommand::List { tenant, identifier, external_id, list } => {
            let filters = vec![("identifier", identifier), ("external_id", external_id)];
            runner.list::<AccountView>(&accounts_path(&tenant), filters, &list, &COLUMNS)
        }
        AccountCommand::Show(of) => show(runner, &of),
        AccountCommand::Set(RowArguments { of, more: changes }) => {
            let patch = changes.patch::<AccountSettings>()?;
            runner.show(ApiRequest::patch(of.path(), patch), |view: &AccountView| changed(&of, view))
        }
        AccountCommand::Suspend(of) => step(&of, "suspend"),
        AccountCommand::Resume(of) => step(&of, "resume"),
        AccountCommand::Unlock(of) => {
            let request = ApiRequest::post(format!("{}/unlock", of.path()), &());
            runner.show(request, |_: &AccountView| {
                format!("The failed sign-ins of account {} are forgotten.\n", of.name())
            })
        }
        AccountCommand::Password(RowArguments { of, more: password }) => {
            let password = match password.read()? {
                Some(password) => password,
                None => asked()?,
            };
            let request =
                ApiRequest::post(format!("{}/password", of.path()), &json!({ "password": password }));
            runner.show(request, |_: &AccountView| {
                format!("Account {} has a new password, and its sessions until now have ended.\n", of.name())
            })
        }
        AccountCommand::Sessions { of, end: None } => {
            let request = ApiRequest::get(format!("{}/sessions", of.path()));
            runner.show(request, |all: &Page<SessionView>| SESSIONS.table(&all.items))
        }
        AccountCommand::Sessions { of, end: Some(session) } => {
            let request = ApiRequest::delete(format!("{}/sessions/{}", of.path(), segment(&session)));
            runner.done(request, &format!("Session {session} of account {} has ended.", of.name()))
        }
        AccountCommand::Consents { of, revoke: None } => {
            let request = ApiRequest::get(format!("{}/consents", of.path()));
            runner.show(request, |all: &Page<ConsentView>| CONSENTS.table(&all.items))
        }
        AccountCommand::Consents { of, revoke: Some(client) } => {
            let request = ApiRequest::delete(format!("{}/consents/{}", of.path(), segment(&client)));
            runner.done(request, &format!("What account {} allowed client {client} is forgotten.", of.name()))
        }
        AccountCommand::SignOut(of) => {
            let request = ApiRequest::delete(format!("{}/sessions", of.path()));
            runner.done(request, &format!("Account {} is signed out everywhere.", of.name()))
        }
        AccountCommand::Delete(RowArguments { of, more: ConfirmArguments { yes } }) => {
            confirm(&format!("Delete account {} for ever?", of.name()), yes)?;
            runner.done(ApiRequest::delete(of.path()), &format!("Account {} is deleted.", of.name()))
        }
    }
}

/// The account, and the link that a grant has made in place of a password.
fn changed(of: &AccountArguments, view: &AccountView) -> String {
    let mut text = details(&AccountView { password_link: None, ..view.clone() });
    if let Some(link) = &view.password_link {
        let why = "\nAnother person may know the password that the account had, so the grant removed it.\n";
        text.push_str(why);
        text.push_str(&to_person("the person", &of.name(), link));
    }
    text
}

/// What to do with a link to set a password.
pub(super) fn to_person(person: &str, account: &str, link: &PasswordLinkView) -> String {
    let until = link.expires_at.0.to_rfc3339();
    let link = &link.link;
    format!(
        "Give this link to {person}. It sets the password of account {account}, once, until {until}:\n\n  {link}\n"
    )
}

/// An account as `account show` shows it.
#[derive(Serialize)]
struct ShownAccount<'a> {
    #[serde(flatten)]
    account: &'a AccountView,
    /// What the replica that answered knows of failed sign-ins; null beside the store.
    throttling: Value,
}

/// Failed sign-ins are in the memory of a server.
const NOT_KNOWN_HERE: &str = "not known here: ask a server with --server";

/// What is beside the account has no span of time.
impl Shaped for ShownAccount<'_> {
    fn shape() -> Shape {
        AccountView::shape()
    }
}

fn show(runner: Runner<'_>, of: &AccountArguments) -> anyhow::Result<ExitCode> {
    runner.run(async |admin| {
        let account: AccountView = admin.send(ApiRequest::get(of.path())).await?;
        let path = format!("{}/throttling", of.path());
        let throttling = match admin.server() {
            Some(_) => Some(admin.send::<ThrottlingView>(ApiRequest::get(path)).await?),
            None => None,
        };
        let in_lines = throttling.as_ref().map_or_else(|| json!(NOT_KNOWN_HERE), |known| json!(known));
        let shown = ShownAccount { account: &account, throttling: json!(throttling) };
        let lines = || details(&ShownAccount { account: &account, throttling: in_lines });
        runner.print(&shown, lines)
    })
}

impl AddArguments {
    fn document(&self) -> anyhow::Result<Value> {
        let mut document = json!(self);
        let shape = Shape::new::<administration::ClaimsSettings>();
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

/// Asked for twice: what is typed is not seen.
fn asked() -> anyhow::Result<String> {
    let instead = "give it with --password-file FILE, or --password-file - for the standard input";
    let first = ask_secret("Password: ", instead)?;
    let second = ask_secret("Again: ", instead)?;
    anyhow::ensure!(first == second, "the two passwords differ; nothing was changed");
    Ok(first.trim_end_matches(['\r', '\n']).to_owned())
}

impl AccountArguments {
    fn path(&self) -> String {
        format!("{}/{}", accounts_path(&self.tenant), self.account)
    }

    fn name(&self) -> String {
        format!("{}/{}", self.tenant, self.account)
    }
}
