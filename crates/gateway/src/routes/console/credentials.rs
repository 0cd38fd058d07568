//! The credentials of an application: secrets and API keys, the addresses that use them, and
//! whether a credential can be deleted safely.

use administration::administrator::CredentialsReading;
use administration::documents::ClientView;
use administration::{documents, edit};
use pages::console::{Block, Choice, Entry, Field, HtmlForm, Input};
use pages::{ConsoleTexts, CredentialsTexts, Fact, Meaning, Value};
use registry::{ApiKey, ClientId, SecretId};
use serde_json::json;
use values::{Lifetime, Timestamp};

use super::application::head;
use super::applications::token_endpoint;
use super::created::{idempotent, request_key, snippet_blocks, value_blocks, way_on};
use super::form::FormFields;
use super::shown::{
    code, codes, declared_at, empty, fact, managed_by, outcome, pager, status, success, time, time_or,
    unreadable,
};
use super::visit::{ConsoleVisit, unseen};
use crate::page::PageResult;

/// API keys per page. Each has two forms.
const KEYS: u32 = 10;
/// Without a use for this time, a credential is probably unused.
const QUIET: Lifetime = Lifetime::from_seconds(86_400);

pub(super) async fn page(visit: &ConsoleVisit<'_>) -> PageResult {
    shown(visit, None).await
}

/// Creates, rotates, revokes or deletes a credential.
pub(super) async fn act(visit: &ConsoleVisit<'_>, fields: &FormFields) -> PageResult {
    let (administrator, tenant, client) = (visit.administrator(), visit.tenant(), visit.client()?);
    let name = || fields.given("name").map(str::to_owned);
    let grace = || fields.text("grace").parse().ok().map(Lifetime::from_seconds);
    let key = || Some((client.clone(), fields.text("key").parse().ok()?));
    let document = json!([fields.text("act"), fields.text("key"), fields.text("grace"), fields.text("name")]);
    let caller = idempotent(visit, fields, &document);
    let unknown = || edit::EditError::NotFound("credential");
    let (texts, created) = (visit.texts(), &visit.texts().created);
    let made = match fields.text("act") {
        "create-secret" => {
            let settings =
                documents::NewSecretSettings { name: name(), ..documents::NewSecretSettings::default() };
            let made = administrator.of(&caller, &tenant).create_secret(&client, settings).await;
            made.map(|made| Some((created.client_secret, made.value.client_secret.clone())))
        }
        "rotate-secrets" => {
            let settings = documents::RotateSettings {
                name: name(),
                grace: grace(),
                ..documents::RotateSettings::default()
            };
            let made = administrator.of(&caller, &tenant).rotate_secret(&client, settings).await;
            made.map(|made| made.value.client_secret.clone().map(|secret| (created.client_secret, secret)))
        }
        "revoke-secret" => {
            let secret = SecretId::new(fields.text("secret"));
            let step = edit::secret::Step::Revoke;
            administrator.of(&visit.caller, &tenant).step_secret(&client, &secret, step).await.map(|_| None)
        }
        "create-key" => {
            let settings = documents::ApiKeySettings { name: name(), ..documents::ApiKeySettings::default() };
            let made = administrator.of(&caller, &tenant).create_api_key(&client, settings).await;
            made.map(|made| Some((created.api_key, made.value.api_key.clone())))
        }
        "rotate-key" => match key() {
            Some(key) => {
                let settings = documents::RotateApiKeySettings { grace: grace() };
                let made = administrator.of(&caller, &tenant).rotate_api_key(&key, settings).await;
                made.map(|made| Some((created.api_key, made.value.api_key.clone())))
            }
            None => Err(unknown()),
        },
        "revoke-key" => match key() {
            Some(key) => {
                let stepped = administrator
                    .of(&visit.caller, &tenant)
                    .step::<ApiKey>(&key, edit::api_key::Step::Revoke)
                    .await;
                stepped.map(|_| None)
            }
            None => Err(unknown()),
        },
        _ => return shown(visit, None).await,
    };
    match outcome(made)? {
        Ok(Some((name, secret))) => {
            let mut blocks = value_blocks(created, name, &secret);
            if name == created.client_secret {
                blocks.extend(snippet_blocks(created, &token_endpoint(visit), client.as_str()));
            }
            blocks.push(way_on(created.copied, visit.application(client.as_str(), "/credentials")));
            Ok(visit.show(texts.frame.applications, client.as_str(), blocks))
        }
        Ok(None) => shown(visit, Some(success(texts.credentials.revoked))).await,
        Err(refused) => shown(visit, Some(refused.alert())).await,
    }
}

