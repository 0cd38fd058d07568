//! The configuration of the AWS libraries: timeouts, retries, region, and credentials from the places of the
//! AWS tools.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use tracing::{Dispatch, instrument::WithSubscriber};

use crate::{OptionsError, ServiceUrl};

const TO_CONNECT: Duration = Duration::from_secs(1);
/// The timeout of one attempt, credentials included.
const TO_ANSWER: Duration = Duration::from_secs(3);
const ATTEMPTS: u32 = 2;
const PAUSE: Duration = Duration::from_millis(100);

/// The options with the values of the environment, and the address of one service. Other AWS services, which
/// credentials may come from, keep their own addresses.
pub(crate) struct ServiceOptions {
    pub(crate) config: SdkConfig,
    pub(crate) endpoint: Option<String>,
}

/// The usual places of credentials.
pub(crate) fn defaults() -> ConfigLoader {
    aws_config::defaults(BehaviorVersion::v2026_01_12())
}

/// Finds the region if it is missing, which may take seconds. The endpoint is the value of the option `what`.
pub(crate) async fn load(
    loader: ConfigLoader,
    region: Option<String>,
    what: &'static str,
    endpoint: Option<String>,
) -> Result<ServiceOptions, OptionsError> {
    let endpoint = endpoint.map(|endpoint| ServiceUrl::parse(what, &endpoint)).transpose()?;
    let timeouts =
        TimeoutConfig::builder().connect_timeout(TO_CONNECT).operation_attempt_timeout(TO_ANSWER).build();
    let retries = RetryConfig::standard()
        .with_max_attempts(ATTEMPTS)
        .with_initial_backoff(PAUSE)
        .with_max_backoff(PAUSE);
    let mut loader = loader.timeout_config(timeouts).retry_config(retries);
    if let Some(region) = region {
        loader = loader.region(Region::new(region));
    }
    let config = loader.load().with_subscriber(Dispatch::none()).await;
    if config.region().is_none() {
        return Err(OptionsError::Region);
    }
    let endpoint =
        endpoint.map(|endpoint| endpoint.to_string()).or_else(|| config.endpoint_url().map(str::to_owned));
    Ok(ServiceOptions { config, endpoint })
}
