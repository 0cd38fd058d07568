//! Tests the order in which callers get turns. The tests poll the callers themselves.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};

use super::*;

type Waiting = Pin<Box<dyn Future<Output = Result<Turn, TooManyWait>>>>;

fn tenant(id: &str) -> TenantId {
    TenantId::parse(id).unwrap()
}

fn poll(waiting: &mut Waiting) -> Option<Result<Turn, TooManyWait>> {
    match waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        std::task::Poll::Ready(taken) => Some(taken),
        std::task::Poll::Pending => None,
    }
}

/// Requests turns in this order.
fn request(turns: &TenantTurns, tenants: &[&str]) -> Vec<(String, Waiting)> {
    let request = |id: &&str| {
        let (turns, of) = (turns.clone(), tenant(id));
        let mut waiting: Waiting = Box::pin(async move { turns.take(&of).await });
        assert!(poll(&mut waiting).is_none(), "{id} waits");
        ((*id).to_owned(), waiting)
    };
    tenants.iter().map(request).collect()
}

/// Ends the first turn and then each later one, and returns the order in which they were granted.
fn order(mut waiting: Vec<(String, Waiting)>, first: Turn) -> Vec<String> {
    let mut served = Vec::new();
    drop(first);
    while let Some((next, turn)) = next(&mut waiting) {
        served.push(next);
        drop(turn);
    }
    served
}

/// The first caller that has its turn now.
fn next(waiting: &mut Vec<(String, Waiting)>) -> Option<(String, Turn)> {
    let mut turns = waiting.iter_mut().enumerate().map(|(at, (_, waiting))| (at, poll(waiting)));
    let (at, turn) = turns.find_map(|(at, turn)| Some((at, turn?.unwrap())))?;
    Some((waiting.remove(at).0, turn))
}

#[test]
fn tenant_waits_at_most_one_turn_per_other_tenant() {
    let turns = TenantTurns::new(1, 8);
    let first = turns.try_take(&tenant("b")).unwrap();
    let waiting = request(&turns, &["b", "b", "b", "a", "c", "a"]);
    assert_eq!(order(waiting, first), ["b", "a", "c", "b", "a", "b"]);
    assert_eq!(turns.free(), 1);
    assert!(turns.0.state.lock().tenants.is_empty(), "nothing is kept of a tenant that has nothing to do");
}

#[test]
fn returning_tenant_does_not_overtake_waiting_tenants() {
    let turns = TenantTurns::new(1, 8);
    let first = turns.try_take(&tenant("c")).unwrap();
    let mut waiting = request(&turns, &["a", "a", "b"]);
    drop(first);
    let held = poll(&mut waiting.remove(0).1).unwrap().unwrap();
    drop(held);
    let held = poll(&mut waiting.remove(1).1).unwrap().unwrap();
    waiting.extend(request(&turns, &["c"]));
    drop(held);
    assert!(poll(&mut waiting[0].1).is_some(), "a, before c, which had left");
}

#[test]
fn waiting_tenants_get_free_permits_up_to_their_share() {
    let turns = TenantTurns::new(4, 8);
    let mut held: Vec<_> = (0..4).map(|_| turns.try_take(&tenant("b")).unwrap()).collect();
    let mut waiting = request(&turns, &["b", "b", "a", "a", "a"]);
    let mut served = Vec::new();
    for _ in 0..4 {
        drop(held.remove(0));
        let (next, turn) = next(&mut waiting).unwrap();
        served.push(next);
        held.push(turn);
    }
    assert_eq!(served, ["a", "a", "b", "b"], "two each, and then the tenant that has fewer");
}

#[test]
fn tenant_at_its_bound_lets_others_pass() {
    let turns = TenantTurns::bounded(3, 1, 8);
    let first = turns.try_take(&tenant("b")).unwrap();
    assert!(turns.try_take(&tenant("b")).is_none());
    let mut waiting = request(&turns, &["b"]);
    let other = turns.try_take(&tenant("a")).expect("a permit is free, and b may not take it");
    drop(other);
    assert!(poll(&mut waiting[0].1).is_none());
    drop(first);
    assert!(poll(&mut waiting[0].1).is_some());
}

#[test]
fn full_queue_refuses_only_its_tenant() {
    let turns = TenantTurns::new(1, 2);
    let first = turns.try_take(&tenant("b")).unwrap();
    let waiting = request(&turns, &["b", "b"]);
    let (again, of) = (turns.clone(), tenant("b"));
    let mut third: Waiting = Box::pin(async move { again.take(&of).await });
    assert_eq!(poll(&mut third).unwrap().unwrap_err(), TooManyWait);
    let _of_another = request(&turns, &["a"]);
    drop(waiting);
    let waiting = request(&turns, &["b"]);
    drop(_of_another);
    assert_eq!(order(waiting, first), ["b"]);
    assert_eq!(turns.free(), 1);
}
