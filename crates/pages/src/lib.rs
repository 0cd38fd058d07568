//! What does a person see? Renders views to HTML. A view is a struct with the values of one page,
//! next to its template. Templates escape all values. In reading order:

mod components;
mod page;
mod texts;

pub mod console;
mod views;

mod mail;

mod assets;
mod browser_name;
mod content_hash;
mod theme;

#[cfg(feature = "examples")]
pub mod examples;

pub use assets::Asset;
pub use browser_name::browser_name;
pub use components::{
    Badge, Bar, BarChart, Change, ChartSlot, Column, Destination, Empty, Fact, Frame, Meaning, MomentValue,
    Pager, Person, Preview, Step, Table, TimeLine, TimeLineRow, TimeSpan, Value,
};
pub use mail::{MailCommon, RenderedMail, render_mail};
pub use page::{Common, FormTarget, HtmlPage, Link, Links, LogoPaths, SealedForm};
pub use texts::console::{
    AdviceTexts, ApplicationTexts, ApplicationsTexts, AttemptTexts, AuditTexts, ConsoleTexts, CreatedTexts,
    CredentialsTexts, EditTexts, EntryTexts, FrameTexts, KeysTexts, LabelTexts, NewApplicationTexts,
    OverviewTexts, PeopleTexts, SharedTexts, TenantsTexts, TokenTexts,
};
pub use texts::{ErrorKind, Language, Texts};
pub use theme::Theme;
pub use views::account::{AccountEmail, AccountNotice, AccountPage, AllowedApplication, SessionEntry};
pub use views::caught_mail::{CaughtLetter, CaughtMailPage};
pub use views::change_own::{ChangeOwn, OwnChange};
pub use views::consent::{ConsentPage, ScopeLine};
pub use views::continuation::Continue;
pub use views::device::{DeviceCodeMessage, DeviceCodePage, DeviceConfirm};
pub use views::done::{Done, Outcome};
pub use views::error::ErrorPage;
pub use views::form_error::FormError;
pub use views::form_post::FormPost;
pub use views::front::FrontPage;
pub use views::mailed_code::{CodeUse, MailedCode};
pub use views::recover::Recover;
pub use views::reference::{
    DescribedOperation, DescribedSchema, OperationGroup, Paragraph, Reference, ReferenceMember, Said,
    TextSpan, TokenField, TokenPlace,
};
pub use views::select_account::SelectAccount;
pub use views::sign_in::{SignInMessage, SignInPage};
pub use views::sign_out::{SignOut, SignedOut};
