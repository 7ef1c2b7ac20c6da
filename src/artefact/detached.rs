//! Documents that stay as they are and have their signatures in files beside them.

use std::io::Write;
use std::path::Path;

use super::commands;
use super::{ALTERED, Prepared, Terms, UNSIGNED, UNTRUSTED, read_plain};
use crate::base::bytes::Digest;
use crate::base::disk::{self, Document};
use crate::base::fault::{Fault, INTERNAL};
use crate::format::jose::{Draft, Jws, thumbprint};
use crate::key::{Hash, PublicKey, Scheme, Signature};
use crate::policy::{Examined, Facts};

const SIGNATURE_BYTES_MAX: u64 = 64 * 1024;

/// How the signature is written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Form {
    /// The bytes that `openssl dgst -sha384 -verify` takes: DER for ECDSA (RFC 5480, appendix A), PKCS#1 v1.5 for RSA.
    Sha384,
    /// A detached JWS whose payload is the document as it stands (RFC 7797), with this kind as its `typ`.
    Jws(&'static str),
}

impl Form {
    /// The JWS of a kind; its `typ` keeps a signature of one kind from passing for one of another.
    pub(super) const fn jws(kind: &'static str) -> Self {
        Self::Jws(kind)
    }

    /// The ending of the file's name.
    pub(super) const fn ending(&self) -> &'static str {
        match self {
            Self::Sha384 => ".sig",
            Self::Jws(_) => ".jws",
        }
    }

    fn octets(&self, key: &PublicKey, payload: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha384 => payload.to_vec(),
            Self::Jws(kind) => draft(kind, key, payload).octets().to_vec(),
        }
    }

    fn write(&self, key: &PublicKey, payload: &[u8], signature: &Signature) -> Result<Vec<u8>, Fault> {
        match self {
            Self::Sha384 => key.algorithm().x509_signature(signature),
            Self::Jws(kind) => Ok(format!("{}\n", draft(kind, key, payload).finish(signature)).into_bytes()),
        }
    }

    /// Commands that check a signature in this form.
    fn commands(
        &self,
        (payload, others): (&[u8], &[&str]),
        written: &[u8],
        (key, scheme): (&PublicKey, &Scheme),
    ) -> Result<String, Fault> {
        let ending = self.ending();
        if *self == Self::Sha384 {
            return Ok(commands::check(scheme, &format!("\"$document{ending}\""), "\"$document\""));
        }
        let text = str::from_utf8(written).unwrap_or_default();
        let jws = Jws::read_detached(text.strip_suffix('\n').unwrap_or(text), payload, &[])?;
        if !jws.signed().ends_with(payload) {
            return Ok(String::new());
        }
        let files = std::iter::once(&"").chain(others).map(|other| format!(" \"$document{other}\""));
        let (files, signature) = (files.collect::<String>(), commands::signature(key, jws.signature())?);
        let check = commands::check(scheme, "\"$folder/signature\"", "\"$folder/octets\"");
        Ok(format!(
            "# the signature of the JWS, in the form that openssl reads, over its header and the document as it stands (RFC 7797)\n\
             {signature}\
             {{ printf %s. \"$(cut -d. -f1 \"$document{ending}\")\"; gzip -dcf{files}; }} > \"$folder/octets\"\n\
             {check}"
        ))
    }

    /// The trusted key that signed the payload, and how.
    fn signer<'k>(
        &self,
        payload: &[u8],
        written: &[u8],
        trust: &'k [PublicKey],
    ) -> Result<Option<(&'k PublicKey, &'static Scheme)>, Fault> {
        match self {
            Self::Sha384 => Ok(trust.iter().find_map(|key| {
                let value = key.algorithm().read_x509_signature(written)?;
                let scheme = scheme(key);
                (scheme.hash == Hash::Sha384 && key.verify(scheme, payload, &value)).then_some((key, scheme))
            })),
            Self::Jws(kind) => {
                let text = str::from_utf8(written).unwrap_or_default();
                let jws = Jws::read_detached(text.strip_suffix('\n').unwrap_or(text), payload, &[])?;
                if jws.header().typ() != Some(&typ(kind)) {
                    return Ok(None);
                }
                Ok(trust.iter().find_map(|key| Some((key, jws.verify_with(key).ok()?))))
            }
        }
    }
}

/// Both forms sign SHA-384 where the key can.
fn scheme(key: &PublicKey) -> &'static Scheme {
    key.algorithm().scheme(Hash::Sha384)
}

fn typ(kind: &str) -> String {
    format!("{kind}+jws")
}

fn draft(kind: &str, key: &PublicKey, payload: &[u8]) -> Draft {
    Draft::detached(scheme(key), &typ(kind), &thumbprint(key), payload)
}

/// A document that needs only the signatures beside it.
pub(super) struct Detached {
    facts: Facts,
    examined: Examined,
    digest: Digest,
    public: PublicKey,
    /// Each with the octets that it signs.
    forms: Vec<(Form, Vec<u8>)>,
    content: Content,
}

