//! Groups of people: the claim in ID tokens, userinfo, access tokens and introspection, as the client's
//! settings say, and the rules for groups.

use registry::{ClaimPlace, GroupsClaim};

use crate::explanations::Explained;
use crate::prelude::*;

const SCOPE: (&str, &str) = ("scope", "openid groups");

/// Ada's account in a tenant, with the token of the tenant's account manager, and the secret of a client with
/// the scope `groups`.
struct Member<'a> {
    test_env: &'a TestEnv,
    tenant: &'static str,
    token: String,
    path: String,
    secret: String,
}

/// What the client gets: the claim in the ID token, userinfo, the access token and introspection.
type Got = [Value; 4];

impl<'a> Member<'a> {
    async fn create(test_env: &'a TestEnv, tenant: &'static str, groups: &[&str]) -> Self {
        let secret = add_client(test_env, tenant, GroupsClaim::default());
        let token = test_env.token(tenant, STEWARD).await;
        let body = json!({ "email": EMAIL, "password": PASSWORD, "groups": groups });
        let made = test_env.post(&token, &accounts_path(tenant), body).await;
        made.assert_status(201);
        Self { test_env, tenant, token, path: made.header("location").to_owned(), secret }
    }

    /// The client gets the claim with this name in these places.
    fn place(&mut self, claim: &str, places: &[ClaimPlace]) {
        let groups = GroupsClaim { claim: claim.to_owned(), places: places.to_vec() };
        self.secret = add_client(self.test_env, self.tenant, groups);
    }

    async fn patch(&self, patch: Value) -> Answer {
        self.test_env.patch(&self.token, &self.path, patch).await
    }

    async fn tokens(&self, scope: (&str, &str)) -> Value {
        Browser::new(&self.test_env.app).tokens(self.tenant, &self.secret, &[scope]).await
    }

    async fn refresh(&self, tokens: &Value, scope: &str) -> Value {
        let form = [("client_secret", &*self.secret), ("scope", scope)];
        let app = &self.test_env.app;
        refresh_with(app, self.tenant, text(tokens, "refresh_token"), &form).await.json_of(200)
    }

    async fn got(&self, tokens: &Value, claim: &str) -> Got {
        let (app, access) = (&self.test_env.app, text(tokens, "access_token"));
        let userinfo = app.userinfo(self.tenant, access).await.json_of(200);
        let form = [("token", access)];
        let introspected = app.post_as((self.tenant, AUDITOR), "/oauth/introspect", &form).await.json_of(200);
        let all = [payload(&tokens["id_token"]), userinfo, payload(&tokens["access_token"]), introspected];
        all.map(|claims| claims[claim].clone())
    }
}

fn add_client(test_env: &TestEnv, tenant: &str, groups: GroupsClaim) -> String {
    add_web_client(&test_env.app, tenant, |client| {
        client.scope = fixtures::scope("openid profile groups");
        client.grant_types.push(GrantType::RefreshToken);
        client.code_flow.groups = groups;
    })
}

