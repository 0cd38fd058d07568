//! People: the accounts of a tenant with their identifiers and passwords, and signing in. Accounts do not
//! depend on clients. In reading order:

// Accounts and their identifiers.
mod account_id;
mod claims;
mod email_address;
mod identifier;
mod invalid_identifier;
mod username;

pub use account_id::{AccountId, InvalidAccountId};
pub use claims::{CLAIMS_BYTES, ClaimError, check_claims};
pub use email_address::EmailAddress;
pub use identifier::Identifier;
pub use invalid_identifier::InvalidIdentifier;
pub use username::Username;

// Stored passwords and the rules for new ones.
mod account;
mod account_password;
mod password_policy;
mod password_text;

pub use account::{Account, AccountIdentifier, AccountStatus, AccountStore, is_reserved_group};
pub use account_password::{AccountPassword, AccountPasswords, UnknownPasswordFormat};
pub use password_policy::{SHORTEST_PASSWORD, UnfitPassword, check_new_password};
pub use password_text::normalised_password;

// Codes in links and in mail, and the limits of asking for them and of trying them.
mod account_code;
mod code_tries;

pub use account_code::{AccountCode, AccountCodes, CodePurpose};
pub use code_tries::{CodeTries, CodeTry};

// Signing in, and its limits.
mod authentication;
mod browser_history;
mod failure_runs;
mod sign_in_check;
mod sign_in_throttle;
mod sign_ins;
mod throttled_accounts;
mod tried_accounts;

pub use authentication::{Authentication, AuthenticationMethod};
pub use browser_history::{BrowserHistory, BrowserId};
pub use failure_runs::Throttled;
pub use sign_in_check::SignInCheck;
pub use sign_in_throttle::SignInThrottling;
pub use sign_ins::{SignInError, SignIns};
pub use throttled_accounts::ThrottledNote;
