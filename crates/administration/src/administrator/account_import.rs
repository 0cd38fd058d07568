//! Imports accounts from lines of JSON. Each batch of lines is one commit. So an interrupted import has
//! imported whole batches, and the caller may send the same lines again.

use accounts::{AccountId, AccountPassword, AccountPasswords};
use secrets::{ForeignHash, SecretHash};
use tenancy::Turn;
use tokio::time::timeout;

use super::InTenant;
use super::commit_with_retry::Decision;
use super::load::Needs;
use super::secret_material::PATIENCE;
use crate::documents::FileSecret;
use crate::documents::ImportedLine;
use crate::edit;
use crate::edit::EditError;
use crate::edit::Edited;
use crate::edit::account_import::{ImportLine, LinePassword};
use crate::kinds::Permission;
use crate::kinds::change::SecretForm;
use crate::kinds::password_context;

pub const IMPORT_LINES: usize = 10_000;
pub const IMPORT_BYTES: usize = 8 * 1024 * 1024;
/// The most lines of one import that may have a password: to check and hash one takes some 20 ms of a core.
pub const IMPORT_PASSWORDS: usize = 500;

/// The most imports that run at the same time, over all tenants. Each holds its body in memory.
pub(super) const AT_ONCE: usize = 4;
/// The most imports of one tenant that run at the same time: a body may take a minute to arrive.
pub(super) const AT_ONCE_OF_TENANT: usize = 2;
/// The most imports of one tenant that wait for their turn.
pub(super) const WAITING: usize = 4;
/// Lines per commit.
const BATCH: usize = 1_000;

/// An import that was admitted before its body was read.
pub struct AccountImport<'a> {
    within: InTenant<'a>,
    _turn: Turn,
}

impl<'a> InTenant<'a> {
    /// Admits an import before its body is read.
    ///
    /// # Errors
    /// [`EditError`]; [`EditError::Busy`] if other imports take too long.
    pub async fn begin_import(self) -> Edited<AccountImport<'a>> {
        self.require(Permission::Accounts)?;
        let turn = timeout(PATIENCE, self.imports.take(self.tenant)).await;
        let turn = turn.ok().and_then(Result::ok).ok_or(EditError::Busy)?;
        self.load(self.tenant, &Needs::default()).await?.tenant()?;
        Ok(AccountImport { within: self, _turn: turn })
    }
}

impl AccountImport<'_> {
    /// Imports the accounts of these lines, and returns the result of each line.
    ///
    /// # Errors
    /// [`EditError`]. Either nothing was imported, or only the batches before the failed one.
    pub async fn run(&self, body: &[u8]) -> Edited<Vec<ImportedLine>> {
        let text = body.strip_suffix(b"\n").unwrap_or(body);
        let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
        if text.is_empty() {
            return Err(edit::invalid("", "the body has no lines; send one JSON object on each line"));
        }
        if lines.len() > IMPORT_LINES {
            return Err(edit::invalid(
                "",
                format!("the body has {} lines, but the maximum is {IMPORT_LINES}", lines.len()),
            ));
        }
        let (mut results, mut passwords) = (Vec::with_capacity(lines.len()), 0);
        let numbered: Vec<_> = (1..).zip(lines).collect();
        for batch in numbered.chunks(BATCH) {
            results.extend(self.batch(batch, &mut passwords).await?);
        }
        Ok(results)
    }

    /// `passwords` counts the passwords of the whole import.
    async fn batch(&self, batch: &[(u32, &[u8])], passwords: &mut usize) -> Edited<Vec<ImportedLine>> {
        let within @ InTenant { caller, tenant, .. } = self.within;
        let mut lines: Vec<ImportLine> = batch
            .iter()
            .map(|(number, text)| ImportLine::read(*number, text, tenant, &AccountId::generate(), caller.now))
            .collect();
        let needs = names(&lines);
        self.prepare(&mut lines, &needs, passwords).await?;
        let decide = |context: edit::EditContext<'_>, _: &mut Option<()>| {
            let (edit, value) = edit::account_import::import(context, &lines)?;
            Ok::<_, EditError>(Decision::Commit { edit, value, valid_for: None })
        };
        let made = within.commit_prepared(needs, None, None, decide, |results, _| Ok(results)).await;
        Ok(made?.value)
    }

    /// Hashes the passwords of the lines that would create accounts.
    async fn prepare(&self, lines: &mut [ImportLine], needs: &Needs, passwords: &mut usize) -> Edited<()> {
        let facts = self.within.load(self.within.tenant, needs).await?;
        let new = edit::account_import::new_lines(self.within.context(&facts), lines.iter_mut())?;
        let owner = &facts.tenant()?.tenant;
        for line in new {
            let Ok(read) = &mut line.read else { continue };
            let words = || password_context(owner, &read.account);
            let account = &read.account.id;
            let stored = match std::mem::replace(&mut read.password, LinePassword::None) {
                LinePassword::Chosen(_) if *passwords == IMPORT_PASSWORDS => {
                    let detail = format!("one call can hash at most {IMPORT_PASSWORDS} passwords");
                    Err(vec![
                        edit::FieldError::at("/password", detail).with_hint("send this line in another call"),
                    ])
                }
                LinePassword::Chosen(password) => {
                    *passwords += 1;
                    self.chosen(account, password, words()).await?
                }
                LinePassword::Foreign(hash) => {
                    Ok(LinePassword::Stored(self.foreign(account, hash), SecretForm::Imported))
                }
                other @ (LinePassword::None | LinePassword::Stored(..)) => Ok(other),
            };
            match stored {
                Ok(stored) => read.password = stored,
                Err(errors) => line.refuse(errors),
            }
        }
        Ok(())
    }

    /// Returns the stored form of a password, or why the account may not have the password.
    async fn chosen(
        &self,
        account: &AccountId,
        password: FileSecret,
        words: Vec<String>,
    ) -> Edited<Result<LinePassword, Vec<edit::FieldError>>> {
        match self.within.take_password(account, password.into_inner(), words).await {
            Ok(stored) => Ok(Ok(LinePassword::Stored(stored, SecretForm::Chosen))),
            Err(EditError::Invalid(errors)) => Ok(Err(errors)),
            Err(error) => Err(error),
        }
    }

    /// A hash with exactly the parameters of Latchkey is stored as one of its own hashes, so the first
    /// sign-in does not hash again.
    fn foreign(&self, account: &AccountId, hash: ForeignHash) -> AccountPassword {
        let passwords = AccountPasswords::new(&self.within.pepper);
        let as_ours = SecretHash::Password(hash.to_string());
        passwords.bind(self.within.tenant, account, &as_ours).unwrap_or_else(|| hash.into())
    }
}

fn names(lines: &[ImportLine]) -> Needs {
    let accounts = || lines.iter().filter_map(|line| Some(&line.read.as_ref().ok()?.account));
    let identifiers = accounts().flat_map(|account| &account.identifiers);
    Needs {
        identifiers: identifiers.map(|held| held.identifier.clone()).collect(),
        external_ids: accounts().filter_map(|account| account.external_id.clone()).collect(),
        ..Needs::default()
    }
}
