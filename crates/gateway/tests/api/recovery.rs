//! People reset a forgotten password, confirm and change their address, and accept invitations by mail. Runs
//! at two tenants.

use administration::mail::{MailLane, MailOutbox as _, MailSealer, Message};
use futures_util::future::join_all;
use gateway::{ForwardingHeader, TrustedPeers};
use values::LetterKind;

use crate::account_password::{is_signed_in, path as account_path, signs_in};
use crate::password_links::{NEW, set as set_by_link};
use crate::prelude::*;

const NEW_ADDRESS: &str = "ada@new.example";
const REFUSED: &str = "This code is wrong";

fn recover_path(tenant: &str) -> String {
    tenant_path(tenant, "/oauth/recover")
}

fn verify_path(tenant: &str) -> String {
    tenant_path(tenant, "/oauth/verify")
}

/// Each of the two tenants has Ada with the same address and password, whom the API manages.
async fn start() -> (TestEnv, [String; 2]) {
    let (test_env, ops) = TestEnv::with_ops().await;
    let mut adas = Vec::new();
    for tenant in [ACME, GLOBEX] {
        add_web_client(&test_env.app, tenant, |_| {});
        let body = json!({ "email": EMAIL, "email_verified": true, "password": PASSWORD });
        let made = test_env.post(&ops, &accounts_path(tenant), body).await;
        made.assert_status(201);
        adas.push(made.header("location").to_owned());
    }
    (test_env, adas.try_into().unwrap())
}

/// Takes the waiting messages of a tenant.
pub(crate) async fn letters(app: &TestApp, tenant: &str) -> Vec<Message> {
    let (sealer, lane) = (MailSealer::new(&app.pepper), MailLane::Only(vec![fixtures::tenant_id(tenant)]));
    let now = Timestamp::from_seconds(app.now());
    let due = app.store.due_mail(now, (1_000, 1_000), &lane, None).await.unwrap();
    let mut taken = Vec::new();
    for queued in due {
        assert!(app.store.claim_mail(&queued, now + Lifetime::from_seconds(30 * 86_400)).await.unwrap());
        taken.push(sealer.open(&queued).unwrap());
    }
    taken
}

/// The only waiting message of a tenant.
async fn letter(app: &TestApp, tenant: &str) -> Message {
    let letters = letters(app, tenant).await;
    let [letter] = &letters[..] else { panic!("{letters:?}") };
    letter.clone()
}

/// The code to type, and the code of the link.
fn codes(message: &Message) -> (String, String) {
    let code = message.letter.code.clone().unwrap_or_else(|| panic!("{message:?}"));
    (code, link_code(message))
}

/// The code of the link.
fn link_code(message: &Message) -> String {
    let (link, _) = message.letter.link.as_ref().unwrap_or_else(|| panic!("{message:?}"));
    link.split_once('#').unwrap().1.to_owned()
}

/// The page that asks for the code, after a person has typed an identifier.
async fn asked(browser: &mut Browser<'_>, tenant: &str, identifier: &str) -> Answer {
    let page = browser.get(&recover_path(tenant)).await;
    page.assert_status(200);
    let next = browser.fill_in(&recover_path(tenant), &page, &[("identifier", identifier)]).await;
    next.assert_says(200, "Type the code from the message.");
    next.assert_not_stored();
    next
}

async fn typed(browser: &mut Browser<'_>, tenant: &str, page: &Answer, code: &str) -> Answer {
    browser.fill_in(&recover_path(tenant), page, &[("code", code), ("new_password", NEW)]).await
}

