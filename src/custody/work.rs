//! Work with private keys. Each piece runs on a thread of its own: what an algorithm leaves on the stack goes with it.

use std::sync::{Mutex, PoisonError};

use super::FAULTY;
use super::batch::Pieces;
use super::seal::{Closer, Opener, seal, unseal};
use super::vault::{Origin, Prompt};
use super::{Record, TAMPERED};
use crate::base::bytes::Digest;
use crate::base::clock::Instant;
use crate::base::cores;
use crate::base::disk::CHANGED;
use crate::base::fault::{Fault, INTERNAL};
use crate::base::random;
use crate::base::secret::Secret;
use crate::key::{KeyId, PrivateKey, PublicKey, Scheme, Signature, private_key};
use crate::ledger::SignPermit;
use crate::policy::{Approval, BatchApproval, Turn};

const ANOTHER: &str = "the ledger's permit is for another key or for other octets";
const PANICKED: &str = "the work with a private key ended in a panic";

/// A key that has just been made or adopted, sealed; its private half is gone from memory.
pub(super) struct Made {
    pub(super) public: PublicKey,
    pub(super) sealed: Vec<u8>,
    pub(super) certificate: Vec<u8>,
    /// When the certificate ends.
    pub(super) until: Option<Instant>,
}

/// What the first signature of a key is for: its certificate. The octets come back to be finished with the signature.
pub type Certifier<'a> = &'a (dyn Fn(&PublicKey) -> Result<Box<dyn Certificate>, Fault> + Sync);

/// A certificate without its signature.
pub trait Certificate {
    /// The way it is to be signed.
    fn scheme(&self) -> &'static Scheme;
    /// The octets to be signed.
    fn octets(&self) -> &[u8];
    /// When it ends.
    fn until(&self) -> Option<Instant>;
    /// The certificate in PEM.
    fn finish(self: Box<Self>, signature: &Signature) -> Result<Vec<u8>, Fault>;
}

/// Makes or adopts a key, lets it sign its certificate, and seals it.
pub(super) fn make(
    origin: Origin,
    key: &KeyId,
    closer: &Closer,
    certify: Certifier<'_>,
) -> Result<Made, Fault> {
    apart(move || {
        let mut random = random::system();
        let private = match origin {
            Origin::Generate(algorithm) => algorithm.generate(&mut random)?,
            Origin::Adopt(pkcs8) => private_key(pkcs8.expose())?,
        };
        let public = private.public()?;
        let unsigned = certify(&public)?;
        let signature = checked(private.as_ref(), &public, unsigned.scheme(), unsigned.octets())?;
        let sealed = seal(&private.to_pkcs8()?, key, closer)?;
        let until = unsigned.until();
        Ok(Made { public, sealed, certificate: unsigned.finish(&signature)?, until })
    })?
}

/// The public half of a private key that is to be adopted: what a person confirms.
pub fn public_of(pkcs8: &Secret<Vec<u8>>) -> Result<PublicKey, Fault> {
    apart(|| private_key(pkcs8.expose())?.public())?
}

/// Asks for what opens the key.
pub(super) fn opener(record: &Record, key: &KeyId, prompt: &mut dyn Prompt) -> Result<Opener, Fault> {
    if record.opens_with_passphrase() {
        prompt.passphrase(key).map(Opener::Passphrase)
    } else {
        prompt.identities(key).map(Opener::Identities)
    }
}

/// What stopped the work with a key, and whether the key was open by then: only of one that was not, a denial is true.
pub(super) struct Stopped {
    pub(super) fault: Fault,
    pub(super) was_open: bool,
}

impl Stopped {
    const fn open(fault: Fault) -> Self {
        Self { fault, was_open: true }
    }
}

impl From<Fault> for Stopped {
    fn from(fault: Fault) -> Self {
        Self { fault, was_open: false }
    }
}

