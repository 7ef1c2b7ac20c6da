//! How a private key rests: PKCS#8 (RFC 5958) inside an ordinary age file, which stock tools open.
//!
//! The PKCS#8 carries its own name as a friendlyName attribute (PKCS#9, RFC 2985, section 5.5.1), so that a sealed key
//! cannot be passed off as another line's: openssl ignores the attribute, fedroot does not.

use std::io::{Read, Write};

use age::secrecy::SecretString;
use const_oid::ObjectIdentifier;
use der::asn1::{BmpString, SetOfVec};
use der::{Decode, Encode, Sequence, ValueOrd};

use super::record::PASSPHRASE;
use super::{TAMPERED, WRONG};
use crate::base::fault::{Fault, INTERNAL};
use crate::base::recipient::{Identities, Recipient};
use crate::base::secret::Secret;
use crate::key::KeyId;

/// The scrypt cost of age files for passphrases: 2^18, fixed, because the library would measure the machine instead.
const WORK_FACTOR: u8 = 18;
/// The most that a file may ask of us.
const WORK_FACTOR_MAX: u8 = 22;
const SEALED_KEY_BYTES_MAX: u64 = 64 * 1024;

const FRIENDLY_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.20");

/// What opens a sealed key.
pub(super) enum Opener {
    Passphrase(Secret<String>),
    Identities(Identities),
}

/// What a new key is sealed to.
pub enum Sealing {
    /// A passphrase that is asked for twice.
    Passphrase,
    /// age recipients, any of which opens it.
    Recipients(Vec<Recipient>),
}

impl Sealing {
    /// The words for the record and the request.
    pub fn names(&self) -> Vec<String> {
        match self {
            Self::Passphrase => vec![PASSPHRASE.into()],
            Self::Recipients(recipients) => recipients.iter().map(ToString::to_string).collect(),
        }
    }
}

/// What a new key is sealed with, once the passphrase is known.
pub(super) enum Closer {
    Passphrase(Secret<String>),
    Recipients(Vec<Recipient>),
}

/// Seals a private key under its name.
pub(super) fn seal(pkcs8: &Secret<Vec<u8>>, key: &KeyId, closer: &Closer) -> Result<Vec<u8>, Fault> {
    let named = with_name(pkcs8.expose(), &key.to_string())?;
    let encryptor = match closer {
        Closer::Passphrase(passphrase) => {
            let mut recipient = age::scrypt::Recipient::new(SecretString::from(passphrase.expose().as_str()));
            recipient.set_work_factor(WORK_FACTOR);
            age::Encryptor::with_recipients(std::iter::once(&recipient as &dyn age::Recipient))
        }
        Closer::Recipients(recipients) => {
            age::Encryptor::with_recipients(recipients.iter().map(Recipient::as_age))
        }
    }
    .map_err(|e| INTERNAL.fault(format!("sealing failed: {e}")))?;
    let mut sealed = Vec::new();
    let mut writer =
        encryptor.wrap_output(&mut sealed).map_err(|e| INTERNAL.fault(format!("sealing failed: {e}")))?;
    writer.write_all(named.expose()).map_err(|e| INTERNAL.fault(format!("sealing failed: {e}")))?;
    writer.finish().map_err(|e| INTERNAL.fault(format!("sealing failed: {e}")))?;
    Ok(sealed)
}

/// Opens a sealed key, and refuses one that bears another name.
pub(super) fn unseal(sealed: &[u8], key: &KeyId, opener: &Opener) -> Result<Secret<Vec<u8>>, Fault> {
    let decryptor = age::Decryptor::new(sealed)
        .map_err(|e| TAMPERED.fault(format!("the sealed file of {key} is not an age file: {e}")))?;
    let read = match opener {
        Opener::Passphrase(passphrase) => {
            let mut identity = age::scrypt::Identity::new(SecretString::from(passphrase.expose().as_str()));
            identity.set_max_work_factor(WORK_FACTOR_MAX);
            decryptor.decrypt(std::iter::once(&identity as &dyn age::Identity))
        }
        Opener::Identities(identities) => decryptor.decrypt(identities.iter()),
    };
    let reader = read.map_err(|e| match e {
        age::DecryptError::DecryptionFailed | age::DecryptError::NoMatchingKeys => {
            let (what, hint) = match opener {
                Opener::Passphrase(_) => {
                    ("the passphrase", "type it again, or look for the right passphrase file")
                }
                Opener::Identities(_) => {
                    ("the identity", "`fedroot key show` names the recipients it is sealed to")
                }
            };
            WRONG.fault(format!("{what} does not open {key}")).hint(hint)
        }
        age::DecryptError::ExcessiveWork { required, .. } => TAMPERED
            .fault(format!("to try a passphrase on the sealed file of {key} would cost scrypt's 2^{required}, and no more than 2^{WORK_FACTOR_MAX} is done"))
            .hint("fedroot seals with less: put the file of the backup back"),
        other => TAMPERED.fault(format!("the sealed file of {key} is damaged: {other}")),
    })?;
    // One allocation, so that no half-grown copy of the key stays behind.
    let mut named = Vec::with_capacity(usize::try_from(SEALED_KEY_BYTES_MAX).unwrap_or_default());
    let read = reader.take(SEALED_KEY_BYTES_MAX).read_to_end(&mut named);
    let named = Secret::new(named);
    read.map_err(|e| TAMPERED.fault(format!("the sealed file of {key} is damaged: {e}")))?;
    without_name(named.expose(), key)
}

