//! Forms that no page of the browser contains, at each path that accepts forms of pages: forged,
//! truncated, expired, of another browser, tenant, step or origin. Runs at two tenants, in a
//! browser that is signed in at both.

use crate::prelude::*;

/// A path, the person's answers to its page, and the text of the next page.
struct Form {
    path: &'static str,
    answers: &'static [(&'static str, &'static str)],
    done: &'static str,
}

const FORMS: [Form; 4] = [
    Form {
        path: "/oauth/sign-in",
        answers: &[("identifier", EMAIL), ("password", PASSWORD)],
        done: "content=\"0;url=",
    },
    Form { path: "/device", answers: &[("decision", "allow")], done: "connected" },
    Form { path: "/account", answers: &[("decision", "sign_out_everywhere")], done: "You are signed out" },
    Form { path: "/oauth/logout", answers: &[("decision", "sign_out")], done: "You are signed out" },
];

impl Form {
    /// Without the cookie to which it is bound, a form has no effect. A sign-in starts again with a
    /// page for this browser.
    #[track_caller]
    fn assert_unbound(&self, answer: &Answer) {
        if ["/oauth/sign-in", "/account"].contains(&self.path) {
            let asks = answer.status == 403 && answer.body.contains("blocks cookies");
            assert!(asks && answer.header("location").is_empty(), "{}", answer.body);
        } else {
            assert_refused(answer, &[403], self.path);
        }
    }

    /// The sealed value in a page of this browser.
    async fn sealed(&self, app: &TestApp, browser: &mut Browser<'_>, tenant: &str) -> String {
        let page = match self.path {
            "/oauth/sign-in" => browser.authorize(tenant, &[("prompt", "login")]).await,
            "/device" => to_the_question(browser, tenant, text(&begin(app, tenant).await, "user_code")).await,
            path => browser.get(&tenant_path(tenant, path)).await,
        };
        assert_eq!(page.status, 200, "{}: {}", self.path, page.body);
        flow(&page)
    }

    fn with<'a>(&self, sealed: &'a str) -> Vec<(&'a str, &'a str)> {
        [&[("flow", sealed)], self.answers].concat()
    }
}

/// Two tenants with Ada and a client.
fn start() -> TestApp {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        furnish(&app, tenant, |client| {
            client.grant_types.push(GrantType::DeviceCode);
            public(client);
        });
    }
    app
}

/// Ada is signed in at both tenants.
async fn signed_in(app: &TestApp) -> Browser<'_> {
    let mut browser = Browser::new(app);
    for tenant in [ACME, GLOBEX] {
        browser.code(tenant, &[]).await;
    }
    browser
}

/// Store calls, without the lookups of tenant and client.
fn calls(app: &TestApp) -> Calls {
    Calls { find_tenant: 0, find_client: 0, ..app.store.calls() }
}

/// Asserts that the response is a page without cookies.
#[track_caller]
fn assert_refused(answer: &Answer, statuses: &[u16], what: &str) {
    assert!(statuses.contains(&answer.status), "{what}: {} {}", answer.status, answer.body);
    assert_eq!((answer.header("set-cookie"), answer.header("location")), ("", ""), "{what}");
    assert!(answer.header("content-type").starts_with("text/html"), "{what}");
    answer.assert_not_stored();
}

/// The text without its first or last characters, with a changed one, and with additional ones.
fn altered(sealed: &str) -> Vec<String> {
    let changed = |at: usize| {
        let other = if sealed[at..].starts_with('A') { "B" } else { "A" };
        format!("{}{other}{}", &sealed[..at], &sealed[at + 1..])
    };
    let mut all: Vec<_> = (0..sealed.len()).step_by(11).chain([sealed.len() - 1]).map(changed).collect();
    all.extend((1..sealed.len()).step_by(37).map(|at| sealed[..at].to_owned()));
    all.extend([&sealed[1..], &sealed[..sealed.len() - 1]].map(str::to_owned));
    all.extend(["A", "=", ".", " "].map(|more| format!("{sealed}{more}")));
    all.extend([format!("{sealed}{sealed}"), "x".to_owned(), "A".repeat(20_000), sealed.to_lowercase()]);
    all
}

