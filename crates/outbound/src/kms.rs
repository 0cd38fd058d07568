//! AWS KMS as a key-encryption key. The context is sent with each data key as encryption context. AWS
//! authenticates it and writes it to CloudTrail in plain text: it contains a tenant and the number of a key.
//! The SDK finds credentials and missing options in its standard sources; no other code here reads the
//! environment.

mod answer;

#[cfg(test)]
pub(crate) mod tests;

use async_trait::async_trait;
use aws_config::ConfigLoader;
use aws_sdk_kms::Client;
use aws_sdk_kms::primitives::Blob;
use base64::{Engine, engine::general_purpose::STANDARD};
use keys::{KeyEncryptionKey, SealError, data_key};
use tracing::{Dispatch, instrument::WithSubscriber};
use zeroize::Zeroizing;

use crate::service_error::Service;
use crate::{KmsOptions, OptionsError, aws};

#[derive(derive_more::Debug)]
#[debug("AwsKms({})", service.name)]
pub(crate) struct AwsKms {
    client: Client,
    key_id: String,
    service: Service,
}

/// The name of our entry in the encryption context, as seen in CloudTrail.
const CONTEXT: &str = "latchkey-context";

impl AwsKms {
    /// Determines the region if it is missing, which may take seconds. Sends no request to AWS KMS.
    pub(crate) async fn new(options: KmsOptions) -> Result<Self, OptionsError> {
        Self::load(options, aws::defaults()).await
    }

    async fn load(options: KmsOptions, loader: ConfigLoader) -> Result<Self, OptionsError> {
        let KmsOptions { key_id, region, endpoint } = options;
        check_key_id(&key_id)?;
        let region = region.or_else(|| region_of(&key_id));
        let found = aws::load(loader, region, "aws_kms.endpoint", endpoint).await?;
        let mut config = aws_sdk_kms::config::Builder::from(&found.config);
        config.set_endpoint_url(found.endpoint);
        let service = Service { name: format!("aws-kms:{key_id}") };
        Ok(Self { client: Client::from_conf(config.build()), key_id, service })
    }
}

#[async_trait]
impl KeyEncryptionKey for AwsKms {
    fn name(&self) -> &str {
        &self.service.name
    }

    async fn wrap(&self, data_key: &[u8; 32], context: &[u8]) -> Result<Vec<u8>, SealError> {
        let request = self.client.encrypt().key_id(&self.key_id).plaintext(Blob::new(*data_key));
        let request = request.encryption_context(CONTEXT, STANDARD.encode(context));
        let answer = request.send().with_subscriber(Dispatch::none()).await;
        let answer = answer.map_err(|error| self.wrap_error(&error))?;
        let wrapped = answer.ciphertext_blob.map(Blob::into_inner).filter(|wrapped| !wrapped.is_empty());
        wrapped.ok_or_else(|| self.service.not_understood("the response has no ciphertext"))
    }

    async fn unwrap(&self, wrapped: &[u8], context: &[u8]) -> Result<Zeroizing<[u8; 32]>, SealError> {
        // Names the key in the request. Otherwise AWS would also decrypt with any other key that this program
        // has permission for.
        let request = self.client.decrypt().key_id(&self.key_id).ciphertext_blob(Blob::new(wrapped));
        let request = request.encryption_context(CONTEXT, STANDARD.encode(context));
        let answer = request.send().with_subscriber(Dispatch::none()).await;
        let answer = answer.map_err(|error| self.unwrap_error(&error))?;
        let plaintext =
            answer.plaintext.ok_or_else(|| self.service.not_understood("the response has no plaintext"))?;
        data_key(&Zeroizing::new(plaintext.into_inner()))
    }
}

fn check_key_id(key_id: &str) -> Result<(), OptionsError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_:/".contains(&byte);
    if !key_id.is_empty() && key_id.len() <= 2048 && key_id.bytes().all(plain) {
        return Ok(());
    }
    Err(OptionsError::Name { what: "aws_kms.key_id", name: key_id.to_owned() })
}

/// Parses `arn:<partition>:kms:<region>:<account>:key/<identifier>`.
fn region_of(key_id: &str) -> Option<String> {
    let mut parts = key_id.split(':');
    let is_arn = parts.next() == Some("arn") && parts.next().is_some() && parts.next() == Some("kms");
    parts.next().filter(|region| is_arn && !region.is_empty()).map(str::to_owned)
}