/// Opens a key, makes sure that it is the one its record describes, and signs what the ledger's permit is for: one signature
/// for each of the octets.
pub(super) fn sign(
    permit: &SignPermit<'_>,
    record: &Record,
    sealed: &[u8],
    opener: Opener,
    approval: &Approval,
) -> Result<Vec<Signature>, Stopped> {
    let (key, expected) = (record.key()?, record.public()?);
    let octets = approval.octets().iter();
    let digests: Vec<_> = octets.clone().map(|octets| Digest::of(octets)).collect();
    if permit.key() != key.to_string() || permit.octets() != digests {
        return Err(INTERNAL.fault(ANOTHER).into());
    }
    apart(move || {
        let private = open(sealed, &key, &opener, &expected)?;
        let signed = octets.map(|octets| checked(private.as_ref(), &expected, approval.scheme(), octets));
        signed.collect::<Result<_, _>>().map_err(Stopped::open)
    })
    .unwrap_or_else(|panic| Err(Stopped::open(panic)))
}

/// A certificate that a key has signed.
pub(super) struct Certified {
    pub(super) pem: Vec<u8>,
    pub(super) until: Option<Instant>,
}

/// Opens a key and lets it sign another certificate, for which the ledger's permit is.
pub(super) fn certify(
    permit: &SignPermit<'_>,
    record: &Record,
    sealed: &[u8],
    opener: Opener,
    unsigned: Box<dyn Certificate>,
) -> Result<Certified, Stopped> {
    let (key, expected) = (record.key()?, record.public()?);
    if permit.key() != key.to_string() || permit.octets() != [Digest::of(unsigned.octets())] {
        return Err(INTERNAL.fault(ANOTHER).into());
    }
    let (scheme, octets) = (unsigned.scheme(), unsigned.octets().to_vec());
    let signature = apart(move || {
        let private = open(sealed, &key, &opener, &expected)?;
        checked(private.as_ref(), &expected, scheme, &octets).map_err(Stopped::open)
    })
    .unwrap_or_else(|panic| Err(Stopped::open(panic)))?;
    let until = unsigned.until();
    Ok(Certified { pem: unsigned.finish(&signature).map_err(Stopped::open)?, until })
}

/// Opens a key, and makes sure that it is the one its record describes.
fn open(
    sealed: &[u8],
    key: &KeyId,
    opener: &Opener,
    expected: &PublicKey,
) -> Result<Box<dyn PrivateKey>, Fault> {
    let private = private_key(unseal(sealed, key, opener)?.expose())?;
    if private.public()? == *expected {
        return Ok(private);
    }
    Err(TAMPERED.fault(format!("the sealed key of {key} is not the one its record describes")))
}

/// What became of a batch.
pub(super) struct Delivered {
    /// The digest of each document, where the batch has the digest of its octets; `None` where it was not delivered.
    pub(super) artefacts: Vec<Option<Digest>>,
    /// What ended it early.
    pub(super) fault: Option<Fault>,
}

/// Opens a key once and signs with it what the ledger's permit is for, on every core. The first fault ends it: the other
/// threads finish what they have begun.
pub(super) fn sign_batch(
    permit: &SignPermit<'_>,
    record: &Record,
    sealed: &[u8],
    opener: Opener,
    approval: &BatchApproval,
    pieces: &dyn Pieces,
) -> Result<Delivered, Fault> {
    let (key, expected) = (record.key()?, record.public()?);
    if permit.key() != key.to_string() || permit.octets() != [approval.list()] {
        return Err(INTERNAL.fault(ANOTHER));
    }
    apart(move || {
        let private = open(sealed, &key, &opener, &expected)?;
        let failed: Mutex<Option<Fault>> = Mutex::new(None);
        let has_failed = || failed.lock().is_ok_and(|failed| failed.is_some());
        let fail = |fault| drop(failed.lock().map(|mut failed| failed.get_or_insert(fault).code()));
        let count = approval.digests().len();
        let artefacts = Mutex::new(vec![None; count]);
        let share = || {
            while !has_failed()
                && let Some(turn) = approval.next_turn()
            {
                let place = turn.place();
                match one(private.as_ref(), &expected, approval.scheme(), turn, pieces) {
                    Ok(artefact) => {
                        let mut all = artefacts.lock().unwrap_or_else(PoisonError::into_inner);
                        all.get_mut(place).map(|slot| slot.replace(artefact));
                    }
                    Err(fault) => fail(fault),
                }
            }
        };
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..cores::count().min(count)).map(|_| scope.spawn(share)).collect();
            for thread in threads {
                if thread.join().is_err() {
                    fail(INTERNAL.fault(PANICKED));
                }
            }
        });
        let artefacts = artefacts.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(Delivered { artefacts, fault: failed.into_inner().unwrap_or_default() })
    })
    // The key may have been used.
    .unwrap_or_else(|panic| Ok(Delivered { artefacts: Vec::new(), fault: Some(panic) }))
}