/// PrivateKeyInfo with its attributes (RFC 5958, section 2).
#[derive(Sequence)]
struct Named<'a> {
    version: u8,
    algorithm: spki::AlgorithmIdentifierRef<'a>,
    private_key: &'a der::asn1::OctetStringRef,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", optional = "true")]
    attributes: Option<SetOfVec<Attribute>>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    public_key: Option<der::asn1::BitStringRef<'a>>,
}

#[derive(Clone, Debug, Eq, PartialEq, Sequence, ValueOrd)]
struct Attribute {
    oid: ObjectIdentifier,
    values: SetOfVec<BmpString>,
}

fn with_name(pkcs8: &[u8], name: &str) -> Result<Secret<Vec<u8>>, Fault> {
    let failed = |e: der::Error| INTERNAL.fault(format!("the key cannot be named: {e}"));
    let mut info = Named::from_der(pkcs8).map_err(failed)?;
    let value = BmpString::from_utf8(name).map_err(failed)?;
    let values = SetOfVec::try_from([value]).map_err(failed)?;
    let attribute = Attribute { oid: FRIENDLY_NAME, values };
    info.attributes = Some(SetOfVec::try_from([attribute]).map_err(failed)?);
    info.to_der().map(Secret::new).map_err(failed)
}

fn without_name(named: &[u8], key: &KeyId) -> Result<Secret<Vec<u8>>, Fault> {
    let failed = |_| TAMPERED.fault(format!("the sealed file of {key} does not hold a PKCS#8 key"));
    let mut info = Named::from_der(named).map_err(failed)?;
    let attributes = info.attributes.take();
    let name = attributes
        .iter()
        .flat_map(SetOfVec::iter)
        .find(|attribute| attribute.oid == FRIENDLY_NAME)
        .and_then(|attribute| attribute.values.iter().next())
        .map(ToString::to_string);
    if name.as_deref() != Some(key.to_string().as_str()) {
        let other = name.unwrap_or_else(|| "no name".into());
        return Err(TAMPERED
            .fault(format!("the sealed file of {key} holds the key of {other}"))
            .hint("a key never moves between lines or environments: put the file back where it was"));
    }
    info.to_der().map(Secret::new).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The beginning of an age file for a passphrase, which names the cost of trying one (C2SP, age, section "The scrypt recipient type").
    fn sealed_at(cost: u8) -> Vec<u8> {
        let (salt, body, mac) = ("A".repeat(22), "A".repeat(43), "A".repeat(43));
        format!("age-encryption.org/v1\n-> scrypt {salt} {cost}\n{body}\n--- {mac}\n0123456789abcdef")
            .into_bytes()
    }

    #[test]
    fn a_file_whose_passphrase_costs_too_much_to_try_is_refused_at_once() {
        let key = "example.org/sandbox/x#1".parse().unwrap();
        let open = |cost| {
            let opener = Opener::Passphrase(Secret::new("any".to_owned()));
            unseal(&sealed_at(cost), &key, &opener).err().unwrap()
        };
        assert_eq!(open(10).code(), &WRONG);
        for cost in [WORK_FACTOR_MAX + 1, 40, 63] {
            let refused = open(cost);
            assert_eq!(refused.code(), &TAMPERED, "{refused}");
            assert!(refused.to_string().contains("2^"), "{refused}");
        }
    }
}
