//! Digests that show that nothing has changed: of all content that was read, and of the declaration of one
//! tenant.

use std::fmt::{Arguments, Write as _};

use aws_lc_rs::digest::{Context, SHA256};
use registry::{ClientId, DeclaredPassword};
use secrets::{Pepper, declared_digest};
use tenancy::TenantId;
use values::Secret;

use crate::declaration::DeclaredSecret;
use crate::kinds::DeclaredTenant;

/// SHA-256 of all content that was read: files, referenced files, environment. The store only gets a digest
/// of it under the pepper. Otherwise somebody who knows the files could use it to guess weak secrets in the
/// environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentHash([u8; 32]);

/// Keyed digest of the declaration of one tenant, or of all content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fingerprint([u8; 32]);

impl ContentHash {
    #[must_use]
    pub fn from_parts<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        Self(digest(parts))
    }

    /// The form that is stored: a digest under the pepper.
    #[must_use]
    pub fn keyed(&self, pepper: &Pepper) -> Fingerprint {
        let platform = TenantId::parse("platform").expect("the reserved tenant's id has the right shape");
        Fingerprint::new(pepper, &platform, "generation", hex(&self.0))
    }
}

impl Fingerprint {
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The fingerprint of a tenant's declaration: a digest of the derived `Debug` text, which contains every
    /// field. If a new version of the program formats the text differently, the tenant is compared once more,
    /// without finding a difference.
    pub(crate) fn of_tenant(pepper: &Pepper, declared: &DeclaredTenant) -> Self {
        let id = &declared.tenant.id;
        let mut text = format!("{:?}", declared.tenant);
        let mut push = |line: Arguments<'_>| write!(text, "\n{line}").expect(INFALLIBLE);
        for client in &declared.clients {
            push(format_args!("{:?}", client.client));
            for secret in &client.secrets {
                let DeclaredSecret { password, expires_at, previous_for, stored: _ } = secret;
                match password {
                    DeclaredPassword::Value(value) => {
                        let digest = declared_digest(pepper, id, &client.client.id, value);
                        push(format_args!("value {digest:?} {expires_at:?}"));
                        previous_for.iter().for_each(|span| push(format_args!("previous for {span:?}")));
                    }
                    DeclaredPassword::Hash(phc) => push(format_args!("hash {phc:?} {expires_at:?}")),
                }
            }
        }
        for declared in &declared.accounts {
            push(format_args!("{:?}", declared.account));
            match &declared.password {
                Some(DeclaredPassword::Value(value)) => {
                    let digest = declared_digest(pepper, id, declared.account.id.as_str(), value);
                    push(format_args!("password {digest:?}"));
                }
                Some(DeclaredPassword::Hash(phc)) => push(format_args!("password hash {phc:?}")),
                None => push(format_args!("no password")),
            }
        }
        if let Some(key) = &declared.first_key {
            push(format_args!("{} {:?}", key.algorithm, key.thumbprint));
        }
        Self::new(pepper, id, "declaration", text)
    }

    /// Uses a client name that is reserved, so the digest never equals the digest of a secret.
    fn new(pepper: &Pepper, tenant: &TenantId, what: &str, text: String) -> Self {
        let name = format!("{}{what}", ClientId::RESERVED_PREFIX);
        let name = ClientId::parse(&name).expect("a reserved name has the shape of a client id");
        Self(declared_digest(pepper, tenant, &name, &Secret::new(text)))
    }
}

/// SHA-256 of the parts in order. Each part is preceded by its length, so different lists of parts have
/// different digests.
pub(crate) fn digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let mut digest = [0; 32];
    digest.copy_from_slice(context.finish().as_ref());
    digest
}

#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]);
    digits.map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])).collect()
}

const INFALLIBLE: &str = "writing to a string does not fail";
