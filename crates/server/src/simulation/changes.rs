//! Draws the changes that an administrator or a client makes at a replica.

use administration::edit;
use administration::edit::KeyCommand;

use super::commands::Ended;
use super::directory::{CLIENTS, Token, UNCHANGED};
use super::replica::Replica;

#[derive(Clone, Debug)]
pub(super) enum Question {
    /// A token for the client with this index in the directory, with its nth newest secret.
    Token(usize, usize, usize),
    Keys(usize),
    /// Whether this token is active.
    Introspection(Box<Token>),
}

pub(super) const REVOKES_A_TOKEN: usize = 58;

impl Replica {
    /// Makes the change for this number below 100, and returns the questions whose answers the change
    /// affects.
    pub(super) async fn change(&self, drawn: usize) -> Vec<Question> {
        let world = &self.world;
        let tenant = world.below(UNCHANGED);
        let (id, client, client_id) = {
            let directory = world.directory();
            let known = &directory.tenants[tenant];
            let client = world.below(known.created);
            (known.id.clone(), client, known.clients[client].0.clone())
        };
        let mut questions = vec![Question::Token(tenant, client, 0)];
        let command = world.below(1 << 30) as u64;
        let (what, ended) = match drawn {
            0..16 => ("suspends or resumes a client", self.turn_client(command, &id, &client_id).await),
            16..28 => ("creates a secret", self.add_secret(command, tenant, client).await),
            28..38 => {
                let last = world.directory().tenants[tenant].clients[client].1.len();
                questions.push(Question::Token(tenant, client, last.saturating_sub(1)));
                ("revokes a secret", self.revoke_secret(command, tenant, client).await)
            }
            38..42 => (
                "deletes a client",
                self.step_client(command, &id, &client_id, edit::client::Step::Delete).await,
            ),
            42..48 => {
                let next = world.directory().tenants[tenant].created.min(CLIENTS[1] - 1);
                questions = vec![Question::Token(tenant, next, 0)];
                ("creates a client", self.create_client(command, tenant).await)
            }
            48..58 => ("suspends or resumes a tenant", self.step_tenant(command, tenant, &id).await),
            REVOKES_A_TOKEN..74 => {
                let tokens = world.directory().tokens.clone();
                let own: Vec<_> = tokens.into_iter().filter(|token| token.tenant == tenant).collect();
                let Some(token) = (!own.is_empty()).then(|| own[world.below(own.len())].clone()) else {
                    return Vec::new();
                };
                questions = vec![Question::Introspection(Box::new(token.clone()))];
                ("revokes a token", self.revoke_token(command, &token).await)
            }
            74..79 => {
                let tokens = world.directory().tokens.clone();
                let own =
                    tokens.into_iter().filter(|token| token.tenant == tenant && token.client == client_id);
                questions.extend(own.take(2).map(|token| Question::Introspection(Box::new(token))));
                let ended =
                    self.step_client(command, &id, &client_id, edit::client::Step::RevokeTokens).await;
                ("revokes the tokens of a client", ended)
            }
            79..86 => {
                questions.push(Question::Keys(tenant));
                ("rotates keys", self.command_keys(command, &id, KeyCommand::Rotate).await)
            }
            86..90 => {
                questions.push(Question::Keys(tenant));
                ("removes a key", self.remove_key(command, tenant, &id).await)
            }
            _ => {
                questions.push(Question::Keys(tenant));
                ("changes the policy of keys", self.change_policy(command, tenant, &id).await)
            }
        };
        let how = match ended {
            Ended::Done => "done".to_owned(),
            Ended::Refused(cause) => cause,
        };
        world.note(format!("replica {} {what} of {id} ({client_id}): {how}", self.number));
        questions
    }
}
