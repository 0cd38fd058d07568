//! The columns of a revocation: the kind of its subject, and the subject's name within its tenant.

use registry::{ClientId, CredentialTag, FactsVersion, Revocation, RevokedSubject};
use serde_json::{Map, Value, json};
use tenancy::{History, TenantId};
use values::{Lifetime, Timestamp};

use crate::column::ColumnValue as _;
use crate::columns::selected;
use crate::error::Error;
use crate::row::{DatabaseRow, FromRow};

/// The name of a row that ends refresh tokens and codes, too. Earlier versions have written rows without it,
/// and read both kinds alike.
const WITH_GRANTS: &str = "grants";

/// The key of the row of a subject.
pub(crate) fn subject_row(tenant: &TenantId, subject: &RevokedSubject) -> Map<String, Value> {
    let (kind, client, name) = match subject {
        RevokedSubject::Tenant => ("tenant", "", WITH_GRANTS.to_owned()),
        RevokedSubject::Client(client) => ("client", client.as_str(), WITH_GRANTS.to_owned()),
        RevokedSubject::AccessTokens(client) => ("client", client.as_str(), String::new()),
        RevokedSubject::Credential(client, tag) => ("credential", client.as_str(), tag.to_string()),
        RevokedSubject::SigningKey(kid) => ("key", "", kid.clone()),
        RevokedSubject::Token(client, jti) => ("token", client.as_str(), jti.clone()),
        RevokedSubject::People => ("people", "", String::new()),
        RevokedSubject::Grant(id) => ("grant", "", id.clone()),
        RevokedSubject::Session(id) => ("session", "", id.clone()),
        RevokedSubject::Account(id) => ("account", "", id.clone()),
        RevokedSubject::Consent(client, account) => ("consent", client.as_str(), account.clone()),
    };
    let key = json!({ "tenant_id": tenant.as_str(), "kind": kind, "client_id": client, "name": name });
    key.as_object().cloned().unwrap_or_default()
}

impl FromRow for Revocation {
    fn selection(table: &str) -> String {
        let columns = ["kind", "client_id", "name", "issued_until", "expires_at"];
        selected(&columns.map(|column| (column, "")), table)
    }

    fn from_row(row: &DatabaseRow) -> Result<Self, Error> {
        let subject = subject(row)?;
        let issued_until = Timestamp::read(row, "issued_until")?;
        let kept_until = Timestamp::read(row, "expires_at")?;
        // A row of an earlier version is kept for access tokens alone. The row of a credential has the same
        // name, but is not kept for so long.
        let is_kept_for_grants = match &subject {
            RevokedSubject::Credential(..) => issued_until + subject.kept_for_grants() <= kept_until,
            _ => row.get::<String>("name")? == WITH_GRANTS,
        };
        let for_grants =
            if is_kept_for_grants { subject.kept_for_grants() } else { Lifetime::from_seconds(0) };
        Ok(Self { subject, issued_until, expires_at: kept_until.saturating_sub(for_grants) })
    }
}

/// A row of a reading of revocations, in which there may be none.
pub(crate) struct ReadRevocation {
    pub(crate) reading: FactsVersion,
    pub(crate) revocation: Option<Revocation>,
}

impl FromRow for ReadRevocation {
    fn selection(table: &str) -> String {
        Revocation::selection(table)
    }

    fn from_row(row: &DatabaseRow) -> Result<Self, Error> {
        let reading = FactsVersion {
            history: History(row.get("history")?),
            next_change: u64::read(row, "next_change")?,
            at: Timestamp::read(row, "read_at")?,
        };
        let revocation = if row.is_null("kind")? { None } else { Some(Revocation::from_row(row)?) };
        Ok(Self { reading, revocation })
    }
}

fn subject(row: &DatabaseRow) -> Result<RevokedSubject, Error> {
    let kind: String = row.get("kind")?;
    let name: String = row.get("name")?;
    let client = || ClientId::read(row, "client_id");
    match kind.as_str() {
        "tenant" => Ok(RevokedSubject::Tenant),
        "client" if name == WITH_GRANTS => Ok(RevokedSubject::Client(client()?)),
        "client" => Ok(RevokedSubject::AccessTokens(client()?)),
        "credential" => Ok(RevokedSubject::Credential(client()?, CredentialTag::read(row, "name")?)),
        "key" => Ok(RevokedSubject::SigningKey(name)),
        "token" => Ok(RevokedSubject::Token(client()?, name)),
        "people" => Ok(RevokedSubject::People),
        "grant" => Ok(RevokedSubject::Grant(name)),
        "session" => Ok(RevokedSubject::Session(name)),
        "account" => Ok(RevokedSubject::Account(name)),
        "consent" => Ok(RevokedSubject::Consent(client()?, name)),
        // A token that a newer program has revoked in an unknown way must not be valid here.
        _ => Err(Error::unreadable("kind", format_args!("unknown kind {kind:?}"))),
    }
}
