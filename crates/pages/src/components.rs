//! Parts that pages are made of. What has values of its own is a struct here, and its macro is in `views/components.html`, beside those of
//! the parts that are markup alone.

mod bar_chart;
mod preview;
mod table;
mod time_line;
mod value;

use crate::page::Link;

pub use bar_chart::{Bar, BarChart, Slot};
pub use preview::Preview;
pub use table::{Column, Table};
pub use time_line::{TimeLine, TimeLineRow, TimeSpan};
pub use value::{Fact, Moment, Value};

/// What an alert or a badge means. The text says it, too: no meaning is in the colour alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Meaning {
    /// Nothing in particular.
    #[default]
    Neutral,
    /// Good to know.
    Info,
    /// It was done, or it is as it should be.
    Success,
    /// It needs a look.
    Warning,
    /// It was refused, or it does harm.
    Danger,
}

/// A word or two about a thing, such as its status.
#[derive(Clone, Debug)]
pub struct Badge {
    /// Its meaning.
    pub meaning: Meaning,
    /// Its text.
    pub text: String,
}

/// One of several places: a tab, or an entry of the navigation.
#[derive(Clone, Debug)]
pub struct Place {
    /// Where it is.
    pub link: Link,
    /// Whether it is the place that the page shows.
    pub is_current: bool,
}

/// What takes the place of a list that has nothing: what belongs there, and the one thing to do about it.
#[derive(Clone, Debug)]
pub struct Empty {
    /// What is missing.
    pub title: String,
    /// What it is for.
    pub text: String,
    /// What makes the first one.
    pub action: Option<Link>,
}

/// The ways to the other parts of a long list.
#[derive(Clone, Debug)]
pub struct Pager {
    /// What the ways are called together.
    pub label: String,
    /// The part before.
    pub previous: Option<Link>,
    /// The part after.
    pub next: Option<Link>,
}

/// The frame of a page for operators: where one is, and as whom.
#[derive(Clone, Debug)]
pub struct Frame {
    /// What leads past the navigation.
    pub skip: String,
    /// What the navigation is called.
    pub label: String,
    /// The entries of the navigation.
    pub places: Vec<Place>,
    /// Who is signed in.
    pub person: Option<String>,
}

impl Meaning {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Neutral, Self::Info, Self::Success, Self::Warning, Self::Danger];

    /// The class of the style sheet.
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            Self::Neutral => "neutral",
            Self::Info => "info",
            Self::Success => "success",
            Self::Warning => "warning",
            Self::Danger => "danger",
        }
    }
}
