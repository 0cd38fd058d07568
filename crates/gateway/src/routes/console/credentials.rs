//! The credentials of an application: its secrets and its API keys, the addresses that use them, and whether
//! one can be deleted.

use administration::{
    ApiKeySettings, ApiKeyStep, ApiKeyView, ClientView, CredentialsReading, EditError, Instant,
    NewSecretSettings, RotateApiKeySettings, RotateSettings, SecretStep, SecretView, UsedFrom,
};
use pages::console::{Block, Choice, Entry, Field, HtmlForm, Input};
use pages::{Fact, Meaning, Value};
use registry::{ApiKey, ClientId, SecretId};
use serde_json::json;
use values::{Lifetime, Timestamp};

use super::application::tabs;
use super::applications::token_endpoint;
use super::created::{idempotent, request_key, secret_blocks, way_on};
use super::form::FormFields;
use super::shown::{
    codes, declared_at, empty, fact, managed_by, outcome, pager, status, success, time, time_or, unreadable,
};
use super::visit::{ConsoleVisit, unseen};
use crate::page::PageResult;

/// How long the secrets before stay valid after a rotation.
const GRACES: [(u64, &str); 4] =
    [(0, "not at all"), (3_600, "1 hour"), (86_400, "24 hours"), (604_800, "7 days")];
/// API keys of a page. Each has two forms.
const KEYS: u32 = 10;
/// A use before this time says little.
const QUIET: Lifetime = Lifetime::from_seconds(86_400);

pub(super) async fn page(visit: &ConsoleVisit<'_>) -> PageResult {
    shown(visit, None).await
}

