//! Authorization codes, and what people have allowed clients.

use accounts::AccountId;
use async_trait::async_trait;
use grants::{AuthorizationCode, AuthorizationStore, CodeWrite, Consent, Redeemed, Redemption};
use protocol::Timestamp;
use registry::ClientId;
use tenancy::{StoreError, TenantId};

use crate::database::{Database, Purpose};
use crate::error::Error;
use crate::refresh_families;
use crate::statement::Statement;

const SELECT_CONSENT: &str = "
    SELECT {columns(c)} FROM consents c
     WHERE c.tenant_id = {tenant} AND c.account_id = $2 AND c.client_id = $3";

const UPSERT_CONSENT: &str = "
    INSERT INTO consents ({names}) SELECT {names} FROM {given} WHERE TRUE
    ON CONFLICT (tenant_id, account_id, client_id) DO UPDATE
       SET scopes = excluded.scopes, hosts = excluded.hosts, granted_at = excluded.granted_at";

const INSERT_CODE: &str = "
    INSERT INTO authorization_codes ({names}) SELECT {names} FROM {given} WHERE TRUE";

/// Uses a code up, where all of it is right: its client, its redirect URI, the digest of its verifier, its session and its account.
const REDEEM: &str = "
    UPDATE authorization_codes SET redeemed_at = $4
     WHERE tenant_id = $1 AND slot = $2 AND code_digest = $3 AND redeemed_at IS NULL AND valid_until > $4
       AND client_id = $5 AND redirect_uri = $6 AND code_challenge IS NOT DISTINCT FROM $7
       AND EXISTS (SELECT 1 FROM sessions s
                    WHERE s.tenant_id = $1 AND s.slot = authorization_codes.session_slot
                      AND s.session_id = authorization_codes.session_id AND s.ended_at IS NULL AND s.expires_at > $4)
       AND EXISTS (SELECT 1 FROM accounts a
                    WHERE a.tenant_id = $1 AND a.account_id = authorization_codes.account_id
                      AND a.suspended_at IS NULL AND a.retired_at IS NULL AND a.deleted_at IS NULL
                      AND a.valid_from <= authorization_codes.created_at)
    RETURNING ";

/// Whether its own client has redeemed a code.
const IS_REDEEMED: &str = "
    SELECT EXISTS (SELECT 1 FROM authorization_codes c
                    WHERE c.tenant_id = $1 AND c.slot = $2 AND c.code_digest = $3 AND c.client_id = $4
                      AND c.redeemed_at IS NOT NULL)";

#[async_trait]
impl AuthorizationStore for Database {
    async fn find_consent(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        client: &ClientId,
    ) -> Result<Option<Consent>, StoreError> {
        let statement =
            Statement::of(SELECT_CONSENT).bind(tenant).bind(account.as_str()).bind(client.as_str());
        let found: Vec<Consent> = self.look_up(statement).await?;
        Ok(found.into_iter().next())
    }

    async fn write_code(&self, tenant: &TenantId, write: &CodeWrite<'_>) -> Result<bool, StoreError> {
        let CodeWrite { code, session, consent, pushed } = write;
        let mut transaction = self.begin(Purpose::WritesOf(tenant)).await?;
        if let Some(pushed) = pushed
            && !transaction.use_up(tenant, *pushed, code.created_at).await?
        {
            return Ok(false);
        }
        let ended = match session {
            Some(session) => transaction.session(tenant, session).await?,
            None => None,
        };
        if let Some(consent) = consent {
            transaction.write(UPSERT_CONSENT, &[(tenant, *consent)], consent.granted_at).await?;
        }
        transaction.write(INSERT_CODE, &[*code], code.created_at).await?;
        transaction.session_client(code).await?;
        if let Some(ended) = ended {
            transaction.revoke_people(tenant, &ended, code.created_at).await?;
        }
        transaction.commit().await?;
        Ok(true)
    }

    async fn redeem_code(
        &self,
        tenant: &TenantId,
        redemption: &Redemption<'_>,
        now: Timestamp,
    ) -> Result<Redeemed, StoreError> {
        Ok(redeem(self, tenant, redemption, now).await?)
    }
}

async fn redeem(
    database: &Database,
    tenant: &TenantId,
    redemption: &Redemption<'_>,
    now: Timestamp,
) -> Result<Redeemed, Error> {
    let Redemption { key, client, redirect_uri, code_challenge, family } = redemption;
    let of_code = |text| Statement::of(text).bind(tenant).bind(key.slot).bind(key.digest.as_slice());
    let mut transaction = database.begin(Purpose::WritesOf(tenant)).await?;
    let redeem = of_code(format!("{REDEEM}{}", "{columns(authorization_codes)}"))
        .bind(now)
        .bind(client.as_str())
        .bind(*redirect_uri)
        .bind(code_challenge.map(|digest| digest.to_vec()));
    let redeemed: Option<AuthorizationCode> = transaction.first(redeem).await?;
    let outcome = match redeemed {
        Some(code) => {
            if let Some(family) = family.map(|new| code.family(new)) {
                transaction.write(refresh_families::INSERT, &[&family], now).await?;
            }
            Redeemed::First(Box::new(code))
        }
        None => {
            let is_redeemed = of_code(IS_REDEEMED.to_owned()).bind(client.as_str());
            if transaction.scalar(is_redeemed).await?.unwrap_or(false) {
                Redeemed::Again
            } else {
                Redeemed::Refused
            }
        }
    };
    transaction.commit().await?;
    Ok(outcome)
}
