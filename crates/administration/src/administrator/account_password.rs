//! Checks and hashes the passwords of people: off the worker threads, a few at a time, and outside any
//! transaction.

use accounts::{AccountId, AccountPassword, AccountPasswords, check_new_password};
use secrets::{PasswordSalt, hash_password};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use values::Secret;

use super::InTenant;
use super::secret_material::PATIENCE;
use crate::edit;
use crate::edit::EditError;

impl InTenant<'_> {
    /// Returns the stored form of a password that the account may have. `words` are the guesses that an
    /// attacker would try first.
    pub(super) async fn take_password(
        &self,
        account: &AccountId,
        password: Secret,
        words: Vec<String>,
    ) -> edit::Edited<AccountPassword> {
        let permit = timeout(PATIENCE, self.slow_hashes.take(self.tenant)).await;
        let _permit = permit.ok().and_then(Result::ok).ok_or(EditError::Busy)?;
        let hashing = spawn_blocking(move || {
            let hint = "use several random words: they are long and easy to type";
            let unfit = |why: accounts::UnfitPassword| {
                EditError::Invalid(vec![edit::FieldError::at("/password", why.to_string()).with_hint(hint)])
            };
            let password = check_new_password(password, &words).map_err(unfit)?;
            Ok::<_, EditError>(hash_password(&password, &PasswordSalt::generate())?)
        });
        let hash = hashing.await.map_err(|_| EditError::Busy)??;
        let bound = AccountPasswords::new(&self.pepper).bind(self.tenant, account, &hash);
        bound.ok_or_else(|| edit::invalid("/password", "cannot be stored"))
    }
}
