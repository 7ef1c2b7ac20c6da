//! Kinds of documents. Each kind reads its own format, tells what a signature would cover, and puts the signature in.
//!
//! A document is a stream: it is read once to prepare it and once to finish it, and never stands in memory as a whole.

mod access_token;
mod batch;
mod bundle;
mod carried;
mod commands;
mod compose;
mod detached;
mod grant;
mod jwks;
mod jwt;
mod keyset;
mod kubernetes;
mod network;
mod oob_keys;
mod oob_page;
pub mod openid;
mod provisioning;
mod published;
mod saml;
mod software_statement;
mod spiffe;
mod surroundings;

use std::io::{self, Read, Write};
use std::path::Path;

use rand_core::CryptoRng;
use serde_json::Value;

use crate::base::bytes::Digest;
use crate::base::clock::Instant;
use crate::base::disk::{self, Document, Pending};
use crate::base::fault::{Class, Code, Fault};
use crate::base::gzip;
use crate::key::{KeyId, PublicKey, Scheme, Signature};
use crate::policy::{Examined, Facts, Last, Profile};

pub use self::batch::{Batch, Draft, Judged, Look, Member, Members, Standing};
pub use self::carried::{Cast, Fingerprints};
pub use self::published::{INDEX, PROOF_ENDING, PROOFS, proof_name};
pub use self::surroundings::{Listing, Nowhere, Revoked, Surroundings, VaultKey};

/// Every kind of document. Adding one is a file and a row.
pub static KINDS: &[&dyn Kind] = &[
    &saml::SamlMetadata,
    &bundle::Bundle,
    &jwks::Jwks,
    &kubernetes::Kubernetes,
    &spiffe::Spiffe,
    openid::signing::ENTITY_CONFIGURATION,
    openid::signing::SUBORDINATE_STATEMENT,
    openid::signing::TRUST_MARK,
    openid::signing::TRUST_MARK_DELEGATION,
    openid::signing::HISTORICAL_KEYS,
    openid::signing::SIGNED_JWK_SET,
    &openid::federation::Federation,
    &provisioning::Provisioning,
    &access_token::AccessToken,
    &software_statement::SoftwareStatement,
    &oob_keys::OobKeys,
];

/// No kind of this name.
pub const NO_KIND: Code = Code::new("usage.kind", Class::Usage, "there is no such kind of document");
/// The document is signed, and not by a trusted key.
pub const UNTRUSTED: Code = Code::new(
    "verify.untrusted",
    Class::Refused,
    "the signature was not made by a trusted key, or not over these octets",
);
/// There is no signature beside the document.
pub const UNSIGNED: Code =
    Code::new("verify.unsigned", Class::Refused, "there is no signature beside the document");
/// The document was changed after it was signed.
pub const ALTERED: Code =
    Code::new("verify.altered", Class::Refused, "the document is not the one that was signed");
/// The document is no longer valid.
pub const EXPIRED: Code =
    Code::new("verify.expired", Class::Refused, "the document is no longer valid at this time");
/// The document is not valid yet.
pub const NOT_YET: Code =
    Code::new("verify.not-yet", Class::Refused, "the document is not valid yet at this time");
/// The document is for somebody else.
pub const AUDIENCE: Code = Code::new(
    "verify.audience",
    Class::Refused,
    "the document is for another audience than the one asked for",
);
/// The signature is of a kind that is not accepted.
pub const WEAK: Code =
    Code::new("verify.algorithm", Class::Refused, "the signature algorithm is not accepted");
/// The document is not of the kind it was given as.
pub const OTHER: Code = Code::new("saml.root", Class::Usage, "the root element is not SAML metadata");

/// Documents of this kind are not signed in batches, or this one cannot be split.
pub const BATCH: Code = Code::new("sign.split", Class::Refused, "the document cannot be split");
/// A list of files that cannot be read.
pub const MANIFEST: Code = Code::new(
    "bundle.list",
    Class::Usage,
    "a list of files is not as `sha384sum` writes it, sorted and each once",
);
/// A composed document that cannot be read.
pub const COMPOSED: Code = Code::new(
    "document.composed",
    Class::Usage,
    "a document that an operator composes in TOML cannot be understood",
);

/// Clocks may differ by so much before a document comes from the future.
const SKEW_SECONDS: i64 = 120;

/// The codes of this room.
pub const CODES: &[&Code] = &[
    &NO_KIND, &UNTRUSTED, &UNSIGNED, &ALTERED, &EXPIRED, &NOT_YET, &AUDIENCE, &WEAK, &OTHER, &BATCH,
    &MANIFEST, &COMPOSED,
];

/// A kind of document.
pub trait Kind: Sync {
    /// Its name on the command line.
    fn name(&self) -> &'static str;

    /// What it is, in a few words.
    fn about(&self) -> &'static str;

