//! AWS Secrets Manager as a secret store. The SDK finds credentials and a missing region in its standard
//! sources; no other code here reads the environment.

mod answer;

#[cfg(test)]
pub(super) mod tests;

use std::mem;

use async_trait::async_trait;
use aws_config::ConfigLoader;
use aws_config::retry::RetryConfig;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::interceptors::BeforeDeserializationInterceptorContextMut;
use aws_sdk_secretsmanager::config::{
    Builder, Config, ConfigBag, Intercept, RuntimeComponents, SharedInterceptor,
};
use aws_sdk_secretsmanager::error::BoxError;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueOutput;
use aws_smithy_types::body::SdkBody;
use tracing::{Dispatch, instrument::WithSubscriber};
use values::{Secret, Timestamp};
use zeroize::Zeroizing;

use self::answer::{AwsFailure, may_be_written};
use super::nonsense::Nonsense;
use super::stored::replaced;
use super::{AwsStoreOptions, SecretStore, SecretStoreError, StoredSecret, StoredVersion, WriteError};
use crate::bounded::Bounded;
use crate::{OptionsError, ServiceUrl, aws};

/// The secrets of one account in one region.
#[derive(derive_more::Debug)]
#[debug("AwsStore({name})")]
pub(crate) struct AwsStore {
    client: Client,
    /// The store's name in messages.
    name: String,
}

/// The stage of the previous version.
const PREVIOUS: &str = "AWSPREVIOUS";

/// Limits responses, because the SDK reads them completely, however large they are.
#[derive(Debug)]
struct BoundedAnswers;

impl Intercept for BoundedAnswers {
    fn name(&self) -> &'static str {
        "BoundedAnswers"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response_mut().body_mut();
        let whole = mem::replace(body, SdkBody::taken());
        *body = SdkBody::from_body_1_x(Bounded::new(whole));
        Ok(())
    }
}

impl AwsStore {
    /// Determines the region if it is missing, which may take seconds. Sends no request to AWS Secrets
    /// Manager.
    pub(super) async fn new(name: &str, options: AwsStoreOptions) -> Result<Self, OptionsError> {
        Self::load(name, options, aws::defaults()).await
    }

    async fn load(name: &str, options: AwsStoreOptions, loader: ConfigLoader) -> Result<Self, OptionsError> {
        let at = match &options.endpoint {
            Some(endpoint) => Some(ServiceUrl::parse("endpoint", endpoint)?.authority()),
            None => None,
        };
        let found = aws::load(loader, options.region, "endpoint", options.endpoint).await?;
        let region = found.config.region().map(ToString::to_string).unwrap_or_default();
        let mut config = Builder::from(&found.config);
        config.set_endpoint_url(found.endpoint);
        config.push_interceptor(SharedInterceptor::new(BoundedAnswers));
        let at = at.unwrap_or(region);
        let name = format!("secret store {name} (AWS Secrets Manager at {at})");
        Ok(Self { client: Client::from_conf(config.build()), name })
    }

    /// The current version, or that of another stage.
    async fn version(&self, path: &str, stage: Option<&str>) -> Result<GetSecretValueOutput, AwsFailure> {
        let request = self.client.get_secret_value().secret_id(path);
        let request = request.set_version_stage(stage.map(str::to_owned));
        Ok(request.send().with_subscriber(Dispatch::none()).await?)
    }

    fn stored(&self, path: &str, answer: GetSecretValueOutput) -> Result<StoredVersion, SecretStoreError> {
        let created_at = answer.created_date.and_then(|date| u64::try_from(date.secs()).ok());
        let no_member = |name| self.not_understood(path, Nonsense::NoMember(name));
        let version = answer.version_id.ok_or_else(|| no_member("/VersionId"))?;
        let created_at = created_at.ok_or_else(|| no_member("/CreatedDate"))?;
        let Some(text) = answer.secret_string.map(Zeroizing::new) else {
            return Err(match answer.secret_binary {
                Some(_) => self.binary(path),
                None => no_member("/SecretString"),
            });
        };
        Ok(StoredVersion::new(self.place(path), version, Timestamp::from_seconds(created_at), text)?)
    }
}

#[async_trait]
impl SecretStore for AwsStore {
    async fn read(&self, path: &str, with_previous: bool) -> Result<StoredSecret, SecretStoreError> {
        self.check(path)?;
        let read = |failed: AwsFailure| self.error(path, "secretsmanager:GetSecretValue", &failed);
        let current = self.stored(path, self.version(path, None).await.map_err(read)?)?;
        if !with_previous {
            return Ok(StoredSecret { current, previous: None });
        }
        let previous = match self.version(path, Some(PREVIOUS)).await {
            // An unusable previous version counts as missing.
            Ok(answer) => self.stored(path, answer).ok(),
            Err(failed) if failed.is_missing() => None,
            Err(failed) => return Err(read(failed)),
        };
        Ok(StoredSecret { current, previous })
    }

    async fn write(&self, path: &str, key: Option<&str>, value: &Secret) -> Result<String, WriteError> {
        self.check(path)?;
        let current = match self.version(path, None).await {
            Ok(answer) => Some(self.stored(path, answer)?),
            // The secret may exist without a value.
            Err(failed) if failed.is_missing() => None,
            Err(failed) => return Err(self.error(path, "secretsmanager:GetSecretValue", &failed).into()),
        };
        let text =
            replaced(&self.place(path), current.as_ref(), key, value).map_err(SecretStoreError::from)?;
        let request = self.client.put_secret_value().secret_id(path).secret_string(text.as_str());
        let once = Config::builder().retry_config(RetryConfig::disabled());
        let request = request.customize().config_override(once);
        match request.send().with_subscriber(Dispatch::none()).await {
            Ok(answer) => answer.version_id.ok_or_else(|| {
                WriteError::Unknown(self.not_understood(path, Nonsense::NoMember("/VersionId")))
            }),
            Err(error) => {
                let failed = AwsFailure::from(error);
                let error = self.error(path, "secretsmanager:PutSecretValue", &failed);
                Err(WriteError::new(error, may_be_written(&failed)))
            }
        }
    }
}