// [attacks #43]: A forgotten password opens an account to others | A mailed code of 40 bits, 5 tries, 30
//   minutes, bound to the page; it ends with the state of the account, and administrators have none
#[tokio::test]
async fn mailed_code_resets_password_once() {
    let (test_env, adas) = start().await;
    let app = &test_env.app;
    for ((tenant, other), account) in BOTH.into_iter().zip(&adas) {
        let (mut elsewhere, mut unharmed) = (Browser::new(app), Browser::new(app));
        assert!(signs_in(&mut elsewhere, tenant, (EMAIL, PASSWORD)).await);
        assert!(signs_in(&mut unharmed, other, (EMAIL, PASSWORD)).await);
        app.pass(1);

        // In the middle of an authorization request.
        let mut browser = Browser::new(app);
        let page = browser.authorize(tenant, &[]).await;
        page.assert_says(200, "Forgot password?");
        let fields = [("identifier", "Ada@Example.com"), ("decision", "recover")];
        let page = browser.fill_in(&tenant_path(tenant, "/oauth/sign-in"), &page, &fields).await;
        page.assert_says(200, "Ada@Example.com");
        let page =
            browser.fill_in(&recover_path(tenant), &page, &[("identifier", " ADA@example.com ")]).await;
        let message = letter(app, tenant).await;
        let (code, link) = codes(&message);
        assert_eq!(message.to, EMAIL);
        assert!(!page.body.contains(&code) && letters(app, other).await.is_empty());

        typed(&mut Browser::new(app), tenant, &page, &code).await.assert_status(403);
        let elsewhere_page = asked(&mut browser, other, EMAIL).await;
        let (foreign, _) = codes(&letter(app, other).await);
        typed(&mut browser, other, &elsewhere_page, &code).await.assert_says(403, REFUSED);
        for wrong in ["", &foreign, &code[1..], "ZZZZZZZZ"] {
            typed(&mut browser, tenant, &page, wrong).await.assert_says(403, REFUSED);
        }
        let unfit = [("code", &*code), ("new_password", "fourteen chars")];
        let unfit = browser.fill_in(&recover_path(tenant), &page, &unfit).await;
        unfit.assert_says(400, "15 characters");
        assert!(is_signed_in(&mut elsewhere, tenant).await);
        app.pass(1_700);

        let spaced = format!("{} {}", code[..4].to_lowercase(), &code[4..]);
        let done = typed(&mut browser, tenant, &page, &spaced).await;
        done.assert_says(200, "Your password is set.");
        assert!(!is_signed_in(&mut elsewhere, tenant).await && is_signed_in(&mut unharmed, other).await);
        let notice = letter(app, tenant).await;
        assert_eq!((notice.letter.kind, notice.to.as_str()), (LetterKind::PasswordChanged, EMAIL));
        app.pass(2);
        typed(&mut browser, tenant, &page, &code).await.assert_says(403, REFUSED);
        set_by_link(&mut browser, tenant, (&link, PASSWORD)).await.assert_status(403);
        // The same request continues after the sign-in.
        let sent = browser.sign_in_at(&tenant_path(tenant, "/oauth/sign-in"), &done, (EMAIL, NEW)).await;
        assert!(!code_in(&sent).is_empty());
        assert!(!signs_in(&mut Browser::new(app), tenant, (EMAIL, PASSWORD)).await);
        assert!(!signs_in(&mut Browser::new(app), other, (EMAIL, NEW)).await);

        let ops = test_env.token(PLATFORM, OPS).await;
        let audit = test_env.get(&ops, &tenant_path(tenant, "/audit")).await;
        let id = account.rsplit('/').next().unwrap();
        for (action, actor) in [
            ("account.password_set", format!("account:{id}")),
            ("account.recovery_requested", "anonymous".to_owned()),
        ] {
            let records = audit.json();
            let mut records = records["items"].as_array().unwrap().iter();
            let record = records.find(|record| record["action"] == action).unwrap();
            assert_eq!((&record["actor"], &record["subject"]), (&json!(actor), &json!(id)));
        }
        assert!(!audit.body.contains("example.com\"") && !audit.body.contains(&code));
        let view = test_env.get(&ops, &format!("{account}/mail")).await.json_of(200);
        assert_eq!((&view["recovery_obstacles"], &view["is_limited"]), (&json!([]), &json!(false)));
        let kinds: Vec<_> = view["messages"].as_array().unwrap().iter().map(|of| &of["letter"]).collect();
        assert_eq!(kinds[..2], ["password_changed", "recovery"]);
        // Other tests of this loop begin with the same password.
        test_env
            .post(&ops, &format!("{account}/password"), json!({ "password": PASSWORD }))
            .await
            .assert_status(200);
        letters(app, tenant).await;
        app.pass(2);
    }
}

