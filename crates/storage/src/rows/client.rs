//! The columns of a client and its secrets.

use administration::administrator::rotation_progress::RotationProgress;
use administration::kinds;
use administration::kinds::state::{RowLifecycle, SecretState};
use registry::{Client, ClientSecret, ClientStatus};
use serde_json::{Map, Value, json};

use crate::column::ColumnValue as _;
use crate::columns::{Columns as _, columns, document, gathered, selected, written};
use crate::error::Error;
use crate::row::{DatabaseRow, FromRow};

/// The fields that are not in the `settings` document, because they have their own columns or rows.
const ELSEWHERE: [&str; 4] = ["tenant", "id", "status", "secrets"];

// Fields that statements search or compare have an additional copy in a column. The description and the
// rotation schedule are only in columns, because replicas do not cache them.
written! {
    Client {
        tenant: "tenant_id",
        id: "client_id",
        name, description, rotation, federated, access_token_lifetime,
    }
    settings settings
}

fn settings(client: &Client) -> Map<String, Value> {
    document(client, &ELSEWHERE)
}

/// The client without its secrets.
impl FromRow for Client {
    fn selection(table: &str) -> String {
        selected(&Self::columns(), table)
    }

    fn from_row(row: &DatabaseRow) -> Result<Self, Error> {
        let mut members: Map<String, Value> = row.json("settings")?;
        members.insert("tenant".to_owned(), String::read(row, "tenant_id")?.into());
        members.insert("id".to_owned(), String::read(row, "client_id")?.into());
        members.insert("status".to_owned(), json!(status(row)?));
        members.insert("secrets".to_owned(), json!([]));
        let client = serde_json::from_value(members.into());
        let client: Self = client.map_err(|cause| Error::unreadable("settings", cause))?;
        Ok(Self {
            description: Option::read(row, "description")?,
            rotation: Option::read(row, "rotation")?,
            ..client
        })
    }
}

columns! {
    ClientSecret { id: "secret_id", hash, hint, created_at, expires_at, revoked_at }
}

columns! {
    SecretState { managed_by, revoked_by, declared_digest, declared_expires_at, name, fingerprint }
    with { secret: ClientSecret }
}

fn status(row: &DatabaseRow) -> Result<ClientStatus, Error> {
    let serves = RowLifecycle::from_row(row)?.serves();
    Ok(if serves { ClientStatus::Active } else { ClientStatus::Suspended })
}

// The columns without the secrets, which have their own rows.
written! { kinds::client::State {} with { client: Client } and lifecycle without ["deletion_due_at"] }

columns! {
    RotationProgress {
        due_at: "rotation_due_at",
        begun_at: "rotation_begun_at",
        failures: "rotation_failures",
        failed_at: "rotation_failed_at",
        failure: "rotation_failure",
    }
}

/// The client with its secrets.
impl FromRow for kinds::client::State {
    fn selection(table: &str) -> String {
        let of_client = format!(
            "client_secrets.tenant_id = {table}.tenant_id AND client_secrets.client_id = {table}.client_id"
        );
        let secrets = gathered::<SecretState>("client_secrets", &of_client, "created_at, secret_id");
        let progress = RotationProgress::selection(table);
        format!("{}, {progress}, {secrets} AS secrets", selected(&Self::columns(), table))
    }

    fn from_row(row: &DatabaseRow) -> Result<Self, Error> {
        Ok(Self {
            client: Client::from_row(row)?,
            lifecycle: RowLifecycle::from_row(row)?,
            secrets: row.rows("secrets")?,
            rotation: RotationProgress::from_row(row)?,
        })
    }
}
