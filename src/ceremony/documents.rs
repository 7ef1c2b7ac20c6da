//! The documents of a batch and what became of them. They stand on a shelf, and in memory only where: there may be many.

use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::artefact::{Member, Members, Standing};
use crate::base::bytes::{Digest, from_hex, hex};
use crate::base::clock::Instant;
use crate::base::disk::Pending;
use crate::base::fault::{Fault, INTERNAL};
use crate::base::shelf::Shelf;

/// One document of the batch.
#[derive(Clone)]
pub struct Published {
    /// What it is about; foreign text.
    pub id: Arc<str>,
    /// Its names below the folder.
    pub names: Arc<[String]>,
    /// What web servers call it.
    pub media_type: &'static str,
    /// How it stood with what was published before.
    pub standing: Standing,
    /// Whether an interrupted run had signed it, and it is published now.
    pub is_adopted: bool,
    /// The digest of what it says, whenever it is signed.
    pub content: Digest,
    /// The digest of the file and its bytes; `None` before it is signed.
    pub file: Option<(Digest, u64)>,
    /// Until when it is valid.
    pub valid_until: Option<Instant>,
    /// The digest of what is to be signed; `None` where nothing is.
    pub(super) octets: Option<Digest>,
}

/// How a document stands with what was published before, and whether an interrupted run had signed it.
pub type Stands = (Standing, bool);

/// What the shelf has of a document: all but how it stands and what its member says.
#[derive(Deserialize, Serialize)]
struct Row {
    content: String,
    file: Option<(String, u64)>,
    valid_until: Option<i64>,
    octets: Option<String>,
}

impl Published {
    fn row(&self) -> Row {
        let text = |digest: &Digest| hex(digest.as_bytes());
        Row {
            content: text(&self.content),
            file: self.file.map(|(digest, bytes)| (text(&digest), bytes)),
            valid_until: self.valid_until.map(Instant::unix),
            octets: self.octets.as_ref().map(text),
        }
    }

    fn of(member: Member, (standing, is_adopted): Stands, row: Row) -> Option<Self> {
        let Member { id, names, media_type, .. } = member;
        Some(Self {
            id,
            names,
            media_type,
            standing,
            is_adopted,
            content: digest(&row.content)?,
            file: row.file.and_then(|(text, bytes)| Some((digest(&text)?, bytes))),
            valid_until: row.valid_until.and_then(|seconds| Instant::from_unix(seconds).ok()),
            octets: row.octets.and_then(|text| digest(&text)),
        })
    }
}

/// What is seen of documents while the batch is still read.
pub(super) struct Seen {
    shelf: Shelf,
    places: Mutex<Vec<Option<(u64, Stands)>>>,
}

impl Seen {
    pub(super) fn new(file: Pending) -> Result<Self, Fault> {
        Ok(Self { shelf: Shelf::new(file)?, places: Mutex::default() })
    }

    /// Notes what is known now of the document at a place.
    pub(super) fn note(&self, at: usize, document: &Published) -> Result<(), Fault> {
        self.put(at, &document.row(), (document.standing, document.is_adopted))
    }

    fn put(&self, at: usize, row: &Row, stands: Stands) -> Result<(), Fault> {
        let row = serde_json::to_vec(row).map_err(|e| INTERNAL.fault(e.to_string()))?;
        let place = self.shelf.put([&row])?;
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if places.len() <= at {
            places.resize(at + 1, None);
        }
        places.get_mut(at).map(|slot| slot.replace((place, stands)));
        Ok(())
    }

    /// All of it, once the batch has been read.
    pub(super) fn of(self, members: &Arc<dyn Members>) -> Result<Documents, Fault> {
        let seen = self.places.lock().unwrap_or_else(PoisonError::into_inner).iter().flatten().count();
        if seen == members.count() {
            return Ok(Documents { seen: self, members: members.clone() });
        }
        Err(INTERNAL.fault(format!("{seen} documents of {} were looked at", members.count())))
    }
}

/// The documents of a batch, in the order of the input.
pub struct Documents {
    seen: Seen,
    members: Arc<dyn Members>,
}

impl Documents {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.members.count()
    }

    /// How the one at a place stands.
    ///
    /// # Errors
    ///
    /// `internal` where there is no such place.
    pub fn stands(&self, at: usize) -> Result<Stands, Fault> {
        self.place(at).map(|(_, stands)| stands)
    }

    /// The one at a place.
    ///
    /// # Errors
    ///
    /// Those of reading it again.
    pub fn get(&self, at: usize) -> Result<Published, Fault> {
        let (row, stands) = self.row(at)?;
        Published::of(self.members.member(at)?, stands, row).ok_or_else(gone)
    }

    /// The digest of what is to be signed for the one at a place; `None` where nothing is.
    pub(super) fn octets(&self, at: usize) -> Result<Option<Digest>, Fault> {
        let (row, _) = self.row(at)?;
        row.octets.map(|text| digest(&text).ok_or_else(gone)).transpose()
    }

    fn row(&self, at: usize) -> Result<(Row, Stands), Fault> {
        let (place, stands) = self.place(at)?;
        let row = self.seen.shelf.get(place, 0)?;
        Ok((serde_json::from_slice(&row).map_err(|e| INTERNAL.fault(e.to_string()))?, stands))
    }

    fn place(&self, at: usize) -> Result<(u64, Stands), Fault> {
        let places = self.seen.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.get(at).copied().flatten().ok_or_else(gone)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Result<Published, Fault>> {
        (0..self.count()).map(|at| self.get(at))
    }

    /// Notes what was finished.
    pub(super) fn finish(&self, at: usize, (digest, bytes): (Digest, u64)) -> Result<(), Fault> {
        let (row, stands) = self.row(at)?;
        self.seen.put(at, &Row { file: Some((hex(digest.as_bytes()), bytes)), ..row }, stands)
    }
}

fn digest(text: &str) -> Option<Digest> {
    Some(Digest::from_bytes(from_hex(text)?.try_into().ok()?))
}

fn gone() -> Fault {
    INTERNAL.fault("the batch has no such place")
}
