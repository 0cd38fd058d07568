//! Permits that tenants share in turn. While permits are free, a tenant may take any number of them. While
//! tenants wait, a permit goes to the tenant that holds the fewest. Of equal ones it goes to the tenant whose
//! last turn, or whose first wait, is the oldest.

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::TenantId;

/// Permits for work that is done for tenants.
#[derive(Clone, Debug)]
pub struct TenantTurns(Arc<Shared>);

/// A permit. Dropping it gives it to the next.
#[derive(Debug)]
pub struct Turn {
    of: Arc<Shared>,
    tenant: TenantId,
}

/// The tenant has the largest number of waiting callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too much of this tenant waits for its turn")]
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
    /// The waiting tenants that may hold one more permit: by held permits, then by their last turn.
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
    /// This number of permits, of which one tenant can hold all. Each tenant may have this number of waiting
    /// callers.
    #[must_use]
    pub fn new(permits: usize, most_waiting: usize) -> Self {
        Self::bounded(permits, permits, most_waiting)
    }

    /// This number of permits. A tenant holds at most `most_of_tenant`, even while no other tenant waits.
    #[must_use]
    pub fn bounded(permits: usize, most_of_tenant: usize, most_waiting: usize) -> Self {
        let state = Mutex::new(State { free: permits, ..State::default() });
        Self(Arc::new(Shared { state, most_of_tenant, most_waiting }))
    }

    /// Takes a permit, or waits for the tenant's turn. A caller that gives up leaves the queue.
    ///
    /// # Errors
    /// [`TooManyWait`].
    pub async fn take(&self, tenant: &TenantId) -> Result<Turn, TooManyWait> {
        let (sender, turn) = oneshot::channel();
        {
            let mut state = self.0.state();
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
        let mut state = self.0.state();
        state.may_start(tenant, self.0.most_of_tenant).then(|| {
            state.start(tenant);
            self.turn(tenant)
        })
    }

    /// The number of permits that are not held.
    #[must_use]
    pub fn free(&self) -> usize {
        self.0.state().free
    }

    fn turn(&self, tenant: &TenantId) -> Turn {
        Turn { of: Arc::clone(&self.0), tenant: tenant.clone() }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
        // A new tenant comes after those that wait, so that no tenant can pass them by leaving and coming
        // again.
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

    /// Puts the tenant at its place in the order. Removes it if it neither holds a permit nor waits.
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

    /// Takes back a permit.
    fn end(&mut self, tenant: &TenantId, most_of_tenant: usize) {
        self.free += 1;
        if let Some(of_tenant) = self.tenants.get_mut(tenant) {
            self.order.remove(&(of_tenant.held, of_tenant.last_turn, tenant.clone()));
            of_tenant.held -= 1;
            self.place(tenant, most_of_tenant);
        }
    }

    /// The next that waits, with its permit taken.
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
        let mut state = self.of.state();
        state.end(&self.tenant, self.of.most_of_tenant);
        while let Some((tenant, waiting)) = state.next(self.of.most_of_tenant) {
            drop(state);
            // A caller that has just given up drops the turn, and so calls the next.
            drop(waiting.send(Self { of: Arc::clone(&self.of), tenant }));
            state = self.of.state();
        }
    }
}
