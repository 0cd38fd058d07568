//! All tables whose rows expire and are stored in ring partitions.

use administration::mail::QueuedMail;
use grants::RefreshFamily;
use sessions::Session;
use tenancy::{RefreshTokenPolicy, SessionPolicy};

use crate::rings::RingTable;
use crate::{logouts, one_time};

/// In addition to [the tables of records that are used once](one_time::TABLES).
const TABLES: [RingTable; 5] = [
    RingTable::new("sessions", Session::RING, SessionPolicy::LONGEST, "tenant_id, slot, session_id"),
    RingTable::new(
        "refresh_families",
        RefreshFamily::RING,
        RefreshTokenPolicy::LONGEST,
        "tenant_id, family_id, slot",
    ),
    RingTable::new("session_clients", logouts::RING, logouts::KNOWN, logouts::KEY),
    RingTable::new("logout_outbox", logouts::RING, logouts::KEPT, logouts::KEY),
    RingTable::new("mail_outbox", QueuedMail::RING, QueuedMail::KEPT, "tenant_id, slot, mail_id"),
];

pub(crate) fn tables() -> impl Iterator<Item = &'static RingTable> {
    TABLES.iter().chain(&one_time::TABLES)
}
