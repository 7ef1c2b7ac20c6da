//! age recipients and identities: who can open what is sealed (age-encryption.org/v1).

use std::fmt;
use std::io::BufReader;

use age::secrecy::ExposeSecret;

use super::clock::Instant;
use super::fault::{Class, Code, Fault};
use super::secret::Secret;

/// What the text of an age identity begins with.
pub const SECRET_PREFIX: &str = "AGE-SECRET-KEY-";

/// A secret that cannot be used.
pub const SECRET: Code =
    Code::new("secret.malformed", Class::Secret, "a passphrase or identity cannot be used");
/// A secret that was not given.
pub const MISSING: Code = Code::new("secret.missing", Class::Secret, "a secret is needed and was not given");
/// Text that is no age recipient.
pub const RECIPIENT: Code = Code::new("usage.recipient", Class::Usage, "a text is not an age recipient");

/// An age recipient (X25519): whoever has its identity opens what is sealed to it.
#[derive(Clone)]
pub struct Recipient(age::x25519::Recipient);

impl Recipient {
    /// Reads `age1…`.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        text.parse().map(Self).map_err(|_| {
            if text.to_ascii_uppercase().starts_with("AGE-SECRET-KEY-") {
                return RECIPIENT
                    .fault("that is an identity, a secret, and not the recipient that belongs to it")
                    .hint("the recipient starts with age1, and stands in the identity's file; make another identity if others may have seen this one");
            }
            let why = match text {
                ssh if ssh.starts_with("ssh-") || ssh.starts_with("ecdsa-") => "keys of SSH are not taken",
                typed if typed.starts_with("age1") => "a character is wrong or missing",
                _ => "it does not start with age1",
            };
            RECIPIENT
                .fault(format!("'{text}' is not an age recipient: {why}"))
                .hint("it starts with age1; `fedroot identity generate` prints one")
        })
    }

    /// The recipient, for the age library.
    pub fn as_age(&self) -> &dyn age::Recipient {
        &self.0
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// age identities that open sealed keys and ledger entries.
pub struct Identities(Vec<Box<dyn age::Identity + Send + Sync>>);

impl Identities {
    /// Makes a new X25519 identity: the text of its file, as `age-keygen` writes it, and its recipient.
    pub fn generate(created: Instant) -> (Secret<String>, Recipient) {
        let identity = age::x25519::Identity::generate();
        let recipient = identity.to_public();
        let secret = identity.to_string();
        let text = format!("# created: {created}\n# public key: {recipient}\n{}\n", secret.expose_secret());
        (Secret::new(text), Recipient(recipient))
    }

    /// Reads an identity file.
    pub fn parse(file: &Secret<Vec<u8>>) -> Result<Self, Fault> {
        let read = age::IdentityFile::from_buffer(BufReader::new(file.expose().as_slice())).map_err(|e| {
            SECRET.fault(format!("it is not an age identity file: {}", e.to_string().to_lowercase()))
        })?;
        let identities = read
            .into_identities()
            .map_err(|e| SECRET.fault(format!("its identities cannot be used: {e}")))?;
        if identities.is_empty() {
            return Err(SECRET.fault("it holds no identity"));
        }
        Ok(Self(identities))
    }

    /// The identities, for the age library.
    pub fn iter(&self) -> impl Iterator<Item = &dyn age::Identity> {
        self.0.iter().map(|identity| identity.as_ref() as &dyn age::Identity)
    }
}
