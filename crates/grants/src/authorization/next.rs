//! The next step of a valid request: a code, a page, or an error (OpenID Connect Core §3.1.2.3, §3.1.2.6).

use accounts::AccountId;
use protocol::{AuthorizationError, AuthorizationErrorCode, AuthorizationRequest, leads_to_an_app};
use registry::Client;
use sessions::SignedIn;
use values::Timestamp;

use super::{Consent, Granted};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// The client gets a code immediately.
    Code,
    SignIn,
    /// The person chooses between the account of the session and another account.
    SelectAccount,
    /// The person has to consent.
    Consent,
    /// The client gets an error, because the request has `prompt=none`.
    Refused(AuthorizationError),
}

/// The account that the person chose in this request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NamedAccount {
    #[default]
    None,
    OfSession,
    /// Another account than that of the session. This happens if the person signed in with another
    /// account in another tab.
    Another,
}

#[derive(Clone, Copy, Debug)]
pub struct NextContext<'a> {
    pub client: &'a Client,
    pub redirect_uri: &'a str,
    pub request: &'a AuthorizationRequest,
    pub granted: &'a Granted,
    /// `None` if nobody is signed in.
    pub signed_in: Option<&'a SignedIn>,
    /// The person's `sub` at this client.
    pub subject: Option<&'a str>,
    /// The consent of an earlier request.
    pub consent: Option<&'a Consent>,
    pub named: NamedAccount,
    /// Whether the person consented in this request.
    pub is_allowed: bool,
    /// When the server sent the person to sign in for this request. `None` before that.
    pub began: Option<Timestamp>,
    /// The person of `id_token_hint`.
    pub hinted: Option<&'a AccountId>,
    pub now: Timestamp,
}

#[must_use]
pub fn next(context: &NextContext<'_>) -> Next {
    let NextContext { request, signed_in, .. } = context;
    let Some(signed_in) = signed_in.filter(|signed_in| is_recent(context, signed_in)) else {
        return if request.prompt.none { refused_login() } else { Next::SignIn };
    };
    if !request.prompt.none && needs_choice(context, signed_in) {
        return Next::SelectAccount;
    }
    if !needs_consent(context, signed_in) {
        return Next::Code;
    }
    match (request.prompt.none, context.consent) {
        (false, _) => Next::Consent,
        // A client without consent must not learn whether the person is signed in.
        (true, None) => refused_login(),
        (true, Some(_)) => {
            let description = "The person has not consented to everything that is requested";
            Next::Refused(AuthorizationError::new(AuthorizationErrorCode::ConsentRequired, description))
        }
    }
}

fn refused_login() -> Next {
    let description = "The person must sign in";
    Next::Refused(AuthorizationError::new(AuthorizationErrorCode::LoginRequired, description))
}

/// Whether the session belongs to the expected person and is as recent as the request demands.
fn is_recent(context: &NextContext<'_>, signed_in: &SignedIn) -> bool {
    let NextContext { client, request, hinted, subject, now, .. } = context;
    let at = signed_in.session().authenticated_at;
    let is_new = is_new(context, signed_in);
    let is_hinted = hinted.is_none_or(|expected| expected == signed_in.account());
    let is_expected = is_hinted && subject.is_none_or(|subject| request.claims.expects(subject));
    // OpenID Connect Dynamic Client Registration §2: "The max_age request parameter
    // overrides this default value."
    let max_age = request.max_age.or(client.code_flow.default_max_age);
    let is_young = max_age.is_none_or(|max_age| match max_age.seconds() {
        // OpenID Connect Core §3.1.2.1: `max_age=0` means the same as `prompt=login`.
        0 => is_new,
        // `auth_time` has whole seconds.
        seconds => is_new || now.seconds().saturating_sub(at.seconds()) <= seconds,
    });
    is_expected && is_young && (is_new || !request.prompt.login)
}

/// Whether the person has signed in since the request arrived.
fn is_new(context: &NextContext<'_>, signed_in: &SignedIn) -> bool {
    context.began.is_some_and(|began| signed_in.session().authenticated_at >= began)
}

/// A person who signed in or consented during this request has already chosen an account.
fn needs_choice(context: &NextContext<'_>, signed_in: &SignedIn) -> bool {
    match context.named {
        NamedAccount::Another => true,
        NamedAccount::OfSession => false,
        NamedAccount::None => {
            context.request.prompt.select_account && !context.is_allowed && !is_new(context, signed_in)
        }
    }
}

