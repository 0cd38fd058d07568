//! Console pages in all states: before sign-in, with rows, without rows, with very long names, and
//! with a refused form.

use super::{Common, keys, moment};
use crate::console::{Block, Choice, ConsolePage, Entry, Field, Fold, HtmlForm, Input, UriRule};
use crate::page::Link;
use crate::{
    ApplicationsTexts, Badge, Change, Column, ConsoleTexts, Destination, Empty, Fact, Frame, FrameTexts,
    LabelTexts, Meaning, Pager, Person, Preview, Step, Table, Value,
};

const TOKEN: &str = "form-token";
/// Markup, right-to-left letters, and no place for a line break.
const LONG: &str = "<b>\u{202e}\u{5e9}\u{5dc}\u{5d5}\u{5dd}</b>-a-name-without-any-place-where-it-could-break-and-longer-than-a-phone-is-wide";

pub(super) fn all(common: &Common) -> Vec<(&'static str, ConsolePage)> {
    let texts = &common.texts().console;
    let (new_application, credentials_tab) = (texts.applications.new, texts.frame.credentials);
    let secret_title = (texts.created.secret_title)("billing");
    vec![
        ("console_sign_in", before(common, texts.entry.title, sign_in(texts))),
        ("console_link", before(common, texts.entry.open, link_form(texts))),
        ("console_link_asks", before(common, texts.entry.replace_title, asks(common))),
        ("console_list", within(common, texts.frame.applications, Vec::new(), list(texts, "billing"))),
        ("console_empty", within(common, texts.frame.applications, Vec::new(), empty(texts))),
        ("console_long", named(common, LONG)),
        ("console_form", within(common, new_application, Vec::new(), form(texts, ""))),
        ("console_refused", within(common, new_application, Vec::new(), form(texts, "The id is taken"))),
        ("console_secret", within(common, &secret_title, Vec::new(), secret(texts))),
        (
            "console_credentials",
            within(common, "billing", tabs(texts, credentials_tab), credentials(texts, "Nightly export")),
        ),
        ("console_read_only", within(common, "billing", tabs(texts, texts.frame.general), read_only(texts))),
        ("console_person", within(common, texts.frame.people, Vec::new(), person(common, "Ada Lovelace"))),
        ("console_new_tenant", within(common, texts.tenants.new, Vec::new(), new_tenant(texts))),
        ("console_attempt", within(common, "billing", tabs(texts, texts.frame.attempt), attempt(texts))),
        ("console_changes", within(common, texts.edit.review, Vec::new(), changes(texts))),
        ("console_keys", within(common, texts.frame.keys, Vec::new(), signing_keys(texts))),
    ]
}

/// Lists and forms with this text wherever callers or administrators can enter text.
pub(super) fn named(common: &Common, text: &str) -> ConsolePage {
    let texts = &common.texts().console;
    let blocks = [list(texts, text), credentials(texts, text)].concat();
    within(common, text, tabs(texts, texts.frame.credentials), blocks)
}

fn before(common: &Common, heading: &str, blocks: Vec<Block>) -> ConsolePage {
    let texts = &common.texts().console.frame;
    let frame = Frame {
        skip: texts.skip.to_owned(),
        label: texts.label.to_owned(),
        places: Vec::new(),
        person: None,
        ends: None,
    };
    let (common, heading) = (common.clone(), heading.to_owned());
    ConsolePage {
        common,
        frame,
        sign_out: None,
        switcher: None,
        trail: Vec::new(),
        heading,
        id: None,
        tabs: Vec::new(),
        blocks,
    }
}

fn within(common: &Common, heading: &str, tabs: Vec<Destination>, blocks: Vec<Block>) -> ConsolePage {
    let texts = &common.texts().console.frame;
    let current = if [texts.keys, texts.people].contains(&heading) { heading } else { texts.applications };
    let mut page = before(common, heading, blocks);
    page.frame.places = places(
        &[texts.overview, texts.applications, texts.people, texts.keys, texts.advice, texts.audit],
        current,
    );
    page.switcher = Some(HtmlForm::search(
        "/console/tenants".to_owned(),
        texts.find_tenant,
        "",
        common.texts().console.shared.search,
    ));
    page.trail = vec![link(texts.tenants), link("globex")];
    page.frame.person =
        Some(Person { name: "ada@globex.example".to_owned(), id: "client:globex/ops".to_owned() });
    page.frame.ends = Some(moment("2026-03-01T20:00:00Z"));
    page.sign_out = Some(HtmlForm::button("/console/sign-out".to_owned(), TOKEN, common.texts().sign_out));
    page.tabs = tabs;
    page
}

