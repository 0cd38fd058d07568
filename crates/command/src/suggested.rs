//! Texts of options with usual values. Shells complete these values, and help lists them. The API decides
//! which values it accepts.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Command, Error};

/// Accepts any text, and suggests these values.
#[derive(Clone)]
pub(crate) struct Suggested(Vec<&'static str>);

pub(crate) fn suggested<const N: usize>(values: [&'static str; N]) -> Suggested {
    Suggested(values.to_vec())
}

impl TypedValueParser for Suggested {
    type Value = String;

    fn parse_ref(&self, command: &Command, argument: Option<&Arg>, value: &OsStr) -> Result<String, Error> {
        StringValueParser::new().parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.0.iter().map(|value| PossibleValue::new(*value))))
    }
}
