//! Pages of the console: a frame and a list of blocks. Blocks are data, so the code of a page
//! contains no markup.

use std::fmt::Display;

use askama::Template;

use crate::components::{
    Badge, BarChart, Destination, Empty, Fact, Frame, Meaning, Pager, Preview, Step, Table, TimeLine,
};
use crate::page::{Common, Link, page};

#[derive(Template)]
#[template(path = "views/console.html")]
pub struct ConsolePage {
    pub common: Common,
    pub frame: Frame,
    /// `None` without a session.
    pub sign_out: Option<HtmlForm>,
    /// The search for another tenant. `None` if the person may see one tenant only.
    pub switcher: Option<HtmlForm>,
    /// The pages above this page, the highest first.
    pub trail: Vec<Link>,
    pub heading: String,
    /// The ID of the page's row, if the heading is the name of the row.
    pub id: Option<String>,
    pub tabs: Vec<Destination>,
    pub blocks: Vec<Block>,
}

#[derive(Clone, Debug)]
pub enum Block {
    /// The result of an action. Takes the focus, so that screen readers read it first.
    Alert(Meaning, String),
    Note(Meaning, String),
    Heading(&'static str),
    Text(String),
    /// A label, and a text for copying.
    Code(String, String),
    /// The same example in several languages: names and texts.
    Snippets(Vec<(String, String)>),
    Facts(Vec<Fact>),
    Table(Table),
    Chart(BarChart),
    TimeLine(TimeLine),
    Empty(Empty),
    Pager(Pager),
    Links(Vec<Link>),
    Form(HtmlForm),
    /// Items of a list, one row each.
    Entries(Vec<Entry>),
    Fold(Fold),
    /// A title, and what to do next.
    Steps(String, Vec<Step>),
}

/// One item of a list, which opens to show all of its facts and its forms.
#[derive(Clone, Debug)]
pub struct Entry {
    pub title: String,
    pub badge: Option<Badge>,
    /// The facts that are always visible.
    pub line: Vec<Fact>,
    pub facts: Vec<Fact>,
    pub forms: Vec<HtmlForm>,
}

/// Forms and items that are hidden until the reader opens them.
#[derive(Clone, Debug)]
pub struct Fold {
    pub summary: String,
    /// Whether the summary looks like the main button of the page.
    pub is_primary: bool,
    pub is_open: bool,
    pub forms: Vec<HtmlForm>,
    pub entries: Vec<Entry>,
}

/// A form that changes something contains the token of the session, against cross-site requests.
#[derive(Clone, Debug)]
pub struct HtmlForm {
    pub action: String,
    /// A search, which changes nothing and is sent by GET.
    pub is_search: bool,
    pub hidden: Vec<(&'static str, String)>,
    pub fields: Vec<Field>,
    /// Shown below its field.
    pub preview: Option<Preview>,
    pub submit: String,
    /// [`Meaning::Danger`] for a button that does harm.
    pub meaning: Meaning,
    /// A question, and the label of the button that answers it with yes. Without it, the first button
    /// sends the form.
    pub question: Option<(String, String)>,
}

#[derive(Clone, Debug)]
pub struct Field {
    pub name: &'static str,
    pub label: String,
    /// Empty if the label is enough.
    pub hint: String,
    /// Empty if the value has no error.
    pub error: String,
    pub input: Input,
}

#[derive(Clone, Debug)]
pub enum Input {
    /// One line, and whether the field is required.
    Text(String, bool),
    Lines(String),
    /// URIs, one in a line. A script marks the rules that one of them breaks.
    Uris(String, Vec<UriRule>),
    /// The script fills in the fragment of the page's URL and sends the form.
    Fragment,
    One(Vec<Choice>),
    /// As [`Self::One`], as large tiles. The person must choose one.
    Tiles(Vec<Choice>),
    Any(Vec<Choice>),
}

#[derive(Clone, Copy, Debug)]
pub struct UriRule {
    pub text: &'static str,
    /// A regular expression of JavaScript that each URI must match.
    pub pattern: &'static str,
}

#[derive(Clone, Debug)]
pub struct Choice {
    pub value: String,
    pub label: String,
    /// Empty if the label is enough.
    pub text: String,
    pub is_chosen: bool,
}

impl Choice {
    /// `text` is empty if the label is enough.
    #[must_use]
    pub fn new(value: &str, label: &str, text: &str, is_chosen: bool) -> Self {
        Self { value: value.to_owned(), label: label.to_owned(), text: text.to_owned(), is_chosen }
    }
}

impl Block {
    /// Hidden forms and entries behind a small summary.
    #[must_use]
    pub fn fold(summary: &str, is_open: bool, forms: Vec<HtmlForm>, entries: Vec<Entry>) -> Self {
        Self::Fold(Fold { summary: summary.to_owned(), is_primary: false, is_open, forms, entries })
    }

