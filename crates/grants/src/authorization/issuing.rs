//! The service that issues codes. A code is written together with its session and with what the person has
//! allowed.

use std::borrow::Cow;

use protocol::redirect_host;
use registry::Client;
use sessions::{SessionWrite, SignedIn};
use tenancy::{Stored, TenantId};
use values::{Secret, Timestamp};

use super::{
    AuthorizationCode, Authorizations, CodeNotIssued, CodeWrite, Consent, ConsentedResources, Granted,
};
use crate::OneTimeKey;

/// A code that is to be issued.
#[derive(Debug)]
pub struct RequestedCode<'a> {
    /// The person who signed in.
    pub signed_in: &'a SignedIn,
    /// The session, where it has to be written.
    pub session: Option<&'a SessionWrite>,
    /// The client.
    pub client: &'a Client,
    /// The redirect URI of the answer.
    pub redirect_uri: &'a str,
    /// The challenge of the request.
    pub code_challenge: Option<[u8; 32]>,
    /// What the person granted.
    pub granted: Granted,
    /// If the person has allowed this request just now: the consent from before.
    pub allowed: Option<Option<&'a Consent>>,
    /// The pushed request that it is for.
    pub pushed: Option<OneTimeKey>,
}

impl Authorizations {
    /// Issues a code. If it is refused, nothing is written.
    ///
    /// # Errors
    /// When the store fails; nothing is written then.
    pub async fn issue(
        &self,
        tenant: &TenantId,
        requested: RequestedCode<'_>,
        now: Timestamp,
    ) -> Stored<Result<Secret, CodeNotIssued>> {
        let RequestedCode {
            signed_in,
            session,
            client,
            redirect_uri,
            code_challenge,
            granted,
            allowed,
            pushed,
        } = requested;
        let of = signed_in.session();
        let consent = allowed.map(|before| {
            let allowed = Consent {
                account: of.account.clone(),
                client: client.id.clone(),
                scopes: granted.permissions().map(Cow::into_owned).collect(),
                hosts: vec![redirect_host(redirect_uri).to_owned()],
                client_name: Some(client.name.clone()),
                resources: Some(ConsentedResources::new(granted.apis(client), granted.scopes())),
                granted_at: now,
            };
            allowed.and(before.filter(|before| before.account == of.account), client)
        });
        let content = AuthorizationCode {
            account: of.account.clone(),
            session_slot: of.slot,
            session: of.id.clone(),
            redirect_uri: redirect_uri.to_owned(),
            code_challenge,
            granted: granted.by(signed_in),
            created_at: now,
        };
        let (text, code) = self.codes.generate(tenant, &client.id, content, now);
        let write = CodeWrite { code: &code, session, consent: consent.as_ref(), pushed };
        let written = self.store.write_code(tenant, &write).await?;
        Ok(written.map(|()| text))
    }
}
