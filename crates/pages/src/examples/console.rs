//! Pages of the console in their states: before a session, with rows, without any, with endless names, and
//! with a refused form.

use super::{Common, keys, moment};
use crate::console::{Block, Choice, ConsolePage, Entry, Field, HtmlForm, Input};
use crate::page::Link;
use crate::{Badge, Column, Destination, Empty, Fact, Frame, Meaning, Pager, Preview, Table, Value};

const TOKEN: &str = "form-token";
/// Markup, letters that are written from right to left, and no place to break.
const LONG: &str = "<b>\u{202e}\u{5e9}\u{5dc}\u{5d5}\u{5dd}</b>-a-name-without-any-place-where-it-could-break-and-longer-than-a-phone-is-wide";

pub(super) fn all(common: &Common) -> Vec<(&'static str, ConsolePage)> {
    vec![
        ("console_sign_in", before(common, "Sign in to the console", sign_in())),
        ("console_link", before(common, "Open the console", link_form())),
        ("console_link_asks", before(common, "Sign in as another user?", asks())),
        ("console_list", within(common, "Applications", Vec::new(), list("billing"))),
        ("console_empty", within(common, "Applications", Vec::new(), empty())),
        ("console_long", named(common, LONG)),
        ("console_form", within(common, "New application", Vec::new(), form(""))),
        ("console_refused", within(common, "New application", Vec::new(), form("The id is taken"))),
        ("console_secret", within(common, "billing: the secret", Vec::new(), secret())),
        (
            "console_credentials",
            within(common, "billing", tabs("Credentials"), credentials("Nightly export")),
        ),
        ("console_read_only", within(common, "billing", tabs("Overview"), read_only())),
        ("console_new_tenant", within(common, "New tenant", Vec::new(), new_tenant())),
        ("console_keys", within(common, "Signing keys", Vec::new(), signing_keys())),
    ]
}

/// Lists and forms with this text at every place that callers or administrators can fill.
pub(super) fn named(common: &Common, text: &str) -> ConsolePage {
    within(common, text, tabs("Credentials"), [list(text), credentials(text)].concat())
}

fn before(common: &Common, heading: &str, blocks: Vec<Block>) -> ConsolePage {
    let frame = Frame {
        skip: "Skip to the content".to_owned(),
        label: "Console".to_owned(),
        places: Vec::new(),
        person: None,
        ends: None,
    };
    let (common, heading) = (common.clone(), heading.to_owned());
    ConsolePage { common, frame, sign_out: None, heading, tabs: Vec::new(), blocks }
}

fn within(common: &Common, heading: &str, tabs: Vec<Destination>, blocks: Vec<Block>) -> ConsolePage {
    let current = if heading == "Signing keys" { heading } else { "Applications" };
    let mut page = before(common, heading, blocks);
    page.frame.places =
        places(&["All tenants", "Overview", "Applications", "Signing keys", "Audit"], current);
    page.frame.person = Some("client:globex/ops".to_owned());
    page.frame.ends = Some(moment("2026-03-01T20:00:00Z"));
    page.sign_out = Some(HtmlForm::button("/console/sign-out".to_owned(), TOKEN, "Sign out"));
    page.tabs = tabs;
    page
}

fn link(name: &str) -> Link {
    Link { name: name.to_owned(), url: "#main".to_owned() }
}

fn places(names: &[&str], current: &str) -> Vec<Destination> {
    names.iter().map(|name| Destination { link: link(name), is_current: *name == current }).collect()
}

fn tabs(current: &str) -> Vec<Destination> {
    places(&["Overview", "Credentials", "Try it"], current)
}

fn sign_in() -> Vec<Block> {
    vec![
        Block::Alert(Meaning::Info, "This link has been used, or it is older than 60 seconds.".to_owned()),
        Block::Text("Run this command, and open the link that it prints:".to_owned()),
        Block::Code("Command".to_owned(), "latchkey console".to_owned()),
        Block::Links(vec![link("API documentation")]),
    ]
}