async fn shown(visit: &ConsoleVisit<'_>, notice: Option<Block>) -> PageResult {
    let (administrator, tenant, client) = (visit.administrator(), visit.tenant(), visit.client()?);
    let cursor = visit.parameter("cursor");
    let read =
        administrator.of(&visit.caller, &tenant).read_credentials(&client, cursor.as_deref(), KEYS).await;
    let CredentialsReading { client: view, secrets, api_keys } = read.map_err(unseen)?;
    let declared = match secrets.iter().find(|secret| secret.managed_by != "api") {
        Some(secret) => Some(declared_at(visit, &secret.managed_by, Some(client.clone())).await),
        None => None,
    };
    let texts = visit.texts();
    let of = &texts.credentials;
    let forms = Forms::new(visit, &client);
    let mut blocks = Vec::from_iter(notice);
    let is_changeable = view.managed_by == "api";
    blocks.push(Block::Heading(of.secrets));
    if secrets.is_empty() {
        blocks.push(empty(of.no_secrets, of.no_secrets_text, None));
    }
    blocks
        .push(Block::Entries(secrets.iter().map(|secret| forms.secret(secret, declared.as_ref())).collect()));
    blocks.extend(schedule(of, &view).into_iter().map(|(meaning, text)| Block::Note(meaning, text)));
    if is_changeable {
        blocks.extend([Block::Form(forms.rotate()), Block::Form(forms.create_secret())]);
    }
    blocks.push(Block::Heading(of.api_keys));
    blocks.push(Block::Entries(api_keys.items.iter().map(|key| forms.key(key, visit.now())).collect()));
    blocks.extend(unreadable(of.unreadable, &api_keys));
    let next = api_keys.next_cursor.as_deref();
    let url = visit.application(client.as_str(), "/credentials");
    blocks.extend(pager(visit, &url, None, next).map(Block::Pager));
    blocks.push(Block::Form(forms.create_key()));
    Ok(visit.show_under(head(visit, &view, texts.frame.credentials), blocks))
}

/// When the secrets rotate automatically, and the last error if that failed.
fn schedule(
    texts: &CredentialsTexts,
    ClientView { settings, rotation, .. }: &ClientView,
) -> Vec<(Meaning, String)> {
    let Some(rotate) = &settings.rotate else { return Vec::new() };
    let text = (texts.schedule)(&rotate.every.to_string(), &rotate.into);
    let failed =
        rotation.as_ref().and_then(|rotation| rotation.failed_at.as_ref().zip(rotation.failure.as_ref()));
    let failed = failed.map(|(at, why)| (Meaning::Danger, (texts.schedule_failed)(&at.0.to_rfc3339(), why)));
    [(Meaning::Info, text)].into_iter().chain(failed).collect()
}

struct Forms {
    texts: &'static ConsoleTexts,
    action: String,
    token: String,
}

impl Forms {
    fn new(visit: &ConsoleVisit<'_>, client: &ClientId) -> Self {
        let action = visit.application(client.as_str(), "/credentials");
        Self { texts: visit.texts(), action, token: visit.form_token() }
    }

    fn button(&self, act: &str, label: &str) -> HtmlForm {
        HtmlForm::button(self.action.clone(), &self.token, label).sending("act", act)
    }

    fn rotate(&self) -> HtmlForm {
        let of = &self.texts.credentials;
        let button = self.button("rotate-secrets", of.replace_secrets).meaning(Meaning::Info);
        button
            .with(vec![self.name(of.secret_name_hint).optional(), self.graces()])
            .sending("request", request_key(&FormFields::read(b"")))
    }

    fn create_secret(&self) -> HtmlForm {
        let of = &self.texts.credentials;
        self.button("create-secret", of.add_secret)
            .with(vec![self.name(of.secret_name_hint).optional()])
            .sending("request", request_key(&FormFields::read(b"")))
    }

    fn create_key(&self) -> HtmlForm {
        let of = &self.texts.credentials;
        let button = self.button("create-key", of.create_key).meaning(Meaning::Info);
        button.with(vec![self.name(of.key_name_hint)]).sending("request", request_key(&FormFields::read(b"")))
    }

    fn name(&self, hint: &str) -> Field {
        Field::text("name", self.texts.labels.name, "").hint(hint)
    }

    /// How long the previous secrets stay valid after a rotation, in seconds.
    fn graces(&self) -> Field {
        let of = &self.texts.credentials;
        let graces = [(0, of.no_grace), (3_600, of.hour), (86_400, of.day), (604_800, of.week)];
        let choices = graces.map(|(seconds, label): (u64, _)| Choice {
            value: seconds.to_string(),
            label: label.to_owned(),
            text: String::new(),
            is_chosen: seconds == 3_600,
        });
        Field::new("grace", of.grace, Input::One(choices.to_vec()))
    }