/// Takes one turn: only the octets that were approved are signed.
fn one(
    private: &dyn PrivateKey,
    public: &PublicKey,
    scheme: &'static Scheme,
    turn: Turn<'_>,
    pieces: &dyn Pieces,
) -> Result<Digest, Fault> {
    let piece = pieces.piece(turn.place())?;
    if !turn.allows(piece.octets()) {
        return Err(CHANGED
            .fault("a document of the batch is not the one that was reviewed")
            .hint("find out who writes to it, then review it again"));
    }
    let signature = checked(private, public, scheme, piece.octets())?;
    piece.deliver(&signature)
}

/// Signs, and verifies with the public key before anybody sees the signature.
fn checked(
    private: &dyn PrivateKey,
    public: &PublicKey,
    scheme: &'static Scheme,
    octets: &[u8],
) -> Result<Signature, Fault> {
    let signature = private.sign(scheme, octets, &mut random::system())?;
    if public.verify(scheme, octets, &signature) {
        return Ok(signature);
    }
    Err(FAULTY
        .fault("a fresh signature did not verify with the public key and was thrown away")
        .hint("the machine or its memory may be faulty: do not use it"))
}

/// Does the work on a thread of its own; a fault, where it panicked.
fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, Fault> {
    std::thread::scope(|scope| scope.spawn(work).join()).map_err(|_| INTERNAL.fault(PANICKED))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{Hash, LineAlgorithm, algorithm};

    /// A key on a machine whose memory is faulty: what it signs is off by one bit.
    struct Faulty(Box<dyn PrivateKey>);

    impl PrivateKey for Faulty {
        fn algorithm(&self) -> &'static dyn LineAlgorithm {
            self.0.algorithm()
        }

        fn public(&self) -> Result<PublicKey, Fault> {
            self.0.public()
        }

        fn to_pkcs8(&self) -> Result<Secret<Vec<u8>>, Fault> {
            self.0.to_pkcs8()
        }

        fn sign(
            &self,
            scheme: &Scheme,
            octets: &[u8],
            random: &mut dyn rand_core::CryptoRng,
        ) -> Result<Signature, Fault> {
            let mut bytes = self.0.sign(scheme, octets, random)?.as_bytes().to_vec();
            bytes[70] ^= 0x10;
            Ok(Signature::from_bytes(bytes))
        }
    }

    #[test]
    fn no_signature_of_a_faulty_machine_leaves() {
        let algorithm = algorithm("p384").unwrap();
        let sound = algorithm.generate(&mut random::system()).unwrap();
        let public = sound.public().unwrap();
        let scheme = algorithm.scheme(Hash::Sha384);
        assert!(checked(sound.as_ref(), &public, scheme, b"octets").is_ok());
        let faulty = Faulty(sound);
        // so often that the key is readied meanwhile
        for _ in 0..40 {
            let refused = checked(&faulty, &public, scheme, b"octets").err().unwrap();
            assert_eq!(refused.code(), &FAULTY, "{refused}");
        }
    }
}
