//! Each value of `prompt` (OpenID Connect Core §3.1.2.1), for a first-party and a third-party
//! client, at two tenants.

use crate::prelude::*;

/// The result in four situations: nobody is signed in; this person has then signed in; a person who
/// has not consented is signed in; a person who has consented is signed in.
type Outcomes = [&'static str; 4];

/// OpenID Connect Core §3.1.2.1: "If this parameter contains none with any other value, an error is
/// returned."
const ERROR: Outcomes = ["invalid_request", "", "invalid_request", "invalid_request"];

/// A value of `prompt`, and its results for a first-party and a third-party client. With `none`, a
/// client without consent must not learn whether somebody is signed in.
#[rustfmt::skip]
const PROMPTS: [(&str, Outcomes, Outcomes); 14] = [
    ("", ["sign in", "code", "code", "code"], ["sign in", "consent", "consent", "code"]),
    ("none", ["login_required", "", "code", "code"], ["login_required", "", "login_required", "code"]),
    ("login", ["sign in", "code", "sign in", "sign in"], ["sign in", "consent", "sign in", "sign in"]),
    ("consent", ["sign in", "consent", "consent", "consent"], ["sign in", "consent", "consent", "consent"]),
    ("select_account", ["sign in", "code", "select", "select"], ["sign in", "consent", "select", "select"]),
    ("login consent", ["sign in", "consent", "sign in", "sign in"], ["sign in", "consent", "sign in", "sign in"]),
    ("login select_account", ["sign in", "code", "sign in", "sign in"], ["sign in", "consent", "sign in", "sign in"]),
    ("consent select_account", ["sign in", "consent", "select", "select"], ["sign in", "consent", "select", "select"]),
    ("login consent select_account", ["sign in", "consent", "sign in", "sign in"], ["sign in", "consent", "sign in", "sign in"]),
    ("none login", ERROR, ERROR),
    ("none consent", ERROR, ERROR),
    ("none select_account", ERROR, ERROR),
    ("login none consent", ERROR, ERROR),
    ("always", ERROR, ERROR),
];

#[track_caller]
fn kind(answer: &Answer) -> String {
    let has = |text: &str| answer.body.contains(text);
    if answer.status == 303 {
        let to = location(answer);
        let error = to.query_pairs().find(|(name, _)| name == "error");
        return error.map_or_else(|| "code".to_owned(), |(_, error)| error.into_owned());
    }
    if answer.status == 400 {
        let error = answer.body.split_once("/docs/errors#");
        let error = error.unwrap_or_else(|| panic!("no code of an error: {}", answer.body)).1;
        return error.split('"').next().unwrap().to_owned();
    }
    assert_eq!(answer.status, 200, "{}", answer.body);
    let kinds = [
        ("sign in", "type=\"password\""),
        ("consent", "value=\"allow\""),
        ("select", "value=\"other\""),
        ("code", "code="),
    ];
    let found: Vec<_> = kinds.iter().filter(|(_, text)| has(text)).map(|(kind, _)| *kind).collect();
    let [only] = found[..] else { panic!("{found:?}: {}", answer.body) };
    only.to_owned()
}

// [core Core §3.1.2.1 d]: `prompt=none` shows nothing; `login` and `max_age` demand a new sign-in;
//   `select_account` asks for the account; `none` is alone, and beside another value the error goes back to
//   the client
#[tokio::test]
async fn each_prompt_leads_to_its_expected_page() {
    for first_party in [true, false] {
        let rows = PROMPTS.map(|(prompt, own, other)| (prompt, if first_party { own } else { other }));
        let app = TestApp::start();
        for tenant in [ACME, GLOBEX] {
            furnish(&app, tenant, |client| client.code_flow.first_party = first_party);
            let mut signed_in = Browser::new(&app);
            signed_in.signed_in(tenant, &[]).await;
            app.pass(10);
            for (prompt, [nobody, afterwards, not_allowed, _]) in rows {
                let what = format!("{prompt:?} of a client with first_party: {first_party} at {tenant}");
                let request = [("prompt", prompt)];
                let mut stranger = Browser::new(&app);
                let first = stranger.authorize(tenant, &request).await;
                assert_eq!(kind(&first), nobody, "{what}, nobody");
                // A value that contains `none` shows no page.
                assert_eq!(prompt.contains("none"), first.status == 303, "{what}, nobody");
                if !afterwards.is_empty() {
                    let next = stranger.sign_in(tenant, &first, PASSWORD).await;
                    assert_eq!(kind(&next), afterwards, "{what}, after the sign-in");
                }
                let next = signed_in.authorize(tenant, &request).await;
                assert_eq!(kind(&next), not_allowed, "{what}, not allowed");
            }
            let consent = signed_in.authorize(tenant, &[("prompt", "consent")]).await;
            assert!(!code_in(&signed_in.decide(tenant, &consent, "allow").await).is_empty());
            for (prompt, [.., allowed]) in rows {
                let next = signed_in.authorize(tenant, &[("prompt", prompt)]).await;
                assert_eq!(kind(&next), allowed, "{prompt:?} first_party: {first_party} {tenant}, allowed");
            }
        }
    }
}
