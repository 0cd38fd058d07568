//! A page with every component in every state, in the frame of the console.

use askama::Template;

use super::{Common, keys, moment};
use crate::page::{Link, page};
use crate::{
    Badge, BarChart, ChartSlot, Column, Destination, Empty, Fact, Frame, Meaning, Pager, Person, Table,
    TimeLine, Value,
};

const LONG: &str = "a-name-without-any-place-where-it-could-break-and-longer-than-a-phone-is-wide";

#[derive(Template)]
#[template(path = "examples/sheet.html")]
pub(super) struct Sheet {
    common: Common,
    frame: Frame,
    label: &'static str,
    message: &'static str,
    badges: Vec<Badge>,
    facts: Vec<Fact>,
    table: Table,
    pager: Pager,
    charts: [BarChart; 2],
    lives: TimeLine,
    empty: Empty,
}

impl Sheet {
    #[expect(clippy::unused_self, reason = "the layout calls it on each view")]
    fn heading(&self) -> &'static str {
        "Components"
    }
}

fn link(name: &str) -> Link {
    Link { name: name.to_owned(), url: "#main".to_owned() }
}

fn badge(meaning: Meaning) -> Badge {
    Badge { meaning, text: meaning.class().to_owned() }
}

fn values() -> Vec<Value> {
    vec![
        Value::Text("Orders".to_owned()),
        Value::Code(LONG.to_owned()),
        Value::Codes(vec!["orders:read".to_owned(), "orders:write".to_owned()]),
        Value::ShortCode("WDJB-MJHT".to_owned()),
        Value::Number(1_234_567),
        Value::Time(moment("2026-11-22T02:40:00Z")),
        Value::Link(link("Open")),
        Value::Badge(badge(Meaning::Success)),
    ]
}

fn chart(id: &str, slots: Vec<ChartSlot>) -> BarChart {
    BarChart {
        id: id.to_owned(),
        title: "Tokens by hour".to_owned(),
        summary: "4 920 issued and 72 refused in 12 hours".to_owned(),
        slot: "Hour",
        series: ["Issued", "Refused"],
        slots,
        numbers: "Show the numbers".to_owned(),
    }
}

pub(super) fn sheet(common: &Common) -> Sheet {
    let labels =
        ["Text", "Code", "Codes", "Short code", "Number", "Time", "Link", "Badge"].into_iter().zip(values());
    let places = ["Overview", "Applications", "Keys"].into_iter().enumerate();
    let places = places.map(|(at, name)| Destination { link: link(name), is_current: at == 1 }).collect();
    let columns = ["Name", "Id", "Scopes"].map(Column::from_heading).into_iter();
    let columns = columns.chain([Column::of_numbers("Tokens")]);
    let columns = columns.chain(["Last used", "Page", "Status"].map(Column::from_heading)).collect();
    let row = |mut row: Vec<Value>| {
        row.remove(3);
        row
    };
    let hours = (0..12).map(|hour| {
        let counts = if hour == 3 { [0, 0] } else { [(hour * 37) % 24 * 40, u64::from(hour % 5 == 0) * 24] };
        ChartSlot { name: format!("{hour:02}:00"), counts }
    });
    Sheet {
        common: common.clone(),
        frame: Frame {
            ends: None,
            skip: "Skip to the content".to_owned(),
            label: "Pages".to_owned(),
            places,
            person: Some(Person { name: "Ada".to_owned(), id: "account:usr_x".to_owned() }),
        },
        label: "A label",
        message: "A sentence that says what is to be done.",
        badges: Meaning::ALL.map(badge).into(),
        facts: labels.map(|(label, value)| Fact { label, value }).collect(),
        table: Table {
            caption: "Applications".to_owned(),
            columns,
            rows: vec![row(values()), row(values())],
        },
        pager: Pager {
            label: "Parts of the list".to_owned(),
            previous: Some(link("Previous")),
            next: Some(link("Next")),
        },
        charts: [chart("day", hours.collect()), chart("nothing", Vec::new())],
        lives: keys::lives("lives", keys::LONG, &common.texts().console.keys),
        empty: Empty {
            title: "No application yet".to_owned(),
            text: "An application gets tokens for your APIs.".to_owned(),
            action: Some(link("Register one")),
        },
    }
}

page!(Sheet);
