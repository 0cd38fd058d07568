//! Suggestions after an error: a similar row if the row does not exist, and the command to show a row that
//! already exists.

use administration::documents::nearest;
use serde_json::Value;
use values::with_commands;

use super::AdminApi;
use super::error::{AdminApiError, ApiProblem};
use super::error_names::rows_of;
use super::request::{ApiRequest, segment, with_query};

/// The number of rows on one page. The API allows no longer page.
const PAGE: &str = "200";

impl AdminApi {
    /// Adds suggestions to an error, as far as the caller may see the rows.
    pub(super) async fn leading_on(&self, error: anyhow::Error, request: &ApiRequest) -> anyhow::Error {
        let mut error = match error.downcast::<AdminApiError>() {
            Ok(error) => error,
            Err(other) => return other,
        };
        if let AdminApiError::Refused(problem) = &mut error {
            let next = match problem.status {
                404 => self.similar(problem, request).await,
                409 => show_command(&problem.detail, &request.path),
                _ => None,
            };
            problem.detail.extend(next.map(|next| format!("; {next}")));
        }
        error.into()
    }

    async fn similar(&self, problem: &ApiProblem, request: &ApiRequest) -> Option<String> {
        let rows = rows_of(&request.path, &problem.detail);
        let (path, member, given) = match rows.split_once('/') {
            _ if problem.detail.contains("no tenant") => ("/api/v1/admin/tenants".to_owned(), "id", &*rows),
            Some((tenant, client)) if problem.detail.contains("no client") => {
                (format!("/api/v1/tenant/{}/clients", segment(tenant)), "client_id", client)
            }
            _ => return None,
        };
        // The first page has all rows of a small installation. In a large installation, a search for the
        // first letters finds similar names.
        let beginning: String = given.chars().take(2).collect();
        for search in [None, Some(beginning)] {
            let list = with_query(&path, &[("limit", Some(PAGE.to_owned())), ("search", search)]);
            let page: Value = self.answer(&ApiRequest::get(list)).await.ok()?.document().ok()?;
            let ids = page["items"].as_array()?.iter().filter_map(|item| item[member].as_str());
            if let Some(meant) = nearest(given, ids) {
                return Some(format!("did you mean `{meant}`?"));
            }
        }
        None
    }
}

fn show_command(detail: &str, path: &str) -> Option<String> {
    let (row, _) = detail.split_once(" already exists")?;
    let tenant = rows_of(path, "no tenant");
    Some(match row.split_once(' ')? {
        ("tenant", id) => with_commands("run `latchkey tenant show ID` to see it", &[("ID", id)]),
        ("client", id) => {
            let names = [("TENANT", &*tenant), ("ID", id)];
            with_commands("run `latchkey client show TENANT ID` to see it", &names)
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn existing_row_suggests_the_show_command() {
        for (detail, path, expected) in [
            ("tenant acme already exists: it is active", "/api/v1/admin/tenants", Some("tenant show acme")),
            (
                "client web already exists: it is active",
                "/api/v1/tenant/acme/clients",
                Some("client show acme web"),
            ),
            (
                "client -a `b` already exists: it is active",
                "/api/v1/tenant/acme/clients",
                Some("client show acme -- '-a `b`'"),
            ),
            ("tenant acme was deleted", "/api/v1/admin/tenants", None),
            ("", "/api/v1/admin/tenants", None),
        ] {
            let expected = expected.map(|command| format!("run `latchkey {command}` to see it"));
            assert_eq!(show_command(detail, path), expected, "{detail}");
        }
    }
}