/// Creates, replaces or ends a credential.
pub(super) async fn act(visit: &ConsoleVisit<'_>, fields: &FormFields) -> PageResult {
    let (administrator, tenant, client) = (visit.administrator(), visit.tenant(), visit.client()?);
    let name = || fields.given("name").map(str::to_owned);
    let grace = || fields.text("grace").parse().ok().map(Lifetime::from_seconds);
    let key = || Some((client.clone(), fields.text("key").parse().ok()?));
    let document = json!([fields.text("act"), fields.text("key"), fields.text("grace"), fields.text("name")]);
    let caller = idempotent(visit, fields, &document);
    let unknown = || EditError::NotFound("credential");
    let made = match fields.text("act") {
        "create-secret" => {
            let settings = NewSecretSettings { name: name(), ..NewSecretSettings::default() };
            let made = administrator.of(&caller, &tenant).create_secret(&client, settings).await;
            made.map(|made| Some(("Client secret", made.value.client_secret.clone())))
        }
        "rotate-secrets" => {
            let settings = RotateSettings { name: name(), grace: grace(), ..RotateSettings::default() };
            let made = administrator.of(&caller, &tenant).rotate_secret(&client, settings).await;
            made.map(|made| made.value.client_secret.clone().map(|secret| ("Client secret", secret)))
        }
        "revoke-secret" => {
            let secret = SecretId::new(fields.text("secret"));
            let step = SecretStep::Revoke;
            administrator.of(&visit.caller, &tenant).step_secret(&client, &secret, step).await.map(|_| None)
        }
        "create-key" => {
            let settings = ApiKeySettings { name: name(), ..ApiKeySettings::default() };
            let made = administrator.of(&caller, &tenant).create_api_key(&client, settings).await;
            made.map(|made| Some(("API key", made.value.api_key.clone())))
        }
        "rotate-key" => match key() {
            Some(key) => {
                let settings = RotateApiKeySettings { grace: grace() };
                let made = administrator.of(&caller, &tenant).rotate_api_key(&key, settings).await;
                made.map(|made| Some(("API key", made.value.api_key.clone())))
            }
            None => Err(unknown()),
        },
        "revoke-key" => match key() {
            Some(key) => {
                let stepped =
                    administrator.of(&visit.caller, &tenant).step::<ApiKey>(&key, ApiKeyStep::Revoke).await;
                stepped.map(|_| None)
            }
            None => Err(unknown()),
        },
        _ => return shown(visit, None).await,
    };
    match outcome(made)? {
        Ok(Some((name, secret))) => {
            let mut blocks = secret_blocks(name, &secret, &token_endpoint(visit), client.as_str());
            if name == "API key" {
                blocks.truncate(2);
            }
            blocks.push(way_on(visit.application(client.as_str(), "/credentials")));
            let tabs = tabs(visit, &client, "Credentials");
            Ok(visit.show_part("Applications", client.to_string(), tabs, blocks))
        }
        Ok(None) => shown(visit, Some(success("It has ended, and its tokens with it."))).await,
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
    let forms = Forms::new(visit, &client);
    let mut blocks = Vec::from_iter(notice);
    let is_changeable = view.managed_by == "api";
    blocks.push(Block::Heading("Secrets"));
    if secrets.is_empty() {
        blocks.push(empty("No secrets", "It authenticates by keys or certificates.", None));
    }
    blocks.extend(secrets.iter().map(|secret| Block::Entry(forms.secret(secret, declared.as_ref()))));
    blocks.extend(schedule(&view).into_iter().map(|(meaning, text)| Block::Note(meaning, text)));
    if is_changeable {
        blocks.extend([Block::Form(forms.rotate()), Block::Form(forms.create_secret())]);
    }
    blocks.push(Block::Heading("API keys"));
    blocks.extend(api_keys.items.iter().map(|key| Block::Entry(forms.key(key, visit.now()))));
    blocks.extend(unreadable("API keys", &api_keys));
    let next = api_keys.next_cursor.as_deref();
    blocks.extend(pager(&visit.application(client.as_str(), "/credentials"), None, next).map(Block::Pager));
    blocks.push(Block::Form(forms.create_key()));
    Ok(visit.show_part("Applications", client.to_string(), tabs(visit, &client, "Credentials"), blocks))
}

/// When the secrets are replaced by themselves, and why that fails.
fn schedule(ClientView { settings, rotation, .. }: &ClientView) -> Vec<(Meaning, String)> {
    let Some(rotate) = &settings.rotate else { return Vec::new() };
    let text = format!(
        "Every {} a new secret is written to {}, and the others get their end.",
        rotate.every, rotate.into
    );
    let failed =
        rotation.as_ref().and_then(|rotation| rotation.failed_at.as_ref().zip(rotation.failure.as_ref()));
    let failed = failed.map(|(at, why)| {
        (Meaning::Danger, format!("The last time, {}, that failed: {why}", at.0.to_rfc3339()))
    });
    [(Meaning::Info, text)].into_iter().chain(failed).collect()
}

/// The forms of the page.
struct Forms {
    action: String,
    token: String,
}

impl Forms {
    fn new(visit: &ConsoleVisit<'_>, client: &ClientId) -> Self {
        let action = visit.application(client.as_str(), "/credentials");
        Self { action, token: visit.form_token() }
    }

    fn button(&self, act: &str, label: &str) -> HtmlForm {
        HtmlForm::button(self.action.clone(), &self.token, label).sending("act", act)
    }

    fn rotate(&self) -> HtmlForm {
        let button = self.button("rotate-secrets", "Replace all secrets by a new one").meaning(Meaning::Info);
        button.with(vec![secret_name(), graces()]).sending("request", request_key(&FormFields::read(b"")))
    }

    fn create_secret(&self) -> HtmlForm {
        self.button("create-secret", "Add one more secret")
            .with(vec![secret_name()])
            .sending("request", request_key(&FormFields::read(b"")))
    }

    fn create_key(&self) -> HtmlForm {
        let name = Field::text("name", "Name", "").hint("What people call the key.");
        let button = self.button("create-key", "Create an API key").meaning(Meaning::Info).with(vec![name]);
        button.sending("request", request_key(&FormFields::read(b"")))
    }

    /// `declared` is where files declare those that they manage.
    fn secret(&self, view: &SecretView, declared: Option<&Value>) -> Entry {
        let declared = declared.filter(|_| view.managed_by != "api").cloned();
        let mut facts = vec![
            Fact { label: "Status", value: status(&view.status) },
            fact("Ends with", &*view.hint),
            codes("Fingerprint", view.fingerprint.as_slice()),
            Fact { label: "Managed by", value: declared.unwrap_or_else(|| managed_by(&view.managed_by)) },
            Fact { label: "Created", value: time(view.created_at) },
            Fact { label: "Ends", value: time_or(view.revoked_at.or(view.expires_at), "never") },
            Fact { label: "Last used", value: time_or(view.last_used_at, "not known") },
            codes("Used from", &addresses(&view.used_from)),
            fact("Safe to delete", safe_to_delete(view)),
        ];
        facts.extend(still_presented(view.presented_after_end_at));
        let revoke =
            self.button("revoke-secret", "Revoke").meaning(Meaning::Danger).sending("secret", &*view.id);
        let forms = if view.status == "live" && view.managed_by == "api" { vec![revoke] } else { Vec::new() };
        let name = view.name.as_ref().map(|name| format!(": {name}")).unwrap_or_default();
        Entry { title: format!("Secret {}{name}", view.id), facts, forms }
    }

    fn key(&self, view: &ApiKeyView, now: Timestamp) -> Entry {
        let mut facts = vec![
            Fact { label: "Status", value: status(&view.status) },
            Fact { label: "Id", value: Value::Code(view.id.clone()) },
            fact("Ends with", &*view.hint),
            codes("Scopes", view.settings.scopes.as_deref().unwrap_or_default()),
            Fact { label: "Created", value: time(view.created_at) },
            Fact { label: "Ends", value: time_or(view.revoked_at.or(view.settings.expires_at), "never") },
            Fact { label: "Last used", value: time_or(view.last_used_at, "not known") },
            codes("Used from", &addresses(&view.used_from)),
            fact("Safe to revoke", key_is_safe_to_revoke(view, now)),
        ];
        facts.extend(still_presented(view.presented_after_end_at));
        let of_key = |form: HtmlForm| form.sending("key", &*view.id);
        let rotate = self.button("rotate-key", "Replace").with(vec![graces()]);
        let rotate = of_key(rotate).sending("request", request_key(&FormFields::read(b"")));
        let revoke = of_key(self.button("revoke-key", "Revoke").meaning(Meaning::Danger));
        let forms = if view.status == "live" { vec![rotate, revoke] } else { Vec::new() };
        Entry { title: view.settings.name.clone().unwrap_or_default(), facts, forms }
    }
}

fn secret_name() -> Field {
    Field::text("name", "Name", "").optional().hint("What people call the secret.")
}

fn graces() -> Field {
    let choices = GRACES.map(|(seconds, label)| Choice {
        value: seconds.to_string(),
        label: label.to_owned(),
        text: String::new(),
        is_chosen: seconds == 3_600,
    });
    Field::new("grace", "How long does the one before stay valid?", Input::One(choices.to_vec()))
}

fn still_presented(at: Option<Instant>) -> Option<Fact> {
    at.map(|at| Fact { label: "Still presented after its end", value: time(at) })
}

fn addresses(uses: &[UsedFrom]) -> Vec<String> {
    uses.iter().map(|used| used.address.clone()).collect()
}

/// Whether no client would miss the secret, or why that is not sure.
fn safe_to_delete(view: &SecretView) -> &'static str {
    match (view.safe_to_delete, &*view.status) {
        (true, "live") => "yes: it was not used for a day, and others were",
        (true, _) => "yes: it was not presented for a day",
        (false, "live") => "no: it may be in use still",
        (false, _) => "no: it was presented within a day",
    }
}

