//! Encrypts data for one other installation: HPKE (RFC 9180) in base mode with X25519, HKDF-SHA-256 and
//! ChaCha20-Poly1305. The data is sent in ordered pieces, and the last piece is marked. So a stream that was
//! changed, cut or reordered is refused.

use std::io::{self, Read, Write};
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use derive_more::Debug;
use hpke::aead::{AeadCtxR, AeadCtxS, ChaCha20Poly1305};
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable as _, Kem, OpModeR, OpModeS, Serializable as _};
use zeroize::Zeroizing;

use crate::Pepper;
use crate::keyed_digest::KeyedDigest;

type Suite = X25519HkdfSha256;
type Sender = AeadCtxS<ChaCha20Poly1305, HkdfSha256, Suite>;
type Receiver = AeadCtxR<ChaCha20Poly1305, HkdfSha256, Suite>;

const PREFIX: &str = "lkr_";
/// Bytes of a piece before encryption, of its tag, and of a public key.
const PIECE: usize = 64 * 1024;
const TAG: usize = 16;
const KEY: usize = 32;

/// The public key of an installation that others encrypt for.
#[derive(Clone, Debug)]
#[debug("RecipientKey({self})")]
pub struct RecipientKey(<Suite as Kem>::PublicKey);

/// An installation that decrypts data encrypted for it.
#[derive(Debug)]
#[debug("Recipient([redacted])")]
pub struct Recipient {
    private: <Suite as Kem>::PrivateKey,
    pub public: RecipientKey,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not the key of an installation; print that installation's key there with `latchkey tenant recipient`"
)]
pub struct InvalidRecipientKey;

/// Encrypts the written bytes for the recipient, who decrypts them with [`Recipient::open`] and the same
/// `kind`.
pub struct SealingWriter<W> {
    out: W,
    sender: Sender,
    piece: Zeroizing<Vec<u8>>,
}

pub struct OpeningReader<R> {
    from: R,
    receiver: Receiver,
    piece: Zeroizing<Vec<u8>>,
    at: usize,
    is_last: bool,
}

impl Recipient {
    /// The recipient of the installation with this pepper. Always the same for the same pepper.
    #[must_use]
    pub fn from_pepper(pepper: &Pepper) -> Self {
        let seed = KeyedDigest::for_purpose(pepper.expose(), "latchkey recipient 1").of([b"key".as_slice()]);
        let (private, public) = Suite::derive_keypair(&*Zeroizing::new(seed));
        Self { private, public: RecipientKey(public) }
    }

    /// Returns a reader that decrypts data for this recipient.
    ///
    /// # Errors
    /// If the beginning cannot be read, or was encrypted for another recipient or with another kind. A wrong
    /// kind may only be detected at the first byte.
    pub fn open<R: Read>(&self, kind: &str, mut from: R) -> io::Result<OpeningReader<R>> {
        let mut key = [0; KEY];
        from.read_exact(&mut key)?;
        let key = <Suite as Kem>::EncappedKey::from_bytes(&key).map_err(|_| refused())?;
        let receiver = hpke::setup_receiver(&OpModeR::Base, &self.private, &key, kind.as_bytes())
            .map_err(|_| refused())?;
        Ok(OpeningReader { from, receiver, piece: Zeroizing::default(), at: 0, is_last: false })
    }
}

impl RecipientKey {
    /// Returns a writer that encrypts for this recipient. Call [`SealingWriter::finish`] at the end.
    ///
    /// # Errors
    /// If writing fails or the key is invalid.
    pub fn seal<W: Write>(&self, kind: &str, mut out: W) -> io::Result<SealingWriter<W>> {
        let begun = hpke::setup_sender::<_, _, Suite>(&OpModeS::Base, &self.0, kind.as_bytes());
        let (key, sender) = begun.map_err(|_| refused())?;
        out.write_all(&key.to_bytes())?;
        Ok(SealingWriter { out, sender, piece: Zeroizing::new(Vec::with_capacity(PIECE)) })
    }
}

impl std::fmt::Display for RecipientKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{PREFIX}{}", BASE64URL.encode(self.0.to_bytes()))
    }
}

impl FromStr for RecipientKey {
    type Err = InvalidRecipientKey;

    fn from_str(text: &str) -> Result<Self, InvalidRecipientKey> {
        let bytes = text.strip_prefix(PREFIX).and_then(|text| BASE64URL.decode(text).ok());
        let key = bytes.and_then(|bytes| <Suite as Kem>::PublicKey::from_bytes(&bytes).ok());
        key.map(Self).ok_or(InvalidRecipientKey)
    }
}

