//! The pages of the device grant (RFC 8628 §3.3): the person types the code, confirms the request, and goes
//! back to the device.

use askama::Template;

use crate::components::{Fact, MomentValue, Value};
use crate::page::{Common, page};
use crate::views::consent::{ScopeLine, services};

/// Asks for the code that the device shows.
#[derive(Template)]
#[template(path = "views/device_code.html")]
pub struct DeviceCodePage {
    /// What all pages have.
    pub common: Common,
    /// The target of the form.
    pub action: String,
    /// The sealed request.
    pub flow: String,
    /// The code of `verification_uri_complete`, or what the person has typed.
    pub user_code: String,
    /// Why the page is shown again.
    pub error: Option<DeviceCodeMessage>,
}

/// Why a code is asked for again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceCodeMessage {
    /// No device has this code.
    Unknown,
    /// Too many codes were tried.
    TooMany,
}

/// Asks whether the device may use the account. The refusal is the main choice because of remote phishing
/// (RFC 8628 §5.4).
#[derive(Template)]
#[template(path = "views/device_confirm.html")]
pub struct DeviceConfirm {
    /// The parts that all pages have. A client has begun this request.
    pub common: Common,
    /// The target of the form. Its field `decision` is `deny` or `allow`.
    pub action: String,
    /// The sealed request.
    pub flow: String,
    /// How the person knows the account.
    pub account: String,
    /// The code that the device shows.
    pub user_code: String,
    /// The address from which the code was requested.
    pub requested_from: String,
    /// When the code was requested.
    pub requested_at: MomentValue,
    /// The scopes that the client requests.
    pub scopes: Vec<ScopeLine>,
    /// The APIs of the scopes.
    pub apis: Vec<String>,
}

/// Sends the person back to the device.
#[derive(Template)]
#[template(path = "views/device_done.html")]
pub struct DeviceDone {
    /// What all pages have.
    pub common: Common,
    /// The decision.
    pub outcome: DeviceOutcome,
}

/// The decision about a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceOutcome {
    /// It may use the account.
    Connected,
    /// It may not.
    Refused,
}

impl DeviceCodePage {
    fn message(&self) -> Option<&'static str> {
        let texts = self.common.texts();
        Some(match self.error? {
            DeviceCodeMessage::Unknown => texts.device_code_unknown,
            DeviceCodeMessage::TooMany => texts.device_codes_exhausted,
        })
    }
}

impl DeviceConfirm {
    fn facts(&self) -> Vec<Fact> {
        let texts = self.common.texts();
        let fact = |label, value| Fact { label, value };
        let mut facts = vec![
            fact(texts.fact_application, Value::Text(self.common.client().to_owned())),
            fact(texts.fact_code, Value::ShortCode(self.user_code.clone())),
            fact(texts.fact_requested_at, Value::Time(self.requested_at.clone())),
            fact(texts.fact_requested_from, Value::Text(self.requested_from.clone())),
            fact(texts.fact_account, Value::Text(self.account.clone())),
        ];
        facts.extend(services(&self.apis, texts.fact_services));
        facts
    }
}

impl DeviceDone {
    fn heading(&self) -> &'static str {
        match self.outcome {
            DeviceOutcome::Connected => self.common.texts().device_connected,
            DeviceOutcome::Refused => self.common.texts().device_refused,
        }
    }

    fn explanation(&self) -> &'static str {
        match self.outcome {
            DeviceOutcome::Connected => self.common.texts().device_connected_text,
            DeviceOutcome::Refused => self.common.texts().device_refused_text,
        }
    }
}

page!(DeviceCodePage, heading: device);
page!(DeviceConfirm, heading: device_confirm);
page!(DeviceDone);
