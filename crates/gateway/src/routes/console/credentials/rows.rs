//! The rows of secrets and API keys: their facts, and whether a credential can be ended safely.

use administration::documents;
use pages::console::{Entry, HtmlForm};
use pages::{ConsoleTexts, CredentialsTexts, Fact, Value};
use values::Timestamp;

use super::super::created::request_key;
use super::super::form::FormFields;
use super::super::shown::{badge_of, code, codes, fact, managed_by, time, time_or};
use super::{DAY, Forms};

pub(super) struct Rows<'r> {
    pub(super) forms: &'r Forms,
    /// The place of the declared secrets in the configuration files.
    pub(super) declared: Option<&'r Value>,
    pub(super) now: Timestamp,
}

/// What secrets and API keys have in common.
struct Shared<'v> {
    status: &'v str,
    hint: &'v str,
    created_at: documents::Instant,
    ends_at: Option<documents::Instant>,
    last_used_at: Option<documents::Instant>,
    used_from: &'v [documents::UsedFrom],
    presented_after_end_at: Option<documents::Instant>,
}

impl Rows<'_> {
    pub(super) fn secret(&self, view: &documents::SecretView) -> Entry {
        let ConsoleTexts { labels, shared, credentials: of, .. } = self.forms.texts;
        let declared = self.declared.filter(|_| view.managed_by != "api").cloned();
        let managed_by = declared.unwrap_or_else(|| managed_by(shared, &view.managed_by));
        let facts = vec![
            codes(shared, of.fingerprint, view.fingerprint.as_slice()),
            Fact { label: labels.managed_by, value: managed_by },
            fact(of.safe_to_delete, safe_to_delete(of, view)),
        ];
        let label = (of.revoke_secret)(&view.id);
        let of_row = ("secret", &*view.id);
        let revoke = || self.forms.revoke("revoke-secret", of_row, label, safe_to_delete(of, view));
        let forms = if view.managed_by == "api" { vec![revoke()] } else { Vec::new() };
        let title = (of.secret)(&view.id, view.name.as_deref().unwrap_or_default());
        let common = Shared {
            status: &view.status,
            hint: &view.hint,
            created_at: view.created_at,
            ends_at: view.revoked_at.or(view.expires_at),
            last_used_at: view.last_used_at,
            used_from: &view.used_from,
            presented_after_end_at: view.presented_after_end_at,
        };
        self.row(title, &common, facts, forms)
    }

    pub(super) fn key(&self, view: &documents::ApiKeyView) -> Entry {
        let ConsoleTexts { labels, shared, credentials: of, .. } = self.forms.texts;
        let safety = key_is_safe_to_revoke(of, view, self.now);
        let mut facts = vec![
            Fact { label: labels.id, value: Value::Code(view.id.clone()) },
            codes(shared, labels.scopes, view.settings.scopes.as_deref().unwrap_or_default()),
        ];
        facts.extend(view.settings.owner.as_deref().map(|owner| fact(of.owner, owner)));
        facts.extend(
            (!view.settings.labels.is_empty()).then(|| codes(shared, of.labels, &view.settings.labels)),
        );
        facts.push(fact(of.safe_to_revoke, safety));
        let name = view.settings.name.as_deref().unwrap_or(&view.id);
        let replace = self.forms.button("rotate-key", &(of.replace_key)(name)).sending("key", &*view.id);
        let replace = replace.with(vec![self.forms.graces(of.grace, None)]);
        let replace = replace.sending("request", request_key(&FormFields::read(b"")));
        let revoke = self.forms.revoke("revoke-key", ("key", &view.id), (of.revoke_key)(name), safety);
        let common = Shared {
            status: &view.status,
            hint: &view.hint,
            created_at: view.created_at,
            ends_at: view.revoked_at.or(view.settings.expires_at),
            last_used_at: view.last_used_at,
            used_from: &view.used_from,
            presented_after_end_at: view.presented_after_end_at,
        };
        self.row((of.key)(name), &common, facts, vec![replace, revoke])
    }

    fn row(&self, title: String, of: &Shared<'_>, own: Vec<Fact>, forms: Vec<HtmlForm>) -> Entry {
        let ConsoleTexts { labels, shared, credentials: texts, .. } = self.forms.texts;
        let badge = Some(badge_of(shared, of.status));
        let used_from: Vec<_> = of.used_from.iter().map(|used| used.address.clone()).collect();
        let hint = (!of.hint.is_empty()).then(|| code(texts.last_characters, of.hint));
        let line = hint.into_iter().chain([
            Fact { label: labels.last_used, value: time_or(of.last_used_at, shared.unknown) },
            Fact { label: texts.valid_until, value: time_or(of.ends_at, shared.no_expiry) },
        ]);
        let mut facts = vec![
            Fact { label: labels.created, value: time(of.created_at) },
            codes(shared, texts.used_from, &used_from),
        ];
        facts.extend(own);
        let still = of.presented_after_end_at;
        facts.extend(still.map(|at| Fact { label: texts.still_presented, value: time(at) }));
        let forms = if of.status == "live" { forms } else { Vec::new() };
        Entry { title, badge, line: line.collect(), facts, forms }
    }
}

/// Whether the secret can be deleted safely, or why that is not certain.
fn safe_to_delete(texts: &CredentialsTexts, view: &documents::SecretView) -> &'static str {
    match (view.safe_to_delete, &*view.status) {
        (true, "live") => texts.secret_unused,
        (true, _) => texts.ended_secret_unused,
        (false, "live") => texts.secret_used,
        (false, _) => texts.ended_secret_used,
    }
}

/// Whether the API key can be revoked safely. Only its owner uses it, so uses of other keys do not
/// matter.
fn key_is_safe_to_revoke(
    texts: &CredentialsTexts,
    view: &documents::ApiKeyView,
    now: Timestamp,
) -> &'static str {
    let is_since = |at: Option<documents::Instant>| at.is_some_and(|at| now < at.0 + DAY);
    match &*view.status {
        "live" if is_since(view.last_used_at) => texts.key_used,
        "live" if is_since(Some(view.created_at)) => texts.key_new,
        "live" if view.last_used_at.is_none() => texts.key_never_used,
        "live" => texts.key_unused,
        _ if is_since(view.presented_after_end_at) => texts.ended_key_used,
        _ => texts.ended_key,
    }
}
