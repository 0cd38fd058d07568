//! The pages that confirm an email address, or restore the earlier one, with the code of a message.
//! Opening a link changes nothing, because programs that scan mail open links, too.

use askama::Template;

use crate::page::{Common, page};

#[derive(Template)]
#[template(path = "views/confirm_address.html")]
pub struct ConfirmAddress {
    pub common: Common,
    pub action: String,
    /// The sealed form, which the server checks against cross-site requests.
    pub flow: String,
    /// Empty until the form was sent once.
    pub code: String,
    pub way: ConfirmWay,
    /// Whether the last code was refused. The page shows the same text for every reason.
    pub refused: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfirmWay {
    /// The link to the new address.
    Link,
    /// The link to the earlier address.
    Undo,
    /// The person types the code of the message to this address.
    Typed { to: String },
}

/// The end of a link.
#[derive(Template)]
#[template(path = "views/address_done.html")]
pub struct AddressDone {
    pub common: Common,
    pub way: ConfirmWay,
    /// The path of the page that resets the password, after an earlier address was restored.
    pub recover: Option<String>,
}

impl ConfirmAddress {
    fn heading(&self) -> &'static str {
        let texts = self.common.texts();
        if self.way == ConfirmWay::Undo { texts.restore_address } else { texts.confirm_address }
    }

    fn explanation(&self) -> String {
        let texts = self.common.texts();
        match &self.way {
            ConfirmWay::Link => texts.confirm_address_text.to_owned(),
            ConfirmWay::Undo => texts.restore_address_text.to_owned(),
            ConfirmWay::Typed { to } => (texts.address_code_sent)(to),
        }
    }

    fn is_typed(&self) -> bool {
        matches!(self.way, ConfirmWay::Typed { .. })
    }

    fn refusal(&self) -> &'static str {
        let texts = self.common.texts();
        if self.is_typed() { texts.code_refused } else { texts.address_link_refused }
    }

    fn button(&self) -> &'static str {
        let texts = self.common.texts();
        if self.way == ConfirmWay::Undo { texts.restore_address_button } else { texts.confirm_address_button }
    }
}

impl AddressDone {
    fn is_undo(&self) -> bool {
        self.way == ConfirmWay::Undo
    }

    fn heading(&self) -> &'static str {
        let texts = self.common.texts();
        if self.is_undo() { texts.address_restored } else { texts.address_confirmed }
    }

    fn explanation(&self) -> &'static str {
        let texts = self.common.texts();
        if self.is_undo() { texts.address_restored_text } else { texts.address_confirmed_text }
    }
}

page!(ConfirmAddress);
page!(AddressDone);
