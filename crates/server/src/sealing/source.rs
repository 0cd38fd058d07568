//! Opens a configured sealing key: loads it into this process, or uses it in a key service.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use keys::KeyEncryptionKey;
use outbound::{KmsOptions, VaultOptions};

use super::file;
use settings::files;
use settings::{KmsSetting, SealingKeySource, Token, VaultSetting};

/// Opens a key. If its file is missing, returns the path.
pub(super) async fn open(
    setting: &SealingKeySource,
) -> anyhow::Result<Result<Arc<dyn KeyEncryptionKey>, &Path>> {
    Ok(Ok(match setting {
        SealingKeySource::Text(text) => Arc::new(file::parse(&text.clone().into_inner())?),
        SealingKeySource::File(path) => match file::read(path)? {
            Some(key) => Arc::new(key),
            None => return Ok(Err(path)),
        },
        SealingKeySource::Vault { setting, token } => {
            outbound::open_vault(vault(setting, token)?).context("cannot use the sealing key in vault")?
        }
        SealingKeySource::AwsKms(KmsSetting { key_id, region, endpoint }) => {
            let options =
                KmsOptions { key_id: key_id.clone(), region: region.clone(), endpoint: endpoint.clone() };
            outbound::open_aws_kms(options).await.context("cannot use the sealing key in aws_kms")?
        }
    }))
}

fn vault(setting: &VaultSetting, token: &Token) -> anyhow::Result<VaultOptions> {
    let VaultSetting { address, namespace, mount, transit_key, token: _, ca } = setting;
    let read = |path| {
        let why = || format!("cannot read {}, which the sealing key needs", Path::display(path));
        files::read_public(path).with_context(why).map(|bytes| bytes.to_vec())
    };
    Ok(VaultOptions {
        address: address.clone(),
        transit_key: transit_key.clone(),
        token: token.for_vault(),
        mount: mount.clone().unwrap_or_else(|| "transit".to_owned()),
        namespace: namespace.clone(),
        ca: ca.as_deref().map(read).transpose()?,
    })
}