fn link(name: &str) -> Link {
    Link { name: name.to_owned(), url: "#main".to_owned() }
}

fn places(names: &[&str], current: &str) -> Vec<Destination> {
    names.iter().map(|name| Destination { link: link(name), is_current: *name == current }).collect()
}

fn tabs(texts: &ConsoleTexts, current: &str) -> Vec<Destination> {
    let FrameTexts { general, credentials, attempt, .. } = texts.frame;
    places(&[general, credentials, attempt], current)
}

fn badge_of(texts: &ConsoleTexts, status: &str) -> Badge {
    let text = (texts.shared.status)(status).unwrap_or_default().to_owned();
    Badge { meaning: Meaning::Success, text }
}

fn badge(texts: &ConsoleTexts, status: &str) -> Value {
    Value::Badge(badge_of(texts, status))
}

fn sign_in(texts: &ConsoleTexts) -> Vec<Block> {
    let entry = &texts.entry;
    vec![
        Block::Alert(Meaning::Info, entry.link_refused.to_owned()),
        Block::Form(
            HtmlForm::button("/console/account".to_owned(), "", entry.use_account).meaning(Meaning::Info),
        ),
        Block::Text(entry.or_by_command.to_owned()),
        Block::Code(entry.command.to_owned(), "latchkey console".to_owned()),
        Block::Code(
            entry.command_elsewhere.to_owned(),
            "latchkey console --server=https://id.example.com".to_owned(),
        ),
        Block::Links(vec![link(entry.again_by_account)]),
    ]
}

fn link_form(texts: &ConsoleTexts) -> Vec<Block> {
    let field = Field::new("code", texts.entry.code, Input::Fragment).hint(texts.entry.code_hint);
    let form = HtmlForm::button("/console/link".to_owned(), "", texts.entry.open);
    vec![Block::Form(form.meaning(Meaning::Info).with(vec![field]))]
}

fn asks(common: &Common) -> Vec<Block> {
    let texts = &common.texts().console;
    let fact = |label, value: &str| Fact { label, value: Value::Code(value.to_owned()) };
    let facts = vec![
        fact(texts.labels.tenant, "globex"),
        fact(texts.entry.link_user, "client:globex/boss"),
        fact(texts.entry.current_user, "client:globex/ops"),
    ];
    let mut form = HtmlForm::button("/console/link".to_owned(), TOKEN, common.texts().go_on);
    form.hidden.push(("code", "CODE".to_owned()));
    let text = texts.entry.replace.to_owned();
    vec![Block::Alert(Meaning::Warning, text), Block::Facts(facts), Block::Form(form)]
}

fn list(texts: &ConsoleTexts, name: &str) -> Vec<Block> {
    let LabelTexts { id, status, scopes, changed, .. } = texts.labels;
    let row = |status| {
        vec![
            Value::Named(link(name), "usr_o77lnx2dchp4w6svmbtfakzryqgyoz2dchp".to_owned()),
            badge(texts, status),
            Value::Codes(vec!["orders:read".to_owned(), "orders:write".to_owned()]),
            Value::Number(2),
            Value::Time(moment("2026-11-22T02:40:00Z")),
        ]
    };
    let mut columns = [id, status, scopes].map(Column::from_heading).to_vec();
    let secrets = Column::of_numbers(texts.applications.live_secrets);
    columns.extend([secrets, Column::from_heading(changed)]);
    let rows = ["active", "suspended"].map(row).to_vec();
    let next = Some(link(texts.shared.next_page));
    let pager = Pager { label: texts.shared.pages.to_owned(), previous: None, next };
    let action = "/console/t/globex/applications".to_owned();
    vec![
        Block::Links(vec![link(texts.applications.new)]),
        Block::Form(HtmlForm::search(action, texts.applications.search, name, texts.shared.search)),
        Block::Table(Table { caption: texts.frame.applications.to_owned(), columns, rows }),
        Block::Pager(pager),
    ]
}

