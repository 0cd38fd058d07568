//! The audit: who changed what, and when. A record is written in the transaction of its change. It has the
//! values before and after, and never a secret or a hash.

pub mod audit_stream;
pub mod leaks;
pub mod refusals;
pub mod sign_ins;
pub mod usage;

use std::net::IpAddr;

use accounts::{AccountId, ThrottledNote};
use keys::life_cycle::KeyTimes;
use protocol::RefusalReason;
use registry::ClientId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tenancy::TenantId;
use values::Timestamp;

use crate::documents::Instant;
use crate::documents::schema::JsonSchema;
use crate::kinds::authority::Actor;
use crate::kinds::change::{ChangeKind, KeyChangeKind, PasswordChange, RowChange, SecretChangeKind};
use crate::kinds::fields::ABSENT;
use crate::kinds::fields::FieldChange;
use crate::kinds::match_change;
use crate::kinds::{Change, Kind};
use crate::mail::{MailOutcome, QueuedMail};

/// What a token can be bound to, in the words of the audit.
const SENDER_CONSTRAINTS: [&str; 3] = ["dpop", "certificate", "dpop certificate"];

/// One record of the audit, as the store keeps it and interfaces show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditRecord {
    /// When.
    pub at: Instant,
    /// The actor, such as `client:platform/ops`.
    #[schemars(example = &"client:platform/ops")]
    pub actor: String,
    /// The actor's address, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The credential with which the client got its token, such as `client_secret s1`, `public_key` or
    /// `client_certificate` with its thumbprint, or `trust_rule` with issuer and subject. Absent if the
    /// client no longer has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"client_secret s1")]
    pub credential: Option<String>,
    /// The client's key to which the token was bound: the key of its DPoP proofs, or of its certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = SENDER_CONSTRAINTS))]
    pub sender_constraint: Option<String>,
    /// The action, such as `client.changed`.
    #[schemars(example = &"client.changed")]
    pub action: String,
    /// The tenant of the changed row.
    #[schemars(with = "String")]
    pub tenant: TenantId,
    /// The changed row.
    pub subject: String,
    /// `{"field": {"before": …, "after": …}}`; for an account `{"fields": […]}` without values.
    #[schemars(with = "Map<String, Value>")]
    pub detail: Value,
}

impl AuditRecord {
    /// Records an action of an actor at a tenant: the action, its subject, and the detail.
    pub(crate) fn new(
        actor: Actor,
        at: Timestamp,
        tenant: TenantId,
        (action, subject, detail): (impl Into<String>, String, Value),
    ) -> Self {
        let Actor { name: actor, source, credential, sender_constraint } = actor;
        let (at, action) = (at.into(), action.into());
        Self { at, actor, source, credential, sender_constraint, action, tenant, subject, detail }
    }

    /// Records a step of moving a tenant from or to another installation. `store` is the store of the other
    /// installation.
    #[must_use]
    pub fn of_move(action: &str, tenant: &TenantId, store: &str, actor: &str, at: Timestamp) -> Self {
        let actor = Actor { name: actor.to_owned(), ..Actor::default() };
        Self::new(actor, at, tenant.clone(), (action, tenant.to_string(), json!({ "store": store })))
    }

    /// Records that a person's grant was revoked because a code or refresh token was used twice. The actor is
    /// the client that sent the request.
    #[must_use]
    pub fn of_reused_grant(
        tenant: &TenantId,
        (client, account, grant, reason): (&ClientId, &AccountId, &str, RefusalReason),
        source: Option<IpAddr>,
        at: Timestamp,
    ) -> Self {
        let actor =
            Actor::named(&format!("client:{tenant}/{client}"), source.map(|source| source.to_string()));
        let detail = json!({ "client": client.as_str(), "grant_id": grant, "reason": reason.as_str() });
        Self::new(actor, at, tenant.clone(), ("grant.ended", account.to_string(), detail))
    }