fn link_form() -> Vec<Block> {
    let field = Field::new("code", "Code", Input::Fragment).hint("The part of the link after #.");
    vec![Block::Form(
        HtmlForm::button("/console/link".to_owned(), "", "Open").meaning(Meaning::Info).with(vec![field]),
    )]
}

fn asks() -> Vec<Block> {
    let fact = |label, value: &str| Fact { label, value: Value::Code(value.to_owned()) };
    let facts = vec![
        fact("Tenant", "globex"),
        fact("This link signs you in as", "client:globex/boss"),
        fact("You are signed in as", "client:globex/ops"),
    ];
    let mut form = HtmlForm::button("/console/link".to_owned(), TOKEN, "Continue");
    form.hidden.push(("code", "CODE".to_owned()));
    let text = "This browser is already signed in to the console as another user.".to_owned();
    vec![Block::Alert(Meaning::Warning, text), Block::Facts(facts), Block::Form(form)]
}

fn list(name: &str) -> Vec<Block> {
    let row = |status| {
        vec![
            Value::Link(link(name)),
            Value::Badge(Badge { meaning: Meaning::Success, text: status }),
            Value::Codes(vec!["orders:read".to_owned(), "orders:write".to_owned()]),
            Value::Number(2),
            Value::Time(moment("2026-11-22T02:40:00Z")),
        ]
    };
    let mut columns = ["Id", "Status", "Scopes"].map(Column::from_heading).to_vec();
    columns.extend([Column::of_numbers("Live secrets"), Column::from_heading("Changed")]);
    let rows = ["active", "suspended"].map(|status| row(status.to_owned())).to_vec();
    let pager = Pager { label: "Pages".to_owned(), previous: None, next: Some(link("Next page")) };
    vec![
        Block::Links(vec![link("New application")]),
        Block::Form(HtmlForm::search("/console/t/globex/applications".to_owned(), "Search", name)),
        Block::Table(Table { caption: "Applications".to_owned(), columns, rows }),
        Block::Pager(pager),
    ]
}

fn empty() -> Vec<Block> {
    let title = "No applications".to_owned();
    let text = "An application is a program that fetches tokens of this tenant, or checks them.".to_owned();
    vec![Block::Empty(Empty { title, text, action: Some(link("New application")) })]
}

fn choice(value: &str, text: &str, is_chosen: bool) -> Choice {
    Choice { value: value.to_owned(), label: value.to_owned(), text: text.to_owned(), is_chosen }
}

fn form(error: &str) -> Vec<Block> {
    let kinds = vec![
        choice("Machine to machine", "A program that calls an API by itself.", true),
        choice("Service account", "The identity of a workload.", false),
        choice("API", "A service that checks the tokens of its callers.", false),
    ];
    let inputs = vec![
        Field::new("purpose", "What is it?", Input::One(kinds)),
        Field::text("client_id", "Client id", "billing")
            .hint("Without one it is random.")
            .error(error.to_owned()),
        Field::new(
            "scope",
            "Scopes",
            Input::Any(vec![choice("orders:read", "orders", true), choice("orders:write", "orders", false)]),
        ),
        Field::new("words", "More scopes", Input::Lines("reports:read".to_owned())),
    ];
    let form =
        HtmlForm::button("/console/t/globex/applications/new".to_owned(), TOKEN, "Create the application");
    let alert = (!error.is_empty()).then(|| Block::Alert(Meaning::Danger, error.to_owned()));
    alert.into_iter().chain([Block::Form(form.meaning(Meaning::Info).with(inputs))]).collect()
}