fn needs_consent(context: &NextContext<'_>, signed_in: &SignedIn) -> bool {
    let NextContext { client, granted, request, consent, is_allowed, redirect_uri, .. } = context;
    if *is_allowed {
        return false;
    }
    // RFC 8252 §8.6: another app on the machine may impersonate the client.
    if request.prompt.consent || (client.is_public() && leads_to_an_app(redirect_uri)) {
        return true;
    }
    let is_remembered = consent.is_some_and(|consent| {
        consent.account == *signed_in.account() && consent.covers(granted, redirect_uri, client)
    });
    !(client.code_flow.first_party || is_remembered)
}

#[cfg(test)]
mod tests {
    use protocol::{ClaimsRequest, ClientAuthenticationMethod, Prompt};
    use values::Lifetime;

    use super::*;
    use crate::ConsentedResources;
    use crate::test_fixtures::{ADA, signed_in_at, web_client};

    const NOW: Timestamp = Timestamp::from_seconds(10_000);
    const BOB: &str = "usr_aeaqcaibaeaqcaibaeaqcaibae";

    struct Case {
        client: Client,
        redirect_uri: &'static str,
        request: AuthorizationRequest,
        signed_in: Option<SignedIn>,
        subject: &'static str,
        consent: Option<Consent>,
        named: NamedAccount,
        is_allowed: bool,
        began: Option<u64>,
        hinted: Option<&'static str>,
    }

    /// A first-party client and a person who signed in 100 seconds ago.
    fn case() -> Case {
        let mut client = web_client("web");
        client.code_flow.first_party = true;
        Case {
            client,
            redirect_uri: "https://app.example/cb",
            request: AuthorizationRequest::default(),
            signed_in: Some(signed_in_at(9_900)),
            subject: ADA,
            consent: None,
            named: NamedAccount::None,
            is_allowed: false,
            began: None,
            hinted: None,
        }
    }

    fn prompt(text: &str) -> AuthorizationRequest {
        AuthorizationRequest { prompt: Prompt::parse(text).unwrap(), ..AuthorizationRequest::default() }
    }

    fn max_age(seconds: u64) -> AuthorizationRequest {
        AuthorizationRequest {
            max_age: Some(Lifetime::from_seconds(seconds)),
            ..AuthorizationRequest::default()
        }
    }

    #[track_caller]
    fn check(case: &Case, expected: &str) {
        let granted = Granted { scope: Some("openid email".to_owned()), ..Granted::default() };
        let found = next(&NextContext {
            client: &case.client,
            redirect_uri: case.redirect_uri,
            request: &case.request,
            granted: &granted,
            signed_in: case.signed_in.as_ref(),
            subject: case.signed_in.as_ref().map(|_| case.subject),
            consent: case.consent.as_ref(),
            named: case.named,
            is_allowed: case.is_allowed,
            began: case.began.map(Timestamp::from_seconds),
            hinted: case.hinted.map(|hinted| hinted.parse().unwrap()).as_ref(),
            now: NOW,
        });
        let found = match &found {
            Next::Code => "code",
            Next::SignIn => "sign in",
            Next::SelectAccount => "select account",
            Next::Consent => "consent",
            Next::Refused(refused) => refused.error.as_str(),
        };
        assert_eq!(found, expected);
    }

    // [core Core §3.1.2.1 d]
    #[test]
    fn session_is_used_unless_sign_in_is_requested() {
        check(&case(), "code");
        check(&Case { signed_in: None, ..case() }, "sign in");
        for (request, before, after) in [
            (prompt("login"), "sign in", "code"),
            (prompt("select_account"), "select account", "code"),
            (prompt("login select_account"), "sign in", "code"),
            (prompt("none"), "code", "code"),
            (max_age(100), "code", "code"),
            (max_age(99), "sign in", "code"),
            (max_age(0), "sign in", "code"),
        ] {
            check(&Case { request: request.clone(), ..case() }, before);
            // The person signed in after the request arrived.
            check(&Case { request, began: Some(9_900), ..case() }, after);
        }
        check(&Case { request: prompt("login"), began: Some(9_901), ..case() }, "sign in");
    }

