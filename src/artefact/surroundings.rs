//! What a vault knows beside one line's profile and its last record, as plain data. Kinds of documents ask for it when a rule
//! needs it; most ask for nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::base::clock::Instant;
use crate::base::fault::Fault;
use crate::format::json::{Map, Value};
use crate::key::{KeyId, Line, PublicKey};
use crate::policy::{Facts, Last, Profile};

/// What stands around a document in a vault. Several threads ask at once.
pub trait Surroundings: Sync {
    /// Every key of every line.
    ///
    /// # Errors
    ///
    /// Those of reading records.
    fn keys(&self) -> Result<Arc<Vec<VaultKey>>, Fault>;

    /// The certificate of a key, PEM, where it has one.
    ///
    /// # Errors
    ///
    /// Those of reading it.
    fn certificate(&self, _key: &KeyId) -> Result<Option<String>, Fault> {
        Ok(None)
    }

    /// The profile of every line.
    ///
    /// # Errors
    ///
    /// Those of reading profiles.
    fn profiles(&self) -> Result<Arc<Vec<(Line, Profile)>>, Fault>;

    /// What each line said last in documents of this kind, one for each subject.
    ///
    /// # Errors
    ///
    /// Those of reading records.
    fn signed(&self, kind: &str) -> Result<Arc<Vec<(Line, Facts)>>, Fault>;

    /// Whether a line of the same tenant and environment as this one said something of a subordinate of this name.
    ///
    /// # Errors
    ///
    /// Those of reading records.
    fn is_subordinate(&self, here: &Line, sub: &str) -> Result<bool, Fault> {
        let place = |line: &Line| (line.tenant().to_owned(), line.environment());
        let signed = self.signed("subordinate-statement")?;
        Ok(signed.iter().any(|(line, facts)| place(line) == place(here) && facts.value("sub") == Some(sub)))
    }

    /// The record of the document of this kind and about this subject that a line signed last.
    ///
    /// # Errors
    ///
    /// Those of reading the record.
    fn last(&self, _line: &Line, _kind: &str, _subject: &str) -> Result<Option<Last>, Fault> {
        Ok(None)
    }

    /// Whether the line signed a document of this kind about this subject, as the journal and the record of its last batch tell.
    ///
    /// # Errors
    ///
    /// Those of reading them.
    fn has_signed(&self, _line: &Line, _kind: &str, _subject: &str) -> Result<bool, Fault> {
        Ok(false)
    }

    /// What lines said last about other subordinates than this one of this line that have a key with this number, `x` or `n`
    /// of its JWK.
    ///
    /// # Errors
    ///
    /// Those of reading records.
    fn holders(&self, number: &str, but: (&Line, &str)) -> Result<Vec<(Line, Facts)>, Fault> {
        let all = self.signed("subordinate-statement")?;
        let is_other = |line: &Line, facts: &Facts| (line, facts.value("sub")) != (but.0, Some(but.1));
        let has = |facts: &Facts| facts.iter().any(|fact| fact.value.contains(number));
        let others = all.iter().filter(|(line, facts)| is_other(line, facts) && has(facts));
        Ok(others.cloned().collect())
    }

    /// Of which lines the line's documents of this kind listed keys last, in which kind of channel, by what they are about.
    ///
    /// # Errors
    ///
    /// Those of reading the journal.
    fn carried(
        &self,
        _line: &Line,
        _kind: &str,
    ) -> Result<BTreeMap<String, BTreeSet<(Line, String)>>, Fault> {
        Ok(BTreeMap::new())
    }

    /// The claims of the line's configuration that is signed together with the document.
    fn configuration(&self) -> Option<&Map<String, Value>> {
        None
    }
}

/// A key of the vault.
#[derive(Clone, Debug)]
pub struct VaultKey {
    /// Which.
    pub id: KeyId,
    /// Its public half.
    pub public: PublicKey,
    /// When it was made, or adopted.
    pub created: Instant,
    /// Who knows it.
    pub listing: Listing,
    /// Whether the next document lists it, by kind of channel, where it is one that others carry keys in; none where the profile
    /// of its line cannot be read.
    pub wanted: Option<Vec<(&'static str, bool)>>,
}

impl VaultKey {
    /// Whether the next document of this kind of channel lists it; nothing, where its line has no such channel.
    pub fn is_wanted_in(&self, channel: &str) -> Option<bool> {
        self.wanted.iter().flatten().find(|(kind, _)| *kind == channel).map(|(_, is_wanted)| *is_wanted)
    }
}

/// Whether documents list a key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Listing {
    /// Not yet.
    Unpublished,
    /// They do.
    Listed,
    /// They did, until this time where the vault knows it.
    Past(Option<Instant>),
    /// It is revoked.
    Revoked(Option<Revoked>),
}

/// Since when a key is not to be trusted, and why.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Revoked {
    /// Since when.
    pub at: Instant,
    /// Why, in the words of OpenID Federation 1.0, section 8.7.4.
    pub reason: String,
}

/// No vault at all.
pub struct Nowhere;

impl Surroundings for Nowhere {
    fn keys(&self) -> Result<Arc<Vec<VaultKey>>, Fault> {
        Ok(Arc::default())
    }

    fn profiles(&self) -> Result<Arc<Vec<(Line, Profile)>>, Fault> {
        Ok(Arc::default())
    }

    fn signed(&self, _kind: &str) -> Result<Arc<Vec<(Line, Facts)>>, Fault> {
        Ok(Arc::default())
    }
}
