//! Parts of pages. A part with values is a struct here, and its macro is in `views/components.html`, beside
//! the parts that are markup alone.

mod bar_chart;
mod preview;
mod table;
mod time_line;
mod value;

use crate::page::Link;

pub use bar_chart::{Bar, BarChart, ChartSlot};
pub use preview::Preview;
pub use table::{Column, Table};
pub use time_line::{TimeLine, TimeLineRow, TimeSpan};
pub use value::{Fact, MomentValue, Value};

/// The meaning of an alert or a badge. Its text expresses it, too, because colour alone is not enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Meaning {
    /// No particular meaning.
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

/// One of several destinations: a tab, or an entry of the navigation.
#[derive(Clone, Debug)]
pub struct Destination {
    /// Where it is.
    pub link: Link,
    /// Whether it is the place that the page shows.
    pub is_current: bool,
}

/// Replaces an empty list: explains the list, and links to its first action.
#[derive(Clone, Debug)]
pub struct Empty {
    /// What is missing.
    pub title: String,
    /// What it is for.
    pub text: String,
    /// The link that creates the first entry.
    pub action: Option<Link>,
}

/// The links to the other parts of a long list.
#[derive(Clone, Debug)]
pub struct Pager {
    /// The label of the links.
    pub label: String,
    /// The part before.
    pub previous: Option<Link>,
    /// The part after.
    pub next: Option<Link>,
}

/// The frame of a page for operators: the present place, and the person who is signed in.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The link that skips the navigation.
    pub skip: String,
    /// The label of the navigation.
    pub label: String,
    /// The entries of the navigation.
    pub places: Vec<Destination>,
    /// Who is signed in.
    pub person: Option<String>,
    /// When the session ends at the latest.
    pub ends: Option<MomentValue>,
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
