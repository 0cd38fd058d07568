//! Pages of the console: a frame, and blocks in their order. A block's content is a value, so pages consist
//! of data alone.

use std::fmt::Display;

use askama::Template;

use crate::components::{
    BarChart, Destination, Empty, Fact, Frame, Meaning, Pager, Preview, Table, TimeLine,
};
use crate::page::{Common, Link, page};

/// A page.
#[derive(Template)]
#[template(path = "views/console.html")]
pub struct ConsolePage {
    /// The parts that all pages have.
    pub common: Common,
    /// The present place, and the person who is signed in.
    pub frame: Frame,
    /// The form that ends the session. None without a session.
    pub sign_out: Option<HtmlForm>,
    /// The heading.
    pub heading: String,
    /// The parts of the subject.
    pub tabs: Vec<Destination>,
    /// The blocks, in this order.
    pub blocks: Vec<Block>,
}

/// A part of a page.
#[derive(Clone, Debug)]
pub enum Block {
    /// What has happened. The alert takes the focus.
    Alert(Meaning, String),
    /// A message.
    Note(Meaning, String),
    /// A heading of the second level.
    Heading(&'static str),
    /// A paragraph.
    Text(String),
    /// A text to copy, with its label.
    Code(String, String),
    /// Labels and values.
    Facts(Vec<Fact>),
    /// Rows.
    Table(Table),
    /// Bars.
    Chart(BarChart),
    /// Lives of keys.
    TimeLine(TimeLine),
    /// A list that has nothing.
    Empty(Empty),
    /// The links through a long list.
    Pager(Pager),
    /// Ways to do something.
    Links(Vec<Link>),
    /// A form.
    Form(HtmlForm),
    /// A thing with what can be done to it.
    Entry(Entry),
}

/// A thing of which a page shows some.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its name.
    pub title: String,
    /// The known facts.
    pub facts: Vec<Fact>,
    /// The possible actions.
    pub forms: Vec<HtmlForm>,
}

/// A form. Every form contains the page and session that it belongs to.
#[derive(Clone, Debug)]
pub struct HtmlForm {
    /// The target.
    pub action: String,
    /// Whether it is a search, which changes nothing.
    pub is_search: bool,
    /// Values that are sent with it.
    pub hidden: Vec<(&'static str, String)>,
    /// The fields.
    pub fields: Vec<Field>,
    /// Addresses that depend on one of the fields, shown below it.
    pub preview: Option<Preview>,
    /// The label of its button.
    pub submit: String,
    /// The meaning of the button: [`Meaning::Danger`] if it does harm.
    pub meaning: Meaning,
}

/// A field.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Its label.
    pub label: String,
    /// A hint for the value. Empty if the label is enough.
    pub hint: String,
    /// The error of the value. Empty if there is none.
    pub error: String,
    /// How it is filled in.
    pub input: Input,
}

/// How a field is filled in.
#[derive(Clone, Debug)]
pub enum Input {
    /// A line of text, and whether it is needed.
    Text(String, bool),
    /// Several lines.
    Lines(String),
    /// A line that the script takes from the fragment of the address. It sends the form then.
    Fragment,
    /// One of these.
    One(Vec<Choice>),
    /// Any of these.
    Any(Vec<Choice>),
}

/// A choice.
#[derive(Clone, Debug)]
pub struct Choice {
    /// The value that is sent.
    pub value: String,
    /// The text for people.
    pub label: String,
    /// Its description. Empty if the label is enough.
    pub text: String,
    /// Whether it is chosen.
    pub is_chosen: bool,
}

impl ConsolePage {
    fn heading(&self) -> &str {
        &self.heading
    }
}

impl HtmlForm {
    /// A form with nothing to fill in: a button.
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
        }
    }

    /// The form with another meaning.
    #[must_use]
    pub fn meaning(self, meaning: Meaning) -> Self {
        Self { meaning, ..self }
    }

    /// The form with these fields.
    #[must_use]
    pub fn with(self, fields: Vec<Field>) -> Self {
        Self { fields, ..self }
    }

    /// The form with addresses that depend on a field.
    #[must_use]
    pub fn previewing(self, preview: Preview) -> Self {
        Self { preview: Some(preview), ..self }
    }

    /// The form with one more value to send.
    #[must_use]
    pub fn sending(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.hidden.push((name, value.into()));
        self
    }

    /// A search of a list.
    #[must_use]
    pub fn search(action: String, label: &str, value: &str) -> Self {
        let fields = vec![Field::text("search", label, value).optional()];
        let button = Self::button(action, "", "Search");
        Self { is_search: true, hidden: Vec::new(), ..button }.with(fields)
    }

    /// The preview below this field.
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
    /// A required line of text.
    #[must_use]
    pub fn text(name: &'static str, label: &str, value: &str) -> Self {
        Self::new(name, label, Input::Text(value.to_owned(), true))
    }

    /// A field.
    #[must_use]
    pub fn new(name: &'static str, label: &str, input: Input) -> Self {
        Self { name, label: label.to_owned(), hint: String::new(), error: String::new(), input }
    }

    /// The field, which may stay empty.
    #[must_use]
    pub fn optional(mut self) -> Self {
        if let Input::Text(_, is_needed) = &mut self.input {
            *is_needed = false;
        }
        self
    }

    /// The field with a hint.
    #[must_use]
    pub fn hint(self, hint: &str) -> Self {
        Self { hint: hint.to_owned(), ..self }
    }

    /// The field with an error.
    #[must_use]
    pub fn error(self, error: String) -> Self {
        Self { error, ..self }
    }

    /// A unique identifier in the page, in which several forms may have a field with this name.
    fn id(&self, form: impl Display) -> String {
        format!("{}-{form}", self.name)
    }

    fn described_by(&self, form: impl Display) -> String {
        let (id, ids) = (self.id(form), [(&self.hint, "hint"), (&self.error, "error")]);
        let ids = ids.into_iter().filter(|(text, _)| !text.is_empty());
        ids.map(|(_, part)| format!("{id}-{part}")).collect::<Vec<_>>().join(" ")
    }
}

page!(ConsolePage);
