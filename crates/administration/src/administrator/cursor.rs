//! Pages: a cursor is the place of the last row, in base64url, opaque to callers.

use accounts::AccountId;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use protocol::Timestamp;
use registry::ClientId;
use tenancy::TenantId;

use crate::edit::invalid;
use crate::{EditError, Page, TenantCursor};

const MOST: u32 = 200;

/// How many rows a page has.
pub(super) fn page_size(requested: u32) -> u32 {
    requested.clamp(1, MOST)
}

/// A page of rows. The query is for one row more, which tells whether another page follows.
pub(super) fn page<C, T>(mut rows: Vec<(C, T)>, size: u32, cursor: impl Fn(&C) -> String) -> Page<T> {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let more = rows.len() > size;
    rows.truncate(size);
    let last = rows.last().filter(|_| more);
    let next_cursor = last.map(|(place, _)| URL_SAFE_NO_PAD.encode(cursor(place)));
    Page { items: rows.into_iter().map(|(_, item)| item).collect(), next_cursor }
}

/// No word holds a line feed, or another control character.
pub(super) fn of_tenant(cursor: &TenantCursor) -> String {
    format!("{}\n{}", cursor.word, cursor.tenant)
}

pub(super) fn read_tenant(text: &str) -> Result<TenantCursor, EditError> {
    let plain = read(text)?;
    let (word, tenant) = plain.split_once('\n').ok_or_else(unknown)?;
    if word.contains(char::is_control) {
        return Err(unknown());
    }
    let tenant = TenantId::parse(tenant).map_err(|_| unknown())?;
    Ok(TenantCursor { word: word.to_owned(), tenant })
}

pub(super) fn read_client(text: &str) -> Result<ClientId, EditError> {
    ClientId::parse(&read(text)?).map_err(|_| unknown())
}

pub(super) fn of_account((created_at, account): &(Timestamp, AccountId)) -> String {
    format!("{}\n{account}", created_at.seconds())
}

pub(super) fn read_account(text: &str) -> Result<(Timestamp, AccountId), EditError> {
    let plain = read(text)?;
    let (created_at, account) = plain.split_once('\n').ok_or_else(unknown)?;
    let created_at = created_at.parse().map_err(|_| unknown())?;
    Ok((Timestamp::from_seconds(created_at), account.parse().map_err(|_| unknown())?))
}

pub(super) fn read_position(text: &str) -> Result<i64, EditError> {
    read(text)?.parse().map_err(|_| unknown())
}

fn read(text: &str) -> Result<String, EditError> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| unknown())?;
    String::from_utf8(bytes).map_err(|_| unknown())
}

fn unknown() -> EditError {
    invalid("/cursor", "this is not a cursor that a page has given")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_to_its_row_and_another_text_to_none() {
        let cursor = TenantCursor { word: "müller".to_owned(), tenant: TenantId::parse("acme").unwrap() };
        let rows = vec![(cursor.clone(), 1), (cursor.clone(), 2)];
        let whole = page(rows.clone(), 2, of_tenant);
        assert_eq!((whole.items, whole.next_cursor), (vec![1, 2], None));
        let first = page(rows, 1, of_tenant);
        assert_eq!(first.items, [1]);
        assert_eq!(read_tenant(&first.next_cursor.unwrap()).unwrap(), cursor);
        for bad in ["", "?", "YQ", "_w"] {
            assert!(matches!(read_tenant(bad), Err(EditError::Invalid(_))), "{bad}");
            assert!(matches!(read_position(bad), Err(EditError::Invalid(_))), "{bad}");
        }
        assert!(read_tenant(&URL_SAFE_NO_PAD.encode("a\0\nacme")).is_err());
        assert_eq!(read_client("YQ").unwrap().as_str(), "a");
        assert!(read_client("").is_err());
        let place = (Timestamp::from_seconds(7), AccountId::from_bytes([1; 16]));
        assert_eq!(read_account(&URL_SAFE_NO_PAD.encode(of_account(&place))).unwrap(), place);
        for bad in ["", "7", "7\nusr_a", "x\nusr_aeaqcaibaeaqcaibaeaqcaibae"] {
            assert!(read_account(&URL_SAFE_NO_PAD.encode(bad)).is_err(), "{bad}");
        }
        assert_eq!(read_position(&URL_SAFE_NO_PAD.encode("17")).unwrap(), 17);
        assert_eq!((page_size(0), page_size(50), page_size(1000)), (1, 50, 200));
    }
}
