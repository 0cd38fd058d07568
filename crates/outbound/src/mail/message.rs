//! The text of a message (RFC 5322, MIME).

use std::time::{Duration, UNIX_EPOCH};

use lettre::Message;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};

use super::{MailError, OutgoingMail};

const AUTO_SUBMITTED: HeaderName = HeaderName::new_from_ascii_str("Auto-Submitted");
const LIST_UNSUBSCRIBE: HeaderName = HeaderName::new_from_ascii_str("List-Unsubscribe");

impl OutgoingMail {
    /// # Errors
    /// [`MailError::Refused`] if the address is invalid.
    pub(super) fn message(&self) -> Result<Message, MailError> {
        let refused = |_| MailError::Refused("the address of the person is not a mail address".to_owned());
        let to = Mailbox::new(None, self.to.parse().map_err(refused)?);
        let from = self.from.0.clone();
        let date = UNIX_EPOCH + Duration::from_secs(self.date.seconds());
        // Header fields end with a line, so a subject with several lines would add fields.
        let subject: String =
            self.subject.chars().map(|shown| if shown.is_control() { ' ' } else { shown }).collect();
        let mut message = Message::builder()
            .message_id(Some(format!("<{}@{}>", self.id, from.email.domain())))
            .date(date)
            .from(from)
            .to(to)
            .subject(subject)
            .raw_header(HeaderValue::new(AUTO_SUBMITTED, "auto-generated".to_owned()));
        if let Some(reply_to) = &self.reply_to {
            message = message.reply_to(reply_to.0.clone());
            if self.is_notice {
                let unsubscribe = format!("<mailto:{}?subject=unsubscribe>", reply_to.0.email);
                message = message.raw_header(HeaderValue::new(LIST_UNSUBSCRIBE, unsubscribe));
            }
        }
        let (parts, html) = (MultiPart::alternative(), SinglePart::html(self.html.clone()));
        let parts = parts.singlepart(SinglePart::plain(self.text.clone()));
        let parts = match &self.logo {
            Some((media_type, picture)) => {
                let media_type = ContentType::parse(media_type)
                    .map_err(|_| MailError::Refused("the logo of the tenant is not a picture".to_owned()))?;
                let logo = Attachment::new_inline("logo".to_owned()).body((**picture).clone(), media_type);
                parts.multipart(MultiPart::related().singlepart(html).singlepart(logo))
            }
            None => parts.singlepart(html),
        };
        message.multipart(parts).map_err(|error| MailError::Refused(error.to_string()))
    }
}