    /// What a profile has to set, and does not: without it a line signs no document of this kind. As `section.name`.
    fn wants(&self, _profile: &Profile) -> Option<&'static str> {
        None
    }

    /// Whether a finished document is a secret: whoever has it can use it.
    fn is_secret(&self) -> bool {
        false
    }

    /// Opens a document to be signed. A kind that puts one together from several files gives one document that holds all
    /// of them, so that the digest of the request covers them.
    fn open(&self, path: &Path) -> Result<Document, Fault> {
        Document::open(path)
    }

    /// The same where what is put together may be large: it lies in a nameless file of this folder.
    fn open_in(&self, path: &Path, _scratch: &Path) -> Result<Document, Fault> {
        self.open(path)
    }

    /// Opens a signed document.
    fn open_signed(&self, path: &Path) -> Result<Document, Fault> {
        Document::open(path)
    }

    /// What `verify` takes best, once what stands under a path was signed into a file: the file, or all of what it lists.
    fn to_verify<'p>(&self, _document: &'p Path, signed: &'p Path) -> &'p Path {
        signed
    }

    /// The folder that a finished document has to be put into before anybody can verify it, where it does not stand there.
    fn belongs_into<'p>(&self, _document: &'p Path, _output: &Path) -> Option<&'p Path> {
        None
    }

    /// What a document is about, where one line signs several of the kind side by side; each is compared with the one
    /// before about the same. Foreign text; empty when the line has one such document.
    fn subject(&self, _document: &Document) -> Result<String, Fault> {
        Ok(String::new())
    }

    /// Reads a document and fills in what the signature has to cover: dates, identifiers, the key. The record for the next
    /// review's difference is written on the way, where it is wanted.
    fn prepare<'d>(
        &self,
        document: &'d Document,
        terms: &Terms<'_>,
        random: &mut dyn CryptoRng,
        record: Option<&mut dyn Write>,
    ) -> Result<Box<dyn Prepared + 'd>, Fault>;

    /// Whether it is always a batch: a folder comes in, and a folder of documents goes out.
    fn is_tree(&self) -> bool {
        false
    }

    /// Reads a document once and splits it into those that are signed each on its own. What is to wait until then waits in
    /// the spare file, and is signed as it was reviewed, whatever becomes of the document. The record for the next review's
    /// difference is written beside it. Where somebody looks, each of the documents is shown.
    fn split<'d>(
        &self,
        _document: &'d Document,
        _terms: &Terms<'_>,
        _spare: Pending,
        _record: &mut dyn Write,
        _look: Option<Look<'_>>,
    ) -> Result<Box<dyn Batch + 'd>, Fault> {
        Err(BATCH.fault(format!("documents of the kind {} are signed as a whole", self.name())))
    }

    /// The keys, by their fingerprints, that consumers find in a finished document of this kind, and the kind of channel that
    /// it is for them. Anchors introduce keys in another way.
    fn carries(&self, _document: &Document) -> Result<Fingerprints, Fault> {
        Ok(Fingerprints::new())
    }

    /// Writes a document that is to be signed, with other keys in the place of those that leave. Kinds that know the keys of
    /// their line by themselves write it as it is.
    fn recast(&self, document: &Document, _cast: &Cast, to: &mut dyn Write) -> Result<(), Fault> {
        let copied = io::copy(&mut document.reader(), to);
        copied.map(drop).map_err(|e| disk::fault("read", document.name().as_ref(), &e))
    }

    /// Verifies a signed document as a stranger would: with trusted keys only, whatever the document says of its key.
    fn verify(&self, document: &Document, trust: &[PublicKey]) -> Result<Verified, Fault>;
}

/// What a document is prepared for.
pub struct Terms<'a> {
    /// The key that would sign.
    pub key: &'a KeyId,
    /// Its public half.
    pub public: &'a PublicKey,
    /// Its certificate, PEM.
    pub certificate: Option<&'a str>,
    /// When its use ends as planned, where something says so.
    pub ends: Option<Instant>,
    /// The line's limits and defaults.
    pub profile: &'a Profile,
    /// The time of the signature.
    pub now: Instant,
    /// What the line signed last.
    pub last: Option<&'a Last>,
    /// What the vault knows beside the line.
    pub vault: &'a dyn Surroundings,
    /// Why the profile's brake is released, when it is.
    pub released: Option<&'a str>,
}

/// A document that needs only its signature.
pub trait Prepared {
    /// What the signature would cover.
    fn facts(&self) -> &Facts;

    /// What the rules found in it, and the difference to what was signed last.
    fn examined(&self) -> &Examined;

    /// When the signed document ends, as its facts say; never, where they say nothing.
    fn expires(&self) -> Option<Instant> {
        let said = ["validUntil", "exp"].iter().find_map(|name| self.facts().value(name))?;
        Instant::parse(said).ok()
    }

    /// The digest of the document as it was given.
    fn document(&self) -> Digest;

    /// The exact octets to be signed, one signature for each: that of the document first.
    fn octets(&self) -> Vec<&[u8]>;

