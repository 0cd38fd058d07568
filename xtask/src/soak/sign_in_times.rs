//! Checks that the time of a refused sign-in does not reveal which accounts exist: unknown accounts, wrong
//! passwords and suspended accounts in mixed order, at a program on this machine.

use std::fmt::Write as _;
use std::time::Duration;

use super::administrator::parse;
use super::calls::{Caller, percentile};
use super::order::mixed;
use super::program::{HOST, Program};
use super::tenants::Client;
use super::test_env::TestEnv;
use super::welch;
use crate::workspace::{Failure, read_text};

const TENANT: &str = "timed";
/// A limit of 10 attempts in 15 minutes refuses an account before its hash.
pub(super) const TRIES_OF_ACCOUNT: usize = 5;
/// A source may fail at 100 accounts. The header of the trusted proxy names the source.
const TRIES_OF_SOURCE: usize = 50;
/// With a greater value the times reveal accounts.
const MOST: f64 = 4.5;
/// The percentage of answers in a second comparison: a few late ones could hide a small difference of all
/// others.
const FASTEST: usize = 95;
/// The hash of a password that no sign-in tries.
pub(super) const HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ";

/// The kinds of refusals. The number of a try decides which it is.
const KINDS: [&str; 3] = ["unknown account", "wrong password", "suspended account"];
const UNKNOWN: usize = 0;
pub(super) const KNOWN: usize = 1;
pub(super) const SUSPENDED: usize = 2;

/// Compares the times of so many sign-ins.
pub(super) fn measure(test_env: &TestEnv<'_>, tries: usize) -> Result<(), Failure> {
    let stores = format!("storage: {{ url: 'sqlite://{}' }}\n", test_env.file("sign-in-times.db").display());
    let accounts = tries.div_ceil(KINDS.len() * TRIES_OF_ACCOUNT);
    let mut program = Program::start(test_env, &stores, &declared(accounts))?;
    program.await_token(&Client { tenant: TENANT.to_owned(), id: "service".to_owned() })?;
    for account in 0..accounts {
        suspend(test_env, TENANT, &name(account * KINDS.len() * TRIES_OF_ACCOUNT + SUSPENDED))?;
    }
    let mut caller = Caller::new(program.address);
    let form = Form::of_page(&mut caller, TENANT)?;
    let mut samples = Vec::with_capacity(tries);
    for number in mixed(tries) {
        samples.push((number % KINDS.len(), form.refused(&mut caller, number)?));
    }
    judge("refused sign-ins", KINDS, &samples)
}

/// The name for a number and its kind. All names have the same length.
pub(super) fn name(number: usize) -> String {
    let account = number / KINDS.len() / TRIES_OF_ACCOUNT;
    format!("person-{:05}", account * KINDS.len() + number % KINDS.len())
}

/// The settings with the accounts of all kinds that have one.
fn declared(accounts: usize) -> String {
    let mut text = format!(
        "tenants:\n  {TENANT}:\n    strategies: {{ oauth2: {{ enabled: true }}, oidc: {{ enabled: true }} }}\n    clients:\n      \
         service: {{ client_secret: {{ value: {} }} }}\n      \
         web: {{ client_secret: {{ value: {0} }}, grant_types: [authorization_code], first_party: true, require_pkce: false, \
         redirect_uris: ['http://127.0.0.1:3001/callback'], scopes: [openid] }}\n    accounts:\n",
        super::tenants::SECRET
    );
    for account in 0..accounts {
        for kind in [KNOWN, SUSPENDED] {
            let name = name(account * KINDS.len() * TRIES_OF_ACCOUNT + kind);
            let written = writeln!(
                text,
                "      {name}: {{ email: {name}@example.com, password: {{ hash: '{HASH}' }} }}"
            );
            written.expect("a text takes any length");
        }
    }
    text
}

/// Suspends the account with the command line on the store, beside the program.
pub(super) fn suspend(test_env: &TestEnv<'_>, tenant: &str, name: &str) -> Result<(), Failure> {
    let config = test_env.file("config.yaml");
    let run = |arguments: &[&str]| {
        let arguments = [&["account"], arguments, &["--json"]].concat();
        let mut command = test_env.workspace.program(&test_env.program, &arguments);
        parse(&read_text(command.arg("--config").arg(&config))?)
    };
    let listed = run(&["list", tenant, "--identifier", &format!("{name}@example.com")])?;
    let id = listed["items"][0]["account_id"].as_str();
    let id = id.ok_or_else(|| Failure::new(format!("no account {name}: {listed}")))?;
    let suspended = run(&["suspend", tenant, id])?;
    let is_suspended = suspended["status"] == "suspended";
    is_suspended.then_some(()).ok_or_else(|| Failure::new(format!("{name} is not suspended: {suspended}")))
}

/// The form of a sign-in page without the person: each form of the page is a separate attempt.
pub(super) struct Form {
    pub(super) flow: String,
    pub(super) cookies: String,
}

