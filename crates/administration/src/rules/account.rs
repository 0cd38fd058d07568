//! The rules over an account by itself: from a document to an account.

use accounts::{Account, AccountId, AccountIdentifier, Identifier, check_claims};
use protocol::{Timestamp, invisible_in_id};
use tenancy::{Tenant, TenantId};

use super::FieldErrors;
use super::text::{LONGEST_ID, unfit};
use crate::AccountSettings;

/// Groups of one account.
const MOST_GROUPS: usize = 200;

/// The account, of no use where errors were found. `now` is the instant of an address that becomes verified.
pub fn check_account(
    errors: &mut FieldErrors,
    tenant: &TenantId,
    id: &AccountId,
    settings: &AccountSettings,
    now: Timestamp,
) -> Account {
    let mut account = Account::new(tenant.clone(), id.clone(), now);
    account.identifiers = check_identifiers(errors, settings, now);
    account.external_id.clone_from(&settings.external_id);
    if let Some(external_id) = &settings.external_id {
        check_text(errors, "/external_id", "the external id", external_id);
    }
    account.claims = settings.claims.members();
    for error in check_claims(&account.claims) {
        let at = if error.path.is_empty() { String::new() } else { format!("/{}", error.path) };
        errors.refuse(&format!("/claims{at}"), "this is no value of the claim", error.detail);
    }
    errors.check_distinct("/groups", &settings.groups);
    if settings.groups.len() > MOST_GROUPS {
        errors.add("/groups", format!("an account has {MOST_GROUPS} groups at most"));
    }
    for (index, group) in settings.groups.iter().enumerate() {
        check_text(errors, &format!("/groups/{index}"), "the group", group);
    }
    account.groups.clone_from(&settings.groups);
    account
}

fn check_identifiers(
    errors: &mut FieldErrors,
    settings: &AccountSettings,
    now: Timestamp,
) -> Vec<AccountIdentifier> {
    let mut held = Vec::new();
    for (at, text, is_email) in [("/email", &settings.email, true), ("/username", &settings.username, false)]
    {
        let Some(text) = text else { continue };
        match Identifier::parse(text) {
            Ok(identifier) if matches!(identifier, Identifier::Email(_)) == is_email => {
                let verified_at = (is_email && settings.email_verified).then_some(now);
                held.push(AccountIdentifier { identifier, verified_at });
            }
            Err(error) if text.contains('@') == is_email => errors.add(at, error.to_string()),
            Ok(_) | Err(_) if is_email => errors.refuse(at, "this is no e-mail address", "it has an @"),
            Ok(_) | Err(_) => errors.refuse(at, "this is no user name", "a text with @ is an `email`"),
        }
    }
    if settings.email.is_none() && settings.username.is_none() {
        errors.refuse("", "the account has no identifier", "give `email`, `username` or both");
    }
    if settings.email.is_none() && settings.email_verified {
        errors.refuse("/email_verified", "there is no address to be verified", "give `email`, too");
    }
    held
}

/// A text that people and programs compare.
fn check_text(errors: &mut FieldErrors, at: &str, what: &str, text: &str) {
    if let Some(why) = unfit(text, LONGEST_ID) {
        errors.add(at, format!("{what} {why}"));
    } else if invisible_in_id(text).is_some() {
        errors.refuse(at, format!("{what} has a character that is not seen"), "leave it out");
    }
}

/// What a stranger tries first as the password of this account.
#[must_use]
pub fn password_context(tenant: &Tenant, account: &Account) -> Vec<String> {
    let names = [tenant.id.to_string(), tenant.name.clone()];
    names.into_iter().chain(account.identifiers.iter().map(|held| held.identifier.to_string())).collect()
}

/// An address or name that stays keeps the instant of its verification.
pub(crate) fn keep_verification(before: &Account, after: &mut Account) {
    for held in &mut after.identifiers {
        let known = before.identifiers.iter().find(|known| known.identifier == held.identifier);
        if let (Some(_), Some(known)) = (held.verified_at, known.and_then(|known| known.verified_at)) {
            held.verified_at = Some(known);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::Interface;

    const NOW: Timestamp = Timestamp::from_seconds(100);

    fn check(document: Value) -> (Account, Vec<String>) {
        let mut errors = FieldErrors::of(Interface::Api);
        let settings: AccountSettings = serde_json::from_value(document).unwrap();
        let (tenant, id) = (TenantId::parse("acme").unwrap(), AccountId::from_bytes([1; 16]));
        let account = check_account(&mut errors, &tenant, &id, &settings, NOW);
        (account, errors.into_vec().into_iter().map(|error| error.pointer).collect())
    }

    #[test]
    fn each_field_has_its_rule() {
        for (document, expected) in [
            (json!({ "email": "ada@example.com" }), &[][..]),
            (json!({ "username": "Ada", "groups": ["staff", "a b"], "external_id": "7" }), &[]),
            (json!({ "email": "Ada@Example.com", "email_verified": true, "username": "ada" }), &[]),
            (json!({}), &[""]),
            (json!({ "email": "ada" }), &["/email"]),
            (json!({ "email": "ada@" }), &["/email"]),
            (json!({ "username": "ada@example.com" }), &["/username"]),
            (json!({ "username": "a b" }), &["/username"]),
            (json!({ "username": "ada", "email_verified": true }), &["/email_verified"]),
            (json!({ "username": "ada", "external_id": "" }), &["/external_id"]),
            (json!({ "username": "ada", "external_id": "a\u{200b}" }), &["/external_id"]),
            (json!({ "username": "ada", "groups": ["a", "a"] }), &["/groups/1"]),
            (json!({ "username": "ada", "groups": ["a\n"] }), &["/groups/0"]),
            (json!({ "username": "ada", "claims": { "picture": "ada.png" } }), &["/claims/picture"]),
            (
                json!({ "username": "ada", "claims": { "address": { "country": "a\nb" } } }),
                &["/claims/address/country"],
            ),
        ] {
            assert_eq!(check(document.clone()).1, expected, "{document}");
        }
        let many: Vec<_> = (0..=MOST_GROUPS).map(|number| number.to_string()).collect();
        assert_eq!(check(json!({ "username": "ada", "groups": many })).1, ["/groups"]);
    }

    #[test]
    fn a_document_is_read_from_the_account_that_it_made() {
        let document = json!({
            "email": "ada@example.com", "email_verified": true, "username": "ada", "external_id": "7",
            "claims": { "name": "Ada", "address": { "country": "GB" } }, "groups": ["staff"],
        });
        let (account, errors) = check(document.clone());
        assert_eq!((errors, json!(AccountSettings::from(&account))), (Vec::new(), document));
        assert_eq!(account.email().unwrap().verified_at, Some(NOW));
    }

    #[test]
    fn an_address_that_stays_keeps_the_instant_of_its_verification() {
        let verified = |text: &str| check(json!({ "email": text, "email_verified": true })).0;
        let mut before = verified("ada@example.com");
        before.identifiers[0].verified_at = Some(Timestamp::from_seconds(5));
        for (mut after, expected) in [
            (verified("ada@example.com"), Some(5)),
            (verified("bob@example.com"), Some(100)),
            (check(json!({ "email": "ada@example.com" })).0, None),
        ] {
            keep_verification(&before, &mut after);
            assert_eq!(after.identifiers[0].verified_at.map(Timestamp::seconds), expected);
        }
    }
}