    #[must_use]
    pub fn from_change(change: &Change, actor: &Actor, at: Timestamp) -> Self {
        let of_account =
            |action: &str, account: &AccountId, detail| (action.to_owned(), account.to_string(), detail);
        let what = match_change! { change,
            row => of_row(row),
            Change::AccountPassword(_, account, PasswordChange::Set(form)) => {
                of_account("account.password_set", account, json!({ "form": form.as_str() }))
            }
            Change::AccountPassword(_, account, PasswordChange::Removed) => {
                of_account("account.password_removed", account, json!({}))
            }
            Change::Sessions(_, account, None) => of_account("account.signed_out", account, json!({})),
            Change::Sessions(_, account, Some(session)) => {
                of_account("account.session_ended", account, json!({ "session": session }))
            }
            Change::Consent(_, account, client) => {
                of_account("account.consent_revoked", account, json!({ "client": client.as_str() }))
            }
            Change::PasswordLink(_, account) => {
                of_account("account.password_link_made", account, json!({}))
            }
            Change::Unlock(_, account) => of_account("account.unlocked", account, json!({})),
            Change::Secret(_, client, secret) => {
                let (verb, mut detail) = secret_detail(secret.kind);
                // The subject alone is ambiguous: a client may have the name `svc/s1`.
                detail["client"] = json!(client.as_str());
                if let Some(version) = &secret.in_store {
                    detail["in_store"] = json!(version);
                }
                detail["secret"] = json!(secret.id.as_str());
                (format!("secret.{verb}"), format!("{client}/{}", secret.id), detail)
            }
            Change::Key(_, key) => {
                let (verb, detail) = key_detail(&key.kind);
                (format!("key.{verb}"), key.id.to_string(), detail)
            }
            Change::FirstKey(_, key) => {
                let detail = json!({ "algorithm": key.algorithm.as_str(), "thumbprint": key.thumbprint });
                ("key.imported".to_owned(), key.id.to_string(), detail)
            }
            Change::Tokens(tenant, None) => {
                ("tenant.tokens_revoked".to_owned(), tenant.to_string(), json!({}))
            }
            Change::Tokens(_, Some(client)) => {
                ("client.tokens_revoked".to_owned(), client.to_string(), json!({}))
            }
        };
        Self::new(actor.clone(), at, change.tenant().clone(), what)
    }

    /// Records what became of a message: the mail server's answer and the number of attempts.
    #[must_use]
    pub fn of_mail(
        queued: &QueuedMail,
        outcome: MailOutcome,
        (answer, attempts): (&str, u32),
        now: Timestamp,
    ) -> Self {
        let detail = json!({ "letter": queued.letter.as_str(), "attempts": attempts, "answer": answer });
        let what = (format!("account.mail_{}", outcome.as_str()), queued.account.to_string(), detail);
        Self::new(Actor::named("latchkey", None), now, queued.tenant.clone(), what)
    }

    /// Records that an account refuses unknown browsers after too many wrong passwords.
    pub(crate) fn of_throttled(note: ThrottledNote, now: Timestamp) -> Self {
        let ThrottledNote { tenant, account, since } = note;
        let since = Instant::from(since);
        let (subject, detail) = match account {
            Ok(account) => (account.to_string(), json!({ "since": since })),
            Err(count) => ("more accounts".to_owned(), json!({ "count": count, "since": since })),
        };
        Self::new(Actor::named("latchkey", None), now, tenant, ("account.throttled", subject, detail))
    }
}

/// Action, subject and detail for a changed row that has fields.
fn of_row<T: Kind>(row: &RowChange<T>) -> (String, String, Value) {
    let of = |FieldChange { field, before, after }: FieldChange| {
        let value = match before {
            Some(before) => json!({ "before": before, "after": after }),
            None => json!({ "after": after }),
        };
        (field, value)
    };
    let has_value = |change: &FieldChange| change.before.is_some() || change.after != ABSENT;
    let is_shown = |change: &FieldChange| {
        !T::IS_PERSONAL || (T::AUDITED.contains(&change.field.as_str()) && has_value(change))
    };
    let mut detail: Map<_, _> = row.fields().into_iter().filter(is_shown).map(of).collect();
    if T::IS_PERSONAL && matches!(row.kind, ChangeKind::Changed | ChangeKind::Restored) {
        detail.insert("fields".to_owned(), json!(row.field_names()));
    }
    let detail = Value::Object(detail);
    (format!("{}.{}", T::NOUN.replace(' ', "_"), row.kind.as_str()), row.after.name(), detail)
}

fn key_detail(kind: &KeyChangeKind) -> (&'static str, Value) {
    let times = |times: &KeyTimes| {
        let KeyTimes { active_from, retiring_from, removed_at, .. } = times.as_shown();
        json!({ "active_from": active_from, "retiring_from": retiring_from, "removed_at": removed_at })
    };
    match kind {
        KeyChangeKind::Announced { algorithm, thumbprint, active_from, imported } => {
            let verb = if *imported { "imported" } else { "announced" };
            let detail = json!({ "algorithm": algorithm.as_str(), "thumbprint": thumbprint, "active_from": active_from });
            (verb, detail)
        }
        KeyChangeKind::Rescheduled { before, after } => {
            ("rescheduled", json!({ "before": times(before), "after": times(after) }))
        }
        KeyChangeKind::Revoked { after } => ("revoked", json!({ "after": times(after) })),
        KeyChangeKind::Destroyed => ("destroyed", json!({})),
    }
}

fn secret_detail(kind: SecretChangeKind) -> (&'static str, Value) {
    match kind {
        SecretChangeKind::Added { form, expires_at } => {
            ("added", json!({ "form": form.as_str(), "expires_at": expires_at }))
        }
        SecretChangeKind::Rescheduled { before, after } => {
            ("rescheduled", json!({ "expires_at": { "before": before, "after": after } }))
        }
        SecretChangeKind::Restored { expires_at } => ("restored", json!({ "expires_at": expires_at })),
        SecretChangeKind::Revoked => ("revoked", json!({})),
        SecretChangeKind::Removed => ("removed", json!({})),
    }
}
