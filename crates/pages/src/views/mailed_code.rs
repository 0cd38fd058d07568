//! The pages that set a password, or confirm or restore an email address, with a code. Opening a link changes
//! nothing, because programs that scan mail open links, too. The code of a link is in its fragment, which
//! browsers do not send to the server. The page's script copies the code into the form. Without scripts the
//! person does. The person can also type the short code of a message.

use askama::Template;

use crate::page::{Common, SealedForm, page};
use crate::views::form_error::FormError;

/// Asks for the code if the form does not have it yet, and for a new password if the code sets one.
#[derive(Template)]
#[template(path = "views/mailed_code.html")]
pub struct MailedCode {
    pub common: Common,
    pub form: SealedForm,
    pub purpose: CodeUse,
    /// The identifier or the address for which the person asked for a message, to type its code. A form that
    /// sets a password can then also send `decision=again`. `None` if the person has opened a link.
    pub sent_to: Option<String>,
    /// Empty until the form was sent once.
    pub code: String,
    /// `None` when the page is shown first.
    pub error: Option<FormError>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeUse {
    SetPassword,
    ConfirmAddress,
    /// Restores the earlier address.
    RestoreAddress,
}

impl MailedCode {
    /// The heading, and the label of the button.
    fn labels(&self) -> (&'static str, &'static str) {
        let texts = self.common.texts();
        match self.purpose {
            CodeUse::SetPassword => (texts.set_password, texts.set_password),
            CodeUse::ConfirmAddress => (texts.confirm_address, texts.confirm_address_button),
            CodeUse::RestoreAddress => (texts.restore_address, texts.restore_address_button),
        }
    }

    fn heading(&self) -> &'static str {
        self.labels().0
    }

    fn explanation(&self) -> Option<String> {
        let texts = self.common.texts();
        Some(match (self.purpose, &self.sent_to) {
            (CodeUse::SetPassword, to) => (texts.recovery_sent)(to.as_ref()?),
            (_, Some(to)) => (texts.address_code_sent)(to),
            (CodeUse::ConfirmAddress, None) => texts.confirm_address_text.to_owned(),
            (CodeUse::RestoreAddress, None) => texts.restore_address_text.to_owned(),
        })
    }

    fn message(&self) -> Option<String> {
        let texts = self.common.texts();
        Some(match self.error.as_ref()? {
            FormError::Unfit(why) => (texts.new_password_unfit)(why),
            FormError::Busy => texts.sign_in_busy.to_owned(),
            FormError::Refused | FormError::Declared if self.sent_to.is_some() => {
                texts.code_refused.to_owned()
            }
            FormError::Refused | FormError::Declared if self.sets_password() => {
                texts.password_link_refused.to_owned()
            }
            FormError::Refused | FormError::Declared => texts.address_link_refused.to_owned(),
        })
    }

    fn sets_password(&self) -> bool {
        self.purpose == CodeUse::SetPassword
    }

    fn is_refused(&self) -> bool {
        self.error == Some(FormError::Refused)
    }

    fn is_unfit(&self) -> bool {
        matches!(self.error, Some(FormError::Unfit(_)))
    }
}

page!(MailedCode);