#[tokio::test]
async fn mailed_link_resets_password_and_verifies_address() {
    let (test_env, adas) = start().await;
    let app = &test_env.app;
    for ((tenant, other), account) in BOTH.into_iter().zip(&adas) {
        let ops = test_env.token(PLATFORM, OPS).await;
        test_env.patch(&ops, account, json!({ "email_verified": false })).await.assert_status(200);
        let mut browser = Browser::new(app);
        let page = asked(&mut browser, tenant, EMAIL).await;
        let (code, link) = codes(&letter(app, tenant).await);
        for get in [recover_path(tenant), verify_path(tenant), tenant_path(tenant, "/account/set-password")] {
            browser.get(&format!("{get}?{link}")).await.assert_status(200);
        }
        set_by_link(&mut browser, other, (&link, NEW)).await.assert_status(403);
        let verify = browser.get(&verify_path(tenant)).await;
        browser.fill_in(&verify_path(tenant), &verify, &[("code", &link)]).await.assert_status(403);
        set_by_link(&mut Browser::new(app), tenant, (&link, NEW)).await.assert_status(303);
        assert_eq!(test_env.get(&ops, account).await.json_of(200)["email_verified"], true);
        app.pass(2);
        typed(&mut browser, tenant, &page, &code).await.assert_says(403, REFUSED);
        assert!(signs_in(&mut browser, tenant, (EMAIL, NEW)).await);
        letters(app, tenant).await;
    }
}

// [attacks #43]
#[tokio::test]
async fn changed_address_or_time_ends_the_code() {
    let (test_env, adas) = start().await;
    let app = &test_env.app;
    let ops = test_env.token(PLATFORM, OPS).await;
    for (tenant, account) in [ACME, GLOBEX].into_iter().zip(&adas) {
        let mut browser = Browser::new(app);
        let page = asked(&mut browser, tenant, EMAIL).await;
        let (code, link) = codes(&letter(app, tenant).await);
        test_env.patch(&ops, account, json!({ "email": NEW_ADDRESS })).await.assert_status(200);
        typed(&mut browser, tenant, &page, &code).await.assert_says(403, REFUSED);
        set_by_link(&mut browser, tenant, (&link, NEW)).await.assert_status(403);
        test_env.patch(&ops, account, json!({ "email": EMAIL })).await.assert_status(200);
        let page = asked(&mut browser, tenant, EMAIL).await;
        let (code, link) = codes(&letter(app, tenant).await);
        app.pass(1_800);
        typed(&mut browser, tenant, &page, &code).await.assert_says(403, REFUSED);
        set_by_link(&mut browser, tenant, (&link, NEW)).await.assert_status(403);
    }
}

// [attacks #43]
#[tokio::test]
async fn code_has_five_tries_and_address_five_messages() {
    let (test_env, _) = start().await;
    let app = &test_env.app;
    for tenant in [ACME, GLOBEX] {
        let mut browser = Browser::new(app);
        let page = asked(&mut browser, tenant, EMAIL).await;
        let (code, _) = codes(&letter(app, tenant).await);
        for _ in 0..5 {
            typed(&mut browser, tenant, &page, "00000000").await.assert_says(403, REFUSED);
        }
        typed(&mut browser, tenant, &page, &code).await.assert_says(403, REFUSED);
        for _ in 0..9 {
            asked(&mut browser, tenant, EMAIL).await;
        }
        assert_eq!(letters(app, tenant).await.len(), 4, "five messages in an hour");
    }
}

// [attacks #43]
#[tokio::test]
async fn recovery_is_refused_silently_where_mail_must_not_open_the_account() {
    let (test_env, adas) = start().await;
    let app = &test_env.app;
    let ops = test_env.token(PLATFORM, OPS).await;
    for ((tenant, _), account) in BOTH.into_iter().zip(&adas) {
        add_someone(app, tenant, 9, "declared@example.com");
        let mut browser = Browser::new(app);
        let page = asked(&mut browser, tenant, EMAIL).await;
        let (code, link) = codes(&letter(app, tenant).await);
        for (patch, obstacle) in [
            (json!({ "permissions": ["latchkey:keys"] }), "administrator"),
            (
                json!({ "permissions": [], "email": null, "email_verified": false, "username": "ada" }),
                "no_address",
            ),
        ] {
            test_env.patch(&ops, account, patch).await.assert_status(200);
            letters(app, tenant).await;
            for identifier in
                [EMAIL, "ada", "declared@example.com", "nobody@example.com", "", "@", "\u{202e}"]
            {
                asked(&mut browser, tenant, identifier).await;
            }
            assert_eq!(letters(app, tenant).await, [], "{obstacle}");
            let view = test_env.get(&ops, &format!("{account}/mail")).await.json_of(200);
            assert_eq!(view["recovery_obstacles"], json!([obstacle]));
            typed(&mut browser, tenant, &page, &code).await.assert_says(403, REFUSED);
            set_by_link(&mut browser, tenant, (&link, NEW)).await.assert_status(403);
        }
        app.change_provider(tenant, |tenant| tenant.sign_in.recovery = false);
        browser.get(&recover_path(tenant)).await.assert_status(404);
        let page = browser.authorize(tenant, &[]).await;
        assert!(!page.body.contains("Forgot password?"));
    }
}

