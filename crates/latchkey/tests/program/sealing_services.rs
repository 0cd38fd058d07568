//! Vault and AWS KMS for a program: the mock servers of `outbound`'s tests, and the settings for them.

use std::process::Command;

use crate::folder::Folder;
use crate::host::{Ran, run};
use crate::mock_server::{ACCESS_KEY, KmsKeys, MockServer, SECRET_KEY, TOKEN, VaultKeys, tls};
use crate::program::Program;

pub(crate) struct Service {
    pub(crate) server: MockServer,
    /// The name of the service in sealed values.
    pub(crate) name: String,
    /// The value of `sealing_key`.
    pub(crate) setting: String,
    environment: Vec<(&'static str, &'static str)>,
}

/// The file with Vault's token, as an agent writes it.
pub(crate) const TOKEN_FILE: &str = "run/vault.token";
const KMS_KEY: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

impl Service {
    /// Over https, with a token in a file.
    pub(crate) async fn vault(folder: &Folder) -> (Self, VaultKeys) {
        let keys = VaultKeys::default();
        keys.create("latchkey", false);
        let (acceptor, certificate) = tls();
        folder.write("vault.pem", &certificate);
        std::fs::create_dir(folder.path("run")).unwrap();
        folder.write_secret(TOKEN_FILE, TOKEN);
        let of_server = keys.clone();
        let server = MockServer::start(Some(acceptor), move |request| of_server.answer(request)).await;
        let place = format!("localhost:{}", server.address.port());
        let setting = format!(
            "{{ vault: {{ address: 'https://{place}', transit_key: latchkey, token: {{ file: {TOKEN_FILE} }}, ca: vault.pem }} }}"
        );
        let name = format!("vault:{place}/transit/latchkey");
        (Self { server, name, setting, environment: Vec::new() }, keys)
    }

    pub(crate) async fn aws_kms(folder: &Folder) -> Self {
        let keys = KmsKeys::default();
        keys.create(KMS_KEY);
        let server = MockServer::start(None, move |request| keys.answer(request)).await;
        folder.canaries.add(SECRET_KEY);
        let setting = format!(
            "{{ aws_kms: {{ key_id: {KMS_KEY}, region: eu-central-1, endpoint: '{}' }} }}",
            server.url()
        );
        let environment = vec![("AWS_ACCESS_KEY_ID", ACCESS_KEY), ("AWS_SECRET_ACCESS_KEY", SECRET_KEY)];
        Self { server, name: format!("aws-kms:{KMS_KEY}"), setting, environment }
    }

    #[track_caller]
    pub(crate) fn serve(&self, folder: &Folder) -> Program {
        Program::spawn(folder, &mut self.command(folder, &["serve"]))
    }

    #[track_caller]
    pub(crate) fn run(&self, folder: &Folder, arguments: &[&str]) -> Ran {
        let ran = run(&mut self.command(folder, arguments));
        folder.canaries.assert_absent(&ran.out);
        folder.canaries.assert_absent(&ran.err);
        ran
    }

    fn command(&self, folder: &Folder, arguments: &[&str]) -> Command {
        let mut command = folder.program(arguments);
        command.envs(self.environment.iter().copied());
        command
    }
}
