//! Where a listing of all that is sealed goes on, kind by kind.

use crate::SealedPlace;

/// After which row of each kind; absent is a kind that lies behind.
#[derive(Clone, Copy, Debug)]
pub struct SealedAfter<'a> {
    /// Signing keys: tenant and number.
    pub key: Option<(&'a str, u32)>,
    /// Values of the installation: name.
    pub name: Option<&'a str>,
    /// Sources of generations: number.
    pub generation: Option<u64>,
    /// Answers to idempotency keys: tenant and digest.
    pub answer: Option<(&'a str, &'a [u8])>,
}

impl<'a> From<Option<&'a SealedPlace>> for SealedAfter<'a> {
    fn from(place: Option<&'a SealedPlace>) -> Self {
        let answers = |answer| Self { key: None, name: None, generation: None, answer: Some(answer) };
        let sources = |number| Self { generation: Some(number), ..answers(("", &[])) };
        let names = |name| Self { name: Some(name), ..sources(0) };
        let keys = |key| Self { key: Some(key), ..names("") };
        match place {
            None => keys(("", 0)),
            Some(SealedPlace::SigningKey { tenant, id, .. }) => keys((tenant.as_str(), id.number())),
            Some(SealedPlace::Named(name)) => names(name),
            Some(SealedPlace::Sources { generation, .. }) => sources(*generation),
            Some(SealedPlace::IdempotentAnswer { tenant, key }) => answers((tenant.as_str(), key)),
        }
    }
}
