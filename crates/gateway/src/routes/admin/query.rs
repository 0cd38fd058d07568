//! Parsing of query parameters of the admin API. Unknown parameters are ignored; known ones must be
//! valid. The pointer of an error is the name of the parameter.

use std::borrow::Cow;
use std::fmt::Display;

use administration::edit::{EditError, FieldError};
use protocol::Form;
use values::Timestamp;

/// Default items per page.
const PAGE: u32 = 50;
/// Maximum items per page.
const LONGEST_PAGE: u32 = 200;

/// The parameters, and the errors so far.
pub(super) struct Query<'a> {
    form: Form<'a>,
    faults: Vec<FieldError>,
}

pub(super) struct PageParameters {
    pub(super) cursor: Option<String>,
    pub(super) limit: u32,
}

impl<'a> Query<'a> {
    /// If one parameter is invalid, the request is refused with all errors.
    pub(super) fn read<R>(text: &'a str, take: impl FnOnce(&mut Self) -> R) -> Result<R, EditError> {
        let not_utf8 = |_| EditError::Invalid(vec![FieldError::at("", "the query must be UTF-8")]);
        let form = Form::parse(text.as_bytes()).map_err(not_utf8)?;
        let mut query = Self { form, faults: Vec::new() };
        let taken = take(&mut query);
        if query.faults.is_empty() { Ok(taken) } else { Err(EditError::Invalid(query.faults)) }
    }

    /// Refuses control characters: no stored text contains one, and not every store can search for
    /// one. An empty text counts as missing.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        let problem = match self.form.take(name) {
            Ok(Some(text)) if text.contains(char::is_control) => "must not contain a control character",
            Ok(text) => return text.map(Cow::into_owned),
            Err(_) => "was sent more than once",
        };
        self.fault(name, problem);
        None
    }

    /// The text of the parser's error becomes the message.
    pub(super) fn parsed<T, E: Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        parse(&self.text(name)?).map_err(|problem| self.fault(name, problem)).ok()
    }

    pub(super) fn instant(&mut self, name: &str) -> Option<Timestamp> {
        let problem = "must be an instant such as 2027-01-31T12:00:00Z";
        self.parsed(name, |text| Timestamp::parse_rfc3339(text).ok_or(problem))
    }

    /// Default: false.
    pub(super) fn flag(&mut self, name: &str) -> bool {
        self.parsed(name, |text| text.parse().map_err(|_| "must be true or false")).unwrap_or_default()
    }

    pub(super) fn paging(&mut self) -> PageParameters {
        let limit = |text: &str| text.parse().ok().filter(|limit| (1..=LONGEST_PAGE).contains(limit));
        PageParameters {
            cursor: self.text("cursor"),
            limit: self
                .parsed("limit", |text| limit(text).ok_or("must be a whole number from 1 to 200"))
                .unwrap_or(PAGE),
        }
    }

    fn fault(&mut self, name: &str, problem: impl Display) {
        self.faults.push(FieldError::at(format!("/{name}"), problem.to_string()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cursor, limit, since and final.
    type Read<'a> = (Option<&'a str>, u32, Option<u64>, bool);

    #[track_caller]
    fn check(text: &str, expected: Result<Read<'_>, &str>) {
        let read = Query::read(text, |query| (query.paging(), query.instant("since"), query.flag("final")));
        let read = read.map_err(|error| error.to_string());
        let found = read.as_ref().map(|(paging, since, is_final)| {
            (paging.cursor.as_deref(), paging.limit, since.map(Timestamp::seconds), *is_final)
        });
        assert_eq!(found.map_err(Clone::clone), expected.map_err(str::to_owned), "{text}");
    }

    #[test]
    fn known_parameters_are_read_and_others_ignored() {
        check("", Ok((None, 50, None, false)));
        check(
            "limit=1&cursor=a%2Bb&since=1970-01-01T00%3A00%3A09Z&final=true",
            Ok((Some("a+b"), 1, Some(9), true)),
        );
        check("limit=200&colour=red&colour=blue&final=false", Ok((None, 200, None, false)));
        check("limit=&cursor=&since=", Ok((None, 50, None, false)));
    }

    #[test]
    fn all_invalid_parameters_are_reported_together() {
        for limit in ["0", "201", "-1", "1.5", "many", "99999999999", "+"] {
            check(&format!("limit={limit}"), Err("/limit: must be a whole number from 1 to 200"));
        }
        check("cursor=a%00", Err("/cursor: must not contain a control character"));
        check("cursor=a&cursor=b", Err("/cursor: was sent more than once"));
        check(
            "limit=x&since=yesterday&final=yes",
            Err("/limit: must be a whole number from 1 to 200; /since: must be an instant such as \
                 2027-01-31T12:00:00Z; /final: must be true or false"),
        );
        assert!(Query::read("search=%ff", |_| ()).is_err());
    }
}