    #[test]
    fn select_account_asks_until_an_account_is_chosen() {
        let selecting = || Case { request: prompt("select_account"), ..case() };
        check(&Case { signed_in: None, ..selecting() }, "sign in");
        check(&Case { named: NamedAccount::OfSession, ..selecting() }, "code");
        check(&Case { is_allowed: true, ..selecting() }, "code");
        check(&Case { hinted: Some(BOB), ..selecting() }, "sign in");
        // Another person signed in in another tab.
        let another = |case: Case| Case { named: NamedAccount::Another, began: Some(9_900), ..case };
        check(&another(case()), "select account");
        check(&another(selecting()), "select account");
        check(&Case { is_allowed: true, ..another(case()) }, "select account");
        check(&Case { signed_in: None, ..another(case()) }, "sign in");
        check(&Case { hinted: Some(BOB), ..another(case()) }, "sign in");
        check(&Case { named: NamedAccount::OfSession, ..another(case()) }, "code");
        check(&Case { request: prompt("none"), ..another(case()) }, "code");
        let third_party = Case { client: web_client("web"), ..selecting() };
        check(&Case { named: NamedAccount::OfSession, ..third_party }, "consent");
    }

    #[test]
    fn default_max_age_applies_without_a_requested_max_age() {
        let of_client = |seconds: u64| {
            let mut case = case();
            case.client.code_flow.default_max_age = Some(Lifetime::from_seconds(seconds));
            case
        };
        check(&of_client(100), "code");
        check(&of_client(99), "sign in");
        check(&Case { began: Some(9_900), ..of_client(0) }, "code");
        check(&Case { request: prompt("none"), ..of_client(99) }, "login_required");
        check(&Case { request: max_age(100), ..of_client(99) }, "code");
        check(&Case { request: max_age(99), ..of_client(100) }, "sign in");
    }

    // [core Core §3.1.2.1 g]: `id_token_hint` names who is expected; another person signs in, or the answer
    //   is an error
    #[test]
    fn id_token_hint_names_the_expected_person() {
        check(&Case { hinted: Some(ADA), ..case() }, "code");
        check(&Case { hinted: Some(BOB), ..case() }, "sign in");
        check(&Case { hinted: Some(BOB), request: prompt("none"), ..case() }, "login_required");
    }