// [core Core §3.1.2.3 b]: Forgery of requests and clickjacking are prevented
// [attacks #9]: A form that no page of this browser and tenant leads to | What a page sealed is bound to the
//   browser, the tenant, the step and a day. At each of the four paths with forms: altered in over a hundred
//   ways, missing, twice, of another browser, of another tenant, of another step, of yesterday; and from 26
//   origins and kinds of windows that are not ours. Nothing is looked up or written for any of them
// [attacks #10]: A person who is made to sign in as another | As above: the attacker's page is sealed for the
//   attacker's browser, and no site can set the cookie that tells browsers apart
// [rfc9700 §4.7]: Cross-site request forgery | A form is sealed for its browser and tenant, and comes from
//   this origin. Administration has no cookie
// [V7 7.6.2]: 2 | A session begins with the user's consent or action, never by itself | not met | Ours begins
//   with the form of this browser. A client that was allowed before, or that its operator has declared
//   `first_party`, gets a code without a question while ours lasts
// [attacks #12], [rfc9700 §2.1]
#[tokio::test]
async fn forged_and_foreign_forms_are_refused() {
    let app = start();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        for form in &FORMS {
            let mut browser = signed_in(&app).await;
            let sealed = form.sealed(&app, &mut browser, tenant).await;
            let mut thief = signed_in(&app).await;
            let foreign = [
                ("another browser", form.sealed(&app, &mut thief, tenant).await),
                ("another tenant", form.sealed(&app, &mut browser, other).await),
            ];
            let mut of_other_steps = Vec::new();
            for step in FORMS.iter().filter(|step| step.path != form.path) {
                of_other_steps.push(step.sealed(&app, &mut browser, tenant).await);
            }
            let path = tenant_path(tenant, form.path);
            let before = calls(&app);
            for bad in altered(&sealed) {
                assert_refused(&browser.post(&path, &form.with(&bad)).await, &[403], &bad);
            }
            for (whose, sealed) in &foreign {
                let refused = browser.post(&path, &form.with(sealed)).await;
                assert_refused(&refused, &[403], &format!("{path}: {whose}"));
            }
            for sealed in &of_other_steps {
                // The sign-in page may answer 400, because these values are not an authorization
                // request.
                assert_refused(&browser.post(&path, &form.with(sealed)).await, &[400, 403], &path);
            }
            let twice = [form.with(&sealed), form.with(&sealed)].concat();
            assert_refused(&browser.post(&path, &twice).await, &[403], "twice");
            // The attacker's browser has all other cookies of Ada's browser.
            for own in [None, Some("AAAAAAAAAAAAAAAAAAAAAA".to_owned()), thief.cookies.get("lk-b").cloned()] {
                let mut like = Browser::new(&app);
                like.cookies = browser.cookies.clone();
                like.cookies.remove("lk-b");
                let has_none = own.is_none();
                like.cookies.extend(own.map(|own| ("lk-b".to_owned(), own)));
                let answer = like.post(&path, &form.with(&sealed)).await;
                if has_none {
                    form.assert_unbound(&answer);
                } else {
                    assert_refused(&answer, &[403], "another browser");
                }
            }
            let tossed = browser.request(Method::POST, &path).header("origin", PUBLIC_URL);
            let tossed = tossed.header("cookie", format!("lk-b={}", browser.cookies["lk-b"]));
            // A request with two cookies of the same name is treated like a request without the
            // cookie.
            form.assert_unbound(&Answer::to(tossed.form(&form.with(&sealed))).await);
            // A sign-out without a sealed form is treated as the request of a client, so the server
            // asks the person.
            for missing in [form.answers.to_vec(), form.with("")] {
                let answer = browser.post(&path, &missing).await;
                if form.path == "/oauth/logout" {
                    assert_eq!(answer.status, 303);
                    assert!(answer.header("location").starts_with(&format!("{path}?")));
                } else {
                    assert_refused(&answer, &[403], "nothing sealed");
                }
            }
            assert_eq!(calls(&app), before, "{path}: nothing is looked up or written");

            let done = browser.post(&path, &form.with(&sealed)).await;
            assert!(done.status == 200 && done.body.contains(form.done), "{path}: {}", done.body);
            assert!(calls(&app).sign_ins > before.sign_ins, "{path}: it is written");
            app.pass(86_400);
            assert_refused(&browser.post(&path, &form.with(&sealed)).await, &[403], "a page of yesterday");
        }
    }
}

