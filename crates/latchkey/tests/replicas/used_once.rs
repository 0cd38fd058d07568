//! Tests that codes, device codes and request URIs can be used once at all replicas. Each is used at two
//! replicas at the same time, repeatedly, while Redis answers, is stopped and is flushed. The store contract
//! tests many more concurrent uses.

use std::time::Duration;

use tokio::time::sleep;

use crate::answer::Answer;
use crate::person::{
    AUTHORIZATION_REQUEST, Browser, DEVICE_GRANT, code_of, redeem, request, settings_with_people,
};
use crate::redis_server::Inspected;
use crate::test_env::{Replica, TENANTS, TestEnv};

/// Pairs of uses: twice for each tenant in each state of Redis.
const PAIRS: usize = 16;
/// The least number of the 192 pairs with one success and one refusal.
const LEAST: usize = 180;
/// Pairs for one session, which may issue 20 codes for a client in a minute.
const OF_A_SESSION: usize = 8;

/// A browser at a tenant, and the replicas of a test.
struct Place<'p> {
    test_env: &'p TestEnv,
    browser: &'p Browser,
    tenant: &'static str,
    replicas: &'p [Replica; 2],
}

impl Place<'_> {
    async fn request(&self, replica: usize, path: &str, form: &[(&str, &str)]) -> Answer {
        request((self.test_env, self.tenant), &self.replicas[replica], path, form).await
    }
}

/// Repeats a request until the replica is not too busy to answer it.
async fn until_not_busy<F: Future<Output = Answer>>(send: impl Fn() -> F) -> Answer {
    for _ in 0..30 {
        let answer = send().await;
        if answer.status != 503 {
            return answer;
        }
        sleep(Duration::from_secs(1)).await;
    }
    panic!("the replica is busy for more than 30 s");
}

/// The effect of a second use, in addition to its refusal.
#[derive(Clone, Copy, PartialEq)]
enum SecondUse {
    Nothing,
    /// The second use revokes the tokens of the first one (RFC 6749 §4.1.2), so the first one may also be
    /// refused.
    EndsTheFirst,
}

/// Makes all pairs of uses.
async fn race(
    pair: impl AsyncFn(&Place<'_>) -> [Answer; 2],
    is_first: impl Fn(&Answer) -> bool,
    second: SecondUse,
) {
    let (mut redis, test_env) = TestEnv::with_redis();
    let replicas = test_env.start_two(&settings_with_people()).await;
    let mut conclusive = 0;
    for state in ["answers", "gone", "flushed"] {
        match state {
            "gone" => redis.kill(),
            "flushed" => redis.start(),
            _ => {}
        }
        let mut browsers = None;
        for number in 0..PAIRS {
            if state == "flushed" && number % 4 == 0 {
                redis.command(&[b"FLUSHALL"]);
            }
            if number % OF_A_SESSION == 0 {
                let [acme, globex] =
                    [0, 1].map(|at| Browser::signed_in(&test_env, TENANTS[at], &replicas[at]));
                browsers = Some([acme.await, globex.await]);
            }
            let Some(browsers) = &browsers else { unreachable!("the first round signs in") };
            let places = [0, 1].map(|at| Place {
                test_env: &test_env,
                browser: &browsers[at],
                tenant: TENANTS[at],
                replicas: &replicas,
            });
            let [acme, globex] = &places;
            let at_once = tokio::join!(pair(acme), pair(globex), pair(acme), pair(globex));
            for answers in <[_; 4]>::from(at_once) {
                let firsts = answers.iter().filter(|answer| is_first(answer)).count();
                let count = |status| answers.iter().filter(|answer| answer.status == status).count();
                let (refusals, busy) = (count(400), count(503));
                assert!(firsts <= 1 && firsts + refusals + busy == 2, "Redis {state}: {answers:?}");
                let may_be_none = busy > 0 || second == SecondUse::EndsTheFirst;
                assert!(firsts == 1 || may_be_none, "Redis {state}: {answers:?}");
                conclusive += usize::from(firsts == 1 && refusals == 1);
            }
        }
    }
    assert!(conclusive >= LEAST, "{conclusive}");
}

// [attacks #7]: A code, a device code or a request URI that is used twice, also at two programs at once | One
//   statement uses it up. The second use of a code ends what the first one gave
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn racing_uses_of_a_code_have_one_winner() {
    let pair = async |place: &Place<'_>| {
        let authorize = || place.browser.authorize(&place.replicas[0], &AUTHORIZATION_REQUEST);
        let page = until_not_busy(authorize).await;
        let code = code_of(&page).unwrap_or_else(|| panic!("{page:?}"));
        let of = (place.test_env, place.tenant);
        let [one, other] = place.replicas.each_ref().map(|replica| redeem(of, replica, &code));
        <[_; 2]>::from(tokio::join!(one, other))
    };
    race(pair, |answer| answer.status == 200, SecondUse::EndsTheFirst).await;
}

// [attacks #7]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn racing_uses_of_a_device_code_have_one_winner() {
    let pair = async |place: &Place<'_>| {
        let form = [("scope", "openid")];
        let begun = until_not_busy(|| place.request(0, "/oauth/device_authorization", &form)).await.json();
        let [device_code, user_code] = ["device_code", "user_code"].map(|name| begun[name].as_str().unwrap());
        let (browser, replica) = (place.browser, &place.replicas[1]);
        let page = until_not_busy(|| browser.get(replica, "/device")).await;
        let fields = [("user_code", user_code)];
        let page = until_not_busy(|| browser.submit(replica, "/device", &page, &fields)).await;
        let page =
            until_not_busy(|| browser.submit(replica, "/device", &page, &[("decision", "allow")])).await;
        assert_eq!(page.status, 200, "{page:?}");
        let form = [("grant_type", DEVICE_GRANT), ("device_code", device_code)];
        let [one, other] = [0, 1].map(|replica| place.request(replica, "/oauth/token", &form));
        <[_; 2]>::from(tokio::join!(one, other))
    };
    race(pair, |answer| answer.status == 200, SecondUse::Nothing).await;
}

// [attacks #7]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn racing_uses_of_a_request_uri_have_one_winner() {
    let pair = async |place: &Place<'_>| {
        let pushed = until_not_busy(|| place.request(0, "/oauth/par", &AUTHORIZATION_REQUEST)).await.json();
        let parameters = [("client_id", "web"), ("request_uri", pushed["request_uri"].as_str().unwrap())];
        let [one, other] =
            place.replicas.each_ref().map(|replica| place.browser.authorize(replica, &parameters));
        <[_; 2]>::from(tokio::join!(one, other))
    };
    race(pair, |answer| code_of(answer).is_some(), SecondUse::Nothing).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invalid_redirect_uri_does_not_use_the_code() {
    let test_env = TestEnv::new(None);
    let [replica, _other] = test_env.start_two(&settings_with_people()).await;
    for tenant in TENANTS {
        let browser = Browser::signed_in(&test_env, tenant, &replica).await;
        let page = browser.authorize(&replica, &AUTHORIZATION_REQUEST).await;
        let code = code_of(&page).unwrap_or_else(|| panic!("{page:?}"));
        let of = (&test_env, tenant);
        for redirect_uri in ["\0", "https://app.example.com/\0", "\u{ffff}", ""] {
            let form =
                [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", redirect_uri)];
            let refused = request(of, &replica, "/oauth/token", &form).await;
            assert_eq!(refused.status, 400, "{redirect_uri:?} {refused:?}");
        }
        assert_eq!(redeem(of, &replica, &code).await.status, 200);
    }
}