fn empty(texts: &ConsoleTexts) -> Vec<Block> {
    let ApplicationsTexts { new, none, none_text, .. } = texts.applications;
    let (title, text) = (none.to_owned(), none_text.to_owned());
    vec![Block::Empty(Empty { title, text, action: Some(link(new)) })]
}

fn choice(value: &str, text: &str, is_chosen: bool) -> Choice {
    Choice::new(value, value, text, is_chosen)
}

fn form(texts: &ConsoleTexts, error: &str) -> Vec<Block> {
    let (of, new) = (&texts.applications, &texts.new_application);
    let tile = |name| {
        let [label, text] = [of.kind_name, of.kind_text].map(|texts| texts(name).unwrap_or_default());
        choice(label, text, name == "machine_to_machine")
    };
    let tiles = ["machine_to_machine", "service_account", "web"].map(tile).to_vec();
    let scopes = vec![
        choice(new.whole_api, new.whole_api_text, true),
        choice("orders:read", "orders", true),
        choice("orders:write", "", false),
    ];
    let rules = vec![
        UriRule { text: new.uri_confidential, pattern: "^https:" },
        UriRule { text: new.uri_fragment, pattern: "^[^#]*$" },
    ];
    let uris = "app.acme.example".to_owned();
    let uris_label = (texts.edit.label)("redirect_uris").unwrap_or_default();
    let inputs = vec![
        Field::new("purpose", of.kind, Input::Tiles(tiles)),
        Field::text("client_id", texts.labels.client_id, "billing")
            .hint(of.client_id_hint)
            .error(error.to_owned()),
        Field::new("redirect_uris", uris_label, Input::Uris(uris, rules)).hint(new.uris_hint),
        Field::new("access", &(new.access)("orders"), Input::Any(scopes)),
        Field::new("words", texts.labels.scopes, Input::Lines("reports:read".to_owned())),
    ];
    let form = HtmlForm::button("/console/t/globex/applications/new".to_owned(), TOKEN, of.create);
    let alert = (!error.is_empty()).then(|| Block::Alert(Meaning::Danger, error.to_owned()));
    alert.into_iter().chain([Block::Form(form.meaning(Meaning::Info).with(inputs))]).collect()
}

fn secret(texts: &ConsoleTexts) -> Vec<Block> {
    let curl = "curl -sS 'https://id.example.com/api/v1/tenant/globex/oauth/token' \\\n  -d grant_type=client_credentials \\\n  -d client_id=billing";
    let created = &texts.created;
    vec![
        Block::Alert(Meaning::Warning, created.copy_now.to_owned()),
        Block::Code(created.client_secret.to_owned(), "the secret, shown this once".to_owned()),
        Block::Heading(created.get_token),
        Block::Snippets(vec![("curl".to_owned(), curl.to_owned()), ("Go".to_owned(), curl.to_owned())]),
        Block::Steps(
            texts.overview.first_steps.to_owned(),
            [true, false]
                .map(|is_done| Step {
                    is_done,
                    link: link(created.get_token),
                    text: created.set_variable.to_owned(),
                })
                .to_vec(),
        ),
    ]
}

fn credentials(texts: &ConsoleTexts, name: &str) -> Vec<Block> {
    let (of, labels) = (&texts.credentials, &texts.labels);
    let facts = vec![
        Fact { label: labels.status, value: badge(texts, "live") },
        Fact { label: labels.name, value: Value::Text(name.to_owned()) },
        Fact {
            label: of.used_from,
            value: Value::Codes(vec!["192.0.2.7".to_owned(), "2001:db8::/64".to_owned()]),
        },
        Fact { label: labels.last_used, value: Value::Time(moment("2026-11-22T02:40:00Z")) },
    ];
    let button = |label: &str| {
        HtmlForm::button("/console/t/globex/applications/billing/credentials".to_owned(), TOKEN, label)
    };
    let revoke =
        button(&(of.revoke_secret)("s2")).meaning(Meaning::Danger).asking(of.secret_used, of.revoke_now);
    let graces = Input::One(vec![choice(of.hour, "", true), choice(of.day, "", false)]);
    let replace = button(of.add_secret).with(vec![Field::new("grace", of.grace, graces)]);
    let entry = |title: &str, forms| Entry {
        title: title.to_owned(),
        badge: Some(badge_of(texts, "live")),
        line: vec![Fact { label: labels.last_used, value: Value::Time(moment("2026-11-22T02:40:00Z")) }],
        facts: facts.clone(),
        forms,
    };
    let change =
        Change { field: "scopes".to_owned(), before: "orders:read".to_owned(), after: name.to_owned() };
    vec![
        Block::Heading(of.api_keys),
        Block::Note(Meaning::Warning, (of.schedule_failed)("2026-11-22T02:40:00Z", "no answer")),
        fold(of.add_secret, vec![replace], Vec::new()),
        Block::Entries(vec![entry(&(of.secret)("s2", ""), vec![revoke]), entry(name, Vec::new())]),
        fold(&(of.ended)("1"), Vec::new(), vec![entry(name, Vec::new())]),
        Block::Facts(vec![Fact { label: labels.changed, value: Value::Changes(vec![change]) }]),
    ]
}

