//! The names of a person and a session at a client. Pairwise names are the encrypted account and
//! session identifiers (OpenID Connect Core §8.1), with a key for the client's sector. Two sectors
//! cannot link them, and the server decrypts them without a lookup.

use accounts::AccountId;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use protocol::SubjectType;
use secrets::{IdentifierCipher, Pepper};
use sessions::SessionId;

use crate::Grantee;

pub struct Subjects {
    accounts: IdentifierCipher,
    sessions: IdentifierCipher,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PersonNames {
    pub(crate) sub: String,
    /// Encrypted like `sub`: a `sid` that is the same for all clients would link a person across
    /// sectors.
    pub(crate) sid: Option<String>,
}

/// The person whom the `sub` and `sid` of a token name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedPerson {
    pub account: AccountId,
    pub session: Option<SessionId>,
}

impl Subjects {
    pub(crate) fn new(pepper: &Pepper) -> Self {
        let cipher = |label| IdentifierCipher::for_purpose(pepper.expose(), label);
        Self {
            accounts: cipher("latchkey pairwise subject 1"),
            sessions: cipher("latchkey pairwise session 1"),
        }
    }

    #[must_use]
    pub fn sub(&self, of: &Grantee<'_>, account: &AccountId) -> String {
        match Sector::from_grantee(of) {
            None => account.as_str().to_owned(),
            Some(sector) => {
                let sealed = self.accounts.seal(sector.context(of), &account.to_bytes());
                format!("{}{}", AccountId::PAIRWISE_PREFIX, BASE64URL.encode(sealed))
            }
        }
    }

    pub(crate) fn names(
        &self,
        of: &Grantee<'_>,
        account: &AccountId,
        session: Option<&SessionId>,
    ) -> PersonNames {
        let sid = session.map(|session| match Sector::from_grantee(of) {
            None => session.as_str().to_owned(),
            Some(sector) => BASE64URL.encode(self.sessions.seal(sector.context(of), &session.to_bytes())),
        });
        PersonNames { sub: self.sub(of, account), sid }
    }

    /// Finds the person by the names in a token of this client. Also accepts public names, because
    /// the client's subjects may have been public when the token was issued.
    pub(crate) fn person(&self, of: &Grantee<'_>, sub: &str, sid: Option<&str>) -> Option<NamedPerson> {
        let sector = Sector::of_clients_like(of);
        let open = |cipher: &IdentifierCipher, text: &str| {
            let sealed = BASE64URL.decode(text).ok()?.try_into().ok()?;
            cipher.open(sector.context(of), &sealed)
        };
        let account = match sub.strip_prefix(AccountId::PAIRWISE_PREFIX) {
            Some(sealed) => AccountId::from_bytes(open(&self.accounts, sealed)?),
            None => sub.parse().ok()?,
        };
        let session = |sid: &str| match sid.parse() {
            Ok(session) => Some(session),
            Err(_) => open(&self.sessions, sid).map(SessionId::from_bytes),
        };
        let session = match sid {
            Some(sid) => Some(session(sid)?),
            None => None,
        };
        Some(NamedPerson { account, session })
    }
}

/// Finds the person by public names, without decrypting.
pub(crate) fn public_person(sub: &str, sid: Option<&str>) -> Option<NamedPerson> {
    let session = sid.map(str::parse).transpose().ok()?;
    Some(NamedPerson { account: sub.parse().ok()?, session })
}

/// The clients that share a pairwise `sub` for a person.
enum Sector {
    /// All clients with this host.
    Host(String),
    /// Only the client, because its registration has no host.
    Own,
}

impl Sector {
    /// `None` if subjects are public.
    fn from_grantee(of: &Grantee<'_>) -> Option<Self> {
        let is_pairwise = of.client.subject_type(of.tenant) == SubjectType::Pairwise;
        is_pairwise.then(|| Self::of_clients_like(of))
    }

    fn of_clients_like(of: &Grantee<'_>) -> Self {
        of.client.code_flow.sector().map_or(Self::Own, Self::Host)
    }

    fn context<'a>(&'a self, of: &Grantee<'a>) -> [&'a str; 3] {
        let tenant = of.tenant.id.as_str();
        match self {
            Self::Host(host) => [tenant, "host", host],
            Self::Own => [tenant, "client", of.client.id.as_str()],
        }
    }
}

#[cfg(test)]
mod tests {
    use registry::Client;
    use tenancy::{Tenant, TenantId};

    use super::*;
    use crate::test_fixtures::{ADA, acme, pairwise_client, subjects, web_client};

