//! A table. In a narrow window each row becomes a card with the headings as labels.

use super::Value;

#[derive(Clone, Debug)]
pub struct Table {
    pub caption: String,
    pub columns: Vec<Column>,
    /// One value for each column. The first value is the name of the row.
    pub rows: Vec<Vec<Value>>,
}

#[derive(Clone, Copy, Debug)]
pub struct Column {
    pub heading: &'static str,
    pub is_number: bool,
}

impl Column {
    #[must_use]
    pub const fn from_heading(heading: &'static str) -> Self {
        Self { heading, is_number: false }
    }

    #[must_use]
    pub const fn of_numbers(heading: &'static str) -> Self {
        Self { heading, is_number: true }
    }
}

impl Table {
    pub fn cells<'t>(&'t self, row: &'t [Value]) -> impl Iterator<Item = (&'t Column, &'t Value)> {
        self.columns.iter().zip(row)
    }
}
