//! Authorization codes, and the consents of people.

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;

use accounts::AccountId;
use async_trait::async_trait;
use grants::{
    AuthorizationCode, AuthorizationStore, CodeKey, CodeNotIssued, CodeWrite, Consent, NewFamily, Redeemed,
    Redemption, RefreshFamily,
};
use protocol::Timestamp;
use registry::{ClientId, RevokedSubject};
use sqlx::SqlitePool;
use tenancy::{Stored, TenantId};

use crate::columns::given;
use crate::database::{Database, Engine};
use crate::error::Error;
use crate::row::scalar;
use crate::sessions::NotWritten;
use crate::sqlite::{self, GroupedWrite};
use crate::statement::Statement;
use crate::transaction::{Purpose, Transaction};
use crate::{logouts, refresh_families};

/// The use of a code, as it must have been issued.
#[derive(Debug)]
pub(crate) struct CodeUse {
    pub(crate) tenant: TenantId,
    pub(crate) slot: u32,
    pub(crate) digest: [u8; 32],
    pub(crate) client: ClientId,
    pub(crate) redirect_uri: String,
    pub(crate) code_challenge: Option<[u8; 32]>,
    pub(crate) at: Timestamp,
}

impl CodeUse {
    fn is_of(&self, code: &AuthorizationCode) -> bool {
        let redemption = Redemption {
            key: CodeKey { slot: self.slot, digest: self.digest },
            client: &self.client,
            redirect_uri: &self.redirect_uri,
            code_challenge: self.code_challenge,
            family: None,
        };
        redemption.is_for(&self.tenant, code, self.at)
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

const INSERT_CODE: &str = "
    INSERT INTO authorization_codes ({names}) SELECT {names} FROM {given} WHERE TRUE";

/// Uses up each code whose client, redirect URI, code verifier, session and account are all right.
pub(crate) const REDEEM: &str = "
    UPDATE authorization_codes SET redeemed_at = given.redeemed_at
      FROM (SELECT * FROM {given} {of_one}) AS given
     WHERE authorization_codes.tenant_id = given.tenant_id AND authorization_codes.slot = given.slot
       AND authorization_codes.code_digest = given.code_digest
       AND authorization_codes.redeemed_at IS NULL AND authorization_codes.valid_until > given.redeemed_at
       AND authorization_codes.client_id = given.client_id AND authorization_codes.redirect_uri = given.redirect_uri
       AND authorization_codes.code_challenge IS NOT DISTINCT FROM given.code_challenge
       AND EXISTS (SELECT 1 FROM sessions s
                    WHERE s.tenant_id = given.tenant_id AND s.slot = authorization_codes.session_slot
                      AND s.session_id = authorization_codes.session_id AND s.ended_at IS NULL
                      AND s.expires_at > given.redeemed_at)
       AND EXISTS (SELECT 1 FROM accounts a
                    WHERE a.tenant_id = given.tenant_id AND a.account_id = authorization_codes.account_id
                      AND a.suspended_at IS NULL AND a.retired_at IS NULL AND a.deleted_at IS NULL
                      AND a.valid_from <= authorization_codes.created_at)
    RETURNING {columns(authorization_codes)}";

/// Deletes the grants of used codes. Their rows stay, so that a second use is noticed.
const FORGET_GRANTED: &str = "
    UPDATE authorization_codes SET granted = ''
      FROM (SELECT * FROM {given} {of_one}) AS given
     WHERE authorization_codes.tenant_id = given.tenant_id AND authorization_codes.slot = given.slot
       AND authorization_codes.code_digest = given.code_digest AND authorization_codes.redeemed_at IS NOT NULL";

/// The person of a code that its own client has redeemed.
const REDEEMED_OF: &str = "
    SELECT c.account_id FROM authorization_codes c
     WHERE c.tenant_id = {tenant} AND c.slot = $2 AND c.code_digest = $3 AND c.client_id = $4
       AND c.redeemed_at IS NOT NULL";

/// Makes the code neither valid nor redeemed, so no request gets anything for it.
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
        let CodeWrite { code, session, consent, pushed } = write;
        let mut transaction = self.begin(Purpose::WritesOf(tenant)).await?;
        if let Some(pushed) = pushed
            && !transaction.use_up(tenant, *pushed, code.created_at).await?
        {
            return Ok(Err(CodeNotIssued::RequestUsed));
        }
        let consent = consent
            .map(|consent| Statement::of_rows(UPSERT_CONSENT, &[(tenant, consent)], consent.granted_at));
        let insert = Statement::of_rows(INSERT_CODE, &[*code], code.created_at);
        let statements = consent.into_iter().chain([insert, logouts::note(code)]).collect();
        let ended = match session {
            Some(session) => match transaction.session(tenant, session, statements).await? {
                Ok(ended) => ended,
                Err(NotWritten::HasEnded) => return Ok(Err(CodeNotIssued::SessionEnded)),
                Err(NotWritten::NotFollowed) => return Ok(Err(CodeNotIssued::TooMany)),
            },
            None => {
                // Only the limit on the session's codes prevents the insert.
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

    async fn redeem_code(
        &self,
        tenant: &TenantId,
        redemption: &Redemption<'_>,
        now: Timestamp,
    ) -> Stored<Redeemed> {
        let Redemption { key, client, redirect_uri, code_challenge, family } = redemption;
        let used = CodeUse {
            tenant: tenant.clone(),
            slot: key.slot,
            digest: key.digest,
            client: (*client).clone(),
            redirect_uri: (*redirect_uri).to_owned(),
            code_challenge: *code_challenge,
            at: now,
        };
        let write = (used, family.cloned());
        let redeemed = match &self.engine {
            Engine::Sqlite(pools) => pools.redemptions.write(&pools.writer, &self.statements, write).await?,
            Engine::Postgres(_) => {
                let transaction = self.begin(Purpose::WritesOf(tenant)).await?;
                redeem_all(transaction, &[write]).await?.into_iter().next().flatten()
            }
        };
        if let Some(code) = redeemed {
            return Ok(Redeemed::First(Box::new(code)));
        }
        let redeemed_of =
            Statement::from_text(REDEEMED_OF).bind(tenant).bind(key.slot).bind(key.digest.as_slice());
        let rows: Vec<(AccountId,)> = self.look_up(redeemed_of.bind(client.as_str())).await?;
        Ok(scalar(rows.into_iter().next()).map_or(Redeemed::Refused, Redeemed::Again))
    }

    async fn discard_code(&self, tenant: &TenantId, key: CodeKey, grant: &str, now: Timestamp) -> Stored<()> {
        let mut transaction = self.begin(Purpose::WritesOf(tenant)).await?;
        let code = Statement::from_text(DISCARD).bind(tenant).bind(key.slot).bind(key.digest.as_slice());
        transaction.execute(&code).await?;
        transaction.end_family(tenant, &RevokedSubject::Grant(grant.to_owned()), now).await?;
        Ok(transaction.commit().await?)
    }
}

/// The code of each first use.
impl GroupedWrite for (CodeUse, Option<NewFamily>) {
    type Outcome = Option<AuthorizationCode>;

    fn tenant(&self) -> &TenantId {
        &self.0.tenant
    }

    async fn write_all(
        writer: &SqlitePool,
        statements: &AtomicU64,
        group: &[Self],
    ) -> Result<Vec<Self::Outcome>, Error> {
        redeem_all(sqlite::begin(writer, statements).await?, group).await
    }
}

async fn redeem_all(
    mut transaction: Transaction<'_>,
    group: &[(CodeUse, Option<NewFamily>)],
) -> Result<Vec<Option<AuthorizationCode>>, Error> {
    let uses: Vec<_> = group.iter().map(|(used, _)| used).collect();
    let redeem = Statement::writing::<CodeUse>(REDEEM).bind(given(&uses));
    let redeemed: Vec<AuthorizationCode> = transaction.all(redeem).await?;
    let mut redeemed: HashMap<_, _> =
        redeemed.into_iter().map(|code| ((code.tenant.clone(), code.digest), code)).collect();
    if !redeemed.is_empty() {
        transaction.execute(&Statement::writing::<CodeUse>(FORGET_GRANTED).bind(given(&uses))).await?;
    }
    let (mut codes, mut families) = (Vec::new(), Vec::new());
    for (used, new) in group {
        let key = (used.tenant.clone(), used.digest);
        // If two requests in a group use one code and one of them does not match the code, the other one gets
        // it.
        let is_its_own = redeemed.get(&key).is_some_and(|code| used.is_of(code));
        let code = if is_its_own { redeemed.remove(&key) } else { None };
        families.extend(code.as_ref().zip(new.as_ref()).map(|(code, new)| code.family(new)));
        codes.push(code);
    }
    if !families.is_empty() {
        let insert = Statement::writing::<RefreshFamily>(refresh_families::INSERT).bind(given(&families));
        transaction.execute(&insert).await?;
    }
    transaction.commit().await?;
    Ok(codes)
}
