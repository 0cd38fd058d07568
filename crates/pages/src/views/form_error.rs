//! Why a form that changes how a person signs in is shown again.

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FormError {
    /// The code or the current password is wrong or can no longer be used, or the person has tried too often.
    /// The page shows the same text for all of these reasons.
    Refused,
    /// The new password or address was refused, for this reason.
    Unfit(String),
    /// Too many passwords wait for hashing.
    Busy,
    /// The account is in a configuration file, so it cannot be changed here.
    Declared,
}