fn fold(summary: &str, forms: Vec<HtmlForm>, entries: Vec<Entry>) -> Block {
    let is_primary = !forms.is_empty();
    Block::Fold(Fold { summary: summary.to_owned(), is_primary, is_open: true, forms, entries })
}

/// A refused request with its failed check first.
fn attempt(texts: &ConsoleTexts) -> Vec<Block> {
    let of = &texts.attempt;
    let row = |(result, meaning, name, fix): (&str, Meaning, &str, &str)| {
        let text = (of.results)(result).unwrap_or_default().to_owned();
        vec![
            Value::Text((of.check_names)(name).unwrap_or_default().to_owned()),
            Value::Badge(Badge { meaning, text }),
            Value::English(fix.to_owned()),
        ]
    };
    let rows = [
        (
            "refused",
            Meaning::Danger,
            "scope",
            "Request fewer scopes, or add the scope to `scopes` of the client.",
        ),
        ("passed", Meaning::Success, "tenant", ""),
    ];
    let columns = [of.check, of.result, texts.labels.what_to_do].map(Column::from_heading).to_vec();
    let field = Field::new("scope", texts.labels.scopes, Input::Lines(String::new())).hint(of.scopes_hint);
    let form = HtmlForm::button("/console/t/globex/applications/billing/try".to_owned(), TOKEN, of.explain);
    vec![
        Block::Alert(Meaning::Danger, (of.refused)("400 invalid_scope", "")),
        fold(of.change, vec![form.with(vec![field])], Vec::new()),
        Block::Table(Table { caption: of.checks.to_owned(), columns, rows: rows.map(row).to_vec() }),
    ]
}

/// The differences before they are saved.
fn changes(texts: &ConsoleTexts) -> Vec<Block> {
    let of = &texts.edit;
    let row = |name: &str, before: &str, after: &[&str]| {
        let after = after.iter().map(|value| (*value).to_owned()).collect();
        let label = (of.label)(name).unwrap_or_default().to_owned();
        vec![Value::Text(label), Value::Code(before.to_owned()), Value::Codes(after)]
    };
    let rows =
        vec![row("name", "Billing", &[LONG]), row("scopes", "orders:read", &["orders:read", "orders:write"])];
    let columns = [of.setting, of.before, of.after].map(Column::from_heading).to_vec();
    let button = |label: &str| {
        HtmlForm::button("/console/t/globex/applications/billing/edit".to_owned(), TOKEN, label)
    };
    vec![
        Block::Text(of.review_text.to_owned()),
        Block::Table(Table { caption: of.changes.to_owned(), columns, rows }),
        Block::Form(button(of.save).meaning(Meaning::Info)),
        Block::Form(button(of.again)),
    ]
}

fn signing_keys(texts: &ConsoleTexts) -> Vec<Block> {
    let of = &texts.keys;
    let line = keys::lives("lives", "oauth2-key-1", of);
    let columns = [of.key, of.published, of.signs_from, of.retires, of.removed];
    let columns = columns.map(Column::from_heading).to_vec();
    let table = Table { caption: of.keys.to_owned(), columns, rows: keys::rows(&line) };
    let rotate = HtmlForm::button("/console/t/globex/keys".to_owned(), TOKEN, of.rotate);
    vec![Block::TimeLine(line), Block::Table(table), Block::Form(rotate.meaning(Meaning::Info))]
}

