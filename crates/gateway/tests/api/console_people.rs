//! People in the console at two tenants: from an invitation to the deletion, why a person cannot sign
//! in, and sessions and consents.

use crate::console::{begun, form_token, home};
use crate::password_links::{NEW, set};
use crate::prelude::*;

/// Has all permissions of a tenant.
const CHIEF: &str = "chief";
const ALL: &str = "latchkey:clients latchkey:accounts latchkey:keys latchkey:audit";

/// A browser with a session of the tenant's administrator, the path of the people, and the token of the
/// forms.
async fn administrator<'a>(test_env: &'a TestEnv, tenant: &str) -> (Browser<'a>, String, String) {
    let mut browser = begun(test_env, tenant, &forged(tenant, CHIEF, ALL)).await;
    let people = format!("{}/people", home(tenant));
    let form = form_token(&browser.get(&people).await);
    (browser, people, form)
}

/// Two tenants that sign people in, each with an administrator.
fn tenants() -> TestEnv {
    let test_env = TestEnv::start();
    for tenant in [ACME, GLOBEX] {
        add_web_client(&test_env.app, tenant, |_| {});
        crate::administrators::settle(&test_env.app, tenant, CHIEF, ALL);
    }
    test_env
}

/// The value of a hidden field.
fn hidden(page: &Answer, name: &str) -> String {
    let value = page.body.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap_or_default();
    value.split('"').next().unwrap().replace("&#34;", "\"")
}

/// Sends a form of the person's page.
async fn press(browser: &mut Browser<'_>, person: &str, fields: &[(&str, &str)]) -> Answer {
    let form = form_token(&browser.get(person).await);
    browser.post(person, &[&[("form", &*form)], fields].concat()).await
}

/// Creates a person. Returns the page with the link, and the path of the person.
async fn invite(browser: &mut Browser<'_>, people: &str, form: &str, email: &str) -> (Answer, String) {
    let new = format!("{people}/new");
    let fields = [
        ("form", form),
        ("request", email),
        ("name", "Ada <b>"),
        ("email", email),
        ("groups", "staff\r\n\r\nnight shift"),
        ("invites", "yes"),
    ];
    let made = browser.post(&new, &fields).await;
    made.assert_says(200, "Account of Ada &#60;b&#62; created.");
    let again = browser.post(&new, &fields).await;
    assert_eq!(link_in(&made), link_in(&again), "the same link, and no second account");
    let path = made.body.split(&format!("href=\"{people}/usr_")).nth(1).unwrap().split('"').next().unwrap();
    let person = format!("{people}/usr_{path}");
    (made, person)
}

/// The code of the password link that a page shows.
fn link_in(page: &Answer) -> String {
    let link = page.body.split("/account/set-password#").nth(1).unwrap_or_default();
    link.split('<').next().unwrap().to_owned()
}

#[tokio::test]
async fn person_is_invited_edited_and_deleted() {
    let test_env = tenants();
    let others = {
        let (mut browser, people, form) = administrator(&test_env, GLOBEX).await;
        let (_, person) = invite(&mut browser, &people, &form, "eve@example.com").await;
        person.rsplit('/').next().unwrap().to_owned()
    };
    for (tenant, other) in BOTH {
        let (mut browser, people, form) = administrator(&test_env, tenant).await;
        let none = browser.post(&format!("{people}/new"), &[("form", &*form)]).await;
        none.assert_says(200, "Enter an email address or a user name.");
        let (made, person) = invite(&mut browser, &people, &form, EMAIL).await;
        let code = link_in(&made);
        let mut ada = Browser::new(&test_env.app);
        set(&mut ada, other, (&code, NEW)).await.assert_status(403);
        test_env.app.pass(1);
        set(&mut ada, tenant, (&code, NEW)).await.assert_status(303);
        assert!(crate::account_password::signs_in(&mut ada, tenant, (EMAIL, NEW)).await);

        // Found by the beginning of the address, and by id.
        let id = person.rsplit('/').next().unwrap();
        for search in ["ADA@", id] {
            let found = browser.get(&format!("{people}?search={search}")).await;
            found.assert_says(200, &format!("href=\"{person}\""));
            found.assert_says(200, "staff, night shift");
        }
        browser.get(&format!("{people}?search=nobody")).await.assert_says(200, "No people");
        if tenant == ACME {
            assert_eq!(browser.get(&format!("{people}/{others}")).await.status, 404);
            let crossed = [("form", &*form), ("step", "suspend")];
            assert_eq!(browser.post(&format!("{people}/{others}"), &crossed).await.status, 404);
        }

        let page = browser.get(&person).await;
        page.assert_says(200, "ada@example.com (not verified)");
        let edit = [
            ("form", &*form),
            ("step", "edit"),
            ("tag", &*hidden(&page, "tag")),
            ("verified", ""),
            ("name", "Ada"),
            ("email", "ada@example.org"),
            ("username", "ada"),
            ("groups", "staff"),
        ];
        browser.post(&person, &edit).await.assert_says(200, "Changes saved.");
        let stale = browser.post(&person, &edit).await;
        stale.assert_says(200, "Somebody else has changed this person");
        browser.get(&person).await.assert_says(200, "<h1>Ada</h1>");

        // A permission removes no password that the person has set, but ends the sessions.
        let page = browser.get(&person).await;
        let tag = hidden(&page, "tag");
        let wrong = [("form", &*form), ("step", "edit"), ("tag", &*tag), ("email", "no"), ("grants", "yes")];
        browser.post(&person, &wrong).await.assert_says(200, "aria-invalid");
        let grant = [
            ("form", &*form),
            ("step", "edit"),
            ("tag", &*tag),
            ("email", EMAIL),
            ("grants", "yes"),
            ("permission", "latchkey:audit"),
        ];
        browser.post(&person, &grant).await.assert_says(200, "Changes saved.");
        browser.get(&person).await.assert_says(200, "value=\"latchkey:audit\" checked");

        // Another administrator without that permission may only suspend.
        let mut steward = begun(&test_env, tenant, &test_env.token(tenant, STEWARD).await).await;
        let page = steward.get(&person).await;
        page.assert_says(200, "The person has permissions that you cannot grant.");
        press(&mut steward, &person, &[("step", "link")]).await.assert_says(200, "latchkey:audit");
        press(&mut steward, &person, &[("step", "suspend")]).await.assert_says(200, "Account suspended.");
        press(&mut browser, &person, &[("step", "resume")]).await.assert_says(200, "Account resumed.");
        let link = press(&mut browser, &person, &[("step", "link")]).await;
        assert!(!link_in(&link).is_empty(), "{}", link.body);

        let delete = |confirm| [("step", "delete"), ("confirm", confirm)];
        let unnamed = press(&mut browser, &person, &delete("x")).await;
        unnamed.assert_says(200, "Type ada@example.com to confirm.");
        press(&mut browser, &person, &delete(EMAIL))
            .await
            .assert_says(200, "Account of ada@example.com deleted.");
        assert_eq!(browser.get(&person).await.status, 404);
    }
}

