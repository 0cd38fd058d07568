//! Who is this person, and how was that proven? Accounts of one tenant, their identifiers and passwords, and the check of a password. An
//! account knows nothing of clients. In reading order:

mod account_id;
mod claims;
mod email_address;
mod identifier;
mod username;

mod account;
mod account_password;
mod password_policy;
mod password_text;

mod password_link;

mod authentication;
mod browser_history;
mod failure_runs;
mod sign_in_throttle;
mod sign_ins;
mod throttled_accounts;
mod tried_accounts;

pub use account::{Account, AccountIdentifier, AccountStatus, AccountStore};
pub use account_id::{AccountId, InvalidAccountId};
pub use account_password::{AccountPassword, AccountPasswords, UnknownPasswordFormat};
pub use authentication::{Authentication, AuthenticationMethod};
pub use browser_history::{BrowserHistory, BrowserId};
pub use claims::{CLAIMS_BYTES, ClaimError, check_claims};
pub use email_address::EmailAddress;
pub use failure_runs::Throttled;
pub use identifier::{Identifier, InvalidIdentifier};
pub use password_link::{PasswordLink, PasswordLinks};
pub use password_policy::{SHORTEST_PASSWORD, UnfitPassword, check_new_password};
pub use password_text::normalised_password;
pub use sign_in_throttle::SignInThrottling;
pub use sign_ins::{SignInError, SignIns};
pub use throttled_accounts::ThrottledNote;
pub use username::Username;
