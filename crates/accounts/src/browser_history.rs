//! The accounts that have signed in with a browser before.

use values::Timestamp;

use crate::{Account, AccountId};

/// Distinguishes a browser from other browsers of the same account.
pub type BrowserId = [u8; 16];

/// The accounts that have signed in with a browser, as proved by its cookie.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BrowserHistory {
    pub browser: BrowserId,
    /// The accounts of one tenant, each with the time of its last sign-in.
    pub accounts: Vec<(AccountId, Timestamp)>,
}

impl BrowserHistory {
    /// The browser, if the account has signed in with it since the account's password or status last changed
    /// and since the account was last signed out everywhere.
    pub(crate) fn known_to(&self, account: &Account) -> Option<BrowserId> {
        let is_known = |(id, at): &(AccountId, Timestamp)| *id == account.id && *at >= account.valid_from;
        self.accounts.iter().any(is_known).then_some(self.browser)
    }
}

#[cfg(test)]
mod tests {
    use tenancy::TenantId;

    use super::*;

    #[test]
    fn browser_is_known_until_its_account_changes() {
        let at = Timestamp::from_seconds;
        let [ada, bob] = [1, 2].map(|number| AccountId::from_bytes([number; 16]));
        let account = |id: &AccountId, valid_from| Account {
            valid_from: at(valid_from),
            ..Account::new(TenantId::parse("acme").unwrap(), id.clone(), at(1))
        };
        let history = BrowserHistory { browser: [7; 16], accounts: vec![(ada.clone(), at(100))] };
        for (account, expected) in [
            (account(&ada, 1), Some([7; 16])),
            (account(&ada, 100), Some([7; 16])),
            (account(&ada, 101), None),
            (account(&bob, 1), None),
        ] {
            assert_eq!(history.known_to(&account), expected, "{account:?}");
        }
    }
}
