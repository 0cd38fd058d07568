//! The statements of authorization codes and consents.

use std::convert::Infallible;

use accounts::AccountId;
use async_trait::async_trait;
use grants::{
    AuthorizationCode, AuthorizationStore, CodeNotIssued, CodeProof, CodeWrite, Consent, OneTimeKey,
    OneTimeUse, PushedRequest, ReusedGrant,
};
use registry::{ClientId, RevokedSubject};
use tenancy::{Stored, TenantId};
use values::Timestamp;

use crate::columns::{columns, written};
use crate::database::Database;
use crate::error::{Error, repeated};
use crate::logouts;
use crate::one_time::{self, Emptied, OneTimeKind, Used};
use crate::reused_grants;
use crate::sessions::NotWritten;
use crate::sqlite::{Groups, SqlitePools};
use crate::statement::{Argument, Statement};
use crate::transaction::TransactionPurpose;

columns! {
    AuthorizationCode {
        account: "account_id",
        session: "session_id",
        session_slot, redirect_uri, code_challenge, granted, created_at,
    }
}

written! {
    CodeProof { redirect_uri, code_challenge }
}

impl OneTimeKind for AuthorizationCode {
    const TABLE: &'static str = "authorization_codes";
    const KEY: &'static str = "tenant_id, slot, code_digest";
    const USED: &'static str = "redeemed_at";
    /// Authorization codes have no notes.
    const NOTED: &'static str = "";
    /// The code's session must not have ended, and the account must not have been signed out everywhere since
    /// the code was issued.
    const USABLE: &'static str = "
        authorization_codes.redirect_uri = given.redirect_uri
        AND authorization_codes.code_challenge IS NOT DISTINCT FROM given.code_challenge
        AND EXISTS (SELECT 1 FROM sessions s
                     WHERE s.tenant_id = given.tenant_id AND s.slot = authorization_codes.session_slot
                       AND s.session_id = authorization_codes.session_id AND s.ended_at IS NULL
                       AND s.expires_at > given.redeemed_at)
        AND EXISTS (SELECT 1 FROM accounts a
                     WHERE a.tenant_id = given.tenant_id AND a.account_id = authorization_codes.account_id
                       AND a.suspended_at IS NULL AND a.retired_at IS NULL AND a.deleted_at IS NULL
                       AND a.valid_from <= authorization_codes.created_at)";
    const EMPTIED: Option<Emptied> = Some(Emptied::AfterUse("granted"));
    /// An expired code that was not redeemed can be deleted early: with or without the row, its use is
    /// refused.
    const EARLY: Option<&'static str> = Some("redeemed_at IS NULL AND valid_until <= $1");

    fn limits((): &()) -> Vec<(&'static str, u32)> {
        Vec::new()
    }

    fn noted(note: &Infallible) -> (&'static str, Vec<Argument>) {
        match *note {}
    }

    fn groups(pools: &SqlitePools) -> Option<&Groups<Used<Self>>> {
        Some(&pools.redemptions)
    }
}

const SELECT_CONSENT: &str = "
    SELECT {columns(c)} FROM consents c
     WHERE c.tenant_id = {tenant} AND c.account_id = $2 AND c.client_id = $3";

const UPSERT_CONSENT: &str = "
    INSERT INTO consents ({names}) SELECT {names} FROM {given} WHERE TRUE
    ON CONFLICT (tenant_id, account_id, client_id) DO UPDATE
       SET scopes = excluded.scopes, hosts = excluded.hosts, client_name = excluded.client_name,
           resources = excluded.resources,
           granted_at = excluded.granted_at";

/// Makes the code neither valid nor redeemed. Every later request with the code is refused.
const DISCARD: &str = "
    UPDATE authorization_codes SET redeemed_at = NULL, valid_until = 0
     WHERE tenant_id = $1 AND slot = $2 AND code_digest = $3";

#[async_trait]
impl AuthorizationStore for Database {
    async fn find_consent(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        client: &ClientId,
    ) -> Stored<Option<Consent>> {
        let statement =
            Statement::from_text(SELECT_CONSENT).bind(tenant).bind(account.as_str()).bind(client.as_str());
        let found: Vec<Consent> = self.look_up(statement).await?;
        Ok(found.into_iter().next())
    }

    async fn write_code(
        &self,
        tenant: &TenantId,
        write: &CodeWrite<'_>,
    ) -> Stored<Result<(), CodeNotIssued>> {
        Ok(repeated!(write_code(self, tenant, write))?)
    }

    async fn discard_code(
        &self,
        tenant: &TenantId,
        key: OneTimeKey,
        grant: &str,
        now: Timestamp,
    ) -> Stored<()> {
        let code = Statement::from_text(DISCARD).bind(tenant).bind(key.slot).bind(key.digest.as_slice());
        let grant = RevokedSubject::Grant(grant.to_owned());
        Ok(repeated!(async {
            let mut transaction = self.begin(TransactionPurpose::WritesOf(tenant)).await?;
            transaction.execute(&code).await?;
            transaction.end_family(tenant, &grant, now).await?;
            transaction.commit().await
        })?)
    }

    async fn end_reused_grant(
        &self,
        tenant: &TenantId,
        reused: &ReusedGrant<'_>,
        now: Timestamp,
    ) -> Stored<bool> {
        Ok(reused_grants::end(self, tenant, reused, now).await?)
    }
}

async fn write_code(
    database: &Database,
    tenant: &TenantId,
    write: &CodeWrite<'_>,
) -> Result<Result<(), CodeNotIssued>, Error> {
    let CodeWrite { code, session, consent, pushed } = write;
    let mut transaction = database.begin(TransactionPurpose::WritesOf(tenant)).await?;
    if let Some(key) = *pushed {
        let used = OneTimeUse::<PushedRequest> { key, client: code.client.clone(), proof: (), family: None };
        let used = Used { tenant: tenant.clone(), used, at: code.created_at };
        if transaction.use_up(&[used]).await?.pop().flatten().is_none() {
            return Ok(Err(CodeNotIssued::RequestUsed));
        }
    }
    let consent =
        consent.map(|consent| Statement::of_rows(UPSERT_CONSENT, &[(tenant, consent)], consent.granted_at));
    let insert = one_time::insert(tenant, code, &(), code.created_at);
    let statements = consent.into_iter().chain([insert, logouts::note(code)]).collect();
    let ended = match session {
        Some(session) => match transaction.session(tenant, session, statements).await? {
            Ok(ended) => ended,
            Err(NotWritten::HasEnded) => return Ok(Err(CodeNotIssued::SessionEnded)),
            Err(NotWritten::NotFollowed) => return Ok(Err(CodeNotIssued::TooMany)),
        },
        None => {
            // If the insert touches no row, the only possible reason is the limit on codes of one
            // session.
            if transaction.execute_all(&statements).await?.contains(&0) {
                return Ok(Err(CodeNotIssued::TooMany));
            }
            None
        }
    };
    if let Some(ended) = ended {
        transaction.revoke_session(tenant, &ended, code.created_at).await?;
    }
    transaction.commit().await?;
    Ok(Ok(()))
}