// [attacks #30]: Pages that a cache or the history keeps | `no-store` on every page
// [core Core §3.1.2.3 b], [attacks #9], [rfc9700 §2.1], [rfc9700 §4.7]
#[tokio::test]
async fn forms_from_other_origins_are_refused() {
    let app = start();
    let own = ("origin", PUBLIC_URL);
    for tenant in [ACME, GLOBEX] {
        for form in &FORMS {
            let mut browser = signed_in(&app).await;
            let sealed = form.sealed(&app, &mut browser, tenant).await;
            let path = tenant_path(tenant, form.path);
            let before = calls(&app);
            let attempts: [&[(&str, &str)]; 26] = [
                &[],
                &[("sec-fetch-site", "same-origin")],
                &[("origin", "")],
                &[("origin", "null")],
                &[("origin", "null"), ("sec-fetch-site", "cross-site")],
                &[("origin", "null"), ("sec-fetch-site", "same-site")],
                &[("origin", "https://evil.example")],
                &[("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")],
                &[("origin", "https://app.example.com")],
                &[("origin", "https://localhost:3000")],
                &[("origin", "http://localhost")],
                &[("origin", "http://localhost:3001")],
                &[("origin", "http://localhost:3000/")],
                &[("origin", "http://LOCALHOST:3000")],
                &[("origin", "http://localhost:3000.evil.example")],
                &[("origin", "http://127.0.0.1:3000")],
                &[own, own],
                &[own, ("origin", "https://evil.example")],
                &[own, ("sec-fetch-site", "cross-site")],
                &[own, ("sec-fetch-site", "same-site")],
                &[own, ("sec-fetch-site", "none")],
                &[own, ("sec-fetch-dest", "empty")],
                &[own, ("sec-fetch-dest", "iframe")],
                &[own, ("sec-fetch-dest", "object")],
                &[own, ("sec-purpose", "prefetch;prerender")],
                &[own, ("service-worker", "script")],
            ];
            for headers in attempts {
                let request = browser.request(Method::POST, &path).form(&form.with(&sealed));
                let request =
                    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
                assert_refused(&Answer::to(request).await, &[400, 403], &format!("{path}: {headers:?}"));
            }
            // Another site can send these media types without a preflight.
            for media_type in ["text/plain", "multipart/form-data; boundary=x"] {
                let request = browser.request(Method::POST, &path).header("origin", PUBLIC_URL);
                let body = format!("flow={sealed}&decision=sign_out");
                let answer = Answer::to(request.header("content-type", media_type).body(body)).await;
                assert_refused(&answer, &[415], media_type);
            }
            assert_eq!(calls(&app), before, "{path}: nothing is looked up or written");

            let own = browser.request(Method::POST, &path).form(&form.with(&sealed));
            let own = own.header("origin", "null").header("sec-fetch-site", "same-origin");
            let done = Answer::to(own.header("sec-fetch-dest", "document")).await;
            assert!(done.status == 200 && done.body.contains(form.done), "{path}: {}", done.body);
            // Ending all sessions also ends those of the current second.
            app.pass(2);
        }
    }
}