#[tokio::test]
async fn client_settings_place_the_groups_claim() {
    use ClaimPlace::{AccessToken, IdToken, Userinfo};
    for (tenant, other) in BOTH {
        let test_env = TestEnv::start();
        let mut ada = Member::create(&test_env, tenant, &["staff", "ops"]).await;
        let theirs = Member::create(&test_env, other, &["guests"]).await;
        let (both, none, guests) = (json!(["staff", "ops"]), Value::Null, json!(["guests"]));
        let all = |[id, userinfo, access]: [bool; 3]| {
            [id, userinfo, access, access].map(|has| if has { both.clone() } else { Value::Null })
        };
        let tokens = ada.tokens(SCOPE).await;
        assert_eq!(ada.got(&tokens, "groups").await, all([true, true, false]), "the default");
        for (claim, places, expected) in [
            ("groups", &[][..], [false, false, false]),
            ("groups", &[IdToken], [true, false, false]),
            ("roles", &[Userinfo], [false, true, false]),
            ("https://acme.example/groups", &[AccessToken], [false, false, true]),
            ("roles", &[IdToken, Userinfo, AccessToken], [true, true, true]),
        ] {
            ada.place(claim, places);
            let tokens = ada.tokens(SCOPE).await;
            assert_eq!(ada.got(&tokens, claim).await, all(expected), "{claim} {places:?}");
            if claim != "groups" {
                assert_eq!(ada.got(&tokens, "groups").await, [(); 4].map(|()| Value::Null), "{claim}");
            }
            let tokens = ada.tokens(("scope", "openid profile")).await;
            assert_eq!(ada.got(&tokens, claim).await, [(); 4].map(|()| Value::Null), "without the scope");
            let tokens = theirs.tokens(SCOPE).await;
            let expected = [guests.clone(), guests.clone(), none.clone(), none.clone()];
            assert_eq!(theirs.got(&tokens, "groups").await, expected, "the other tenant's settings");
        }
    }
}

