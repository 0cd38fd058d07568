//! Decides on an import of accounts: which lines create accounts, which accounts exist already, and which
//! lines are refused.

use std::collections::HashMap;

use accounts::{Account, AccountId, AccountPassword, Identifier};
use secrets::{ForeignHash, ForeignHashError};
use tenancy::TenantId;
use values::Timestamp;

use super::account::{may_create, with_password};
use super::privilege::require_gained;
use super::{Edit, EditContext, Edited};
use crate::documents;
use crate::documents::ImportedLine;
use crate::edit::FieldError;
use crate::kinds::change;
use crate::kinds::{TenantState, check_account};
use crate::rules::{FieldErrors, check_new_groups};

/// The most bytes of a line, as for a request that creates one account.
const LINE_BYTES: usize = 64 * 1024;

/// A line after it was read: an account that was not compared with others yet, or the errors.
#[derive(Debug)]
pub(crate) struct ImportLine {
    pub(crate) number: u32,
    pub(crate) read: Result<Box<ReadLine>, Vec<FieldError>>,
}

#[derive(Debug)]
pub(crate) struct ReadLine {
    pub(crate) account: Account,
    pub(crate) password: LinePassword,
}

#[derive(Debug)]
pub(crate) enum LinePassword {
    None,
    /// A password that must be checked and hashed.
    Chosen(documents::FileSecret),
    /// A hash from another system.
    Foreign(ForeignHash),
    Stored(AccountPassword, change::SecretForm),
}

impl ImportLine {
    /// Reads a line as an account with this id. The id stays unused if the line is refused.
    pub(crate) fn read(number: u32, text: &[u8], tenant: &TenantId, id: &AccountId, now: Timestamp) -> Self {
        Self { number, read: read(text, tenant, id, now).map(Box::new) }
    }

    pub(crate) fn refuse(&mut self, errors: Vec<FieldError>) {
        self.read = Err(errors);
    }
}

fn read(text: &[u8], tenant: &TenantId, id: &AccountId, now: Timestamp) -> Result<ReadLine, Vec<FieldError>> {
    let refused = |detail: &str| Err(vec![FieldError::at("", detail)]);
    if text.trim_ascii().is_empty() {
        return refused("the line is empty; send one JSON object on each line");
    }
    if text.len() > LINE_BYTES {
        return refused("the line has more than 65536 bytes");
    }
    let documents::ImportedAccount { password, password_hash, settings } =
        documents::ImportedAccount::read(documents::read_json(text)?)?;
    let mut errors = FieldErrors::default();
    let account = check_account(&mut errors, tenant, id, &settings, now);
    let mut errors = errors.into_vec();
    let password = match (password, password_hash) {
        (Some(password), _) => LinePassword::Chosen(password),
        (None, None) => LinePassword::None,
        (None, Some(hash)) => match admitted(hash.expose()) {
            Ok(hash) => LinePassword::Foreign(hash),
            Err(error) => {
                errors.push(FieldError::at("/password_hash", format!("{error}")));
                LinePassword::None
            }
        },
    };
    if errors.is_empty() { Ok(ReadLine { account, password }) } else { Err(errors) }
}

/// Accepts a hash only if checking a password against it takes at most the documented time. Otherwise other
/// sign-ins would wait.
fn admitted(text: &str) -> Result<ForeignHash, ForeignHashError> {
    let hash: ForeignHash = text.parse()?;
    hash.check_cost().map(|()| hash)
}

/// The owners of names: existing accounts and the accounts of earlier lines.
#[derive(Default)]
struct Owners {
    identifiers: HashMap<Identifier, AccountId>,
    external_ids: HashMap<String, AccountId>,
}

impl Owners {
    fn from_state(state: &TenantState) -> Self {
        let mut owners = Self::default();
        let live = state.accounts.iter().filter(|row| row.lifecycle.deleted_at.is_none());
        live.for_each(|row| owners.add(&row.account));
        owners
    }

    fn add(&mut self, account: &Account) {
        for held in &account.identifiers {
            self.identifiers.insert(held.identifier.clone(), account.id.clone());
        }
        if let Some(external_id) = &account.external_id {
            self.external_ids.insert(external_id.clone(), account.id.clone());
        }
    }

    /// The account that already has these identifiers, or the errors if different accounts have the names.
    fn find(&self, account: &Account) -> Result<Option<&AccountId>, Vec<FieldError>> {
        let taken = |at: &str, owner: &AccountId| {
            Err(vec![FieldError::at(at, format!("account {owner} already has it"))])
        };
        let mut found = None;
        for held in &account.identifiers {
            match (self.identifiers.get(&held.identifier), found) {
                (Some(owner), Some(other)) if owner != other => {
                    return taken(&format!("/{}", held.identifier.kind()), owner);
                }
                (owner, other) => found = owner.or(other),
            }
        }
        let by_external_id = account.external_id.as_ref().and_then(|id| self.external_ids.get(id));
        match (by_external_id, found) {
            (Some(owner), found) if found != Some(owner) => taken("/external_id", owner),
            _ => Ok(found),
        }
    }
}

/// The lines that create an account. Only their passwords are hashed.
pub(crate) fn new_lines<'a>(
    context: EditContext<'_>,
    lines: impl Iterator<Item = &'a mut ImportLine>,
) -> Edited<Vec<&'a mut ImportLine>> {
    let mut owners = Owners::from_state(may_create(context)?);
    let is_new = |line: &&mut ImportLine| {
        let read = line.read.as_ref().ok().filter(|read| matches!(owners.find(&read.account), Ok(None)));
        read.map(|read| owners.add(&read.account)).is_some()
    };
    Ok(lines.filter(is_new).collect())
}

/// The accounts of the new lines, and the result of each line.
pub(crate) fn import(context: EditContext<'_>, lines: &[ImportLine]) -> Edited<(Edit, Vec<ImportedLine>)> {
    let state = may_create(context)?;
    let mut owners = Owners::from_state(state);
    let mut edit = Edit::default();
    let results = lines.iter().map(|line| {
        let read = match &line.read {
            Ok(read) => read,
            Err(errors) => return ImportedLine::refused(line.number, errors.clone()),
        };
        let ReadLine { account, password } = &**read;
        match owners.find(account) {
            Err(errors) => return ImportedLine::refused(line.number, errors),
            Ok(Some(owner)) => return ImportedLine::new(line.number, documents::ImportResult::Exists, owner),
            Ok(None) => {}
        }
        let errors = check_new_groups(state.tenant.groups.as_deref(), &[], &account.groups);
        if !errors.is_empty() {
            return ImportedLine::refused(line.number, errors);
        }
        if let Err(error) = require_gained(context, context.tenant, None, &account.permissions) {
            let error = FieldError::at("/permissions", error.to_string());
            return ImportedLine::refused(line.number, vec![error]);
        }
        let password = match password {
            LinePassword::None => None,
            LinePassword::Stored(password, form) => {
                Some(with_password(context.tenant, &account.id, password.clone(), *form, false))
            }
            LinePassword::Foreign(_) | LinePassword::Chosen(_) => {
                let detail =
                    "Latchkey did not import the account or the earlier line with this name; send the line again";
                return ImportedLine::refused(line.number, vec![FieldError::at("", detail)]);
            }
        };
        owners.add(account);
        edit.extend(Edit::from_change(change::RowChange::new(
            change::ChangeKind::Added,
            None,
            account.clone(),
        )));
        if let Some(password) = password {
            edit.extend(password);
        }
        ImportedLine::new(line.number, documents::ImportResult::Created, &account.id)
    });
    let results = results.collect();
    Ok((edit, results))
}
