//! The compiled-in migrations. Both engines have the same list of migration names.

/// Builds the [`Migrator`] from the files in `migrations/` and in the given folder.
macro_rules! migrator {
    ($folder:literal) => {
        migrator!(
            $folder,
            "0001_tenants",
            "0002_clients",
            "0003_keys",
            "0004_administration",
            "0005_living_administration",
            "0006_key_life_cycle",
            "0007_roles_that_are_taken",
            "0008_left_out_tenants",
            "0009_key_thumbprints",
            "0010_writer_of_one_tenant",
            "0011_client_description",
            "0012_limits_of_tenants",
            "0013_shown_key_times",
            "0014_used_identifiers",
            "0015_client_keys",
            "0016_revocations",
            "0017_sender_constrained_tokens",
            "0018_fetched_keys",
            "0019_certificate_subject",
            "0020_audited_credentials",
            "0021_accounts",
            "0022_sign_ins",
            "0023_branding",
            "0024_device_codes",
            "0025_pushed_requests",
            "0026_backchannel_logout",
            "0027_refresh_tokens",
            "0028_sign_in_policy",
            "0029_subjects",
            "0030_session_source",
            "0031_logos",
            "0032_public_keys",
            "0033_credential_of_refresh_tokens",
            "0034_client_names_in_consents",
            "0035_walks_for_expired_rows",
            "0036_accounts_of_revocations",
            "0037_logout_addresses",
            "0038_limits_of_codes",
            "0039_resources_of_consents",
            "0040_changes_of_revocations",
            "0041_settings_of_clients",
            "0042_settings_of_tenants",
            "0043_audit_of_a_tenant",
            "0044_api_keys",
            "0045_usage",
            "0046_descriptions_of_scopes",
            "0047_account_permissions",
            "0048_console_sessions",
            "0049_secret_rotations",
            "0050_store_marks",
            "0051_kid",
            "0052_tenants_that_move",
            "0053_names_of_secrets",
            "0054_federated_clients",
            "0055_audit_stream",
            "0056_password_setter",
            "0057_federated_subjects",
            "0058_restored_at",
            "0059_history",
            "0060_refused_credentials",
            "0061_changes_without_a_lock",
            "0062_accounts_with_permissions",
            "0063_mail_outbox",
            "0064_token_format_of_apis",
        )
    };
    ($folder:literal, $($name:literal),+ $(,)?) => {
        sqlx::migrate::Migrator::with_migrations(vec![$($crate::migrations::migration(
            $name,
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations/", $folder, "/", $name, ".sql")),
        )),+])
    };
}

pub(crate) use migrator;

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};

use crate::open_error::OpenError;

/// `name` is `VERSION_DESCRIPTION`. sqlx writes both into `_sqlx_migrations`.
pub(crate) fn migration(name: &'static str, sql: &'static str) -> Migration {
    let (version, description) = name.split_once('_').unwrap_or((name, ""));
    let version = version.parse().unwrap_or_default();
    let description = description.replace('_', " ").into();
    Migration::new(version, description, MigrationType::Simple, sql.into_sql_str(), false)
}

/// The schema version of this program: the version of its last migration.
pub(crate) fn known(migrator: &Migrator) -> i64 {
    migrator.iter().map(|migration| migration.version).max().unwrap_or(0)
}

pub(crate) fn refuse_newer(migrator: &Migrator, database: &str, found: Option<i64>) -> Result<(), OpenError> {
    let known = known(migrator);
    match found {
        Some(found) if found > known => Err(OpenError::Newer { database: database.to_owned(), found, known }),
        _ => Ok(()),
    }
}

/// Returns `false` for a database without a schema. Refuses every other schema than that of this program.
pub(crate) fn is_readable(
    migrator: &Migrator,
    database: &str,
    pronoun: &'static str,
    found: Option<i64>,
) -> Result<bool, OpenError> {
    refuse_newer(migrator, database, found)?;
    let known = known(migrator);
    match found {
        Some(found) if found < known => {
            Err(OpenError::Older { database: database.to_owned(), found, known, pronoun })
        }
        found => Ok(found.is_some()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use sqlx::migrate::Migrator;

    #[tokio::test]
    async fn compiled_migrations_match_the_files() {
        for (folder, compiled) in [("postgres", migrator!("postgres")), ("sqlite", migrator!("sqlite"))] {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations").join(folder);
            let read = Migrator::new(path).await.unwrap();
            let told = |migrator: &Migrator| {
                let of = |migration: &sqlx::migrate::Migration| {
                    (migration.version, migration.description.to_string(), migration.checksum.to_vec())
                };
                migrator.iter().map(of).collect::<Vec<_>>()
            };
            assert_eq!(told(&compiled), told(&read), "{folder}");
        }
    }
}
