//! Which rows of a tenant are moved to another installation, and why they are not.

use administration::Misfit;
use data_encoding::HEXLOWER;
use keys::{KeyId, SealError, SealingContext};
use protocol::SigningAlgorithm;
use serde_json::{Map, Value};
use tenancy::TenantId;
use zeroize::Zeroizing;

use crate::error::Error;
use crate::one_time;
use crate::store_copy::CopyError;
use crate::store_copy::tables::CopiedTable;

/// Why a tenant was not moved.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// A store fails, or the lines are not those of a tenant.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// There is none of this id.
    #[error("there is no tenant {0}")]
    Unknown(TenantId),
    /// It is to come back where it is served.
    #[error("tenant {0} serves here; suspend it first, and name --replace to have its rows replaced")]
    Serves(TenantId),
    /// It is suspended here, as after its export.
    #[error(
        "tenant {0} is suspended here; --replace replaces its rows, and what was changed here since its export is lost"
    )]
    IsThere(TenantId),
    /// The id was used and deleted, and is never used again.
    #[error("tenant {0} was deleted here, and its id is never used again")]
    Deleted(TenantId),
    /// Another tenant has a name that must be unique among all tenants.
    #[error("the issuer or a signing key of tenant {0} is, or was, another tenant's here")]
    Taken(TenantId),
    /// Names of people follow from the pepper, which stays.
    #[error(
        "tenant {0} has pairwise subjects, which follow from the pepper of this installation: people would have other names in another one"
    )]
    Pairwise(TenantId),
    /// The file contains no tenant, or one of another version.
    #[error("the file cannot be imported: {0}")]
    Unusable(String),
    /// Rules of today refuse rows of it.
    #[error("tenant {0} was not imported, because it has what no rule admits: {rows}", rows = shown(.1))]
    Misfits(TenantId, Vec<Misfit>),
    /// A private key cannot be opened or sealed.
    #[error("a signing key cannot be opened or sealed")]
    Seal(#[from] SealError),
}

fn shown(misfits: &[Misfit]) -> String {
    const SHOWN: usize = 5;
    let mut shown: Vec<_> = misfits.iter().take(SHOWN).map(Misfit::to_string).collect();
    if misfits.len() > SHOWN {
        shown.push(format!("and {} more", misfits.len() - SHOWN));
    }
    shown.join("; ")
}

impl From<Error> for MoveError {
    fn from(error: Error) -> Self {
        CopyError::from(error).into()
    }
}

/// The tables that are not moved, beside those of [records that are used once](one_time::TABLES): values that
/// live for minutes, values that are sealed for this installation or its operators, values that follow from
/// other rows, and the stream of the audit, in which each installation has chains of its own.
const STAYS: [&str; 7] = [
    "audit_chains",
    "audit_salts",
    "console_sessions",
    "idempotent_answers",
    "key_thumbprints",
    "logout_outbox",
    "refusals",
];

/// The private key of a row, and what it is sealed for.
pub(super) struct PrivateKey<'t> {
    tenant: &'t TenantId,
    id: KeyId,
    algorithm: SigningAlgorithm,
    pub(super) bytes: Zeroizing<Vec<u8>>,
}

impl<'t> PrivateKey<'t> {
    pub(super) fn new(tenant: &'t TenantId, row: &Map<String, Value>) -> Result<Self, MoveError> {
        let text = |name| row.get(name).and_then(Value::as_str);
        let read = || {
            let number = row.get("number").and_then(Value::as_u64)?;
            Some(Self {
                tenant,
                id: KeyId::numbered(u32::try_from(number).ok()?),
                algorithm: text("algorithm")?.parse().ok()?,
                bytes: Zeroizing::new(HEXLOWER.decode(text("sealed_private_key")?.as_bytes()).ok()?),
            })
        };
        read().ok_or_else(|| unusable("a signing key is none"))
    }

    pub(super) fn context(&self) -> SealingContext<'t> {
        SealingContext::SigningKey { tenant: self.tenant, id: self.id, algorithm: self.algorithm }
    }
}

pub(super) fn moves(table: &CopiedTable) -> bool {
    let stays = one_time::TABLES.iter().map(|table| table.name).chain(STAYS).any(|name| name == table.name);
    table.is_of_tenants() && !stays
}

pub(super) fn unusable(why: impl Into<String>) -> MoveError {
    MoveError::Unusable(why.into())
}
