//! Why a text is no identifier.

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidIdentifier {
    /// The text contains `@`, but is not an email address.
    #[error(
        "not an e-mail address: write a local part without quotes, one @ and a domain, 254 bytes at most"
    )]
    Email,
    /// The text contains no `@` and is not a user name.
    #[error(
        "not a user name: write 1 to 63 of a-z, 0-9, ., _ and -; it begins with a letter or digit, and not with usr_"
    )]
    Username,
}
