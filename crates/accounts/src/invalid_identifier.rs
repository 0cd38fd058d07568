//! Why a text is no identifier.

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidIdentifier {
    /// The text contains `@`, but is not an email address.
    #[error(
        "not a valid email address: it needs a local part without quotes, one @ and a domain, and can have \
            at most 254 bytes"
    )]
    Email,
    /// The text contains no `@` and is not a user name.
    #[error(
        "not a valid user name: use 1 to 63 characters from a-z, 0-9, ., _ and -, begin with a letter or \
            digit, and do not begin with usr_"
    )]
    Username,
}
