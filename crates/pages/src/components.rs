//! Components of pages. A component with values is a struct here with a macro in
//! `views/components.html`. Components without values are only in that file.

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
pub use value::{Change, Fact, MomentValue, Value};

/// The colour of an alert or a badge. The text has to express the meaning, too, because some people
/// do not see the colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Meaning {
    #[default]
    Neutral,
    Info,
    /// An action succeeded, or a state is as it should be.
    Success,
    /// Somebody should look at the state.
    Warning,
    /// The server refused an action, or the action does harm.
    Danger,
}

#[derive(Clone, Debug)]
pub struct Badge {
    pub meaning: Meaning,
    pub text: String,
}

/// A link in the navigation or in tabs.
#[derive(Clone, Debug)]
pub struct Destination {
    pub link: Link,
    /// Whether the link points to the current page.
    pub is_current: bool,
}

/// One of the first steps on a new tenant.
#[derive(Clone, Debug)]
pub struct Step {
    pub is_done: bool,
    pub link: Link,
    pub text: String,
}

/// Shown instead of an empty list. Explains the list and links to the first action.
#[derive(Clone, Debug)]
pub struct Empty {
    pub title: String,
    pub text: String,
    /// The link to the page that creates the first entry.
    pub action: Option<Link>,
}

#[derive(Clone, Debug)]
pub struct Pager {
    /// The accessible name of the navigation.
    pub label: String,
    pub previous: Option<Link>,
    pub next: Option<Link>,
}

/// The frame of console pages: navigation and the signed-in person.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The text of the link that skips the navigation.
    pub skip: String,
    /// The accessible name of the navigation.
    pub label: String,
    pub places: Vec<Destination>,
    pub person: Option<Person>,
    /// When the session ends at the latest.
    pub ends: Option<MomentValue>,
}

#[derive(Clone, Debug)]
pub struct Person {
    pub name: String,
    /// As in the audit log.
    pub id: String,
}

impl Meaning {
    pub const ALL: [Self; 5] = [Self::Neutral, Self::Info, Self::Success, Self::Warning, Self::Danger];

    /// The class in the style sheet.
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
