//! The process environment, read once. This is the only place that reads it.

use std::{collections::BTreeMap, env, net::SocketAddr, sync::Arc};

use administration::documents::FileSecret;

use super::secret_stores::SecretStores;

/// Addresses for the listeners of the file, in their order, so that replicas on one machine can share a file.
pub(crate) const LISTEN: &str = "LATCHKEY_LISTEN";

/// The environment at the time of its reading, and the secret stores that the settings refer to.
#[derive(Debug, Default)]
pub struct Environment {
    variables: BTreeMap<String, Variable>,
    secret_stores: Arc<SecretStores>,
}

/// The value of a variable.
#[derive(Debug)]
pub enum Variable {
    Text(FileSecret),
    /// Bytes that are not UTF-8.
    NotText,
}

impl Environment {
    pub fn of_process() -> Self {
        let named = env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        let variables = named.map(|(name, value)| {
            (
                name,
                value.into_string().map_or(Variable::NotText, |text| Variable::Text(FileSecret::new(text))),
            )
        });
        Self { variables: variables.collect(), secret_stores: Arc::default() }
    }

    /// The secret stores, and what was read from them.
    pub fn secret_stores(&self) -> &Arc<SecretStores> {
        &self.secret_stores
    }

    /// Replaces this variable, or adds it.
    pub fn with(mut self, name: &str, text: FileSecret) -> Self {
        self.variables.insert(name.to_owned(), Variable::Text(text));
        self
    }

    /// Replaces the addresses of the listeners. Without addresses it changes nothing.
    pub fn with_addresses(self, addresses: &[SocketAddr]) -> Self {
        if addresses.is_empty() {
            return self;
        }
        let addresses: Vec<String> = addresses.iter().map(SocketAddr::to_string).collect();
        self.with(LISTEN, FileSecret::new(addresses.join(",")))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Variable> {
        self.variables.get(name)
    }

    /// The text of a variable, if it is UTF-8.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Variable::Text(text) => Some(text.expose()),
            Variable::NotText => None,
        }
    }

    /// All variables whose names begin with the prefix, in upper or lower case.
    pub(crate) fn beginning_with_any_case<'a>(
        &'a self,
        prefix: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a Variable)> {
        let begins =
            |name: &str| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
        self.variables
            .iter()
            .filter(move |(name, _)| begins(name))
            .map(|(name, value)| (name.as_str(), value))
    }

    /// Every variable whose name begins so, by name.
    pub fn beginning_with<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a Variable)> {
        let from = self.variables.range(prefix.to_owned()..);
        from.take_while(move |(name, _)| name.starts_with(prefix)).map(|(name, value)| (name.as_str(), value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl<const N: usize> From<[(&str, &str); N]> for Environment {
        fn from(variables: [(&str, &str); N]) -> Self {
            let text = |value: &str| Variable::Text(FileSecret::new(value.to_owned()));
            let variables = variables.into_iter().map(|(name, value)| (name.to_owned(), text(value)));
            Self { variables: variables.collect(), secret_stores: Arc::default() }
        }
    }

    #[test]
    fn environment_debug_shows_no_value() {
        let environment = Environment::from([("A", "hunter2")]);
        assert!(!format!("{environment:?}").contains("hunter2"));
    }

    #[test]
    fn prefix_finds_only_its_variables() {
        let environment = Environment::from([("A__X", "1"), ("A__Y", "2"), ("A_Z", "3"), ("B", "4")]);
        let names: Vec<&str> = environment.beginning_with("A__").map(|(name, _)| name).collect();
        assert_eq!(names, ["A__X", "A__Y"]);
    }

    #[test]
    fn process_environment_is_read() {
        assert!(Environment::of_process().get("PATH").is_some());
    }
}