fn secret() -> Vec<Block> {
    let curl = "curl -sS 'https://id.example.com/api/v1/tenant/globex/oauth/token' \\\n  -d grant_type=client_credentials \\\n  -d client_id=billing";
    vec![
        Block::Alert(Meaning::Warning, "Copy it now. It is shown this once.".to_owned()),
        Block::Code("Client secret".to_owned(), "the secret, shown this once".to_owned()),
        Block::Heading("Fetch a token"),
        Block::Code("curl".to_owned(), curl.to_owned()),
    ]
}

fn credentials(name: &str) -> Vec<Block> {
    let facts = vec![
        Fact {
            label: "Status",
            value: Value::Badge(Badge { meaning: Meaning::Success, text: "live".to_owned() }),
        },
        Fact { label: "Name", value: Value::Text(name.to_owned()) },
        Fact {
            label: "Used from",
            value: Value::Codes(vec!["192.0.2.7".to_owned(), "2001:db8::/64".to_owned()]),
        },
        Fact { label: "Last used", value: Value::Time(moment("2026-11-22T02:40:00Z")) },
    ];
    let button = |label: &str| {
        HtmlForm::button("/console/t/globex/applications/billing/credentials".to_owned(), TOKEN, label)
    };
    let revoke = button("Revoke").meaning(Meaning::Danger);
    let graces = Input::One(vec![choice("1 hour", "", true), choice("24 hours", "", false)]);
    let rotate =
        button("Replace").with(vec![Field::new("grace", "How long does the one before stay valid?", graces)]);
    vec![
        Block::Heading("Secrets"),
        Block::Note(Meaning::Warning, "Secret s1 is still presented after its end.".to_owned()),
        Block::Entry(Entry { title: "Secret s2".to_owned(), facts: facts.clone(), forms: vec![revoke] }),
        Block::Entry(Entry { title: name.to_owned(), facts, forms: Vec::new() }),
        Block::Form(rotate),
    ]
}

fn signing_keys() -> Vec<Block> {
    let line = keys::lives("lives", "oauth2-key-1");
    let columns = ["Key", "Published", "Signs from", "Retires", "Removed"].map(Column::from_heading).to_vec();
    let table = Table { caption: "Keys".to_owned(), columns, rows: keys::rows(&line) };
    let rotate = HtmlForm::button("/console/t/globex/keys".to_owned(), TOKEN, "Rotate now");
    vec![Block::TimeLine(line), Block::Table(table), Block::Form(rotate.meaning(Meaning::Info))]
}

fn new_tenant() -> Vec<Block> {
    let inputs = vec![
        Field::text("id", "Id", "").hint("It is part of every address of the tenant."),
        Field::text("name", "Name", "").optional(),
    ];
    let base = "https://id.example.com/api/v1/tenant/{}";
    let line = |label: &str, below: &str| (label.to_owned(), format!("{base}{below}"));
    let lines = vec![
        line("Issuer", ""),
        line("Token endpoint", "/oauth/token"),
        line("Discovery", "/.well-known/openid-configuration"),
    ];
    let preview = Preview { field: "id", placeholder: "ID".to_owned(), lines };
    let form = HtmlForm::button("/console/tenants/new".to_owned(), TOKEN, "Create the tenant");
    vec![Block::Form(form.meaning(Meaning::Info).with(inputs).previewing(preview))]
}

/// An application that a file declares. The page offers no actions on it.
fn read_only() -> Vec<Block> {
    let text = |label, value: &str| Fact { label, value: Value::Text(value.to_owned()) };
    let status = Badge { meaning: Meaning::Success, text: "active".to_owned() };
    let scopes = vec!["orders:read".to_owned(), "orders:write".to_owned()];
    let facts = vec![
        text("Name", "Billing"),
        Fact { label: "Status", value: Value::Badge(status) },
        text("Managed by", "file tenants/acme.yaml, line 12; read only here"),
        text("Kind", "Machine to machine"),
        Fact { label: "Scopes", value: Value::Codes(scopes) },
        Fact { label: "Created", value: Value::Time(moment("2026-11-20T17:05:00Z")) },
    ];
    vec![Block::Facts(facts)]
}
