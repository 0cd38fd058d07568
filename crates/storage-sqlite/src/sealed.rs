//! All that is sealed under the sealing key and can be sealed anew: private keys, then named values. What was sealed meanwhile by
//! another process is never overwritten.

use administration::SealedPlace;

use tenancy::StoreError;

use crate::SqliteDatabase;
use crate::administration_row::tenant_id;
use crate::column::parse;
use crate::error::store_error;
use crate::signing_key_row::key_id;

/// Across tenants on purpose: a sealing key is the platform's.
pub(crate) const KEYS: &str = "
    SELECT tenant_id, number, algorithm, sealed_private_key
      FROM signing_keys
     WHERE (tenant_id, number) > (?1, ?2) AND sealed_private_key <> x''
     ORDER BY tenant_id, number LIMIT ?3";

pub(crate) const NAMED: &str = "
    SELECT name, sealed FROM sealed_values WHERE name > ?1 ORDER BY name LIMIT ?2";

/// No bytes are those of a destroyed key, which stays destroyed.
const REPLACE_KEY: &str = "
    UPDATE signing_keys SET sealed_private_key = ?5
     WHERE tenant_id = ?1 AND number = ?2 AND algorithm = ?3 AND sealed_private_key = ?4
       AND sealed_private_key <> x''";

/// By the clock of SQLite, which decides only when the line is removed.
const LOG: &str = "INSERT INTO change_log (kind, tenant_id, changed_at) VALUES ('keys', ?1, unixepoch())";

const REPLACE_NAMED: &str =
    "UPDATE sealed_values SET sealed = ?3 WHERE name = ?1 AND sealed = ?2 AND sealed <> x''";

type Sealed = (SealedPlace, Vec<u8>);

impl SqliteDatabase {
    pub(crate) async fn sealed_after(
        &self,
        after: Option<&SealedPlace>,
        limit: u32,
    ) -> Result<Vec<Sealed>, StoreError> {
        let (mut page, name) = match after {
            Some(SealedPlace::Named(name)) => (Vec::new(), name.as_str()),
            Some(SealedPlace::SigningKey { tenant, id, .. }) => {
                (self.sealed_keys(tenant.as_str(), id.number(), limit).await?, "")
            }
            None => (self.sealed_keys("", 0, limit).await?, ""),
        };
        let rest = limit.saturating_sub(u32::try_from(page.len()).unwrap_or(u32::MAX));
        if rest > 0 {
            let query = sqlx::query_as(NAMED).bind(name).bind(rest);
            let rows: Vec<(String, Vec<u8>)> = query.fetch_all(self.read()).await.map_err(store_error)?;
            page.extend(rows.into_iter().map(|(name, sealed)| (SealedPlace::Named(name), sealed)));
        }
        Ok(page)
    }

    async fn sealed_keys(&self, tenant: &str, number: u32, limit: u32) -> Result<Vec<Sealed>, StoreError> {
        let query = sqlx::query_as(KEYS).bind(tenant).bind(number).bind(limit);
        let rows: Vec<(String, i64, String, Vec<u8>)> =
            query.fetch_all(self.read()).await.map_err(store_error)?;
        let of_row = |(tenant, number, algorithm, sealed): (String, _, String, _)| {
            let algorithm = parse("algorithm", &algorithm)?;
            let place =
                SealedPlace::SigningKey { tenant: tenant_id(&tenant)?, id: key_id(number)?, algorithm };
            Ok((place, sealed))
        };
        rows.into_iter().map(of_row).collect()
    }

    pub(crate) async fn put_sealed_anew(
        &self,
        place: &SealedPlace,
        old: &[u8],
        new: &[u8],
    ) -> Result<bool, StoreError> {
        let (query, owner) = match place {
            SealedPlace::SigningKey { tenant, id, algorithm } => {
                let of_key = sqlx::query(REPLACE_KEY).bind(tenant.as_str()).bind(id.number());
                (of_key.bind(algorithm.as_str()), Some(tenant))
            }
            SealedPlace::Named(name) => (sqlx::query(REPLACE_NAMED).bind(name), None),
        };
        let mut transaction = self.begin().await.map_err(store_error)?;
        let query = query.bind(old).bind(new);
        let replaced = query.execute(self.counted(&mut *transaction)).await.map_err(store_error)?;
        if let Some(tenant) = owner.filter(|_| replaced.rows_affected() > 0) {
            // Caches hold the old bytes, which nobody may be able to read soon.
            let query = sqlx::query(LOG).bind(tenant.as_str());
            query.execute(self.counted(&mut *transaction)).await.map_err(store_error)?;
        }
        transaction.commit().await.map_err(store_error)?;
        Ok(replaced.rows_affected() > 0)
    }
}