/// The response without random parts and the typed text.
fn shape(answer: &Answer, typed: &str) -> (u16, Vec<String>, String, usize) {
    let sealed = flow(answer);
    let nonce = answer.body.split_once("nonce=\"").map(|(_, rest)| rest.split('"').next().unwrap());
    let nonce = nonce.unwrap_or("no nonce").to_owned();
    let headers = answer.headers.iter().map(|(name, value)| match name.as_str() {
        "date" | "x-request-id" => name.to_string(),
        _ => format!("{name}: {}", value.to_str().unwrap().replace(&nonce, "NONCE")),
    });
    let body = answer.body.replace(&sealed, "").replace(&nonce, "").replace(typed, "");
    (answer.status, headers.collect(), body, answer.body.len())
}

// [V6 6.3.8], [attacks #17]
#[tokio::test]
async fn two_hundred_known_and_unknown_addresses_look_equal() {
    const PEOPLE: usize = 200;
    let mut options = options(ACME);
    let from = vec!["127.0.0.0/8".parse().unwrap()];
    options.listeners[0].trusted_proxies =
        Some(TrustedPeers { from, header: ForwardingHeader::XForwardedFor });
    let test_env = TestEnv::over(TestApp::start_with(&options));
    let (app, ops) = (&test_env.app, test_env.token(PLATFORM, OPS).await);
    for tenant in [ACME, GLOBEX] {
        add_web_client(app, tenant, |_| {});
    }
    let known = |number: usize| format!("known{number:03}@example.com");
    let lines = (0..PEOPLE).map(|number| format!("{{\"email\":\"{}\"}}\n", known(number)));
    let import = app.request(Method::POST, &format!("{}/import", accounts_path(ACME))).bearer_auth(&ops);
    let import = import.header("content-type", "application/x-ndjson").body(lines.collect::<String>());
    Answer::to(import).await.assert_status(200);
    // Sealed forms of one browser have one length.
    let mut first = Browser::new(app);
    first.get(&recover_path(ACME)).await.assert_status(200);
    let cookies = first.cookies;
    let ask = async |tenant: &str, number: usize, typed: String| {
        let source = format!("192.0.2.{}", number % 250);
        let forwarded = |request: RequestBuilder| request.header("x-forwarded-for", &source);
        let mut here = Browser { cookies: cookies.clone(), ..Browser::new(app) };
        let page = here
            .send(forwarded(
                here.request(Method::GET, &recover_path(tenant)).header("sec-fetch-dest", "document"),
            ))
            .await;
        let form = [("flow", &*flow(&page)), ("identifier", &typed)];
        let post = here.request(Method::POST, &recover_path(tenant)).header("origin", PUBLIC_URL).form(&form);
        let asked = here.send(forwarded(post)).await;
        let form = [("flow", &*flow(&asked)), ("code", "0000000Z"), ("new_password", NEW)];
        let post = here.request(Method::POST, &recover_path(tenant)).header("origin", PUBLIC_URL).form(&form);
        [shape(&asked, &typed), shape(&here.send(forwarded(post)).await, &typed)]
    };
    let unknown = |number: usize| format!("other{number:03}@example.com");
    let mut seen = BTreeSet::new();
    for first in (0..PEOPLE).step_by(25) {
        let asked = (first..first + 25).flat_map(|number| {
            [
                ask(ACME, number, known(number)),
                ask(ACME, number + PEOPLE, unknown(number)),
                // Known at the other tenant.
                ask(GLOBEX, number, known(number)),
                ask(GLOBEX, number, unknown(number)),
            ]
        });
        let asked = join_all(asked).await;
        seen.extend(asked.into_iter().enumerate().map(|(at, shapes)| (at % 4 / 2, format!("{shapes:?}"))));
    }
    assert_eq!(seen.len(), 2, "one shape for each tenant: {seen:#?}");
    assert_eq!((letters(app, ACME).await.len(), letters(app, GLOBEX).await.len()), (PEOPLE, 0));
}