impl<W: Write> SealingWriter<W> {
    /// Writes the last piece. Without it, the recipient refuses the data as incomplete.
    ///
    /// # Errors
    /// If writing fails.
    pub fn finish(mut self) -> io::Result<W> {
        self.write_piece(true)?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn write_piece(&mut self, is_last: bool) -> io::Result<()> {
        let head = head(self.piece.len(), is_last);
        let sealed = self.sender.seal(&self.piece, &head).map_err(|_| refused())?;
        self.out.write_all(&head)?;
        self.out.write_all(&sealed)?;
        self.piece.clear();
        Ok(())
    }
}

impl<W: Write> Write for SealingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(PIECE - self.piece.len());
        self.piece.extend_from_slice(&bytes[..taken]);
        if self.piece.len() == PIECE {
            self.write_piece(false)?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<R: Read> Read for OpeningReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.at == self.piece.len() && !self.is_last {
            self.read_piece()?;
        }
        let taken = into.len().min(self.piece.len() - self.at);
        into[..taken].copy_from_slice(&self.piece[self.at..self.at + taken]);
        self.at += taken;
        Ok(taken)
    }
}

impl<R: Read> OpeningReader<R> {
    fn read_piece(&mut self) -> io::Result<()> {
        let mut head = [0; 4];
        self.from.read_exact(&mut head)?;
        let [last, length @ ..] = head;
        let length = length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
        if length > PIECE {
            return Err(refused());
        }
        let mut sealed = vec![0; length + TAG];
        self.from.read_exact(&mut sealed)?;
        self.piece = Zeroizing::new(self.receiver.open(&sealed, &head).map_err(|_| refused())?);
        (self.at, self.is_last) = (0, last == 1);
        Ok(())
    }
}

/// The authenticated head of a piece: whether it is the last one, and its length.
fn head(length: usize, is_last: bool) -> [u8; 4] {
    let [.., a, b, c] = length.to_be_bytes();
    [u8::from(is_last), a, b, c]
}

fn refused() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "it was sealed for another installation or another purpose, or it was changed",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipient(byte: u8) -> Recipient {
        Recipient::from_pepper(&Pepper::from_bytes(Zeroizing::new([byte; 32])))
    }

    fn sealed(text: &[u8]) -> Vec<u8> {
        let key: RecipientKey = recipient(1).public.to_string().parse().unwrap();
        let mut writer = key.seal("a", Vec::new()).unwrap();
        writer.write_all(text).unwrap();
        writer.finish().unwrap()
    }

    fn opened(recipient: &Recipient, kind: &str, sealed: &[u8]) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        recipient.open(kind, sealed)?.read_to_end(&mut text)?;
        Ok(text)
    }

    #[test]
    fn only_the_recipient_can_open_the_stream() {
        for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 5] {
            let text: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            let sealed = sealed(&text);
            assert_eq!(opened(&recipient(1), "a", &sealed).unwrap(), text, "{length}");
            opened(&recipient(2), "a", &sealed).unwrap_err();
            opened(&recipient(1), "b", &sealed).unwrap_err();
        }
    }

    #[test]
    fn changed_truncated_or_reordered_stream_is_refused() {
        let whole = sealed(&vec![7; 2 * PIECE + 3]);
        let (begin, piece) = (KEY, 4 + PIECE + TAG);
        for at in [0, begin - 1, begin, begin + 1, begin + 3, begin + 4, begin + piece, whole.len() - 1] {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            assert!(opened(&recipient(1), "a", &changed).is_err(), "{at}");
        }
        for cut in [0, begin, begin + piece, begin + 2 * piece, whole.len() - 1] {
            assert!(opened(&recipient(1), "a", &whole[..cut]).is_err(), "{cut}");
        }
        let [first, second] = [begin, begin + piece].map(|at| &whole[at..at + piece]);
        let swapped = [&whole[..begin], second, first, &whole[begin + 2 * piece..]].concat();
        opened(&recipient(1), "a", &swapped).unwrap_err();
        let without_one = [&whole[..begin], first, &whole[begin + 2 * piece..]].concat();
        opened(&recipient(1), "a", &without_one).unwrap_err();
    }

    #[test]
    fn malformed_recipient_keys_are_refused() {
        let text = recipient(1).public.to_string();
        assert_eq!(text.len(), 47);
        assert_eq!(format!("{:?}", recipient(1)), "Recipient([redacted])");
        for bad in ["", "lkr_", &text[1..], &text[..46], &format!("{text}A")] {
            assert_eq!(bad.parse::<RecipientKey>().err(), Some(InvalidRecipientKey), "{bad}");
        }
    }
}
