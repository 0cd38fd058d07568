//! Decides whether a token request runs immediately, waits, or is refused, so that a worker answers
//! in time under any load.
//!
//! A worker is one thread and signs on that thread. Without admission control, the requests beyond
//! its capacity would wait in socket buffers without a limit.

mod limit;
mod queue;
mod refusals;
mod ticket;
mod waiting;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::rt::spawn;
use actix_web::rt::time::Instant;
use memchr::{memchr, memchr2};
use tokio::runtime::{Handle, RuntimeMetrics};
use tokio::task::yield_now;

use secrets::CallerAddress;
use tenancy::{TenantId, TenantResolver};

use self::queue::Queue;
pub(crate) use self::refusals::Refusals;
pub(super) use self::ticket::{AdmissionVerdict, Ticket, WaitOutcome};
use self::waiting::WaitingLine;

/// The admission control of one worker. All its listeners and connections share it.
#[derive(Clone)]
pub(crate) struct Admission(Rc<Worker>);

struct Worker {
    queue: RefCell<Queue>,
    tenants: TenantResolver,
    /// Counts how often the thread has polled its sockets.
    runtime: RuntimeMetrics,
}

impl Admission {
    /// Creates the admission control on the first call of a thread.
    pub(crate) fn of_worker(longest: Duration, refusals: &Arc<Refusals>, tenants: &TenantResolver) -> Self {
        thread_local!(static WORKER: RefCell<Option<Admission>> = const { RefCell::new(None) });
        let new = || {
            let queue = RefCell::new(Queue::new(longest, Instant::now(), Arc::clone(refusals)));
            let (tenants, runtime) = (tenants.clone(), Handle::current().metrics());
            Self(Rc::new(Worker { queue, tenants, runtime }))
        };
        WORKER.with_borrow_mut(|worker| worker.get_or_insert_with(new).clone())
    }

    /// Whether a request that just arrived may run immediately. Without overload this is the only
    /// check.
    pub(super) fn is_open(&self, now: Instant) -> bool {
        self.0.queue.borrow_mut().is_open(self.0.runtime.worker_park_count(0), now)
    }

    /// Called if [`Self::is_open`] is false. `bytes` are the first bytes of the request.
    pub(super) fn admit(&self, bytes: &[u8], source: CallerAddress, now: Instant) -> AdmissionVerdict {
        let line = line_of(bytes, |name| self.0.tenants.has_at_hand(name));
        let mut queue = self.0.queue.borrow_mut();
        let verdict = queue.admit(line, source, now);
        if matches!(verdict, AdmissionVerdict::Waits(_)) && !queue.calls {
            queue.calls = true;
            spawn(call(Rc::clone(&self.0)));
        }
        verdict
    }
}

/// Runs waiting requests until none is left: one batch after each read of the sockets.
async fn call(worker: Rc<Worker>) {
    loop {
        yield_now().await;
        let now = Instant::now();
        let mut queue = worker.queue.borrow_mut();
        if let Some(refused) = queue.take_unlogged(now) {
            tracing::warn!(
                refused,
                "a worker receives more token requests than it can handle, and refuses some with 503"
            );
        }
        if !queue.next_turn(now) {
            return;
        }
    }
}

/// Services can call these endpoints at any rate.
const ENDPOINTS: [&[u8]; 4] = [b"/token", b"/introspect", b"/oauth/revoke", b"/oauth2/revoke"];

/// Whether the bytes start a request to a token, introspection or revocation endpoint. Other
/// requests are never refused: they are cheap, or operators send them.
pub(super) fn is_token_request(bytes: &[u8]) -> bool {
    let Some(target) = bytes.strip_prefix(b"POST ") else { return false };
    let path = memchr2(b' ', b'?', target).map_or(target, |end| &target[..end]);
    ENDPOINTS.iter().any(|endpoint| path.ends_with(endpoint))
}

fn line_of(bytes: &[u8], is_at_hand: impl FnOnce(&TenantId) -> bool) -> WaitingLine {
    let Some(path) = bytes.strip_prefix(b"POST /api/v1/tenant/") else { return WaitingLine::Default };
    let name = memchr(b'/', path).and_then(|end| std::str::from_utf8(&path[..end]).ok());
    let tenant = name.and_then(|name| TenantId::parse(name).ok()).filter(is_at_hand);
    tenant.map_or(WaitingLine::Unknown, WaitingLine::Tenant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_tenants_share_one_waiting_line() {
        let acme = TenantId::parse("acme").unwrap();
        for (path, expected) in [
            ("/api/v1/tenant/acme/oauth/token", WaitingLine::Tenant(acme.clone())),
            ("/api/v1/tenant/acme/oauth/introspect", WaitingLine::Tenant(acme.clone())),
            ("/api/v1/tenant/none/oauth/token", WaitingLine::Unknown),
            ("/api/v1/tenant/ACME/oauth/token", WaitingLine::Unknown),
            ("/oauth2/token", WaitingLine::Default),
        ] {
            let line = line_of(format!("POST {path} HTTP/1.1\r\n").as_bytes(), |tenant| *tenant == acme);
            assert_eq!(line, expected, "{path}");
        }
    }

    #[test]
    fn only_token_introspection_and_revocation_requests_are_refused() {
        for (line, expected) in [
            ("POST /api/v1/tenant/acme/oauth/token HTTP/1.1", true),
            ("POST /oauth2/token?a=b HTTP/1.1", true),
            ("POST /oauth2/introspect HTTP/1.1", true),
            ("POST /api/v1/tenant/acme/oauth/revoke HTTP/1.1", true),
            ("POST /oauth2/revoke HTTP/1.1", true),
            ("POST /api/v1/tenant/acme/keys/oauth2-key-1/revoke HTTP/1.1", false),
            ("POST /api/v1/tenant/acme/clients HTTP/1.1", false),
            ("POST /x?/token HTTP/1.1", false),
            ("GET /health/live HTTP/1.1", false),
            ("GET /oauth2/token HTTP/1.1", false),
            ("", false),
        ] {
            assert_eq!(is_token_request(line.as_bytes()), expected, "{line}");
        }
    }
}
