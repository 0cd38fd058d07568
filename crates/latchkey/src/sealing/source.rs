//! Opens a configured sealing key: loads it into this process, or uses it in the service that holds it.

use std::sync::Arc;

use keys::{KeyEncryptionKey, SealingKey as Key};
use outbound::{KmsOptions, VaultOptions, VaultToken};
use protocol::Secret;

use super::{SealingError, file};
use crate::files;
use crate::settings::{KmsSetting, SealingKeySource, Token, VaultSetting};

/// Opens a key; `None` where its file is missing.
pub(super) async fn open(
    setting: &SealingKeySource,
) -> Result<Option<Arc<dyn KeyEncryptionKey>>, SealingError> {
    Ok(match setting {
        SealingKeySource::Text(text) => Some(local(Key::from_base64(&text.clone().into_inner())?)),
        SealingKeySource::File(path) => file::read(path)?.map(local),
        SealingKeySource::Vault { setting, token } => Some(vault(setting, token)?),
        SealingKeySource::AwsKms(setting) => Some(aws_kms(setting).await?),
    })
}

fn local(key: Key) -> Arc<dyn KeyEncryptionKey> {
    Arc::new(key)
}

fn vault(setting: &VaultSetting, token: &Token) -> Result<Arc<dyn KeyEncryptionKey>, SealingError> {
    let VaultSetting { address, namespace, mount, transit_key, token: _, ca } = setting;
    let token = match token {
        Token::Text(token) => VaultToken::Text(Secret::new(token.expose().trim().to_owned())),
        Token::File(path) => VaultToken::File { path: path.clone(), read: files::read_secret },
    };
    let ca = match ca {
        Some(path) => {
            let read = files::read_public(path);
            Some(read.map_err(|error| SealingError::Beside(path.clone(), error))?.to_vec())
        }
        None => None,
    };
    let options = VaultOptions {
        address: address.clone(),
        transit_key: transit_key.clone(),
        token,
        mount: mount.clone().unwrap_or_else(|| "transit".to_owned()),
        namespace: namespace.clone(),
        ca,
    };
    outbound::open_vault(options).map_err(|error| SealingError::Options("vault", error))
}

async fn aws_kms(setting: &KmsSetting) -> Result<Arc<dyn KeyEncryptionKey>, SealingError> {
    let KmsSetting { key_id, region, endpoint } = setting;
    let options = KmsOptions { key_id: key_id.clone(), region: region.clone(), endpoint: endpoint.clone() };
    outbound::open_aws_kms(options).await.map_err(|error| SealingError::Options("aws_kms", error))
}