    const BOB: &str = "usr_aeaqcaibaeaqcaibaeaqcaibae";

    fn sub_at(tenant: &Tenant, client: &Client, account: &str) -> String {
        subjects().sub(&Grantee { tenant, client }, &account.parse().unwrap())
    }

    // [core Core §8.1]: Pairwise `sub`: one a sector, never the same for two, unique in the issuer, and
    //   reversible by the server alone
    #[test]
    fn pairwise_sub_differs_by_sector_and_tenant() {
        let sub = |client: &Client, account| sub_at(&acme(), client, account);
        let (app, api) = (
            pairwise_client("app", "https://app.example/cb"),
            pairwise_client("api", "https://App.example:444/"),
        );
        let ada = sub(&app, ADA);
        assert_eq!((ada.len(), &ada[..3], sub(&app, ADA)), (46, "pw_", ada.clone()));
        assert_eq!(sub(&api, ADA), ada, "the same sector");
        assert_eq!(sub(&web_client("app"), ADA), ADA, "a public client");
        let mut named = pairwise_client("named", "https://elsewhere.example/");
        named.code_flow.sector_identifier_uri = Some("https://app.example".to_owned());
        assert_eq!(sub(&named, ADA), ada);
        let globex = Tenant { id: TenantId::parse("globex").unwrap(), ..acme() };
        let other = pairwise_client("app", "https://other.example/cb");
        for other in [sub(&other, ADA), sub(&app, BOB), sub_at(&globex, &app, ADA)] {
            assert_ne!(other, ada);
        }
    }

    #[test]
    fn client_without_sector_has_its_own_sub() {
        let sub = |id| sub_at(&acme(), &pairwise_client(id, "com.example.app:/cb"), ADA);
        assert_eq!(sub("app"), sub("app"));
        assert_ne!(sub("app"), sub("other"));
        // The identifier `app` of a client is not confused with the host `app`.
        assert_ne!(sub("app"), sub_at(&acme(), &pairwise_client("x", "https://app/cb"), ADA));
    }

    #[test]
    fn tenant_subject_type_is_the_client_default() {
        let tenant = Tenant { subject: SubjectType::Pairwise, ..acme() };
        let mut client = web_client("web");
        assert!(sub_at(&tenant, &client, ADA).starts_with("pw_"));
        client.code_flow.subject_type = Some(SubjectType::Public);
        assert_eq!(sub_at(&tenant, &client, ADA), ADA);
    }

    #[test]
    fn pairwise_names_are_resolved_only_in_their_sector() {
        let (acme, app) = (acme(), pairwise_client("app", "https://app.example/cb"));
        let of = Grantee { tenant: &acme, client: &app };
        let ada =
            NamedPerson { account: ADA.parse().unwrap(), session: Some(SessionId::from_bytes([3; 16])) };
        let PersonNames { sub, sid } = subjects().names(&of, &ada.account, ada.session.as_ref());
        assert_eq!(sid.as_ref().map(String::len), Some(43));
        let session = ada.session.as_ref().unwrap();
        let person = |of: &Grantee<'_>, sub: &str, sid: Option<&str>| subjects().person(of, sub, sid);
        assert_eq!(person(&of, &sub, sid.as_deref()), Some(ada.clone()));
        assert_eq!(person(&of, &sub, None), Some(NamedPerson { session: None, ..ada.clone() }));
        // A token issued before the client's subjects became pairwise, or after they became public
        // again.
        assert_eq!(person(&of, ADA, Some(session.as_str())), Some(ada.clone()));
        let mut public = app.clone();
        public.code_flow.subject_type = None;
        assert_eq!(person(&Grantee { tenant: &acme, client: &public }, &sub, sid.as_deref()), Some(ada));
        let globex = Tenant { id: TenantId::parse("globex").unwrap(), ..acme.clone() };
        let other = pairwise_client("app", "https://other.example/cb");
        for of in [Grantee { tenant: &globex, client: &app }, Grantee { tenant: &acme, client: &other }] {
            assert_eq!(person(&of, &sub, None), None);
            assert_eq!(person(&of, ADA, sid.as_deref()), None);
        }
        for bad in [
            "pw_",
            "",
            "web",
            &sub[..45],
            &format!("{sub}A"),
            &sub.replace("pw_", "usr_"),
            &format!("pw_{}", "A".repeat(43)),
        ] {
            assert_eq!(person(&of, bad, None), None, "{bad}");
        }
        assert_eq!(person(&of, &sub, Some("")), None);
    }
}
