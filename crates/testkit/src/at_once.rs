//! Runs work of a test at the same time.

/// Runs these futures at the same time, and returns their results in order.
///
/// # Panics
/// If one of them panics.
pub async fn at_once<F>(works: impl IntoIterator<Item = F>) -> Vec<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let tasks: Vec<_> = works.into_iter().map(tokio::spawn).collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.expect("no work panics"));
    }
    results
}