/// Whether the holder would miss the API key. It has one holder, so uses of other keys say nothing about it.
fn key_is_safe_to_revoke(view: &ApiKeyView, now: Timestamp) -> &'static str {
    let is_since = |at: Option<Instant>| at.is_some_and(|at| now < at.0 + QUIET);
    match &*view.status {
        "live" if is_since(view.last_used_at) => "no: it was used within a day",
        "live" if is_since(Some(view.created_at)) => "no: it is new, and its holder may be about to use it",
        "live" if view.last_used_at.is_none() => "yes: it was never used",
        "live" => "not known: it was not used for a day, and its holder may come back",
        _ if is_since(view.presented_after_end_at) => "it has ended, and is still presented",
        _ => "it has ended",
    }
}

#[cfg(test)]
mod tests {
    use administration::{ClientState, ManagedBy, RotationProgress, RowLifecycle};
    use registry::{Client, SecretRotation};
    use tenancy::TenantId;
    use values::Timestamp;

    use super::*;

    #[test]
    fn a_schedule_is_shown_with_its_last_failure() {
        let now = Timestamp::from_seconds(0);
        let client = Client::new(TenantId::parse("acme").unwrap(), ClientId::parse("svc").unwrap());
        let mut state = ClientState::new(client, RowLifecycle::fresh(ManagedBy::Api, now), Vec::new());
        assert_eq!(schedule(&ClientView::new(&state, now)), []);
        let (every, grace) = (Lifetime::from_seconds(86_400), Lifetime::from_seconds(60));
        state.client.rotation = Some(SecretRotation { every, into: "vault:a#b".to_owned(), grace });
        let shown = "Every 1d a new secret is written to vault:a#b, and the others get their end.";
        assert_eq!(schedule(&ClientView::new(&state, now)), [(Meaning::Info, shown.to_owned())]);
        let failure = Some("no answer".to_owned());
        state.rotation = RotationProgress { failed_at: Some(now), failure, ..RotationProgress::default() };
        let shown = "The last time, 1970-01-01T00:00:00Z, that failed: no answer";
        assert_eq!(schedule(&ClientView::new(&state, now))[1], (Meaning::Danger, shown.to_owned()));
    }
}
