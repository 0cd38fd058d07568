//! The most recent refused requests of each tenant. They wait in memory until a background task writes them.

use std::collections::{HashMap, VecDeque};

use parking_lot::Mutex;
use registry::ClientId;
use tenancy::TenantId;
use values::Timestamp;

/// How many refused requests are stored for each tenant.
pub const KEPT_REFUSALS: usize = 1_000;
/// How many refused requests of all tenants may wait in memory, which needs about 10 MiB. If more arrive,
/// each tenant has [`FLOOR`].
const WAITING: usize = 20_000;
const FLOOR: usize = 10;

/// A refused request. It contains names of rows, but no text that a caller sent, which could contain a
/// secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub tenant: TenantId,
    pub at: Timestamp,
    /// The id of the request, as in the log and in the answer.
    pub request_id: String,
    /// The route pattern.
    pub route: String,
    pub status: u32,
    pub error: String,
    pub reason: String,
    /// The registered client that the request names, or that it authenticated as.
    pub client: Option<ClientId>,
    /// Whether the client has authenticated, or presented a credential of its own that has expired or was
    /// revoked.
    pub is_proven: bool,
    /// How the client authenticated; empty if it did not try.
    pub auth_method: String,
    /// The first scope that the client may not have. Empty if the refusal has another reason.
    pub scope: String,
    /// The address, as text.
    pub source: String,
}

/// Refusals that are not written yet.
#[derive(Default)]
pub struct RefusalBuffer(Mutex<WaitingRefusals>);

#[derive(Default)]
struct WaitingRefusals {
    of: HashMap<TenantId, VecDeque<Refusal>>,
    /// The tenants with refusals, in the order of their turns.
    turns: VecDeque<TenantId>,
    held: usize,
}

impl RefusalBuffer {
    /// Adds a refusal. If a limit is exceeded, the oldest refusal of the same tenant is dropped.
    pub fn note(&self, refusal: Refusal) {
        let mut waiting = self.0.lock();
        let most = waiting.most();
        let of_tenant = waiting.of(&refusal.tenant);
        let gone = (of_tenant.len() >= most).then(|| of_tenant.pop_front()).flatten();
        of_tenant.push_back(refusal);
        waiting.held += usize::from(gone.is_none());
    }

    /// Takes out at most `most` refusals: from each tenant in turn, its oldest first.
    #[must_use]
    pub fn take(&self, most: usize) -> Vec<Refusal> {
        let mut waiting = self.0.lock();
        let mut taken = Vec::new();
        while taken.len() < most
            && let Some(tenant) = waiting.turns.pop_front()
        {
            let Some(of_tenant) = waiting.of.get_mut(&tenant) else { continue };
            taken.extend(of_tenant.pop_front());
            if of_tenant.is_empty() {
                waiting.of.remove(&tenant);
            } else {
                waiting.turns.push_back(tenant);
            }
        }
        waiting.held -= taken.len();
        taken
    }

    /// Puts back refusals that could not be written, if there is room.
    pub fn give_back(&self, refusals: Vec<Refusal>) {
        let mut waiting = self.0.lock();
        for refusal in refusals.into_iter().rev() {
            let most = waiting.most();
            let of_tenant = waiting.of(&refusal.tenant);
            if of_tenant.len() < most {
                of_tenant.push_front(refusal);
                waiting.held += 1;
            }
        }
    }
}

impl WaitingRefusals {
    /// How many refusals may wait for one tenant now.
    const fn most(&self) -> usize {
        if self.held < WAITING { KEPT_REFUSALS } else { FLOOR }
    }

    /// The refusals of a tenant, which is added to the turns if it has none.
    fn of(&mut self, tenant: &TenantId) -> &mut VecDeque<Refusal> {
        if !self.of.contains_key(tenant) {
            self.turns.push_back(tenant.clone());
        }
        self.of.entry(tenant.clone()).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(tenant: &str, number: usize) -> Refusal {
        Refusal {
            tenant: TenantId::parse(tenant).unwrap(),
            at: Timestamp::from_seconds(number as u64),
            request_id: number.to_string(),
            route: String::new(),
            status: 401,
            error: String::new(),
            reason: "wrong_secret".to_owned(),
            client: None,
            is_proven: false,
            auth_method: String::new(),
            scope: String::new(),
            source: "unknown".to_owned(),
        }
    }

    fn names(refusals: &[Refusal]) -> Vec<String> {
        let mut names: Vec<_> =
            refusals.iter().map(|refusal| format!("{}/{}", refusal.tenant, refusal.request_id)).collect();
        names.sort();
        names
    }

    #[test]
    fn tenants_take_turns_oldest_refusal_first() {
        let buffer = RefusalBuffer::default();
        (0..3).for_each(|number| buffer.note(refusal("acme", number)));
        buffer.note(refusal("globex", 7));
        let taken = buffer.take(3);
        assert_eq!(names(&taken), ["acme/0", "acme/1", "globex/7"]);
        buffer.give_back(taken);
        assert_eq!(names(&buffer.take(2)), ["acme/0", "globex/7"]);
        assert_eq!(names(&buffer.take(9)), ["acme/1", "acme/2"]);
        assert_eq!(buffer.take(9), []);
    }

    // [limits #37]: memory for refused requests | 1 000 of a tenant, 20 000 in all and then 10 of a tenant |
    //   a tenant loses its own oldest
    #[test]
    fn flooding_tenant_loses_its_own_oldest_refusals() {
        let buffer = RefusalBuffer::default();
        buffer.note(refusal("globex", 7));
        (0..KEPT_REFUSALS + 2).for_each(|number| buffer.note(refusal("acme", number)));
        let taken = buffer.take(2);
        assert_eq!(names(&taken), ["acme/2", "globex/7"]);
        assert_eq!(buffer.take(usize::MAX).len(), KEPT_REFUSALS - 1);
    }

    // [limits #37]
    #[test]
    fn buffer_is_bounded_and_leaves_room_for_new_tenants() {
        let buffer = RefusalBuffer::default();
        for tenant in 0..3 * WAITING / KEPT_REFUSALS {
            (0..KEPT_REFUSALS).for_each(|number| buffer.note(refusal(&format!("t{tenant}"), number)));
        }
        let held = buffer.take(usize::MAX);
        assert!(held.len() <= WAITING + 2 * FLOOR * WAITING / KEPT_REFUSALS, "{}", held.len());
        let last = format!("t{}", 3 * WAITING / KEPT_REFUSALS - 1);
        assert_eq!(held.iter().filter(|refusal| refusal.tenant.as_str() == last).count(), FLOOR);
    }
}
