//! The text of refresh tokens: the family, its secret and the number of the token, authenticated by
//! a MAC. The next token is computed from the current one, so a client that has lost an answer gets
//! the same text again.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use registry::{ClientId, CredentialTag, SenderKeys};
use secrets::{DigestKeys, KeyedDigest, Pepper, random_bytes};
use subtle::ConstantTimeEq as _;
use tenancy::{RefreshTokenPolicy, TenantId};
use values::Timestamp;
use zeroize::Zeroizing;

use crate::{FamilyKey, GrantId, NewFamily, RefreshFamily};

/// The prefix by which people and secret scanners recognise a refresh token.
pub(crate) const PREFIX: &str = "lk_rt_";
/// The first byte of the text: which key authenticates it.
const VERSION: u8 = 2;
/// Older tokens have a MAC under one key for all tenants.
const EARLIER: u8 = 1;
/// Bytes of the secret that all tokens of a family share.
pub(crate) const SECRET: usize = 16;
const MAC: usize = 16;
/// Version, slot, family, secret and generation.
const SIGNED: usize = 2 + 16 + SECRET + 4;

/// A token whose MAC is valid.
#[derive(Debug)]
pub(crate) struct RefreshToken {
    /// All tokens of a family have the same version.
    version: u8,
    pub(crate) key: FamilyKey,
    pub(crate) secret_digest: [u8; 32],
    pub(crate) generation: u32,
    secret: Zeroizing<[u8; SECRET]>,
}

pub(crate) struct RefreshTokens {
    tenants: DigestKeys,
    earlier_tokens: KeyedDigest,
    earlier_secrets: KeyedDigest,
}

impl RefreshTokens {
    pub(crate) fn new(pepper: &Pepper) -> Self {
        let of = |label| KeyedDigest::for_purpose(pepper.expose(), label);
        Self {
            tenants: pepper.tenants.clone(),
            earlier_tokens: of("latchkey refresh token 1"),
            earlier_secrets: of("latchkey refresh token secret 1"),
        }
    }

    /// Creates a family and its first token.
    pub(crate) fn begin(
        &self,
        tenant: &TenantId,
        id: GrantId,
        sender: SenderKeys,
        credential: Option<CredentialTag>,
        policy: RefreshTokenPolicy,
        now: Timestamp,
    ) -> NewFamily {
        let mut secret = Zeroizing::new([0; SECRET]);
        secret.copy_from_slice(random_bytes::<SECRET>().as_slice());
        let secret_digest = self.secret_digest(VERSION, tenant, id, &secret);
        NewFamily::new(id, secret, secret_digest, sender, credential, policy, now)
    }

    pub(crate) fn first(&self, new: &NewFamily, family: &RefreshFamily) -> String {
        let token = RefreshToken {
            version: VERSION,
            key: family.key(),
            secret_digest: new.secret_digest,
            generation: family.generation,
            secret: new.secret.clone(),
        };
        self.write(&family.tenant, &family.client, &token)
    }

    pub(crate) fn next(&self, tenant: &TenantId, client: &ClientId, token: &RefreshToken) -> String {
        let secret = token.secret.clone();
        let generation = token.generation.saturating_add(1);
        self.write(tenant, client, &RefreshToken { generation, secret, ..*token })
    }

    /// `None` if this server did not write the text for this client of this tenant. Such a text
    /// costs no lookup.
    pub(crate) fn read(&self, tenant: &TenantId, client: &ClientId, text: &str) -> Option<RefreshToken> {
        let bytes = bytes(text)?;
        let (signed, mac) = bytes.split_at_checked(SIGNED)?;
        let version = *signed.first()?;
        let is_ours = bool::from(self.mac(version, tenant, client, signed).ct_eq(mac));
        let key = key(signed)?;
        let secret = Zeroizing::new(<[u8; SECRET]>::try_from(signed.get(18..18 + SECRET)?).ok()?);
        let generation = u32::from_be_bytes(signed.get(18 + SECRET..)?.try_into().ok()?);
        let secret_digest = self.secret_digest(version, tenant, key.id, &secret);
        is_ours.then_some(RefreshToken { version, key, secret_digest, generation, secret })
    }

    fn write(&self, tenant: &TenantId, client: &ClientId, token: &RefreshToken) -> String {
        let mut bytes = Zeroizing::new(Vec::with_capacity(SIGNED + MAC));
        bytes.extend([token.version, u8::try_from(token.key.slot).unwrap_or(u8::MAX)]);
        bytes.extend(token.key.id.as_bytes());
        bytes.extend(*token.secret);
        bytes.extend(token.generation.to_be_bytes());
        let mac = self.mac(token.version, tenant, client, &bytes);
        bytes.extend(mac);
        format!("{PREFIX}{}", BASE64URL.encode(&*bytes))
    }

