//! Permits that tenants share fairly. While permits are free, a tenant may take any number. While tenants
//! wait, a permit goes to the tenant that holds the fewest. Of several such tenants, it goes to the one whose
//! last turn (or first wait) is the oldest.

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::TenantId;

#[derive(Clone, Debug)]
pub struct TenantTurns(Arc<Shared>);

/// A permit. Dropping it passes it on to the next tenant.
#[derive(Debug)]
pub struct Turn {
    of: Arc<Shared>,
    tenant: TenantId,
}

/// The tenant already has the maximum number of waiting callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many requests of this tenant are waiting")]
pub struct TooManyWait;

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    most_of_tenant: usize,
    most_waiting: usize,
}

#[derive(Debug, Default)]
struct State {
    free: usize,
    tenants: HashMap<TenantId, OfTenant>,
    /// The waiting tenants that may get a permit, ordered by the number of permits that they hold and then by
    /// their last turn.
    order: BTreeSet<(usize, u64, TenantId)>,
    last_turn: u64,
}

#[derive(Debug, Default)]
struct OfTenant {
    held: usize,
    last_turn: u64,
    waiting: VecDeque<oneshot::Sender<Turn>>,
}

impl TenantTurns {
    /// Creates `permits` permits. A single tenant can hold all of them. `most_waiting` is the maximum number
    /// of waiting callers of each tenant.
    #[must_use]
    pub fn new(permits: usize, most_waiting: usize) -> Self {
        Self::bounded(permits, permits, most_waiting)
    }

    /// Like [`Self::new`], but a tenant holds at most `most_of_tenant` permits, even if no other tenant is
    /// waiting.
    #[must_use]
    pub fn bounded(permits: usize, most_of_tenant: usize, most_waiting: usize) -> Self {
        let state = Mutex::new(State { free: permits, ..State::default() });
        Self(Arc::new(Shared { state, most_of_tenant, most_waiting }))
    }

    /// Takes a permit, or waits for the tenant's turn. A cancelled caller leaves the queue.
    ///
    /// # Errors
    /// [`TooManyWait`].
    pub async fn take(&self, tenant: &TenantId) -> Result<Turn, TooManyWait> {
        let (sender, turn) = oneshot::channel();
        {
            let mut state = self.0.state.lock();
            if state.may_start(tenant, self.0.most_of_tenant) {
                state.start(tenant);
                return Ok(self.turn(tenant));
            }
            state.wait(tenant, sender, &self.0)?;
        }
        turn.await.map_err(|_| TooManyWait)
    }

    /// Takes a permit if one is free.
    #[must_use]
    pub fn try_take(&self, tenant: &TenantId) -> Option<Turn> {
        let mut state = self.0.state.lock();
        state.may_start(tenant, self.0.most_of_tenant).then(|| {
            state.start(tenant);
            self.turn(tenant)
        })
    }

    /// The number of free permits.
    #[must_use]
    pub fn free(&self) -> usize {
        self.0.state.lock().free
    }

    fn turn(&self, tenant: &TenantId) -> Turn {
        Turn { of: Arc::clone(&self.0), tenant: tenant.clone() }
    }
}

impl State {
    fn may_start(&self, tenant: &TenantId, most_of_tenant: usize) -> bool {
        self.free > 0 && self.tenants.get(tenant).is_none_or(|of| of.held < most_of_tenant)
    }

    fn start(&mut self, tenant: &TenantId) {
        self.free -= 1;
        self.last_turn += 1;
        let of_tenant = self.tenants.entry(tenant.clone()).or_default();
        (of_tenant.held, of_tenant.last_turn) = (of_tenant.held + 1, self.last_turn);
    }

    fn wait(
        &mut self,
        tenant: &TenantId,
        sender: oneshot::Sender<Turn>,
        shared: &Shared,
    ) -> Result<(), TooManyWait> {
        self.last_turn += 1;
        // A new tenant comes after the tenants that are waiting, so that no tenant can overtake them by
        // leaving and coming back.
        let new = || OfTenant { last_turn: self.last_turn, ..OfTenant::default() };
        let of_tenant = self.tenants.entry(tenant.clone()).or_insert_with(new);
        if of_tenant.waiting.len() >= shared.most_waiting {
            of_tenant.waiting.retain(|waiting| !waiting.is_closed());
        }
        let has_room = of_tenant.waiting.len() < shared.most_waiting;
        if has_room {
            of_tenant.waiting.push_back(sender);
        }
        self.place(tenant, shared.most_of_tenant);
        if has_room { Ok(()) } else { Err(TooManyWait) }
    }

    /// Puts the tenant at its position in the order. Removes the tenant if it neither holds a permit nor
    /// waits.
    fn place(&mut self, tenant: &TenantId, most_of_tenant: usize) {
        let Some(of_tenant) = self.tenants.get(tenant) else { return };
        let place = (of_tenant.held, of_tenant.last_turn, tenant.clone());
        if of_tenant.waiting.is_empty() || of_tenant.held >= most_of_tenant {
            self.order.remove(&place);
        } else {
            self.order.insert(place);
        }
        if of_tenant.waiting.is_empty() && of_tenant.held == 0 {
            self.tenants.remove(tenant);
        }
    }

    fn end(&mut self, tenant: &TenantId, most_of_tenant: usize) {
        self.free += 1;
        if let Some(of_tenant) = self.tenants.get_mut(tenant) {
            self.order.remove(&(of_tenant.held, of_tenant.last_turn, tenant.clone()));
            of_tenant.held -= 1;
            self.place(tenant, most_of_tenant);
        }
    }

    /// Takes a permit for the next waiting caller.
    fn next(&mut self, most_of_tenant: usize) -> Option<(TenantId, oneshot::Sender<Turn>)> {
        while self.free > 0
            && let Some((_, _, tenant)) = self.order.pop_first()
        {
            let of_tenant = self.tenants.get_mut(&tenant)?;
            let waiting = loop {
                match of_tenant.waiting.pop_front() {
                    Some(waiting) if waiting.is_closed() => {}
                    other => break other,
                }
            };
            if waiting.is_some() {
                self.start(&tenant);
            }
            self.place(&tenant, most_of_tenant);
            if let Some(waiting) = waiting {
                return Some((tenant, waiting));
            }
        }
        None
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.of.state.lock();
        state.end(&self.tenant, self.of.most_of_tenant);
        while let Some((tenant, waiting)) = state.next(self.of.most_of_tenant) {
            drop(state);
            // If the caller was cancelled, sending drops the turn, which passes it on.
            drop(waiting.send(Self { of: Arc::clone(&self.of), tenant }));
            state = self.of.state.lock();
        }
    }
}