    /// `declared` is the place in the configuration files.
    fn secret(&self, view: &documents::SecretView, declared: Option<&Value>) -> Entry {
        let ConsoleTexts { labels, shared, credentials: of, .. } = self.texts;
        let declared = declared.filter(|_| view.managed_by != "api").cloned();
        let managed_by = declared.unwrap_or_else(|| managed_by(shared, &view.managed_by));
        let mut facts = vec![
            Fact { label: labels.status, value: status(shared, &view.status) },
            code(of.last_characters, &*view.hint),
            codes(shared, of.fingerprint, view.fingerprint.as_slice()),
            Fact { label: labels.managed_by, value: managed_by },
            Fact { label: labels.created, value: time(view.created_at) },
            Fact {
                label: of.valid_until,
                value: time_or(view.revoked_at.or(view.expires_at), shared.no_expiry),
            },
            Fact { label: labels.last_used, value: time_or(view.last_used_at, shared.unknown) },
            codes(shared, of.used_from, &addresses(&view.used_from)),
            fact(of.safe_to_delete, safe_to_delete(of, view)),
        ];
        facts.extend(still_presented(of, view.presented_after_end_at));
        let label = (of.revoke_secret)(&view.id);
        let revoke =
            self.button("revoke-secret", &label).meaning(Meaning::Danger).sending("secret", &*view.id);
        let forms = if view.status == "live" && view.managed_by == "api" { vec![revoke] } else { Vec::new() };
        let title = (of.secret)(&view.id, view.name.as_deref().unwrap_or_default());
        Entry { title, badge: None, line: Vec::new(), facts, forms }
    }

    fn key(&self, view: &documents::ApiKeyView, now: Timestamp) -> Entry {
        let ConsoleTexts { labels, shared, credentials: of, .. } = self.texts;
        let mut facts = vec![
            Fact { label: labels.status, value: status(shared, &view.status) },
            Fact { label: labels.id, value: Value::Code(view.id.clone()) },
            code(of.last_characters, &*view.hint),
            codes(shared, labels.scopes, view.settings.scopes.as_deref().unwrap_or_default()),
            Fact { label: labels.created, value: time(view.created_at) },
            Fact {
                label: of.valid_until,
                value: time_or(view.revoked_at.or(view.settings.expires_at), shared.no_expiry),
            },
            Fact { label: labels.last_used, value: time_or(view.last_used_at, shared.unknown) },
            codes(shared, of.used_from, &addresses(&view.used_from)),
            fact(of.safe_to_revoke, key_is_safe_to_revoke(of, view, now)),
        ];
        facts.extend(still_presented(of, view.presented_after_end_at));
        let of_key = |form: HtmlForm| form.sending("key", &*view.id);
        let rotate = self.button("rotate-key", of.replace_key).with(vec![self.graces()]);
        let rotate = of_key(rotate).sending("request", request_key(&FormFields::read(b"")));
        let revoke = of_key(self.button("revoke-key", of.revoke_key).meaning(Meaning::Danger));
        let forms = if view.status == "live" { vec![rotate, revoke] } else { Vec::new() };
        let title = view.settings.name.clone().unwrap_or_default();
        Entry { title, badge: None, line: Vec::new(), facts, forms }
    }
}

fn still_presented(texts: &CredentialsTexts, at: Option<documents::Instant>) -> Option<Fact> {
    at.map(|at| Fact { label: texts.still_presented, value: time(at) })
}

fn addresses(uses: &[documents::UsedFrom]) -> Vec<String> {
    uses.iter().map(|used| used.address.clone()).collect()
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
    let is_since = |at: Option<documents::Instant>| at.is_some_and(|at| now < at.0 + QUIET);
    match &*view.status {
        "live" if is_since(view.last_used_at) => texts.key_used,
        "live" if is_since(Some(view.created_at)) => texts.key_new,
        "live" if view.last_used_at.is_none() => texts.key_never_used,
        "live" => texts.key_unused,
        _ if is_since(view.presented_after_end_at) => texts.ended_key_used,
        _ => texts.ended_key,
    }
}

#[cfg(test)]
mod tests {
    use administration::administrator::rotation_progress::RotationProgress;
    use administration::kinds;
    use administration::kinds::state::{ManagedBy, RowLifecycle};
    use registry::{Client, SecretRotation};
    use tenancy::TenantId;
    use values::Timestamp;

    use super::*;

    #[test]
    fn a_schedule_is_shown_with_its_last_failure() {
        let texts = &pages::Language::English.texts().console.credentials;
        let now = Timestamp::from_seconds(0);
        let client = Client::new(TenantId::parse("acme").unwrap(), ClientId::parse("svc").unwrap());
        let mut state =
            kinds::client::State::new(client, RowLifecycle::fresh(ManagedBy::Api, now), Vec::new());
        assert_eq!(schedule(texts, &ClientView::new(&state, now)), []);
        let (every, grace) = (Lifetime::from_seconds(86_400), Lifetime::from_seconds(60));
        state.client.rotation = Some(SecretRotation { every, into: "vault:a#b".to_owned(), grace });
        let shown =
            "Latchkey writes a new secret to vault:a#b every 1d and sets an expiry for the previous secrets.";
        assert_eq!(schedule(texts, &ClientView::new(&state, now)), [(Meaning::Info, shown.to_owned())]);
        let failure = Some("no answer".to_owned());
        state.rotation = RotationProgress { failed_at: Some(now), failure, ..RotationProgress::default() };
        let shown = "The last rotation failed at 1970-01-01T00:00:00Z: no answer";
        assert_eq!(schedule(texts, &ClientView::new(&state, now))[1], (Meaning::Danger, shown.to_owned()));
    }
}