    // [core Core §5.5.1]: `sub` with a value names who is expected
    #[test]
    fn sub_claim_names_the_expected_person() {
        let expecting = |sub: &str| {
            let claims = format!(r#"{{"id_token":{{"sub":{{"value":"{sub}"}}}}}}"#);
            let claims = ClaimsRequest::parse(&claims).unwrap();
            AuthorizationRequest { claims, ..AuthorizationRequest::default() }
        };
        check(&Case { request: expecting(ADA), ..case() }, "code");
        // The client's own `sub` of the person is accepted, and the `sub` of another client is not.
        check(&Case { request: expecting("pw_a"), subject: "pw_a", ..case() }, "code");
        check(&Case { request: expecting(ADA), subject: "pw_a", ..case() }, "sign in");
        check(&Case { request: expecting(BOB), ..case() }, "sign in");
        let silent = AuthorizationRequest { prompt: Prompt::parse("none").unwrap(), ..expecting(BOB) };
        check(&Case { request: silent, ..case() }, "login_required");
    }

    // [core Core §3.1.2.6]: `login_required`, `consent_required`. A client that the person has never allowed
    //   learns `login_required` in both cases
    #[test]
    fn prompt_none_error_does_not_reveal_the_session() {
        check(&Case { signed_in: None, request: prompt("none"), ..case() }, "login_required");
        let third_party = || Case { client: web_client("web"), ..case() };
        check(&Case { request: prompt("none"), ..third_party() }, "login_required");
        let less = Consent::new(ADA, "web", "openid", "app.example", 1);
        check(&Case { request: prompt("none"), consent: Some(less), ..third_party() }, "consent_required");
    }

    // [core Core §3.1.2.4]: The person consents before claims are given
    // [core Core §3.1.2.4 b], [attacks #20]
    #[test]
    fn consent_is_asked_again_when_more_is_requested() {
        let third_party = |consent: Option<Consent>| Case { client: web_client("web"), consent, ..case() };
        check(&third_party(None), "consent");
        check(&Case { is_allowed: true, ..third_party(None) }, "code");
        for (scopes, host, expected) in [
            ("email openid profile", "app.example", "code"),
            ("openid email", "app.example", "code"),
            ("openid", "app.example", "consent"),
            ("openid email", "other.example", "consent"),
        ] {
            check(&third_party(Some(Consent::new(ADA, "web", scopes, host, 1))), expected);
        }
        let named = |name: &str| {
            let client_name = Some(name.to_owned());
            Consent { client_name, ..Consent::new(ADA, "web", "openid email", "app.example", 1) }
        };
        check(&third_party(Some(named(&web_client("web").name))), "code");
        check(&third_party(Some(named("Another name"))), "consent");
        let silent = Case { request: prompt("none"), ..third_party(Some(named("Another name"))) };
        check(&silent, "consent_required");
        let of_another = Consent::new(BOB, "web", "openid email", "app.example", 1);
        check(&third_party(Some(of_another)), "consent");
        check(&Case { request: prompt("consent"), ..case() }, "consent");
    }

    // [core Core §3.1.2.4 b]: What the person consented to is asked again when scopes, claims, the APIs that
    //   tokens are for, the host that the browser returns to, or the client's name change
    // [shared 2.8]: Consent to a scope of one API gave, without a page, a token for another | fixed | A
    //   consent is of scopes at resources; the pages and the admin API name the APIs, another API asks again
    //   (`consent_required` with `prompt=none`). Consents of before are of the client's own audiences
    /// A consent without the column `resources` (of an older program) is valid for the client's own
    /// audiences.
    #[test]
    fn consent_covers_scopes_per_api() {
        let mut client = web_client("web");
        client.audiences = vec!["orders".to_owned()];
        let older = Consent::new(ADA, "web", "openid read write", "app.example", 1);
        let at = |apis: &[(&str, &str)]| {
            let of = |(api, scopes): &(&str, &str)| {
                ((*api).to_owned(), scopes.split(' ').map(str::to_owned).collect())
            };
            let resources = ConsentedResources(apis.iter().map(of).collect());
            Consent { resources: Some(resources), ..older.clone() }
        };
        let orders = at(&[("orders", "openid read")]);
        let both = at(&[("orders", "openid read"), ("payroll", "openid write")]);
        for (consent, scope, resources, expected) in [
            (&orders, "openid read", &[] as &[&str], true),
            (&orders, "openid read", &["orders"], true),
            (&orders, "openid", &["payroll"], false),
            (&orders, "openid read", &["orders", "payroll"], false),
            (&both, "openid", &["orders", "payroll"], true),
            (&both, "openid read", &["payroll"], false),
            (&both, "openid write", &["orders"], false),
            (&older, "openid write", &[], true),
            (&older, "openid write", &["orders"], true),
            (&older, "openid", &["payroll"], false),
        ] {
            let resources: Vec<_> = resources.iter().map(|api| (*api).to_owned()).collect();
            let granted = Granted { scope: Some(scope.to_owned()), resources, ..Granted::default() };
            let covers = consent.covers(&granted, "https://app.example/cb", &client);
            assert_eq!(covers, expected, "{scope} {granted:?} {consent:?}");
        }
        // Another spelling names the same API, unless the client is registered with both spellings.
        let [short, long] = ["https://a.example", "https://A.example/"];
        let (known, requested) = (at(&[(short, "openid")]), vec![long.to_owned()]);
        for (registered, expected) in [(&[long] as &[&str], true), (&[short, long], false)] {
            let resources = registered.iter().map(|name| (*name).to_owned()).collect();
            let client = Client { resources, ..client.clone() };
            let granted = Granted {
                scope: Some("openid".to_owned()),
                resources: requested.clone(),
                ..Granted::default()
            };
            assert_eq!(known.covers(&granted, "https://app.example/cb", &client), expected, "{registered:?}");
        }
        // A new consent keeps the permissions of the previous one.
        let payroll = at(&[("payroll", "openid")]);
        let joined = payroll.clone().and(Some(&orders), &client).resources;
        assert_eq!(joined, at(&[("orders", "openid read"), ("payroll", "openid")]).resources);
        let joined = payroll.and(Some(&older), &client).resources;
        assert_eq!(joined, at(&[("orders", "openid read write"), ("payroll", "openid")]).resources);
        client.audiences.push("payroll".to_owned());
        let granted = Granted { scope: Some("openid".to_owned()), ..Granted::default() };
        assert!(
            !orders.covers(&granted, "https://app.example/cb", &client),
            "the client has another audience"
        );
    }

    // [native RFC 8252 §8.6]: A public client on the person's own machine is confirmed each time
    // [attacks #20]
    #[test]
    fn native_public_client_needs_consent_each_time() {
        let public = |redirect_uri| {
            let mut case = case();
            case.client.authentication_method = ClientAuthenticationMethod::None;
            Case { redirect_uri, ..case }
        };
        for app in ["http://127.0.0.1:4000/cb", "com.example.app:/cb"] {
            check(&public(app), "consent");
            check(&Case { is_allowed: true, ..public(app) }, "code");
        }
        check(&public("https://app.example/cb"), "code");
    }
}
