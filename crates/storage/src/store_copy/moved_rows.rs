//! Which rows of a tenant move to another installation, and the reasons for a refusal.

use administration::declaration::judged_rows::Misfit;
use data_encoding::HEXLOWER;
use keys::{KeyAlgorithm, KeyId, SealError, SealingContext};
use serde_json::{Map, Value};
use tenancy::TenantId;
use zeroize::Zeroizing;

use crate::error::Error;
use crate::one_time;
use crate::store_copy::CopyError;
use crate::store_copy::tables::CopiedTable;

#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// A store fails, or the file does not contain a tenant.
    #[error(transparent)]
    Copy(#[from] CopyError),
    #[error("tenant {0} does not exist")]
    Unknown(TenantId),
    /// A tenant cannot be imported while it is active in this installation.
    #[error("tenant {0} is active here; suspend it first, and use --replace to replace its rows")]
    Serves(TenantId),
    /// The tenant exists and is suspended, as after an export.
    #[error(
        "tenant {0} is suspended here; --replace replaces its rows and discards all changes made here since its export"
    )]
    IsThere(TenantId),
    /// A tenant with this id was deleted. Ids are never used again.
    #[error("tenant {0} was deleted here, and its id cannot be used again")]
    Deleted(TenantId),
    /// Another tenant has a name that must be unique among all tenants.
    #[error("the issuer or a signing key of tenant {0} belongs, or belonged, to another tenant here")]
    Taken(TenantId),
    /// Pairwise subjects depend on the pepper, which is not exported.
    #[error(
        "tenant {0} has pairwise subjects, which depend on this installation's pepper: people would get \
            different subjects in another installation"
    )]
    Pairwise(TenantId),
    /// The file contains no tenant, or was written by another version.
    #[error("cannot import the file: {0}")]
    Unusable(String),
    /// The current rules refuse rows of the tenant.
    #[error("tenant {0} was not imported, because these rows violate the rules: {rows}", rows = shown(.1))]
    Misfits(TenantId, Vec<Misfit>),
    #[error("cannot open or seal a signing key")]
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

/// The tables that are not moved, in addition to those of [records that are used once](one_time::TABLES):
/// rows that live for minutes, values that are sealed for this installation or its operators, rows that
/// triggers derive from other rows, and the audit stream, because each installation has its own chains.
const STAYS: [&str; 8] = [
    "audit_chains",
    "audit_salts",
    "console_sessions",
    "idempotent_answers",
    "key_thumbprints",
    "logout_outbox",
    "mail_outbox",
    "refusals",
];

/// The sealed private key of a row, and the context that it is sealed for.
pub(super) struct PrivateKey<'t> {
    tenant: &'t TenantId,
    id: KeyId,
    algorithm: KeyAlgorithm,
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
        read().ok_or_else(|| unusable("a signing key is not valid"))
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
