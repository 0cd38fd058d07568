//! Mail that people and their administrators ask for: codes to reset a password and to confirm an address,
//! and invitations. Each message is queued with its audit record.

use std::net::IpAddr;

use accounts::{Account, AccountCode, AccountId, CodePurpose, CodeTries, EmailAddress, Identifier};
use secrets::CallerAddress;
use serde_json::json;
use tenancy::{Stored, Tenant, TenantId};
use values::{Letter, LetterKind, Lifetime, Timestamp};

use super::load::Needs;
use super::{Administrator, Caller, InTenant};
use crate::audit::AuditRecord;
use crate::documents::MailView;
use crate::edit;
use crate::edit::{EditContext, EditError, Edited};
use crate::kinds::account::{Related, State};
use crate::kinds::authority::{Actor, Authority};
use crate::kinds::{Permission, TenantState};
use crate::mail::QueuedMail;
use crate::rules::recovery_obstacles;

/// The most messages of a kind to an account in [`SPAN`].
const MOST: u32 = 5;
const SPAN: Lifetime = Lifetime::from_seconds(3_600);
/// The most messages that support sees.
const LISTED: u32 = 20;

/// A page where a person types a mailed code, and the request that the page sends.
#[derive(Clone, Copy)]
pub struct CodePage<'a> {
    pub tenant: &'a Tenant,
    /// What the person typed to identify the account.
    pub identifier: &'a str,
    /// A random value of the page.
    pub page: &'a str,
    /// When the code was asked for.
    pub began: Timestamp,
    pub source: Option<IpAddr>,
    pub now: Timestamp,
}

impl Administrator {
    /// Mails a code and a link to the person with this identifier, unless there is an obstacle or a limit is
    /// reached. The caller must not learn which. The inner error means that the identifier has an account.
    pub async fn ask_recovery(&self, tries: &CodeTries, at: CodePage<'_>) -> Stored<Stored<()>> {
        let CodePage { tenant, identifier, page, source, now, .. } = at;
        let row = self.find_typed(&tenant.id, identifier).await?;
        let id = row.as_ref().map(|row| &row.account.id);
        if !tries.ask(tenant, identifier, id, &CallerAddress::new(source), now) {
            return Ok(Ok(()));
        }
        let Some(row) = row.filter(|row| recovery_obstacles(tenant, row, self.policy.mail).is_empty()) else {
            return Ok(Ok(()));
        };
        let letter = self.letter(LetterKind::Recovery, &row.account, CodePurpose::Recovery, Some(page), now);
        let Some(mail) = self.mail_to_owner(&row.account, letter, now) else { return Ok(Ok(())) };
        let actor = Actor::named("anonymous", source.map(|source| source.to_string()));
        Ok(self.queue(&mail, actor, "account.recovery_requested", now).await.map(drop))
    }

    #[must_use]
    pub const fn sends_mail(&self) -> bool {
        self.policy.mail.sends
    }

    /// The content of the code that the person typed, if it is right and no limit is reached.
    pub async fn read_recovery_code(
        &self,
        tries: &CodeTries,
        at: CodePage<'_>,
        typed: &str,
    ) -> Stored<Option<AccountCode>> {
        let row = self.find_typed(&at.tenant.id, at.identifier).await?;
        Ok(self.read_typed(tries, at, row.as_ref().map(|row| &row.account), CodePurpose::Recovery, typed))
    }

    fn read_typed(
        &self,
        tries: &CodeTries,
        at: CodePage<'_>,
        account: Option<&Account>,
        purpose: CodePurpose,
        typed: &str,
    ) -> Option<AccountCode> {
        let CodePage { tenant, identifier, page, began, source, now } = at;
        let id = account.map(|account| &account.id);
        let tried = tries.begin(tenant, identifier, id, page, &CallerAddress::new(source), now)?;
        let account = account?;
        let code = self.codes.read_short(account, purpose, page, began, typed)?;
        let code = Some(code).filter(|code| code.fits(account, now))?;
        tried.succeed();
        Some(code)
    }

