//! Creates the first administrator of the platform. It is refused while an administrator exists who can get a
//! token.

use registry::ClientStatus;
use values::Timestamp;

use super::client::{NewRegistration, make};
use super::{EditContext, Edited, tenant};
use crate::documents::{ClientSettings, TenantSettings};
use crate::edit::EditError;
use crate::kinds;
use crate::kinds::{Permission, TenantState};

/// The settings of a client with all permissions.
pub(crate) fn admin_settings() -> ClientSettings {
    let scopes = Permission::NAMES.map(str::to_owned).to_vec();
    ClientSettings { scopes, ..ClientSettings::default() }
}

/// Creates the tenant `platform`, if it is missing, and the administrator.
pub(crate) fn first_admin(context: EditContext<'_>, new: &NewRegistration<'_>) -> Edited {
    context.by.require_everywhere(Permission::Tenants)?;
    let Some(state) = &context.facts.state else {
        return tenant::create(context, &TenantSettings::default(), Some(new));
    };
    if let Some(admin) = state.clients.iter().find(|row| is_admin(row, context.now)) {
        let message = format!("client platform/{} is a live administrator; use that client", admin.client.id);
        return Err(EditError::Conflict(message));
    }
    // Limits do not apply to an operator with access to the store.
    let state = TenantState { client_count: 0, ..state.clone() };
    make(context, &state, new)
}

fn is_admin(row: &kinds::client::State, now: Timestamp) -> bool {
    let holds = |scope: &protocol::ScopeToken| scope.as_str() == Permission::Tenants.as_str();
    row.lifecycle.serves()
        && row.client.status == ClientStatus::Active
        && row.client.scope.iter().any(holds)
        && row.secrets.iter().any(|row| row.secret.is_live(now))
}

#[cfg(test)]
mod tests {
    use super::super::Facts;
    use super::super::test_states::*;
    use super::*;
    use crate::kinds::authority::Authority;
    use crate::kinds::{Change, TenantState};

    fn check(by: &Authority, change: Option<&dyn Fn(&mut kinds::client::State)>, id: &str, expected: &str) {
        let facts = change.map_or_else(Facts::default, |change| {
            let admin = with(client("platform", "root", "latchkey:tenants"), change);
            facts(TenantState { clients: vec![admin], ..state("platform") })
        });
        let made = ask(by, |context| {
            let (id, settings) = (client_id(id), admin_settings());
            let new = NewRegistration { id, settings: &settings, secret: Some(material()), at: "" };
            let edit = first_admin(context.on(&facts).at(&tenant_id("platform")), &new)?;
            let mut clients = edit.changes.iter().filter_map(|change| match change {
                Change::Client(row) => Some(&row.after),
                _ => None,
            });
            let client = clients.next().unwrap();
            assert_eq!(client.audiences, ["urn:latchkey:admin"]);
            let all = "latchkey:tenants latchkey:clients latchkey:accounts latchkey:keys latchkey:audit";
            assert_eq!(client.scope.to_string(), all);
            Ok(edit)
        });
        assert_eq!(described(made), expected);
    }

    const MADE: &str = "new added, new/s1 added until never";

    #[test]
    fn first_admin_is_created_only_without_usable_admin() {
        let operator = operator();
        check(&operator, None, "new", &format!("tenant added, {MADE}"));
        check(&operator, Some(&|_| {}), "new", "conflict");
        check(&operator, Some(&|row| row.secrets.clear()), "new", MADE);
        check(&operator, Some(&|row| row.secrets[0].secret.revoked_at = Some(NOW)), "new", MADE);
        check(&operator, Some(&|row| row.lifecycle.suspended_at = Some(NOW)), "new", MADE);
        check(&operator, Some(&|row| row.lifecycle.deleted_at = Some(NOW)), "new", MADE);
        check(&operator, Some(&|row| row.client.scope = protocol::Scope::default()), "new", MADE);
        // The id of the previous administrator stays reserved.
        check(&operator, Some(&|row| row.secrets.clear()), "root", "conflict");
        check(&operator, None, "urn:latchkey:x", "/client_id");
        check(&of_platform("latchkey:clients"), None, "new", "forbidden: latchkey:tenants");
    }
}