/// What is written.
pub(super) struct Content {
    /// The document.
    pub(super) document: Vec<u8>,
    /// Other documents beside it, each with its ending; the signature covers them behind the document, in this order.
    pub(super) others: Vec<(&'static str, Vec<u8>)>,
}

impl Content {
    fn payload(&self) -> Vec<u8> {
        let mut payload = self.document.clone();
        for (_, other) in &self.others {
            payload.extend_from_slice(other);
        }
        payload
    }
}

impl Detached {
    /// Readies a document for a signature in each of these forms; `given` is the digest of what it was made from.
    pub(super) fn new(
        terms: &Terms<'_>,
        given: Digest,
        (content, forms): (Content, &[Form]),
        (mut facts, examined): (Facts, Examined),
    ) -> Self {
        let public = terms.public.clone();
        let payload = content.payload();
        let forms: Vec<_> = forms.iter().map(|form| (form.clone(), form.octets(&public, &payload))).collect();
        for (form, _) in &forms {
            let how = format!("{} in a file beside it", scheme(&public).name);
            facts.add_with("signature", how, form.ending());
        }
        Self { facts, examined, digest: given, public, forms, content }
    }
}

impl Prepared for Detached {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn examined(&self) -> &Examined {
        &self.examined
    }

    fn document(&self) -> Digest {
        self.digest
    }

    fn octets(&self) -> Vec<&[u8]> {
        self.forms.iter().map(|(_, octets)| octets.as_slice()).collect()
    }

    fn scheme(&self) -> &'static Scheme {
        scheme(&self.public)
    }

    fn length_max(&self) -> u64 {
        self.content.document.len() as u64
    }

    fn beside(&self) -> Vec<&'static str> {
        let others = self.content.others.iter().map(|(ending, _)| *ending);
        others.chain(self.forms.iter().map(|(form, _)| form.ending())).collect()
    }

    fn finish_beside(&self, signatures: &[Signature]) -> Result<Vec<Vec<u8>>, Fault> {
        let payload = self.content.payload();
        let trust = std::slice::from_ref(&self.public);
        let mut files: Vec<_> = self.content.others.iter().map(|(_, other)| other.clone()).collect();
        for ((form, _), signature) in self.forms.iter().zip(signatures) {
            let written = form.write(&self.public, &payload, signature)?;
            if form.signer(&payload, &written, trust)?.is_none() {
                return Err(INTERNAL.fault("the signature does not fit the document beside it"));
            }
            files.push(written);
        }
        Ok(files)
    }

    fn finish(&self, _signature: &Signature, output: &mut dyn Write) -> Result<(), Fault> {
        let failed = |error| disk::fault("write", "the signed document".as_ref(), &error);
        output.write_all(&self.content.document).map_err(failed)
    }
}

/// What was found beside a document.
pub(super) struct Found {
    /// The trusted key that signed it.
    pub(super) key: PublicKey,
    /// The way it signed.
    pub(super) scheme: &'static Scheme,
    /// The endings of the signatures.
    pub(super) endings: Vec<&'static str>,
    /// Commands for `sh` that check each of them, over the file `$document`.
    pub(super) commands: String,
}

/// The trusted key that signed a document, by signatures in these forms that stand beside it: at least one, and each that is
/// there has to be good and by the same key. The payload is the document and what stands beside it behind `others`.
pub(super) fn verify(
    at: &Path,
    (payload, others): (&[u8], &[&str]),
    forms: &[Form],
    trust: &[PublicKey],
) -> Result<Found, Fault> {
    let mut found: Option<(&PublicKey, &'static Scheme)> = None;
    let (mut endings, mut commands) = (Vec::new(), String::new());
    for form in forms {
        let path = beside(at, form.ending());
        if disk::exists(&path) {
            let written = read_plain(&Document::open(&path)?, SIGNATURE_BYTES_MAX)?;
            let signer = form.signer(payload, &written, trust).map_err(|fault| fault.at(path.display()))?;
            let signer = signer.ok_or_else(|| {
                UNTRUSTED
                    .fault(format!(
                        "{}: no trusted key made this signature over {}",
                        path.display(),
                        at.display()
                    ))
                    .hint("either the document was changed, or another key signed it: name that with --trust")
            })?;
            if let Some((other, _)) = found.filter(|(other, _)| *other != signer.0) {
                return Err(UNTRUSTED
                    .fault(format!(
                        "{}: {} made this signature, and {} the one beside it",
                        path.display(),
                        signer.0.fingerprint(),
                        other.fingerprint()
                    ))
                    .hint("one key makes both at once: take the files as they were delivered"));
            }
            found = Some(signer);
            commands.push_str(&form.commands((payload, others), &written, signer)?);
            endings.push(form.ending());
        }
    }
    let (key, scheme) = found.ok_or_else(|| {
        let names: Vec<_> =
            forms.iter().map(|form| beside(at, form.ending()).display().to_string()).collect();
        let missing = match names.as_slice() {
            [name] => format!("{name} is not there"),
            names => format!("neither {} is there", names.join(" nor ")),
        };
        UNSIGNED
            .fault(format!("there is no signature: {missing}"))
            .hint("a signed document is delivered with the file beside it")
    })?;
    Ok(Found { key: key.clone(), scheme, endings, commands: commands::signer(key)? + &commands })
}

/// The file of this ending beside another.
pub(super) fn beside(path: &Path, ending: &str) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Where a document stands; one from standard input has nothing beside it.
pub(super) fn place(document: &Document) -> Result<&Path, Fault> {
    document.path().ok_or_else(|| {
        ALTERED
            .fault(format!("{}: its signature stands in a file beside it", document.name()))
            .hint("give it as a file")
    })
}
