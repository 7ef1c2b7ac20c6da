//! What a vault knows beside one line's profile and its last record, as plain data. Kinds of documents ask for it when a rule
//! needs it; most ask for nothing.

use std::rc::Rc;

use crate::base::clock::Instant;
use crate::base::fault::Fault;
use crate::key::{KeyId, Line, PublicKey};
use crate::policy::{Facts, Profile};

/// What stands around a document in a vault.
pub trait Surroundings {
    /// Every key of every line.
    ///
    /// # Errors
    ///
    /// Those of reading records.
    fn keys(&self) -> Result<Rc<Vec<VaultKey>>, Fault>;

    /// The profile of every line.
    ///
    /// # Errors
    ///
    /// Those of reading profiles.
    fn profiles(&self) -> Result<Rc<Vec<(Line, Profile)>>, Fault>;

    /// What each line said last in documents of this kind, one for each subject.
    ///
    /// # Errors
    ///
    /// Those of reading records.
    fn signed(&self, kind: &str) -> Result<Rc<Vec<(Line, Facts)>>, Fault>;
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
    fn keys(&self) -> Result<Rc<Vec<VaultKey>>, Fault> {
        Ok(Rc::default())
    }

    fn profiles(&self) -> Result<Rc<Vec<(Line, Profile)>>, Fault> {
        Ok(Rc::default())
    }

    fn signed(&self, _kind: &str) -> Result<Rc<Vec<(Line, Facts)>>, Fault> {
        Ok(Rc::default())
    }
}
