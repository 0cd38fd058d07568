//! Helpers for `POST …/clients/{client}/explain`.

use std::ops::Deref;

use crate::prelude::*;

pub(crate) fn explain_path(tenant: &str, client: &str) -> String {
    format!("{}/{client}/explain", clients_path(tenant))
}

pub(crate) struct Explained(Value);

impl Explained {
    pub(crate) async fn fetch(test_env: &TestEnv, admin: &str, of: (&str, &str), body: Value) -> Self {
        Self(test_env.post(admin, &explain_path(of.0, of.1), body).await.json_of(200))
    }

    /// `reason` may be empty.
    #[track_caller]
    pub(crate) fn assert_result(&self, status: u16, reason: &str) {
        let found = (&self.0["result"]["status"], self.0["result"]["reason"].as_str().unwrap_or_default());
        assert_eq!(found, (&Value::from(status), reason), "{}", self.0);
    }

    /// A check of the request or of its credential.
    #[track_caller]
    pub(crate) fn check(&self, name: &str) -> &Value {
        let lists = [&self.0["checks"], &self.0["credential"]["checks"]];
        let mut all = lists.into_iter().flat_map(|list| list.as_array().unwrap());
        all.find(|check| check["name"] == name).unwrap_or_else(|| panic!("no {name}: {}", self.0))
    }

    #[track_caller]
    pub(crate) fn assert_check(&self, name: &str, result: &str) {
        assert_eq!(self.check(name)["result"], result, "{name}: {}", self.0);
    }

    #[track_caller]
    pub(crate) fn check_of(&self, list: &str, name: &str) -> &Value {
        self.0[list].as_array().unwrap().iter().find(|check| check["name"] == name).unwrap()
    }

    /// Asserts which check of a list is refused first, and that it has a hint. Empty names mean
    /// that no check is refused.
    #[track_caller]
    pub(crate) fn assert_refused(&self, list: &str, name: &str, reason: &str) {
        let found = self.0[list].as_array().unwrap().iter().find(|check| check["result"] == "refused");
        let text = |member: &str| found.and_then(|found| found[member].as_str()).unwrap_or_default();
        assert_eq!((text("name"), text("reason")), (name, reason), "{}", self.0);
        assert_eq!(text("fix").is_empty(), found.is_none(), "{}", self.0);
    }
}

impl Deref for Explained {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.0
    }
}
