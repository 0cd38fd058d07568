//! Query parameters of the admin API: unknown ones are ignored, known ones must make sense. A fault's pointer is the parameter's name.

use administration::{EditError, FieldError};
use protocol::{Form, Timestamp};

use crate::raw_request::RawRequest;

/// How many items a page has when nobody says.
const PAGE: u32 = 50;
/// No page has more.
const LONGEST_PAGE: u32 = 200;

/// The parameters, and what is wrong with those that were asked for.
pub(super) struct Query {
    form: Form,
    faults: Vec<FieldError>,
}

/// Which page.
pub(super) struct Paging {
    pub(super) cursor: Option<String>,
    pub(super) limit: u32,
}

impl Query {
    pub(super) fn of(raw: &RawRequest) -> Result<Self, EditError> {
        Self::parse(raw.query())
    }

    fn parse(text: &str) -> Result<Self, EditError> {
        let not_utf8 = |_| EditError::Invalid(vec![FieldError::at("", "the query must be UTF-8")]);
        Ok(Self { form: Form::parse(text.as_bytes()).map_err(not_utf8)?, faults: Vec::new() })
    }

    /// A text; an empty one counts as absent. Nothing that is kept holds a control character, and not every store can look for one.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        let problem = match self.form.take(name) {
            Ok(Some(text)) if text.contains(char::is_control) => "must hold no control character",
            Ok(text) => return text,
            Err(_) => "was sent more than once",
        };
        self.fault(name, problem);
        None
    }

    /// An instant.
    pub(super) fn instant(&mut self, name: &str) -> Option<Timestamp> {
        let text = self.text(name)?;
        let instant = Timestamp::parse_rfc3339(&text);
        if instant.is_none() {
            self.fault(name, "must be an instant such as 2027-01-31T12:00:00Z");
        }
        instant
    }

    /// True or false; absent is false.
    pub(super) fn flag(&mut self, name: &str) -> bool {
        match self.text(name).as_deref() {
            Some("true") => true,
            None | Some("false") => false,
            Some(_) => {
                self.fault(name, "must be true or false");
                false
            }
        }
    }

    /// Which page.
    pub(super) fn paging(&mut self) -> Paging {
        let cursor = self.text("cursor");
        let limit = self
            .text("limit")
            .map_or(Some(PAGE), |text| text.parse().ok().filter(|limit| (1..=LONGEST_PAGE).contains(limit)));
        if limit.is_none() {
            self.fault("limit", "must be a whole number from 1 to 200");
        }
        Paging { cursor, limit: limit.unwrap_or(PAGE) }
    }

    pub(super) fn fault(&mut self, name: &str, detail: &str) {
        self.faults.push(FieldError::at(format!("/{name}"), detail));
    }

    /// Nothing is done with half a query.
    pub(super) fn finish(self) -> Result<(), EditError> {
        if self.faults.is_empty() { Ok(()) } else { Err(EditError::Invalid(self.faults)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cursor, limit, since and final.
    type Read<'a> = (Option<&'a str>, u32, Option<u64>, bool);

    #[track_caller]
    fn check(text: &str, expected: Result<Read<'_>, &str>) {
        let mut query = Query::parse(text).unwrap();
        let (paging, since, is_final) = (query.paging(), query.instant("since"), query.flag("final"));
        let found = query.finish().map_err(|error| error.to_string());
        let found =
            found.map(|()| (paging.cursor.as_deref(), paging.limit, since.map(Timestamp::seconds), is_final));
        assert_eq!(found, expected.map_err(str::to_owned), "{text}");
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
    fn invalid_parameters_are_named_all_at_once() {
        for limit in ["0", "201", "-1", "1.5", "many", "99999999999", "+"] {
            check(&format!("limit={limit}"), Err("/limit: must be a whole number from 1 to 200"));
        }
        check("cursor=a%00", Err("/cursor: must hold no control character"));
        check("cursor=a&cursor=b", Err("/cursor: was sent more than once"));
        check(
            "limit=x&since=yesterday&final=yes",
            Err("/limit: must be a whole number from 1 to 200; /since: must be an instant such as \
                 2027-01-31T12:00:00Z; /final: must be true or false"),
        );
        assert!(Query::parse("search=%ff").is_err());
    }
}
