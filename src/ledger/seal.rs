//! The seal of a line: Ed25519 (RFC 8032) under a key that seals one index only and is forgotten afterwards.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use hkdf::Hkdf;
use sha2::Sha256;

use crate::base::secret::Secret;

const DOMAIN: &[u8] = b"fedroot-ledger/v1 seal\n";
const NEXT: &[u8] = b"fedroot-ledger/v1 next seal";

/// So many keys from one secret: HKDF-SHA-256 (RFC 5869).
pub(super) fn derive<const N: usize>(secret: &[u8; 32], salt: Option<&[u8]>, info: &[u8]) -> [[u8; 32]; N] {
    const { assert!(0 < N && N <= 255, "HKDF gives no more") };
    let mut keys = [[0; 32]; N];
    let expanded = Hkdf::<Sha256>::new(salt, secret).expand(info, keys.as_flattened_mut());
    debug_assert!(expanded.is_ok(), "the length was checked by the compiler");
    keys
}

/// What is signed: which ledger format, which ledger, and the line up to its seal.
pub(super) fn message(origin: &str, line: &[u8]) -> Vec<u8> {
    [DOMAIN, origin.as_bytes(), b"\n", line].concat()
}

/// The secret seed of the seal key of one index.
pub(super) struct Seed(Secret<[u8; 32]>);

impl Seed {
    /// Takes 32 secret bytes.
    pub(super) fn new(bytes: [u8; 32]) -> Self {
        Self(Secret::new(bytes))
    }

    /// The secret bytes, for the state file.
    pub(super) fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }

    /// The seed of the next index (HKDF-SHA-256, RFC 5869). It follows from this one, so that a line whose writer died
    /// can be completed; there is no way back, so that who takes it cannot rewrite the past.
    pub(super) fn next(&self) -> Self {
        let [next] = derive(self.expose(), None, NEXT);
        Self::new(next)
    }

    /// The public half of the seal key.
    pub(super) fn public(&self) -> [u8; 32] {
        SigningKey::from_bytes(self.expose()).verifying_key().to_bytes()
    }

    /// Seals a line that ends before its seal.
    pub(super) fn sign(&self, origin: &str, line: &[u8]) -> [u8; 64] {
        self.sign_whole(&message(origin, line))
    }

    /// Signs a whole message, such as the text of a checkpoint, which no line can be mistaken for.
    pub(super) fn sign_whole(&self, message: &[u8]) -> [u8; 64] {
        SigningKey::from_bytes(self.expose()).sign(message).to_bytes()
    }
}

/// Whether a seal is good; strict, so that no seal verifies for two lines or under a weak key.
pub(super) fn verify(public: &[u8; 32], origin: &str, line: &[u8], seal: &[u8; 64]) -> bool {
    is_good(public, &message(origin, line), seal)
}

/// Whether a signature is good for a whole message; strict.
pub(super) fn is_good(public: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    VerifyingKey::from_bytes(public)
        .is_ok_and(|key| key.verify_strict(message, &Signature::from_bytes(signature)).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_is_for_one_ledger_one_index_and_one_line() {
        let seed = Seed::new([7; 32]);
        let next = seed.next();
        let seal = seed.sign("origin", b"line");
        assert!(verify(&seed.public(), "origin", b"line", &seal));
        assert!(!verify(&next.public(), "origin", b"line", &seal));
        assert!(!verify(&seed.public(), "origim", b"line", &seal));
        assert!(!verify(&seed.public(), "origin", b"linf", &seal));
        for bit in 0..512 {
            let mut wrong = seal;
            wrong[bit / 8] ^= 1 << (bit % 8);
            assert!(!verify(&seed.public(), "origin", b"line", &wrong), "bit {bit}");
        }
    }

    #[test]
    fn a_weak_key_seals_nothing() {
        let mut one = [0; 32];
        one[0] = 1;
        let mut seal = [0; 64];
        seal[0] = 1;
        assert!(!verify(&one, "origin", b"line", &seal));
    }
}