/// The page that asks for the code that was mailed to a new address.
async fn moved(browser: &mut Browser<'_>, tenant: &str, to: (&str, &str)) -> Answer {
    let page = browser.get(&account_path(tenant)).await;
    let page = browser.fill_in(&account_path(tenant), &page, &[("decision", "email")]).await;
    browser.fill_in(&account_path(tenant), &page, &[("email", to.0), ("password", to.1)]).await
}

// [attacks #44]: A stolen session or a mistyped address takes the account over | A new address takes the
//   password and a code that was mailed to it; the earlier one is told and can undo it for 72 hours
#[tokio::test]
async fn new_address_needs_password_and_code_and_can_be_undone() {
    let (test_env, adas) = start().await;
    let app = &test_env.app;
    for ((tenant, other), account) in BOTH.into_iter().zip(&adas) {
        let mut browser = Browser::new(app);
        assert!(signs_in(&mut browser, tenant, (EMAIL, PASSWORD)).await);
        let email = async || {
            let ops = test_env.token(PLATFORM, OPS).await;
            test_env.get(&ops, account).await.json_of(200)["email"].clone()
        };
        moved(&mut browser, tenant, (NEW_ADDRESS, "a wrong long password")).await.assert_status(403);
        moved(&mut browser, tenant, ("not an address", PASSWORD)).await.assert_status(400);
        assert_eq!(letters(app, tenant).await, []);
        let page = moved(&mut browser, tenant, (NEW_ADDRESS, PASSWORD)).await;
        page.assert_says(200, NEW_ADDRESS);
        let message = letter(app, tenant).await;
        let (code, link) = codes(&message);
        assert_eq!((message.to.as_str(), email().await), (NEW_ADDRESS, json!(EMAIL)));
        let wrong = browser.fill_in(&account_path(tenant), &page, &[("code", "00000000")]).await;
        wrong.assert_status(403);
        let done = browser.fill_in(&account_path(tenant), &wrong, &[("code", &code)]).await;
        done.assert_says(200, NEW_ADDRESS);
        assert_eq!(email().await, NEW_ADDRESS);
        let told = letters(app, tenant).await;
        let changed = told.iter().find(|message| message.to == EMAIL).unwrap();
        assert_eq!(changed.letter.kind, LetterKind::AddressChanged);
        let undo = &*link_code(changed);
        assert!(told.iter().any(|message| {
            message.to == NEW_ADDRESS && message.letter.kind == LetterKind::AddressConfirmed
        }));

        // The code and its link have already been used.
        browser.fill_in(&account_path(tenant), &page, &[("code", &code)]).await.assert_status(403);
        let confirm = |link: String| async move {
            let mut person = Browser::new(app);
            let query = if link.starts_with('u') { "?undo" } else { "" };
            let page = person.get(&format!("{}{query}", verify_path(tenant))).await;
            person.fill_in(&verify_path(tenant), &page, &[("code", &link)]).await
        };
        confirm(link).await.assert_status(403);

        // The person at the earlier address takes the account back.
        app.pass(72 * 3_600 - 10);
        let mut thief = Browser::new(app);
        assert!(signs_in(&mut thief, tenant, (NEW_ADDRESS, PASSWORD)).await);
        let mut owner = Browser::new(app);
        let page = owner.get(&format!("{}?undo", verify_path(tenant))).await;
        assert_eq!(email().await, NEW_ADDRESS, "opening the link changes nothing");
        let foreign = owner.get(&format!("{}?undo", verify_path(other))).await;
        owner.fill_in(&verify_path(other), &foreign, &[("code", undo)]).await.assert_status(403);
        owner.fill_in(&verify_path(tenant), &page, &[("code", undo)]).await.assert_status(200);
        assert_eq!(email().await, EMAIL);
        assert!(!is_signed_in(&mut thief, tenant).await);
        assert_eq!(letter(app, tenant).await.to, EMAIL);
        app.pass(2);
        owner.fill_in(&verify_path(tenant), &page, &[("code", undo)]).await.assert_status(403);
        assert!(signs_in(&mut owner, tenant, (EMAIL, PASSWORD)).await, "the password is as before");
        set_by_link(&mut owner, tenant, (undo, NEW)).await.assert_status(403);
    }
}

