//! Creates the values of one tenant that are sent to the other one.

use anyhow::Context as _;
use serde_json::json;
use uuid::Uuid;

use super::artefact::Artefact;
use super::browser::AUTHORIZATION;
use super::kinds::{ValueKind, What};
use super::platform::{ProbeRequest, ProvenPlatform, owned, tenant_path};
use super::side::{APP, EMAIL, SHARED, Side, text};
use super::throw_away::OPAQUE_API;
use server::clock;

/// The lifetime of assertions and forged tokens, in seconds.
const LIFETIME: u64 = 60;

/// Creates a value of `from`. A value that contains its receiver names `to`.
pub(super) async fn value(
    what: What,
    from: &mut Side,
    to: &Side,
    platform: &ProvenPlatform,
    shared: &keys::SigningKey,
) -> anyhow::Result<String> {
    let answer = async |path: &str, form: &[(&str, &str)]| {
        let form = [form, &[("client_secret", &*from.secret)]].concat();
        anyhow::Ok(platform.succeed(&ProbeRequest::post(tenant_path(&from.id, path), &form)).await?.json())
    };
    let assertion = |key: &keys::SigningKey, client: &str, audience: &str| {
        let now = clock::now().seconds();
        let claims = json!({
            "iss": client, "sub": client, "aud": audience, "iat": now, "exp": now + LIFETIME,
            "jti": Uuid::new_v4().to_string(),
        });
        Ok(key.sign("JWT", &claims)?)
    };
    match what {
        What::Secret => Ok(from.secret.clone()),
        What::ChosenSecret => Ok(from.chosen_secret.clone()),
        What::SecretOfOnly => Ok(from.secret_of_only.clone()),
        What::AssertionForItsTenant => assertion(&from.key, APP, &from.issuer),
        What::AssertionOfSharedKey => assertion(shared, SHARED, &from.issuer),
        What::AssertionOfItsKey => assertion(&from.key, APP, &to.issuer),
        What::ApiKey => Ok(from.api_key.clone()),
        What::Token => Ok(from.token.clone()),
        What::OpaqueToken => {
            let form = [("grant_type", "client_credentials"), ("client_id", APP), ("resource", OPAQUE_API)];
            text(&answer("/oauth/token", &form).await?, "/access_token")
        }
        What::BoundToken => Ok(from.bound_token.clone()),
        What::TokenOfAdministrator => Ok(from.administrator.clone()),
        What::TokenOfPerson => from.token_of_person("access_token"),
        What::RefreshToken => from.token_of_person("refresh_token"),
        What::IdToken => from.token_of_person("id_token"),
        What::ForgedToken => {
            let now = clock::now().seconds();
            let claims = json!({
                "iss": to.issuer, "sub": APP, "client_id": APP, "aud": [to.issuer, format!("urn:latchkey:tenant:{}", to.id)],
                "iat": now, "nbf": now, "exp": now + LIFETIME, "jti": Uuid::new_v4().to_string(),
                "scope": "openid latchkey:clients latchkey:accounts",
            });
            Ok(from.key.sign("at+jwt", &claims)?)
        }
        What::RequestUri => text(&answer("/oauth/par", &AUTHORIZATION[..]).await?, "/request_uri"),
        What::DeviceCode => {
            text(&answer("/oauth/device_authorization", &AUTHORIZATION[1..2]).await?, "/device_code")
        }
        What::UserCode => {
            text(&answer("/oauth/device_authorization", &AUTHORIZATION[1..2]).await?, "/user_code")
        }
        What::Code => from.browser.code(platform, &from.id).await,
        What::Session => {
            let session = from.browser.session(&from.id).context("nobody is signed in")?;
            Ok(session.1.to_owned())
        }
        What::Password | What::Email => Ok(from.email.clone()),
        What::FormOfSignIn => from.browser.sign_in_form(platform, &from.id).await,
        What::FormOfAccount | What::FormOfLogout => {
            let path = if what == What::FormOfAccount { "/account" } else { "/oauth/logout" };
            // The previous controls have signed the person out.
            from.browser.sign_in(platform, &from.id, EMAIL, &from.password).await?;
            from.browser.form(platform, tenant_path(&from.id, path)).await
        }
        What::Account => Ok(from.named("account").to_owned()),
        What::Client => Ok(from.only.clone()),
        What::ApiKeyId => Ok(from.named("key").to_owned()),
    }
}

/// How a value is sent to the tenant with this id. A form is the form of this tenant's page.
pub(super) async fn artefact(
    kind: &ValueKind,
    from: &mut Side,
    at: &str,
    platform: &ProvenPlatform,
) -> anyhow::Result<Artefact> {
    let mut beside = owned(kind.beside);
    let mut add = |name: &str, value: String| beside.push((name.to_owned(), value));
    match kind.what {
        What::UserCode => {
            add("flow", from.browser.form(platform, tenant_path(at, "/device")).await?);
        }
        What::Password => {
            add("flow", from.browser.sign_in_form(platform, at).await?);
            add("password", from.password.clone());
        }
        What::FormOfSignIn => {
            add("identifier", EMAIL.to_owned());
            add("password", from.password.clone());
        }
        _ => {}
    }
    Ok(Artefact { place: kind.place, beside })
}

/// A value of the same form that was never issued.
pub(super) fn invented(value: &str) -> String {
    let at = value.len().saturating_sub(3);
    let (before, rest) = (value.get(..at).unwrap_or_default(), value.get(at..).unwrap_or(value));
    let mut rest = rest.chars();
    let other = match rest.next() {
        Some('b') => 'c',
        Some('B') => 'C',
        Some('2') => '3',
        Some('a'..='z') => 'b',
        Some('0'..='9') => '2',
        _ => 'B',
    };
    format!("{before}{other}{}", rest.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invented_value_differs_in_one_letter() {
        for (value, expected) in
            [("abcdef", "abcbef"), ("abcBef", "abcCef"), ("k1", "b1"), ("BCDF-GHJK", "BCDF-GBJK"), ("", "B")]
        {
            assert_eq!(invented(value), expected, "{value}");
        }
    }
}
