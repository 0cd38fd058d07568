//! All tables whose rows expire and are stored in ring partitions.

use administration::mail::QueuedMail;
use grants::RefreshFamily;
use sessions::Session;
use tenancy::{RefreshTokenPolicy, SessionPolicy};

use crate::rings::RingTable;
use crate::{logouts, one_time};

/// In addition to [the tables of records that are used once](one_time::TABLES).
const TABLES: [RingTable; 5] = [
    RingTable {
        name: "sessions",
        ring: Session::RING,
        kept: SessionPolicy::LONGEST,
        key: "tenant_id, slot, session_id",
        early: None,
    },
    RingTable {
        name: "refresh_families",
        ring: RefreshFamily::RING,
        kept: RefreshTokenPolicy::LONGEST,
        key: "tenant_id, family_id, slot",
        early: None,
    },
    RingTable {
        name: "session_clients",
        ring: logouts::RING,
        kept: logouts::KNOWN,
        key: "tenant_id, slot, session_id, client_id",
        early: None,
    },
    RingTable {
        name: "logout_outbox",
        ring: logouts::RING,
        kept: logouts::KEPT,
        key: "tenant_id, slot, session_id, client_id",
        early: None,
    },
    RingTable {
        name: "mail_outbox",
        ring: QueuedMail::RING,
        kept: QueuedMail::KEPT,
        key: "tenant_id, slot, mail_id",
        early: None,
    },
];

pub(crate) fn tables() -> impl Iterator<Item = &'static RingTable> {
    TABLES.iter().chain(&one_time::TABLES)
}
