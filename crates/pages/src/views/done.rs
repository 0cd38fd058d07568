//! The page at the end of what a person did with a code: of a link, or of a device.

use askama::Template;

use crate::page::{Common, page};

#[derive(Template)]
#[template(path = "views/done.html")]
pub struct Done {
    pub common: Common,
    pub outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    AddressConfirmed,
    /// The path of the page that resets the password, if the tenant has one.
    AddressRestored(Option<String>),
    DeviceConnected,
    DeviceRefused,
}

impl Done {
    /// The heading and the explanation.
    fn said(&self) -> (&'static str, &'static str) {
        let texts = self.common.texts();
        match self.outcome {
            Outcome::AddressConfirmed => (texts.address_confirmed, texts.address_confirmed_text),
            Outcome::AddressRestored(_) => (texts.address_restored, texts.address_restored_text),
            Outcome::DeviceConnected => (texts.device_connected, texts.device_connected_text),
            Outcome::DeviceRefused => (texts.device_refused, texts.device_refused_text),
        }
    }

    fn heading(&self) -> &'static str {
        self.said().0
    }
}

page!(Done);
