//! The pages of the device grant (RFC 8628 §3.3): the person types the user code and confirms the
//! request.

use askama::Template;

use crate::components::{Fact, MomentValue, Value};
use crate::page::{Common, SealedForm, page};
use crate::views::consent::{ScopeLine, services};

#[derive(Template)]
#[template(path = "views/device_code.html")]
pub struct DeviceCodePage {
    pub common: Common,
    pub form: SealedForm,
    /// From `verification_uri_complete`, or typed by the person.
    pub user_code: String,
    /// `None` when the page is shown first.
    pub error: Option<DeviceCodeMessage>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceCodeMessage {
    Unknown,
    /// Too many wrong codes.
    TooMany,
}

/// Asks whether the device may use the account. Refusing is the primary button, against remote
/// phishing (RFC 8628 §5.4).
#[derive(Template)]
#[template(path = "views/device_confirm.html")]
pub struct DeviceConfirm {
    pub common: Common,
    /// The form sends `decision`: `deny` or `allow`.
    pub form: SealedForm,
    /// The identifier that the person signs in with.
    pub account: String,
    /// Shown so that the person can compare it with the device.
    pub user_code: String,
    /// The address of the device.
    pub requested_from: String,
    pub requested_at: MomentValue,
    pub scopes: Vec<ScopeLine>,
    /// The APIs where the scopes are valid.
    pub apis: Vec<String>,
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

page!(DeviceCodePage, heading: device);
page!(DeviceConfirm, heading: device_confirm);