    /// Gives the account of the code the address that the code was mailed to. Tells both addresses.
    ///
    /// # Errors
    /// [`EditError`]. `NotFound` means that the code is used or expired, or another account has the address.
    pub async fn set_address_by_code(
        &self,
        tenant: &TenantId,
        code: &AccountCode,
        source: Option<IpAddr>,
        now: Timestamp,
    ) -> Edited<()> {
        let (CodePurpose::Verification(address) | CodePurpose::Undo(address)) = code.purpose() else {
            return Err(EditError::NotFound("code"));
        };
        let caller = Caller::new(Authority::of_code_holder(tenant, code.account(), source), now);
        let needs =
            Needs { identifiers: vec![Identifier::Email(address.clone())], ..Needs::account(code.account()) };
        let decide = |context: EditContext<'_>| {
            let (mut edit, before) = edit::account::by_address_code(context, code)?;
            let account = &context.facts.tenant()?.account(code.account())?.account;
            if account.email_address() != Some(address) {
                let confirmed = Letter::new(LetterKind::AddressConfirmed, now);
                edit.mail.extend(self.mail_to(account, address, confirmed, now));
            }
            if let (Some(before), CodePurpose::Verification(_)) = (before, code.purpose()) {
                let undo = CodePurpose::Undo(before.clone());
                let changed = self.letter(LetterKind::AddressChanged, account, undo, None, now);
                edit.mail.extend(self.mail_to(account, &before, changed, now));
            }
            Ok::<_, EditError>(edit)
        };
        self.of(&caller, tenant).commit_with_retry(needs, None, decide, |_: &TenantState| Ok(())).await?;
        Ok(())
    }

    /// Whether a message that waits is still worth sending: its code can still be used.
    pub async fn mail_is_current(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        letter: &Letter,
        now: Timestamp,
    ) -> Stored<bool> {
        let ids = [account.clone()];
        let row = self.find_live(tenant, Related { ids: &ids, ..Related::default() }).await?;
        let (Some(row), Some((link, _))) = (&row, &letter.link) else { return Ok(row.is_some()) };
        let code = link.rsplit_once('#').and_then(|(_, code)| self.codes.read(tenant, code));
        Ok(code.is_some_and(|code| code.fits(&row.account, now)))
    }

    /// The account that a person identifies with this text.
    async fn find_typed(&self, tenant: &TenantId, typed: &str) -> Stored<Option<State>> {
        let Ok(identifier) = Identifier::parse(typed) else { return Ok(None) };
        self.find_live(tenant, Related { identifiers: &[identifier], ..Related::default() }).await
    }

    /// Discards a row of another tenant, which only a faulty store returns.
    async fn find_live(&self, tenant: &TenantId, related: Related<'_>) -> Stored<Option<State>> {
        let found = self.store.find_accounts(tenant, related).await?;
        let is_live = |row: &State| row.account.tenant == *tenant && row.lifecycle.deleted_at.is_none();
        Ok(found.into_iter().find(is_live))
    }

    /// A letter with a link and, for a page with a random value, a code.
    fn letter(
        &self,
        kind: LetterKind,
        account: &Account,
        purpose: CodePurpose,
        page: Option<&str>,
        now: Timestamp,
    ) -> Letter {
        let code = page.map(|page| self.codes.make_short(account, purpose.clone(), page, now));
        Letter { code, link: Some(self.link_for(account, purpose, now)), ..Letter::new(kind, now) }
    }

    /// A message to the account's own address.
    pub(super) fn mail_to_owner(
        &self,
        account: &Account,
        letter: Letter,
        now: Timestamp,
    ) -> Option<QueuedMail> {
        self.mail_to(account, account.email_address()?, letter, now)
    }

    /// `None` if the server cannot send mail.
    fn mail_to(
        &self,
        account: &Account,
        to: &EmailAddress,
        letter: Letter,
        now: Timestamp,
    ) -> Option<QueuedMail> {
        if !self.policy.mail.sends {
            return None;
        }
        self.mail_sealer.seal(&account.tenant, &account.id, to, letter, now)
    }

    /// Tells the person that the password was changed, if the account had a password and has a verified
    /// address.
    pub(super) fn notice_of_password(&self, account: &Account, now: Timestamp) -> Option<QueuedMail> {
        account.password_changed_at?;
        account.email()?.verified_at?;
        self.mail_to_owner(account, Letter::new(LetterKind::PasswordChanged, now), now)
    }

    async fn queue(&self, mail: &QueuedMail, actor: Actor, action: &str, now: Timestamp) -> Stored<bool> {
        let what = (action, mail.account.to_string(), json!({}));
        let audit = AuditRecord::new(actor, now, mail.tenant.clone(), what);
        self.store.queue_mail(mail, &audit, MOST, now.saturating_sub(SPAN)).await
    }
}