/// A static claim of the tenant is not about the person.
#[tokio::test]
async fn persons_groups_replace_static_claim() {
    let test_env = TestEnv::start();
    for (tenant, _) in BOTH {
        let mut ada = Member::create(&test_env, tenant, &["staff"]).await;
        ada.place("roles", &[ClaimPlace::AccessToken]);
        test_env.app.change_tenant(tenant, |tenant| {
            tenant.strategies.oidc = true;
            tenant.access_token.claims = fixtures::claims(r#"{"roles":"all","plan":"pro"}"#);
        });
        let tokens = ada.tokens(SCOPE).await;
        assert_eq!(ada.got(&tokens, "roles").await[2..], [json!(["staff"]), json!(["staff"])]);
        assert_eq!(payload(&tokens["access_token"])["plan"], "pro");
        let access = text(&tokens, "access_token");
        let part = String::from_utf8(BASE64URL.decode(access.split('.').nth(1).unwrap()).unwrap()).unwrap();
        assert_eq!(part.matches("\"roles\"").count(), 1, "{part}");
    }
}

#[tokio::test]
async fn refreshed_tokens_have_current_groups() {
    let test_env = TestEnv::start();
    for (tenant, _) in BOTH {
        let mut ada = Member::create(&test_env, tenant, &["staff", "ops"]).await;
        ada.place("groups", &[ClaimPlace::IdToken, ClaimPlace::Userinfo, ClaimPlace::AccessToken]);
        let first = ada.tokens(SCOPE).await;
        for groups in [json!(["staff"]), json!([])] {
            ada.patch(json!({ "groups": groups })).await.assert_status(200);
            let next = ada.refresh(&first, "openid groups").await;
            assert_eq!(ada.got(&next, "groups").await, [(); 4].map(|()| groups.clone()));
            let userinfo = test_env.app.userinfo(tenant, text(&first, "access_token")).await.json();
            assert_eq!(userinfo["groups"], groups, "userinfo has the current groups, too");
        }
        let narrow = ada.refresh(&first, "openid").await;
        assert_eq!(ada.got(&narrow, "groups").await, [(); 4].map(|()| Value::Null));
    }
}

#[tokio::test]
async fn too_many_groups_are_left_out_and_explained() {
    capture();
    let test_env = TestEnv::start();
    for (tenant, other) in BOTH {
        let names: Vec<_> = (0..=100).map(|number| format!("{tenant}-team-{number}")).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let mut ada = Member::create(&test_env, tenant, &names).await;
        ada.place("groups", &[ClaimPlace::IdToken, ClaimPlace::Userinfo, ClaimPlace::AccessToken]);
        let said = || {
            let is_said = |line: &&crate::capture::Line| line.get("message").contains("left out the claim");
            let lines: Vec<_> = capture().lines();
            let lines = lines.iter().filter(is_said).filter(|line| line.get("tenant") == tenant);
            lines.map(|line| line.get("message").to_owned()).collect::<Vec<_>>()
        };
        let tokens = ada.tokens(SCOPE).await;
        assert_eq!(ada.got(&tokens, "groups").await, [(); 4].map(|()| Value::Null), "never a part");
        let why = "the person has 101 groups, and a claim can have at most 100";
        let message = format!("left out the claim with the person's groups: {why}");
        assert_eq!(said(), [message.clone(), message], "at the token endpoint and at userinfo");

        let boss = test_env.token(tenant, BOSS).await;
        let body = json!({ "access_token": tokens["access_token"] });
        let explained = Explained::fetch(&test_env, &boss, (tenant, "web"), body.clone()).await;
        let check = explained.check_of("access_token", "groups");
        assert_eq!(check["result"], "passed");
        assert_eq!(check["detail"], format!("The claim groups is left out, because {why}."));
        assert!(check["fix"].as_str().is_some_and(|fix| !fix.is_empty()));
        assert!(!explained.to_string().contains("-team-"), "no names");
        let foreign = test_env.token(other, BOSS).await;
        add_client(&test_env, other, GroupsClaim::default());
        let explained = Explained::fetch(&test_env, &foreign, (other, "web"), body).await;
        assert!(!explained["access_token"].to_string().contains("101"), "{}", *explained);

        ada.patch(json!({ "groups": &names[..2] })).await.assert_status(200);
        let tokens = ada.tokens(SCOPE).await;
        assert_eq!(ada.got(&tokens, "groups").await, [(); 4].map(|()| json!(names[..2])));
        let body = json!({ "access_token": tokens["access_token"] });
        let explained = Explained::fetch(&test_env, &boss, (tenant, "web"), body).await;
        let detail =
            "The claim groups has 2 groups of the person. It is in: id_token, userinfo, access_token.";
        assert_eq!(explained.check_of("access_token", "groups")["detail"], detail);
    }
}

#[tokio::test]
async fn metadata_names_groups_if_people_sign_in() {
    for (tenant, other) in BOTH {
        let app = TestApp::start();
        app.change_tenant(tenant, |tenant| tenant.strategies.oidc = true);
        for (tenant, expected) in [(tenant, true), (other, false)] {
            let path = tenant_path(tenant, "/.well-known/openid-configuration");
            let document = app.get(&path).await.json();
            for member in ["scopes_supported", "claims_supported"] {
                let names = document[member].as_array().cloned().unwrap_or_default();
                assert_eq!(names.contains(&json!("groups")), expected, "{member} of {tenant}");
            }
        }
    }
}

#[tokio::test]
async fn people_consent_to_groups() {
    let test_env = TestEnv::start();
    for (tenant, _) in BOTH {
        Member::create(&test_env, tenant, &["staff"]).await;
        add_web_client(&test_env.app, tenant, |client| {
            client.scope = fixtures::scope("openid groups");
            client.code_flow.first_party = false;
        });
        let mut browser = Browser::new(&test_env.app);
        let page = browser.signed_in(tenant, &[SCOPE]).await;
        page.assert_says(200, "See which groups you belong to");
    }
}

#[tokio::test]
async fn reserved_and_undeclared_groups_are_refused() {
    for (tenant, other) in BOTH {
        let test_env = TestEnv::start();
        let ada = Member::create(&test_env, tenant, &["staff", "ops"]).await;
        for group in ["latchkey:keys", "LATCHKEY:x", "LatchKey:"] {
            let refused = ada.patch(json!({ "groups": ["staff", group] })).await;
            refused.assert_problem(400, "invalid-request");
            refused.assert_faulty(&["/groups/1"]);
        }
        let declare = |groups: Option<&[&str]>| {
            test_env.app.change_tenant(tenant, |tenant| {
                tenant.strategies.oidc = true;
                tenant.groups = groups.map(|all| all.iter().map(|group| (*group).to_owned()).collect());
            });
        };
        declare(Some(&["staff", "sales"]));
        let refused = ada.patch(json!({ "groups": ["staff", "sale"] })).await;
        refused.assert_faulty(&["/groups/1"]);
        assert!(refused.body.contains("did you mean `sales`?"), "{}", refused.body);
        let lines =
            "{\"username\":\"bob\",\"groups\":[\"ops\"]}\n{\"username\":\"eve\",\"groups\":[\"sales\"]}\n";
        for (tenant, expected) in [(tenant, ["refused", "created"]), (other, ["created", "created"])] {
            let token = test_env.token(tenant, STEWARD).await;
            let path = format!("{}/import", accounts_path(tenant));
            let request = test_env.app.request(Method::POST, &path).bearer_auth(&token);
            let answer = Answer::to(request.header("content-type", "application/x-ndjson").body(lines)).await;
            let results: Vec<Value> =
                answer.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            assert_eq!([&results[0]["result"], &results[1]["result"]], expected, "{}", answer.body);
            assert_eq!(answer.body.contains("does not declare this group"), expected[0] == "refused");
        }
        // Groups of before may stay, but a claim does not contain them.
        ada.patch(json!({ "external_id": "7" })).await.assert_status(200);
        let changed = ada.patch(json!({ "groups": ["staff", "ops", "sales"] })).await;
        assert_eq!(changed.json_of(200)["groups"], json!(["staff", "ops", "sales"]));
        let tokens = ada.tokens(SCOPE).await;
        assert_eq!(ada.got(&tokens, "groups").await[0], json!(["staff", "sales"]));
        let boss = test_env.token(tenant, BOSS).await;
        let body = json!({ "access_token": tokens["access_token"] });
        let explained = Explained::fetch(&test_env, &boss, (tenant, "web"), body).await;
        let fix =
            "Not in the claim, because reserved or not declared by the tenant: 1 of the person's groups.";
        assert_eq!(explained.check_of("access_token", "groups")["fix"], fix);
        declare(None);
        let tokens = ada.tokens(SCOPE).await;
        assert_eq!(ada.got(&tokens, "groups").await[0], json!(["staff", "ops", "sales"]));
    }
}

#[tokio::test]
async fn documents_have_the_groups_settings() {
    let (test_env, ops) = TestEnv::with_ops().await;
    for id in ["one", "two"] {
        let groups = json!(["staff", format!("{id} team")]);
        let made = test_env.post(&ops, TENANTS, json!({ "id": id, "groups": groups })).await;
        assert_eq!(made.json_of(201)["groups"], groups);
        let path = format!("{TENANTS}/{id}");
        let refused = test_env.patch(&ops, &path, json!({ "groups": ["latchkey:keys"] })).await;
        refused.assert_faulty(&["/groups/0"]);
        let free = test_env.patch(&ops, &path, json!({ "groups": null })).await;
        assert_eq!(free.json_of(200)["groups"], Value::Null);
    }
    for (tenant, boss) in test_env.of_each(BOSS).await {
        let made = test_env.post(&boss, &clients_path(tenant), json!({ "client_id": "app" })).await;
        let expected = json!({ "claim": "groups", "in": ["id_token", "userinfo"] });
        assert_eq!(made.json_of(201)["groups"], expected);
        let path = format!("{}/app", clients_path(tenant));
        for (groups, at) in [
            (json!({ "claim": "sub" }), "/groups/claim"),
            (json!({ "claim": "urn:latchkey:groups" }), "/groups/claim"),
            (json!({ "in": ["introspection"] }), "/groups/in/0"),
        ] {
            test_env.patch(&boss, &path, json!({ "groups": groups })).await.assert_faulty(&[at]);
        }
        let changed =
            test_env.patch(&boss, &path, json!({ "groups": { "claim": "roles" } })).await.json_of(200);
        assert_eq!(changed["groups"], json!({ "claim": "roles", "in": ["id_token", "userinfo"] }));
        let warnings = changed["warnings"].to_string();
        assert!(warnings.contains(r#""pointer":"/groups""#), "it lacks the scope: {warnings}");
    }
}
