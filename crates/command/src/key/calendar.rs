//! The dates of a tenant's credentials as a calendar file (RFC 5545).

use administration::documents::{ClientView, Instant, KeyStatusView, KeyView, Page};
use tenancy::TenantId;
use values::Timestamp;

use crate::admin_client::{AdminApi, ApiRequest};
use crate::output::ListArguments;
use crate::paths::keys_path;

/// A calendar needs at least one component (RFC 5545 §3.6), even without events.
const BEGINNING: [&str; 11] = [
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "PRODID:-//Latchkey//Rotations//EN",
    "BEGIN:VTIMEZONE",
    "TZID:UTC",
    "BEGIN:STANDARD",
    "DTSTART:19700101T000000",
    "TZOFFSETFROM:+0000",
    "TZOFFSETTO:+0000",
    "END:STANDARD",
    "END:VTIMEZONE",
];

/// A date in the calendar.
struct CalendarEvent {
    /// Identifies the event, and stays the same when its date changes.
    name: String,
    at: Instant,
    summary: String,
}

/// The next dates of the signing keys, and of the secrets with a schedule.
pub(super) async fn read(admin: &AdminApi, tenant: &TenantId, now: Timestamp) -> anyhow::Result<String> {
    let status: KeyStatusView = admin.send(ApiRequest::get(format!("{}/status", keys_path(tenant)))).await?;
    let keys: Page<KeyView> = admin.send(ApiRequest::get(keys_path(tenant))).await?;
    let clients = format!("/api/v1/tenant/{tenant}/clients");
    let clients: Page<ClientView> = ListArguments::all().read(admin, &clients, Vec::new()).await?;
    let events = of_keys(&status, &keys.items).into_iter().chain(clients.items.iter().filter_map(of_client));
    Ok(calendar(tenant, events.filter(|event| event.at.0 >= now), now))
}

fn of_keys(status: &KeyStatusView, keys: &[KeyView]) -> Vec<CalendarEvent> {
    let next = status.due_at.map(|at| CalendarEvent {
        name: "key-step".to_owned(),
        at,
        summary: "next automatic key rotation step".to_owned(),
    });
    let dated = keys.iter().flat_map(|KeyView { kid, active_from, retiring_from, removed_at, .. }| {
        let event = |what: &str, at: Option<Instant>, summary: String| {
            at.map(|at| CalendarEvent { name: format!("{what}-{kid}"), at, summary })
        };
        [
            event("signs", Some(*active_from), format!("{kid} starts to sign")),
            event("retires", *retiring_from, format!("{kid} no longer signs")),
            event("removed", *removed_at, format!("{kid} is removed from the key set")),
        ]
    });
    next.into_iter().chain(dated.flatten()).collect()
}

fn of_client(ClientView { client_id, rotation, .. }: &ClientView) -> Option<CalendarEvent> {
    let at = rotation.as_ref()?.due_at?;
    let summary = format!("scheduled rotation of the secret of {client_id}");
    Some(CalendarEvent { name: format!("secret-{client_id}"), at, summary })
}

fn calendar(tenant: &TenantId, events: impl Iterator<Item = CalendarEvent>, now: Timestamp) -> String {
    let mut lines = BEGINNING.map(str::to_owned).to_vec();
    for CalendarEvent { name, at, summary } in events {
        lines.extend([
            "BEGIN:VEVENT".to_owned(),
            format!("UID:{}@{tenant}.latchkey", escaped(&name)),
            format!("DTSTAMP:{}", utc(now)),
            format!("DTSTART:{}", utc(at.0)),
            format!("SUMMARY:{}", escaped(&format!("{tenant}: {summary}"))),
            "END:VEVENT".to_owned(),
        ]);
    }
    lines.push("END:VCALENDAR".to_owned());
    lines.iter().map(|line| folded(line) + "\r\n").collect()
}

/// A date and time in UTC (RFC 5545 §3.3.5).
fn utc(at: Timestamp) -> String {
    at.to_rfc3339().chars().filter(|character| !matches!(character, '-' | ':')).collect()
}

/// Escapes a text (RFC 5545 §3.3.11).
fn escaped(text: &str) -> String {
    text.replace('\\', r"\\").replace(';', r"\;").replace(',', r"\,")
}

/// Breaks lines after 75 bytes (RFC 5545 §3.1).
fn folded(line: &str) -> String {
    let (mut text, mut length) = (String::with_capacity(line.len()), 0);
    for character in line.chars() {
        if length + character.len_utf8() > 75 {
            text.push_str("\r\n ");
            length = 1;
        }
        text.push(character);
        length += character.len_utf8();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_in_utc_and_lines_are_folded() {
        let at = |text: &str| Instant(Timestamp::parse_rfc3339(text).unwrap());
        let summary = format!("a; b, c \\ {}", "\u{e9}".repeat(40));
        let event = CalendarEvent { name: "key-step".to_owned(), at: at("2030-02-01T08:09:10Z"), summary };
        let tenant = TenantId::parse("globex").unwrap();
        let text = calendar(&tenant, std::iter::once(event), at("2030-01-01T00:00:00Z").0);
        assert!(text.contains("UID:key-step@globex.latchkey\r\nDTSTAMP:20300101T000000Z\r\n"), "{text}");
        assert!(text.contains("DTSTART:20300201T080910Z\r\nSUMMARY:globex: a\\; b\\, c \\\\ "), "{text}");
        assert!(text.split("\r\n").all(|line| line.len() <= 75), "{text}");
        assert_eq!(text.replace("\r\n ", "").matches('\u{e9}').count(), 40);
        assert!(text.ends_with("END:VEVENT\r\nEND:VCALENDAR\r\n"));
    }
}
