//! All tables whose rows expire and lie in rings.

use grants::RefreshFamily;
use sessions::Session;
use tenancy::{RefreshTokenPolicy, SessionPolicy};

use crate::rings::RingTable;
use crate::{logouts, one_time};

/// The tables beside [those of records that are used once](one_time::TABLES).
const TABLES: [RingTable; 4] = [
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
];

pub(crate) fn tables() -> impl Iterator<Item = &'static RingTable> {
    TABLES.iter().chain(&one_time::TABLES)
}