#[tokio::test]
async fn page_tells_why_a_person_cannot_sign_in() {
    let test_env = tenants();
    for tenant in [ACME, GLOBEX] {
        let (mut browser, people, form) = administrator(&test_env, tenant).await;
        let (_, person) = invite(&mut browser, &people, &form, EMAIL).await;
        let failed = |page: &Answer| {
            page.assert_says(200, "Why can this person not sign in?");
            let row =
                page.body.split("badge danger\">Failed").next().filter(|row| row.len() < page.body.len());
            row.map(|row| row.rsplit("scope=\"row\"").next().unwrap().to_owned()).unwrap_or_default()
        };
        let page = browser.get(&person).await;
        assert!(failed(&page).contains("The account has a password"), "{}", page.body);
        let code = link_in(&press(&mut browser, &person, &[("step", "link")]).await);
        test_env.app.pass(1);
        let mut ada = Browser::new(&test_env.app);
        set(&mut ada, tenant, (&code, NEW)).await.assert_status(303);
        browser.get(&person).await.assert_says(200, "The person can sign in with the password.");
        for _ in 0..11 {
            assert!(
                !crate::account_password::signs_in(&mut Browser::new(&test_env.app), tenant, (EMAIL, "no"))
                    .await
            );
        }
        let page = browser.get(&person).await;
        assert!(failed(&page).contains("not locked after wrong passwords"), "{}", page.body);
        page.assert_says(200, "10 wrong passwords in a row");
        press(&mut browser, &person, &[("step", "unlock")])
            .await
            .assert_says(200, "Failed sign-ins cleared.");
        let suspended = press(&mut browser, &person, &[("step", "suspend")]).await;
        assert!(failed(&suspended).contains("The account is active"), "{}", suspended.body);
        test_env.app.change_tenant(tenant, |tenant| tenant.strategies.oidc = false);
        let page = browser.get(&person).await;
        assert!(failed(&page).contains("The tenant offers sign-in"), "{}", page.body);
        // The later failure is shown, too.
        page.assert_says(200, "badge warning\">Failed");
    }
}

#[tokio::test]
async fn sessions_and_consents_of_a_person_are_ended() {
    let test_env = tenants();
    for tenant in [ACME, GLOBEX] {
        let secret = add_web_client(&test_env.app, tenant, |client| client.code_flow.first_party = false);
        let (mut browser, people, _) = administrator(&test_env, tenant).await;
        let account = add_person(&test_env.app, tenant);
        let person = format!("{people}/{}", account.id);
        let mut ada = Browser::new(&test_env.app);
        let page = ada.signed_in(tenant, &[]).await;
        let code = code_in(&ada.decide(tenant, &page, "allow").await);
        redeem(&test_env.app, tenant, &secret, &code).await.assert_status(200);
        let page = browser.get(&person).await;
        // A declared account cannot be edited.
        assert!(!page.body.contains("name=\"tag\""), "{}", page.body);
        let session = hidden(&page, "session");
        let gone = press(&mut browser, &person, &[("step", "end-session"), ("session", &*session)]).await;
        gone.assert_says(200, "Session ended");
        assert!(!ada.is_signed_in(tenant).await);
        press(&mut browser, &person, &[("step", "remove-consent"), ("client", "web")])
            .await
            .assert_says(200, "Access removed.");
        test_env.app.pass(2);
        ada.sign_in_as(tenant, EMAIL).await.assert_status(200);
        press(&mut browser, &person, &[("step", "end-sessions")])
            .await
            .assert_says(200, "All sessions ended");
        assert!(!ada.is_signed_in(tenant).await);
        for nothing in [("end-session", "x"), ("remove-consent", "web"), ("end-session", &*session)] {
            let (step, name) = nothing;
            let fields = [("step", step), ("session", name), ("client", name)];
            assert_eq!(press(&mut browser, &person, &fields).await.status, 404, "{nothing:?}");
        }
    }
}