fn new_tenant(texts: &ConsoleTexts) -> Vec<Block> {
    let (of, labels) = (&texts.tenants, &texts.labels);
    let inputs = vec![
        Field::text("id", labels.id, "").hint(of.id_hint),
        Field::text("name", labels.name, "").optional(),
    ];
    let base = "https://id.example.com/api/v1/tenant/{}";
    let line = |label: &str, below: &str| (label.to_owned(), format!("{base}{below}"));
    let lines = vec![
        line(labels.issuer, ""),
        line(labels.token_endpoint, "/oauth/token"),
        line(labels.key_set, "/.well-known/jwks.json"),
    ];
    let preview = Preview { field: "id", placeholder: of.id_placeholder.to_owned(), lines };
    let form = HtmlForm::button("/console/tenants/new".to_owned(), TOKEN, of.create);
    vec![Block::Form(form.meaning(Meaning::Info).with(inputs).previewing(preview))]
}

fn person(common: &Common, name: &str) -> Vec<Block> {
    let (of, labels) = (&common.texts().console.people, &common.texts().console.labels);
    let button = |label: &str| HtmlForm::button("/console/t/globex/people/usr_1".to_owned(), TOKEN, label);
    let row = |check: &str, meaning, text: &str, fix: &str| {
        let name = (of.check)(check).unwrap_or_default().to_owned();
        vec![
            Value::Text(name),
            Value::Badge(Badge { meaning, text: text.to_owned() }),
            Value::Text(fix.to_owned()),
        ]
    };
    let fix = |check: &str| (of.fix)(check).unwrap_or_default();
    let rows = vec![
        row("tenant_active", Meaning::Success, of.passed, ""),
        row("throttling", Meaning::Danger, of.failed, &(of.throttled)("10", "2026-11-22T02:40:00Z")),
        row("account_active", Meaning::Warning, of.failed, fix("account_active")),
    ];
    let columns = [of.check_heading, of.result, labels.what_to_do].map(Column::from_heading).to_vec();
    let session = Entry {
        title: (common.texts().browser_on)("Firefox", "Windows"),
        badge: None,
        line: vec![Fact { label: labels.last_used, value: Value::Time(moment("2026-11-22T02:40:00Z")) }],
        facts: vec![Fact { label: labels.source, value: Value::Text("192.0.2.7".to_owned()) }],
        forms: vec![button(of.end_session).meaning(Meaning::Danger)],
    };
    let permission = choice("latchkey:audit", (of.permission)("latchkey:audit").unwrap_or_default(), true);
    let inputs = vec![
        Field::text("name", labels.name, name).optional(),
        Field::new("groups", of.groups, Input::Lines("staff".to_owned())).hint(of.groups_hint),
        Field::new("permission", of.permissions, Input::Any(vec![permission])).hint(of.permissions_hint),
    ];
    let edit = button(of.save).meaning(Meaning::Info).with(inputs);
    let suspend = button(of.suspend).meaning(Meaning::Danger).asking(of.suspend_question, of.suspend_now);
    vec![
        Block::Code(of.link_now.to_owned(), "https://id.example.com/set-password#usr_1".to_owned()),
        Block::Facts(vec![Fact { label: of.email, value: Value::Text((of.verified)("ada@globex.example")) }]),
        Block::Heading(of.why),
        Block::Note(Meaning::Danger, of.cannot_sign_in.to_owned()),
        Block::Table(Table { caption: of.checks.to_owned(), columns, rows }),
        Block::Heading(of.sessions),
        Block::Entries(vec![session]),
        Block::Heading(of.manage),
        fold(of.edit, vec![edit], Vec::new()),
        Block::Form(suspend),
    ]
}

/// An application in a configuration file, which the console cannot change.
fn read_only(texts: &ConsoleTexts) -> Vec<Block> {
    let (labels, shared) = (&texts.labels, &texts.shared);
    let text = |label, value: &str| Fact { label, value: Value::Text(value.to_owned()) };
    let scopes = vec!["orders:read".to_owned(), "orders:write".to_owned()];
    let facts = vec![
        text(labels.name, "Billing"),
        Fact { label: labels.status, value: badge(texts, "active") },
        text(labels.managed_by, &(shared.declared_at)("tenants/acme.yaml:12, clients.billing")),
        text(labels.kind, (texts.applications.kind_name)("machine_to_machine").unwrap_or_default()),
        Fact { label: labels.scopes, value: Value::Codes(scopes) },
        Fact { label: labels.created, value: Value::Time(moment("2026-11-20T17:05:00Z")) },
    ];
    vec![Block::Facts(facts)]
}
