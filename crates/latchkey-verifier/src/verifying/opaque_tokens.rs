//! The checks of an opaque token: those of a JWT, as far as the introspection response has the necessary
//! members.

use serde::de::DeserializeOwned;

use crate::check::{Unobserved, ensure};
use crate::members::Members;
use crate::registered_claims::RegisteredClaims;
use crate::verifying::introspection::Introspector;
use crate::verifying::issuer::Waits;
use crate::verifying::kind_claims::KindClaims;
use crate::verifying::refusal::Scheme;
use crate::verifying::verifier::Unconfirmed;
use crate::{Reason, TokenError, Verifier};

impl Verifier {
    pub(crate) async fn admit_opaque<C: DeserializeOwned>(
        &self,
        introspector: &Introspector,
        token: &str,
        scheme: Scheme,
        waits: Waits,
    ) -> Result<Unconfirmed<C>, Reason> {
        let environment = &self.0.environment;
        let json = introspector.introspect(token, environment, waits).await?;
        let json = json.ok_or(TokenError::Inactive)?;
        let members = Members::parse(&json)?;
        let now = environment.clock.now();
        let issuer = self.0.issuers.find(members.required("iss")?, now).ok_or(TokenError::ForeignIssuer)?;
        let registered = RegisteredClaims::read(&members)?;
        registered.check_times(now.unix.as_secs(), self.0.rules.leeway, &mut Unobserved)?;
        ensure(registered.is_for(&self.0.rules.audiences), TokenError::WrongAudience)?;
        let kind = KindClaims::read(&members, &json)?;
        let own = serde_json::from_str(&json).map_err(|_| TokenError::Malformed)?;
        Ok(self.unconfirmed(issuer, kind, registered.exp, own, scheme))
    }
}