impl Form {
    /// For the client `web` of a tenant.
    pub(super) fn of_page(caller: &mut Caller, tenant: &str) -> Result<Self, Failure> {
        let path = format!(
            "/api/v1/tenant/{tenant}/oauth/authorize?response_type=code&client_id=web&scope=openid\
             &redirect_uri=http://127.0.0.1:3001/callback"
        );
        Self::read(caller, &path)
    }

    pub(super) fn read(caller: &mut Caller, path: &str) -> Result<Self, Failure> {
        let (page, cookies) = caller.page(path);
        let flow = page.split_once("name=\"flow\" value=\"").and_then(|(_, rest)| rest.split_once('"'));
        let (flow, _) = flow.ok_or_else(|| Failure::new(format!("no form at {path}: {page}")))?;
        Ok(Self { flow: flow.to_owned(), cookies })
    }

    /// The time of the answer to this try.
    fn refused(&self, caller: &mut Caller, number: usize) -> Result<Duration, Failure> {
        let path = format!("/api/v1/tenant/{TENANT}/oauth/sign-in");
        self.send(caller, [&path, "&password=a+guess+of+a+stranger"], number)
    }

    /// Sends the form to a path, with the address and the source of this try and with more fields. Returns
    /// the time of the answer, which has a form, too.
    pub(super) fn send(
        &self,
        caller: &mut Caller,
        to: [&str; 2],
        number: usize,
    ) -> Result<Duration, Failure> {
        let (Self { flow, cookies }, [path, more]) = (self, to);
        let form = format!("flow={flow}&identifier={}%40example.com{more}", name(number));
        let source = number / TRIES_OF_SOURCE;
        let headers = format!(
            "Origin: http://{HOST}\r\nCookie: {cookies}\r\nX-Forwarded-For: 10.0.{}.{}\r\n",
            source / 256,
            source % 256
        );
        let (answer, said) = caller.send_form(path, &headers, &form);
        if matches!(answer.status, 200 | 403) && said.contains("name=\"flow\"") {
            return Ok(answer.took);
        }
        Err(Failure::new(format!("{}: {} {said}", name(number), answer.status)))
    }
}

/// Prints the measurements, and compares each kind with each other one.
pub(super) fn judge(what: &str, kinds: [&str; 3], samples: &[(usize, Duration)]) -> Result<(), Failure> {
    println!("\n{what}: {} in mixed order, ms", samples.len());
    for (kind, name) in kinds.iter().enumerate() {
        let times = || samples.iter().filter(|(of, _)| *of == kind).map(|(_, took)| *took);
        println!(
            "{name:<18} {:>5}  p1 {:>8.3}  p50 {:>8.3}  p99 {:>8.3}",
            times().count(),
            percentile(times(), 1),
            percentile(times(), 50),
            percentile(times(), 99)
        );
    }
    let latest = percentile(samples.iter().map(|(_, took)| *took), FASTEST);
    let mut greatest: f64 = 0.0;
    for (which, latest) in
        [("all answers".to_owned(), f64::INFINITY), (format!("the fastest {FASTEST} %"), latest)]
    {
        let of = |kind: usize| -> Vec<f64> {
            let times =
                samples.iter().filter(|(of, _)| *of == kind).map(|(_, took)| took.as_secs_f64() * 1e3);
            times.filter(|took| *took <= latest).collect()
        };
        print!("Welch's t, {which}:");
        for (left, right) in [(UNKNOWN, KNOWN), (UNKNOWN, SUSPENDED), (KNOWN, SUSPENDED)] {
            let t = welch::t(&of(left), &of(right));
            print!("  {} and {} {t:.2}", kinds[left], kinds[right]);
            greatest = greatest.max(t.abs());
            if t.is_nan() {
                return Err(Failure::new(format!("too few {what} to compare")));
            }
        }
        println!();
    }
    println!("the greatest is {greatest:.2} (at most {MOST})");
    if greatest > MOST {
        Err(Failure::new(format!("the times of {what} tell which accounts exist")))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_equally_long_and_below_try_limits() {
        let mut names: Vec<_> = (0..2_000).map(name).collect();
        assert!(names.iter().all(|name| name.len() == 12));
        names.sort();
        assert!(names.chunk_by(|left, right| left == right).all(|tries| tries.len() <= TRIES_OF_ACCOUNT));
        let declared = declared(2_000_usize.div_ceil(15));
        for number in 0..2_000 {
            assert_eq!(declared.contains(&name(number)), number % 3 != UNKNOWN, "{number}");
        }
    }

    #[test]
    fn slower_kind_fails_the_comparison() {
        let samples = |later: u64| -> Vec<(usize, Duration)> {
            let took = |number: usize| {
                let more = if number % 3 == SUSPENDED { later } else { 0 };
                Duration::from_micros(100_000 + (number / 3 % 50) as u64 + more)
            };
            (0..600).map(|number| (number % 3, took(number))).collect()
        };
        let judge = |samples: &[_]| judge("sign-ins", KINDS, samples);
        assert!(judge(&samples(0)).is_ok());
        assert!(judge(&samples(20)).is_err());
        assert!(judge(&samples(0)[..2]).is_err(), "nothing was compared");
    }
}