    /// The way they are to be signed.
    fn scheme(&self) -> &'static Scheme;

    /// An upper bound of the finished document's size in bytes.
    fn length_max(&self) -> u64;

    /// The endings of the files that stand beside the finished document, such as a detached signature.
    fn beside(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// What stands in these files, in the same order; the signatures come in the order of the octets.
    fn finish_beside(&self, _signatures: &[Signature]) -> Result<Vec<Vec<u8>>, Fault> {
        Ok(Vec::new())
    }

    /// Writes the finished document and verifies what was written, as a stranger would. Refuses when the document is no
    /// longer the one that was prepared.
    fn finish(&self, signature: &Signature, output: &mut dyn Write) -> Result<(), Fault>;
}

/// What a verified signature covers.
#[derive(Debug)]
pub struct Verified {
    /// What the covered part says.
    pub facts: Facts,
    /// What the signature covers, in a few words.
    pub covers: String,
    /// What exactly is covered and what is not, as names and values; names are written `like_this`.
    pub coverage: Vec<(&'static str, Value)>,
    /// Commands for `sh` that check the same claim with other programs on the file `$document`, where there are some.
    pub commands: Option<String>,
    /// The trusted key that signed.
    pub key: PublicKey,
    /// The way it signed.
    pub scheme: &'static Scheme,
    /// When the document begins to be valid, where it says so.
    pub valid_from: Option<Instant>,
    /// When the document ends to be valid, where it says so.
    pub valid_until: Option<Instant>,
}

impl Verified {
    /// What the coverage calls the one of several documents that ends first.
    const FIRST_TO_END: &str = "first_to_end";

    fn first_to_end(&self) -> &str {
        let first = self.coverage.iter().find(|(name, _)| *name == Self::FIRST_TO_END);
        first.and_then(|(_, name)| name.as_str()).unwrap_or("the document")
    }

    /// Refuses a document for another audience than the one asked for; without one to ask for, any will do.
    pub fn check_audience(&self, audience: Option<&str>) -> Result<(), Fault> {
        let own = self.facts.value("aud");
        match audience {
            Some(audience) if own != Some(audience) => Err(AUDIENCE
                .fault(format!(
                    "the signature is good, but the document is for {}, not for {audience}",
                    own.unwrap_or("no audience")
                ))
                .hint("one service never takes what was signed for another")),
            _ => Ok(()),
        }
    }

    /// Refuses a document that is no longer valid, or not yet; clocks may differ by two minutes.
    pub fn check_valid(&self, at: Instant) -> Result<(), Fault> {
        if let Some(from) = self.valid_from.filter(|from| from.seconds_since(at) > SKEW_SECONDS) {
            return Err(NOT_YET
                .fault(format!(
                    "the signature is good, but the document is valid from {from}, and it is {at}"
                ))
                .hint("set the clock of one of the two machines, or judge by another time with --at"));
        }
        match self.valid_until {
            Some(until) if until <= at => Err(EXPIRED
                .fault(format!(
                    "the signature is good, but {} was valid until {until}, and it is {at}",
                    self.first_to_end()
                ))
                .hint("look for a newer document, or judge by another time with --at")),
            _ => Ok(()),
        }
    }
}

/// The whole of a document that says at most `bytes_max` bytes; expanded, where it is compressed.
fn read_all(document: &Document, bytes_max: u64) -> Result<Vec<u8>, Fault> {
    let expected = document.length()?.saturating_add(1).min(bytes_max);
    let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or_default());
    let read = document.content()?.take(bytes_max + 1).read_to_end(&mut bytes);
    let failed = |e| disk::fault("read", document.name().as_ref(), &e);
    read.map_err(|error| error.downcast().unwrap_or_else(failed))?;
    if bytes.len() as u64 > bytes_max {
        return Err(disk::TOO_LARGE.fault(format!("{} is larger than {bytes_max} bytes", document.name())));
    }
    Ok(bytes)
}

/// Reads a document that stands as it was signed: strangers' tools expand nothing.
fn read_plain(document: &Document, bytes_max: u64) -> Result<Vec<u8>, Fault> {
    let mut magic = [0; 2];
    let count =
        document.reader().read(&mut magic).map_err(|e| disk::fault("read", document.name().as_ref(), &e))?;
    if magic.get(..count) == Some(&gzip::MAGIC) {
        return Err(ALTERED
            .fault(format!("{} is compressed, and what was signed is not", document.name()))
            .hint("expand it: others do not verify it so"));
    }
    read_all(document, bytes_max)
}

/// The kind of this name.
pub fn kind(name: &str) -> Result<&'static dyn Kind, Fault> {
    KINDS.iter().copied().find(|kind| kind.name() == name).ok_or_else(|| {
        let names: Vec<_> = KINDS.iter().map(|kind| kind.name()).collect();
        NO_KIND
            .fault(format!("there is no kind of document '{name}'"))
            .hint(format!("take {}", names.join(", ")))
    })
}