    fn mac(&self, version: u8, tenant: &TenantId, client: &ClientId, signed: &[u8]) -> [u8; MAC] {
        let client = client.as_str().as_bytes();
        let digest = match version {
            EARLIER => self.earlier_tokens.of([tenant.as_str().as_bytes(), client, signed]),
            _ => self.tenants.digest(tenant, "refresh token", [client, signed]),
        };
        let mut mac = [0; MAC];
        mac.copy_from_slice(&digest[..MAC]);
        mac
    }

    fn secret_digest(&self, version: u8, tenant: &TenantId, id: GrantId, secret: &[u8; SECRET]) -> [u8; 32] {
        match version {
            EARLIER => self.earlier_secrets.of([tenant.as_str().as_bytes(), id.as_bytes(), secret]),
            _ => self.tenants.digest(tenant, "refresh token secret", [id.as_bytes(), secret]),
        }
    }
}

/// The family that the text names. Not verified: anyone can write such a text.
pub(crate) fn claimed_key(text: &str) -> Option<FamilyKey> {
    key(&bytes(text)?)
}

fn bytes(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let bytes = Zeroizing::new(BASE64URL.decode(text.strip_prefix(PREFIX)?).ok()?);
    (bytes.len() == SIGNED + MAC && matches!(bytes[0], VERSION | EARLIER)).then_some(bytes)
}

fn key(bytes: &[u8]) -> Option<FamilyKey> {
    let slot = u32::from(*bytes.get(1)?);
    let id = GrantId::from_bytes(bytes.get(2..18)?.try_into().ok()?);
    RefreshFamily::RING.has(slot).then_some(FamilyKey { slot, id })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refresh_family::tests::{acme, begin, tokens, web};

    #[test]
    fn token_is_read_only_for_its_client_and_tenant() {
        let tokens = tokens();
        let (family, first) = begin(&tokens);
        assert_eq!((first.len(), first.starts_with(PREFIX)), (78, true));
        let read = tokens.read(&acme(), &web(), &first).unwrap();
        assert_eq!((read.key, read.generation, read.secret_digest), (family.key(), 0, family.secret_digest));
        let [globex, another] = ["globex", "another"];
        assert!(tokens.read(&TenantId::parse(globex).unwrap(), &web(), &first).is_none());
        assert!(tokens.read(&acme(), &ClientId::parse(another).unwrap(), &first).is_none());
        // Wrong pepper, a changed character at each position, and a wrong length.
        let other = RefreshTokens::new(&Pepper::from_bytes(Zeroizing::new([8; 32])));
        assert!(other.read(&acme(), &web(), &first).is_none());
        for at in 0..first.len() {
            let mut changed = first.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(tokens.read(&acme(), &web(), &changed).is_none(), "{at}");
        }
        for bad in ["", PREFIX, &first[1..], &first[..77], &format!("{first}A"), "lk_rt_é"] {
            assert!(tokens.read(&acme(), &web(), bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn family_of_an_earlier_version_continues_to_rotate() {
        let tokens = tokens();
        let (family, _) = begin(&tokens);
        let secret = Zeroizing::new([7; SECRET]);
        let secret_digest = tokens.earlier_secrets.of([b"acme".as_slice(), family.id.as_bytes(), &*secret]);
        let token =
            RefreshToken { version: EARLIER, key: family.key(), secret_digest, generation: 3, secret };
        let mut text = tokens.write(&acme(), &web(), &token);
        for generation in 3..6 {
            let read = tokens.read(&acme(), &web(), &text).unwrap();
            assert_eq!(
                (read.key, read.generation, read.secret_digest),
                (family.key(), generation, secret_digest)
            );
            text = tokens.next(&acme(), &web(), &read);
        }
    }

    // [rfc9700 §4.14]
    #[test]
    fn next_token_is_deterministic_and_unforgeable() {
        let tokens = tokens();
        let (_, first) = begin(&tokens);
        let read = |text: &str| tokens.read(&acme(), &web(), text).unwrap();
        let second = tokens.next(&acme(), &web(), &read(&first));
        assert_eq!(second, tokens.next(&acme(), &web(), &read(&first)));
        assert_eq!(read(&second).generation, 1);
        assert_eq!(read(&second).secret_digest, read(&first).secret_digest);
        // Changing only the generation makes the MAC invalid.
        let mut bytes = BASE64URL.decode(&first[PREFIX.len()..]).unwrap();
        bytes[SIGNED - 1] = 1;
        assert!(tokens.read(&acme(), &web(), &format!("{PREFIX}{}", BASE64URL.encode(bytes))).is_none());
    }
}