impl InTenant<'_> {
    /// Mails a code to an address that the signed-in person claims. If another account has the address, or
    /// the person asked too often, nothing is sent, and the person does not learn why.
    pub async fn ask_verification(
        &self,
        account: &AccountId,
        address: &EmailAddress,
        page: &str,
    ) -> Edited<()> {
        let Self { caller, tenant, .. } = *self;
        let identifier = Identifier::Email(address.clone());
        let needs = Needs { identifiers: vec![identifier.clone()], ..Needs::account(account) };
        let facts = self.load(tenant, &needs).await?;
        let row = edit::account::own(self.context(&facts), account)?;
        if edit::account::another_owner(facts.tenant()?, account, &identifier).is_some() {
            return Ok(());
        }
        let purpose = CodePurpose::Verification(address.clone());
        let letter = self.letter(LetterKind::Verification, &row.account, purpose, Some(page), caller.now);
        let Some(mail) = self.mail_to(&row.account, address, letter, caller.now) else { return Ok(()) };
        let actor = caller.authority.actor().clone();
        self.queue(&mail, actor, "account.verification_requested", caller.now).await?;
        Ok(())
    }

    /// The content of a code that the signed-in person typed to confirm this address.
    pub async fn read_address_code(
        &self,
        tries: &CodeTries,
        at: CodePage<'_>,
        address: EmailAddress,
        account: &AccountId,
        typed: &str,
    ) -> Stored<Option<AccountCode>> {
        let ids = [account.clone()];
        let row = self.find_live(self.tenant, Related { ids: &ids, ..Related::default() }).await?;
        let account = row.as_ref().map(|row| &row.account);
        Ok(self.read_typed(tries, at, account, CodePurpose::Verification(address), typed))
    }

    /// Mails a link with which the person of an account without a password sets one within seven days.
    pub async fn invite(&self, account: &AccountId) -> Edited<()> {
        self.require(Permission::Accounts)?;
        let Self { caller, tenant, .. } = *self;
        let facts = self.load(tenant, &Needs::account(account)).await?;
        let row = edit::account::invite(self.context(&facts), account)?;
        let (kind, purpose) = (LetterKind::Invitation, CodePurpose::Invitation);
        let letter = self.letter(kind, &row.account, purpose, None, caller.now);
        let refused = |text: &str| Err(EditError::Conflict(text.to_owned()));
        let Some(mail) = self.mail_to_owner(&row.account, letter, caller.now) else {
            return refused("the account has no email address");
        };
        let actor = caller.authority.actor().clone();
        if self.queue(&mail, actor, "account.invited", caller.now).await? {
            Ok(())
        } else {
            refused("the person was already sent 5 invitations within an hour")
        }
    }

    /// Why a person gets no mail, and what became of the latest messages.
    pub async fn mail_of(&self, account: &AccountId) -> Edited<MailView> {
        self.require(Permission::Accounts)?;
        let facts = self.load(self.tenant, &Needs::account(account)).await?;
        let row = facts.tenant()?.account(account)?;
        let obstacles = recovery_obstacles(&facts.tenant()?.tenant, row, self.policy.mail);
        let messages = self.store.list_mail(self.tenant, account, LISTED).await?;
        let asked = messages
            .iter()
            .filter(|mail| mail.letter == LetterKind::Recovery && mail.created_at + SPAN > self.caller.now);
        Ok(MailView::new(&obstacles, asked.count() >= MOST as usize, messages))
    }
}
