//! The rules for the users that may sign in at `/flow/execute`.

use administration::rules;
use administration::rules::LONGEST_ID;
use protocol::ScopeToken;
use registry::DeclaredUser;

use super::super::findings::{Findings, Location};

pub(crate) fn check(admins: &[DeclaredUser], findings: &mut Findings) {
    for admin in admins {
        let at = Location::section("admin").key("users").key(&admin.name);
        if let Some(why) = rules::unfit(&admin.name, LONGEST_ID) {
            findings.key_error(at.clone(), format!("the user name {why}"), "choose another name");
        }
        let mut errors = rules::FieldErrors::from_interface(rules::Interface::File);
        errors.check_distinct("/permissions", &admin.permissions);
        findings.extend(&at, errors);
        for (index, permission) in admin.permissions.iter().enumerate() {
            if ScopeToken::parse(permission).is_err() {
                let problem = "this is not a valid permission";
                findings.error(at.item("permissions", index), problem, "use a scope, such as system");
            }
        }
    }
}