#[tokio::test]
async fn address_of_another_account_is_never_taken() {
    let (test_env, _) = start().await;
    let app = &test_env.app;
    let ops = test_env.token(PLATFORM, OPS).await;
    for tenant in [ACME, GLOBEX] {
        let mut browser = Browser::new(app);
        assert!(signs_in(&mut browser, tenant, (EMAIL, PASSWORD)).await);
        let free = moved(&mut browser, tenant, (BOB, PASSWORD)).await;
        let (code, _) = codes(&letter(app, tenant).await);
        test_env.post(&ops, &accounts_path(tenant), json!({ "email": BOB })).await.assert_status(201);
        browser.fill_in(&account_path(tenant), &free, &[("code", &code)]).await.assert_status(403);
        let taken = moved(&mut browser, tenant, (BOB, PASSWORD)).await;
        assert_eq!(shape(&taken, BOB), shape(&free, BOB));
        assert_eq!(letters(app, tenant).await, []);
    }
}

#[tokio::test]
async fn person_verifies_own_address() {
    let (test_env, adas) = start().await;
    let app = &test_env.app;
    let ops = test_env.token(PLATFORM, OPS).await;
    for (tenant, account) in [ACME, GLOBEX].into_iter().zip(&adas) {
        test_env.patch(&ops, account, json!({ "email_verified": false })).await.assert_status(200);
        let mut browser = Browser::new(app);
        assert!(signs_in(&mut browser, tenant, (EMAIL, PASSWORD)).await);
        let page = browser.get(&account_path(tenant)).await;
        let page = browser.fill_in(&account_path(tenant), &page, &[("decision", "verify")]).await;
        let (code, _) = codes(&letter(app, tenant).await);
        let done = browser.fill_in(&account_path(tenant), &page, &[("code", &code)]).await;
        done.assert_says(200, "Verified");
        assert_eq!(test_env.get(&ops, account).await.json_of(200)["email_verified"], true);
        assert_eq!(letters(app, tenant).await, [], "nothing changed that the person does not know");
    }
}

#[tokio::test]
async fn invitation_sets_first_password_within_seven_days() {
    let (test_env, adas) = start().await;
    let app = &test_env.app;
    for ((tenant, other), ada) in BOTH.into_iter().zip(&adas) {
        let ops = test_env.token(PLATFORM, OPS).await;
        let made = test_env.post(&ops, &accounts_path(tenant), json!({ "email": BOB })).await;
        let account = made.header("location").to_owned();
        let invited = async |token: &str, account: &str| {
            test_env.step(token, &format!("{account}/invitation")).await.status
        };
        for (token, expected) in [
            (test_env.token(tenant, READER).await, 403),
            (test_env.token(other, STEWARD).await, 401),
            (test_env.token(tenant, STEWARD).await, 202),
        ] {
            assert_eq!(invited(&token, &account).await, expected);
        }
        assert_eq!(invited(&ops, ada).await, 409, "she has a password");
        let message = letter(app, tenant).await;
        assert_eq!(message.letter.kind, LetterKind::Invitation);
        let code = &*link_code(&message);
        app.pass(7 * 86_400 - 1);
        set_by_link(&mut Browser::new(app), other, (code, NEW)).await.assert_status(403);
        set_by_link(&mut Browser::new(app), tenant, (code, NEW)).await.assert_status(303);
        app.pass(2);
        let mut browser = Browser::new(app);
        set_by_link(&mut browser, tenant, (code, PASSWORD)).await.assert_status(403);
        assert!(signs_in(&mut browser, tenant, (BOB, NEW)).await);
        let ops = test_env.token(PLATFORM, OPS).await;
        assert_eq!(test_env.get(&ops, &account).await.json_of(200)["email_verified"], true);
        assert_eq!(letters(app, tenant).await, []);
    }
}
