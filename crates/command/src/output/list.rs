//! Long lists: reads a number of rows, or all of them, page by page.

use std::io::{Write as _, stderr};

use administration::documents::Page;
use clap::Args;
use serde::de::DeserializeOwned;

use crate::admin_client::{AdminApi, ApiRequest, with_query};

/// The API allows no longer page.
const LONGEST_PAGE: u32 = 200;

/// How much of a list.
#[derive(Args)]
pub(crate) struct ListArguments {
    /// Maximum number of rows.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// List all rows.
    #[arg(long, conflicts_with = "limit")]
    all: bool,
    /// Continue an earlier list from this cursor.
    #[arg(long)]
    cursor: Option<String>,
}

impl ListArguments {
    /// Options that select all rows.
    pub(crate) const fn all() -> Self {
        Self { limit: LONGEST_PAGE, all: true, cursor: None }
    }

    /// Reads page after page.
    pub(crate) async fn read<T: DeserializeOwned>(
        &self,
        admin: &AdminApi,
        path: &str,
        filters: Vec<(&'static str, Option<String>)>,
    ) -> anyhow::Result<Page<T>> {
        let wanted = if self.all { usize::MAX } else { self.limit as usize };
        let mut whole = Page { items: Vec::new(), next_cursor: self.cursor.clone(), unreadable: Vec::new() };
        loop {
            let left = u32::try_from(wanted - whole.items.len()).unwrap_or(LONGEST_PAGE).min(LONGEST_PAGE);
            let mut parameters = filters.clone();
            parameters.extend([("cursor", whole.next_cursor.take()), ("limit", Some(left.to_string()))]);
            let next: Page<T> = admin.send(ApiRequest::get(with_query(path, &parameters))).await?;
            whole.items.extend(next.items);
            whole.next_cursor = next.next_cursor;
            whole.unreadable.extend(next.unreadable);
            if whole.next_cursor.is_none() || whole.items.len() >= wanted {
                break;
            }
        }
        Ok(whole)
    }
}

/// If there are more rows, prints to the standard error how to continue.
pub(crate) fn name_next<T>(page: &Page<T>) {
    for id in &page.unreadable {
        let _ = writeln!(
            stderr(),
            "{} is missing from the list because the server cannot read it. See the server's log",
            id.escape_debug()
        );
    }
    if let Some(cursor) = &page.next_cursor {
        let _ = writeln!(stderr(), "there are more rows. Pass --all, or --cursor {cursor}");
    }
}
