//! Sign-ins of people in the audit. Each sign-in is a record, but the number of single records in a minute is
//! limited: a further record at the end of the minute counts the other sign-ins. Trying passwords is cheap,
//! and audit records are kept permanently.

use std::collections::BTreeMap;

use serde_json::json;
use tenancy::TenantId;
use values::Timestamp;

use crate::audit::AuditRecord;
use crate::kinds::authority::Actor;

/// The most single records in a minute. With the sum there are at most sixty.
const EACH: u32 = 59;
const SECONDS: u64 = 60;

/// A sign-in that succeeded or failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    pub tenant: TenantId,
    /// The user, if a user with this name is declared. Other text is not stored, because it may be a password
    /// that was typed in the wrong field.
    pub user: Option<String>,
    pub succeeded: bool,
    /// The source address, if it is known.
    pub source: Option<String>,
}

/// The number of sign-ins in the current minute: failed ones and successful ones.
#[derive(Default)]
pub(crate) struct SignInCounts([Minute; 2]);

#[derive(Default)]
struct Minute {
    number: u64,
    recorded: u32,
    beyond: BTreeMap<TenantId, u64>,
}

impl SignInCounts {
    /// Returns the records to write now: this sign-in, unless its minute already has the most records, and
    /// the sums of earlier minutes.
    pub(crate) fn note(&mut self, sign_in: &SignIn, now: Timestamp) -> Vec<AuditRecord> {
        let mut records = self.over(now);
        let minute = &mut self.0[usize::from(sign_in.succeeded)];
        if minute.recorded < EACH {
            minute.recorded += 1;
            records.push(record(sign_in, now));
        } else {
            let beyond = minute.beyond.entry(sign_in.tenant.clone()).or_default();
            *beyond = beyond.saturating_add(1);
        }
        records
    }

    /// The sums for minutes that have ended.
    pub(crate) fn over(&mut self, now: Timestamp) -> Vec<AuditRecord> {
        let minutes = self.0.iter_mut().zip([false, true]);
        minutes.flat_map(|(minute, succeeded)| minute.end(succeeded, now)).collect()
    }
}

impl Minute {
    fn end(&mut self, succeeded: bool, now: Timestamp) -> Vec<AuditRecord> {
        let number = now.seconds() / SECONDS;
        if self.number == number {
            return Vec::new();
        }
        let since = Timestamp::from_seconds(self.number.saturating_mul(SECONDS));
        let ended = std::mem::replace(self, Self { number, ..Self::default() });
        let sum = |(tenant, count)| {
            let what =
                (action(succeeded), "more users".to_owned(), json!({ "count": count, "since": since }));
            AuditRecord::new(Actor::named("latchkey", None), now, tenant, what)
        };
        ended.beyond.into_iter().map(sum).collect()
    }
}

fn action(succeeded: bool) -> &'static str {
    if succeeded { "user.signed_in" } else { "user.sign_in_failed" }
}

fn record(sign_in: &SignIn, now: Timestamp) -> AuditRecord {
    let SignIn { tenant, user, succeeded, source } = sign_in.clone();
    let subject = user.map_or("unknown user".to_owned(), |name| format!("user:{name}"));
    // A failed sign-in proves no identity.
    let actor = if succeeded { subject.clone() } else { "anonymous".to_owned() };
    AuditRecord::new(Actor::named(&actor, source), now, tenant, (action(succeeded), subject, json!({})))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sign_in(tenant: &str, user: Option<&str>, succeeded: bool) -> SignIn {
        SignIn {
            tenant: TenantId::parse(tenant).unwrap(),
            user: user.map(str::to_owned),
            succeeded,
            source: Some("192.0.2.7".to_owned()),
        }
    }

    fn described(records: &[AuditRecord]) -> Vec<String> {
        let line = |AuditRecord { actor, action, tenant, subject, detail, .. }: &AuditRecord| {
            format!("{tenant}: {actor} {action} {subject} {detail}")
        };
        records.iter().map(line).collect()
    }

    // [found 9]
    #[test]
    fn each_sign_in_is_audited_without_unknown_names() {
        let mut counts = SignInCounts::default();
        let now = Timestamp::from_seconds(120);
        for (sign_in, expected) in [
            (sign_in("t", Some("admin"), true), "t: user:admin user.signed_in user:admin {}"),
            (sign_in("t", Some("admin"), false), "t: anonymous user.sign_in_failed user:admin {}"),
            (sign_in("t", None, false), "t: anonymous user.sign_in_failed unknown user {}"),
        ] {
            let records = counts.note(&sign_in, now);
            assert_eq!(described(&records), [expected]);
            assert_eq!((records[0].source.as_deref(), records[0].at.0), (Some("192.0.2.7"), now));
        }
    }

    // [limits #17]: audit records of sign-ins of each kind | 60 a minute and replica | the rest is summed in
    //   one
    // [found 9]
    #[test]
    fn failure_records_are_limited_to_sixty_a_minute() {
        let mut counts = SignInCounts::default();
        let (now, later) = (Timestamp::from_seconds(120), Timestamp::from_seconds(179));
        let mut written = 0;
        for tenant in ["t", "u"] {
            for count in 0..5_000 {
                let now = if count % 2 == 0 { now } else { later };
                written += counts.note(&sign_in(tenant, Some("admin"), false), now).len();
            }
        }
        assert_eq!(written, 59);
        let success = counts.note(&sign_in("t", Some("admin"), true), later);
        assert_eq!(success.len(), 1, "a success is told still");
        assert_eq!(described(&counts.over(later)), [""; 0]);
        let next = Timestamp::from_seconds(180);
        let sums = [
            r#"t: latchkey user.sign_in_failed more users {"count":4941,"since":120}"#,
            r#"u: latchkey user.sign_in_failed more users {"count":5000,"since":120}"#,
        ];
        assert_eq!(described(&counts.over(next)), sums);
        assert_eq!(described(&counts.over(next)), [""; 0], "told once");
        assert_eq!(counts.note(&sign_in("t", None, false), next).len(), 1, "a new minute");
    }
}
