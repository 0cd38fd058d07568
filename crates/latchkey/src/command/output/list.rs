//! Lists that may be long: so many rows, or all of them, page by page.

use std::io::{Write as _, stderr};

use administration::Page;
use clap::Args;

use crate::admin_client::{AdminClientError, PageRequest};

/// What the API gives at most at once.
const AT_ONCE: u32 = 200;

/// How much of a list.
#[derive(Args)]
pub(crate) struct ListArguments {
    /// At most so many rows.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// All rows.
    #[arg(long, conflicts_with = "limit")]
    all: bool,
    /// Go on where an earlier list ended.
    #[arg(long)]
    cursor: Option<String>,
}

/// As many pages as it takes. Where there is more, the standard error says how to go on.
pub(crate) async fn all_pages<T>(
    arguments: &ListArguments,
    search: Option<&str>,
    mut page: impl AsyncFnMut(PageRequest) -> Result<Page<T>, AdminClientError>,
) -> Result<Page<T>, AdminClientError> {
    let wanted = if arguments.all { usize::MAX } else { arguments.limit as usize };
    let mut whole = Page { items: Vec::new(), next_cursor: arguments.cursor.clone() };
    loop {
        let left = wanted - whole.items.len();
        let request = PageRequest {
            search: search.map(str::to_owned),
            cursor: whole.next_cursor.take(),
            limit: u32::try_from(left).unwrap_or(AT_ONCE).min(AT_ONCE),
        };
        let next = page(request).await?;
        whole.items.extend(next.items);
        whole.next_cursor = next.next_cursor;
        if whole.next_cursor.is_none() || whole.items.len() >= wanted {
            break;
        }
    }
    if let Some(cursor) = &whole.next_cursor {
        let _ = writeln!(stderr(), "there is more: --all, or --cursor {cursor}");
    }
    Ok(whole)
}
