//! Tests that all callers share one request, and that a cached token needs none.

use std::time::Duration;

use latchkey_client::{Request, TokenSource};
use tokio::task::{AbortHandle, JoinSet};

use crate::stub::{Reply, Stub};
use crate::{builder, source};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_thousand_tasks_share_one_request() {
    let stub = Stub::held(|received| Reply::token(&format!("t{}", received.number))).await;
    let tokens = source(&stub);
    let mut tasks = JoinSet::new();
    let spawn = |_| {
        let tokens = tokens.clone();
        tasks.spawn(async move { tokens.token().await.map(|token| token.expose().to_owned()) })
    };
    // The first dropped task began the request.
    let dropped: Vec<_> = (0..10_000).map(spawn).step_by(2).collect();
    while stub.requests() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    dropped.iter().for_each(AbortHandle::abort);
    // All remaining tasks wait before the answer comes.
    tokio::time::sleep(Duration::from_millis(50)).await;
    stub.release();
    let (mut served, mut cancelled) = (0, 0);
    while let Some(outcome) = tasks.join_next().await {
        match outcome {
            Ok(token) => {
                assert_eq!(token.unwrap(), "t0");
                served += 1;
            }
            Err(_) => cancelled += 1,
        }
    }
    assert_eq!((served + cancelled, stub.requests()), (10_000, 1));
    assert!(served >= 5000 && cancelled > 4000, "{served} served, {cancelled} dropped");
}

#[tokio::test]
async fn a_cached_header_costs_no_allocation() {
    let stub = Stub::start(|_| Reply::token("t")).await;
    let tokens = source(&stub);
    tokens.authorization().await.unwrap();
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let counted = allocation_counter::measure(|| {
        for _ in 0..100 {
            let polled = std::pin::pin!(tokens.authorization()).as_mut().poll(&mut context);
            assert!(polled.is_ready());
            let polled = std::pin::pin!(tokens.token()).as_mut().poll(&mut context);
            assert!(polled.is_ready());
        }
    });
    assert_eq!((counted.count_total, stub.requests()), (0, 1));
}

#[tokio::test]
async fn each_scope_set_has_its_own_token() {
    let stub = Stub::start(|received| Reply::token(&format!("t{}", received.number))).await;
    let tokens = builder(&stub).scope("a b").build().unwrap();
    let of = async |tokens: &TokenSource| tokens.token().await.unwrap().expose().to_owned();
    let reports = tokens.with(Request::new().scope("reports")).unwrap();
    assert_eq!((of(&tokens).await, of(&reports).await), ("t0".to_owned(), "t1".to_owned()));
    assert_eq!(of(&tokens.with(Request::new().scope("b").scope("a")).unwrap()).await, "t0");
    assert_eq!(of(&tokens.with(Request::new().scope("reports")).unwrap()).await, "t1");
    assert_eq!(stub.requests(), 2);
}

#[tokio::test]
async fn oldest_source_beyond_the_limit_loses_its_token() {
    let stub = Stub::start(|received| Reply::token(&format!("t{}", received.number))).await;
    let tokens = builder(&stub).max_cached(2).build().unwrap();
    tokens.token().await.unwrap();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let others: Vec<_> = ["a", "b"].map(|scope| tokens.with(Request::new().scope(scope)).unwrap()).into();
    assert!(tokens.cached().is_none());
    for source in others.iter().chain([&tokens]) {
        source.token().await.unwrap();
    }
    assert_eq!(stub.requests(), 4);
}

#[tokio::test]
async fn server_may_grant_fewer_scopes() {
    let body = r#"{"access_token":"t","token_type":"bearer","expires_in":"60","scope":"a c"}"#;
    let stub = Stub::start(move |_| Reply::json(200, body)).await;
    let token = builder(&stub).scope("a b").build().unwrap().token().await.unwrap();
    assert_eq!((token.scope(), token.granted_less()), (&["a".to_owned(), "c".to_owned()][..], true));
    assert!(token.expires_in() > Duration::from_secs(55));
}
