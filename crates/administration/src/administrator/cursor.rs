//! Pages of lists. A cursor is the position of the last row of a page, in base64url. Callers treat it as
//! opaque.

use std::fmt::Display;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use values::Timestamp;

use crate::documents::Page;
use crate::edit::{Edited, invalid};
use crate::store::Listed;

const MOST: u32 = 200;

/// The page of a list that a request asks for. `C` is the position of a row.
pub(super) struct Paging<C> {
    /// The page begins after this row.
    pub(super) after: Option<C>,
    size: u32,
}

/// The position of a row in its list.
pub(super) trait Cursor: Sized {
    fn text(&self) -> String;

    fn name(&self) -> String {
        self.text()
    }

    fn parse(text: &str) -> Option<Self>;
}

/// A list in the order of creation.
impl<T: Display + FromStr> Cursor for (Timestamp, T) {
    fn text(&self) -> String {
        format!("{}\n{}", self.0.seconds(), self.1)
    }

    fn name(&self) -> String {
        self.1.to_string()
    }

    fn parse(text: &str) -> Option<Self> {
        let (created_at, row) = text.split_once('\n')?;
        Some((Timestamp::from_seconds(created_at.parse().ok()?), row.parse().ok()?))
    }
}

impl<C: Cursor> Paging<C> {
    /// The page after the row of this cursor, with at most `size` rows.
    pub(super) fn new(cursor: Option<&str>, size: u32) -> Edited<Self> {
        Ok(Self { after: cursor.map(read).transpose()?, size: size.clamp(1, MOST) })
    }

    /// The number of rows to read: one more than the page has, to know whether another page follows.
    pub(super) const fn rows(&self) -> u32 {
        self.size + 1
    }

    /// Builds the page. `item` returns the position and the item of a row.
    pub(super) fn page<R, T>(&self, mut rows: Vec<R>, item: impl Fn(R) -> (C, T)) -> Page<T> {
        let size = usize::try_from(self.size).unwrap_or(usize::MAX);
        let more = rows.len() > size;
        rows.truncate(size);
        let (places, items): (Vec<C>, Vec<T>) = rows.into_iter().map(item).unzip();
        let next_cursor = places.last().filter(|_| more).map(|place| URL_SAFE_NO_PAD.encode(place.text()));
        Page { items, next_cursor, unreadable: Vec::new() }
    }

    /// Builds the page from rows with their positions. Rows that this version cannot read are left out and
    /// named.
    pub(super) fn readable<R, T>(
        &self,
        rows: Vec<Listed<R>>,
        place: impl Fn(&R) -> C,
        item: impl Fn(R) -> T,
    ) -> Page<T> {
        let Page { items: rows, next_cursor, .. } = self.page(rows, |row| (place(row.any()), row));
        let (mut items, mut unreadable) = (Vec::new(), Vec::new());
        for row in rows {
            match row {
                Listed::Read(row) => items.push(item(row)),
                Listed::Unreadable(row) => unreadable.push(place(&row).name()),
            }
        }
        Page { items, next_cursor, unreadable }
    }
}

fn read<C: Cursor>(text: &str) -> Edited<C> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok();
    let place = bytes.and_then(|bytes| C::parse(std::str::from_utf8(&bytes).ok()?));
    place.ok_or_else(|| invalid("/cursor", "this cursor does not come from a page of this list"))
}

#[cfg(test)]
mod tests {
    use accounts::AccountId;
    use registry::ClientId;
    use tenancy::TenantId;

    use super::*;
    use crate::edit::EditError;
    use crate::store::query::{AuditCursor, TenantCursor};

    #[test]
    fn cursors_round_trip_and_invalid_cursors_are_refused() {
        let cursor = TenantCursor { word: "müller".to_owned(), tenant: TenantId::parse("acme").unwrap() };
        let of = |size| Paging::new(None, size).unwrap();
        let rows = || vec![(cursor.clone(), 1), (cursor.clone(), 2)];
        let whole = of(2).page(rows(), |row| row);
        assert_eq!((whole.items, whole.next_cursor), (vec![1, 2], None));
        let first = of(1).page(rows(), |row| row);
        assert_eq!(first.items, [1]);
        assert_eq!(read::<TenantCursor>(&first.next_cursor.unwrap()).unwrap(), cursor);
        for bad in ["", "?", "YQ", "_w"] {
            assert!(matches!(read::<TenantCursor>(bad), Err(EditError::Invalid(_))), "{bad}");
        }
        assert!(read::<TenantCursor>(&URL_SAFE_NO_PAD.encode("a\0\nacme")).is_err());
        assert_eq!(read::<ClientId>("YQ").unwrap().as_str(), "a");
        assert!(read::<ClientId>("").is_err());
        let place = (Timestamp::from_seconds(7), AccountId::from_bytes([1; 16]));
        assert_eq!(read::<(Timestamp, AccountId)>(&URL_SAFE_NO_PAD.encode(place.text())).unwrap(), place);
        for bad in ["", "7", "7\nusr_a", "x\nusr_aeaqcaibaeaqcaibaeaqcaibae"] {
            assert!(read::<(Timestamp, AccountId)>(&URL_SAFE_NO_PAD.encode(bad)).is_err(), "{bad}");
        }
        let place = AuditCursor { at: Timestamp::from_seconds(7), tenant: cursor.tenant, position: 17 };
        assert_eq!(read::<AuditCursor>(&URL_SAFE_NO_PAD.encode(place.text())).unwrap(), place);
        for bad in ["", "17", "7\nacme", "7\nACME\n17", "7\nacme\nx"] {
            assert!(read::<AuditCursor>(&URL_SAFE_NO_PAD.encode(bad)).is_err(), "{bad}");
        }
        assert_eq!([of(0).rows(), of(50).rows(), of(1000).rows()], [2, 51, 201]);
    }
}
