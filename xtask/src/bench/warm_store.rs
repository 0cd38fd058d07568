//! Programs whose stores an earlier start has filled with tenant, client and keys.

use super::algorithm::Algorithm;
use super::server::Server;
use super::setup::Setup;
use super::shared_tools::Tools;
use crate::workspace::Failure;

pub(super) struct WarmStores<'a> {
    pub(super) tools: &'a Tools<'a>,
    /// The setups in the order of the programs.
    setups: Vec<Setup<'a>>,
}

impl<'a> WarmStores<'a> {
    /// Starts each program, gets an RS256 token and stops it.
    pub(super) fn fill(tools: &'a Tools<'a>) -> Result<Self, Failure> {
        let setup = |_| Setup::new(Algorithm::Rs256, None);
        let stores = Self { tools, setups: tools.programs.iter().map(setup).collect::<Result<_, _>>()? };
        for mut server in stores.start_all()? {
            server.await_token()?;
            server.stop("")?;
        }
        Ok(stores)
    }

    /// Starts the program at this place of the list of programs.
    pub(super) fn start(&self, index: usize) -> Result<Server, Failure> {
        let ((name, program), setup) = (self.tools.programs[index], &self.setups[index]);
        let folder = self.tools.folder.join("warm").join(name);
        Server::start(self.tools.workspace, program, setup, &folder)
    }

    pub(super) fn start_all(&self) -> Result<Vec<Server>, Failure> {
        (0..self.setups.len()).map(|index| self.start(index)).collect()
    }
}