    /// Hidden forms behind the main button of the page.
    #[must_use]
    pub fn primary_fold(summary: &str, is_open: bool, forms: Vec<HtmlForm>) -> Self {
        let entries = Vec::new();
        Self::Fold(Fold { summary: summary.to_owned(), is_primary: true, is_open, forms, entries })
    }
}

impl ConsolePage {
    fn heading(&self) -> &str {
        &self.heading
    }
}

impl HtmlForm {
    /// A form without fields, which is a button.
    #[must_use]
    pub fn button(action: String, token: &str, submit: impl Into<String>) -> Self {
        Self {
            action,
            is_search: false,
            hidden: vec![("form", token.to_owned())],
            fields: Vec::new(),
            preview: None,
            submit: submit.into(),
            meaning: Meaning::Neutral,
            question: None,
        }
    }

    /// Asks before it sends the form: a question, and the label of the button that sends.
    #[must_use]
    pub fn asking(self, question: impl Into<String>, yes: impl Into<String>) -> Self {
        Self { question: Some((question.into(), yes.into())), ..self }
    }

    #[must_use]
    pub fn meaning(self, meaning: Meaning) -> Self {
        Self { meaning, ..self }
    }

    #[must_use]
    pub fn with(self, fields: Vec<Field>) -> Self {
        Self { fields, ..self }
    }

    #[must_use]
    pub fn previewing(self, preview: Preview) -> Self {
        Self { preview: Some(preview), ..self }
    }

    /// Adds a hidden value.
    #[must_use]
    pub fn sending(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.hidden.push((name, value.into()));
        self
    }

    #[must_use]
    pub fn search(action: String, label: &str, value: &str, submit: &str) -> Self {
        let fields = vec![Field::text("search", label, value).optional()];
        let button = Self::button(action, "", submit);
        Self { is_search: true, hidden: Vec::new(), ..button }.with(fields)
    }

    fn preview_of(&self, field: &Field) -> Option<&Preview> {
        self.preview.as_ref().filter(|preview| preview.field == field.name)
    }

    const fn class(&self) -> &'static str {
        match self.meaning {
            Meaning::Danger => "danger",
            Meaning::Success | Meaning::Info => "primary",
            Meaning::Neutral | Meaning::Warning => "",
        }
    }
}

impl Field {
    #[must_use]
    pub fn text(name: &'static str, label: &str, value: &str) -> Self {
        Self::new(name, label, Input::Text(value.to_owned(), true))
    }

    #[must_use]
    pub fn new(name: &'static str, label: &str, input: Input) -> Self {
        Self { name, label: label.to_owned(), hint: String::new(), error: String::new(), input }
    }

    #[must_use]
    pub fn optional(mut self) -> Self {
        if let Input::Text(_, is_needed) = &mut self.input {
            *is_needed = false;
        }
        self
    }

    #[must_use]
    pub fn hint(self, hint: &str) -> Self {
        Self { hint: hint.to_owned(), ..self }
    }

    #[must_use]
    pub fn error(self, error: String) -> Self {
        Self { error, ..self }
    }

    /// Unique in the page, where several forms may have a field with this name.
    fn id(&self, form: impl Display) -> String {
        format!("{}-{form}", self.name)
    }

    fn described_by(&self, form: impl Display) -> String {
        let (id, ids) = (self.id(form), [(&self.hint, "hint"), (&self.error, "error")]);
        let ids = ids.into_iter().filter(|(text, _)| !text.is_empty()).map(|(_, part)| part);
        let rules = matches!(self.input, Input::Uris(..)).then_some("rules");
        ids.chain(rules).map(|part| format!("{id}-{part}")).collect::<Vec<_>>().join(" ")
    }
}

page!(ConsolePage);
