//! Which keys of the vault a document lists for others to find, and whether the rotation of their lines wants them there.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::{Listing, Terms, VaultKey};
use crate::base::bytes::Digest;
use crate::base::fault::Fault;
use crate::format::jose::JwkSet;
use crate::key::{KeyId, Line};
use crate::policy::{Carried, Entity, Examined, Examiner, clip};

/// The kinds of channels that documents carry keys of other lines in, as profiles call them.
pub(super) const SIGNING: &str = "saml-signing";
const ENCRYPTION: &str = "saml-encryption";

/// The kinds of channels in which consumers find the key of a `KeyDescriptor` that is for this use; both, where it says none.
pub(super) fn channels_of(purpose: Option<&str>) -> &'static [&'static str] {
    match purpose {
        Some("signing") => &[SIGNING],
        Some("encryption") => &[ENCRYPTION],
        _ => &[SIGNING, ENCRYPTION],
    }
}

/// Keys by their fingerprints, each with the kind of channel that it stands in.
pub type Fingerprints = HashSet<(&'static str, Digest)>;

/// Keys that take the place of others in documents that carry them.
#[derive(Debug, Default)]
pub struct Cast {
    /// The fingerprints of those that leave.
    pub leaving: HashSet<Digest>,
    /// The certificates, PEM, of those that are listed in their place, by the kind of channel.
    pub taking: BTreeMap<&'static str, Vec<String>>,
}

/// Notes keys of the vault while a document is read.
pub(super) struct Carrier {
    rule: &'static str,
    keys: Arc<Vec<VaultKey>>,
    places: HashMap<Digest, usize>,
    /// What the documents before listed, by what they were about.
    before: BTreeMap<String, BTreeSet<(Line, String)>>,
    found: BTreeSet<Carried>,
}

impl Carrier {
    /// Looks for every key of the vault; breaches are of this rule.
    pub(super) fn new(terms: &Terms<'_>, kind: &str, rule: &'static str) -> Result<Self, Fault> {
        let keys = terms.vault.keys()?;
        let places = keys.iter().enumerate().map(|(at, key)| (key.public.fingerprint(), at)).collect();
        let before = terms.vault.carried(&terms.key.line, kind)?;
        Ok(Self { rule, keys, places, before, found: BTreeSet::new() })
    }

    /// Takes in an entity of SAML metadata.
    pub(super) fn entity(&mut self, entity: &Entity) {
        if self.places.is_empty() {
            return;
        }
        for key in entity.roles.iter().flat_map(|role| &role.keys) {
            let channels = channels_of(key.purpose.as_deref());
            for readable in key.readable() {
                self.note(&entity.id, &readable.fingerprint, channels);
            }
        }
    }

    /// Takes in a set of keys that stands in this kind of channel; of the documents before, only one about the same counts.
    pub(super) fn set(&mut self, subject: &str, set: &JwkSet, channel: &'static str) {
        self.before.retain(|about, _| about == subject);
        for jwk in &set.keys {
            self.note(subject, &jwk.key().fingerprint(), &[channel]);
        }
    }

    fn note(&mut self, subject: &str, fingerprint: &Digest, channels: &[&'static str]) {
        let Some(key) = self.places.get(fingerprint).and_then(|at| self.keys.get(*at)) else { return };
        let carried =
            |channel: &&'static str| Carried { subject: clip(subject), channel, key: key.id.clone() };
        self.found.extend(channels.iter().map(carried));
    }

    /// Tells what is missing and what is too much.
    pub(super) fn judge(&self, examiner: &mut Examiner<'_>) {
        let mut sets: BTreeMap<(&str, &Line, &str), BTreeSet<&KeyId>> = BTreeMap::new();
        for Carried { subject, channel, key } in &self.found {
            sets.entry((subject, &key.line, channel)).or_default().insert(key);
        }
        for ((subject, line, channel), listed) in &sets {
            for key in self.keys.iter().filter(|key| key.id.line == **line) {
                let detail = match (key.is_wanted_in(channel), listed.contains(&key.id)) {
                    (_, true) if key.wanted.is_none() => format!(
                        "it lists {}, and nobody knows whether {channel} has a place for it: the profile of {line} cannot be \
                         read",
                        key.id
                    ),
                    (Some(true), false) => {
                        format!("it lists keys of {line}, and not {}, which {channel} needs", key.id)
                    }
                    (Some(false), true) => format!(
                        "it lists {}, which {}: {channel} has no place for it",
                        key.id,
                        standing(&key.listing)
                    ),
                    _ => continue,
                };
                examiner.breach(self.rule, subject, detail);
            }
        }
        for (about, listed) in &self.before {
            for (line, channel) in listed {
                let is_same = |subject: &str| about.is_empty() || about == subject;
                let still =
                    sets.keys().any(|(subject, own, of)| is_same(subject) && *own == line && of == channel);
                let is_needed =
                    |key: &&VaultKey| key.id.line == *line && key.is_wanted_in(channel) == Some(true);
                if let Some(key) = self.keys.iter().find(is_needed).filter(|_| !still) {
                    let detail = format!(
                        "it listed keys of {line} before and now lists none; {channel} needs {}",
                        key.id
                    );
                    examiner.breach(self.rule, about, detail);
                }
            }
        }
    }

    /// Adds what was found to what the examination found.
    pub(super) fn finish(self, examined: Examined) -> Examined {
        Examined { carried: self.found, ..examined }
    }
}

fn standing(listing: &Listing) -> &'static str {
    match listing {
        Listing::Unpublished => "is not published yet",
        Listing::Listed => "is not the active one",
        Listing::Past(_) => "is retired",
        Listing::Revoked(_) => "is revoked",
    }
}
