//! `index.json`: what a publisher finds in the folder of a batch. It is written for others; nothing in it is trusted here.

use std::path::Path;

use serde::Deserialize;
use serde_json::json;

use super::{Published, proofs};
use crate::artefact::Batch;
use crate::base::bytes::Digest;
use crate::base::disk;
use crate::base::fault::Fault;
use crate::key::KeyId;

const NAME: &str = "index.json";
const BYTES_MAX: u64 = 1 << 30;
/// What stands for a file that nobody signs.
const UNSIGNED: &str = "unsigned";

/// The index that is to be written.
pub(super) struct Index<'a> {
    pub(super) key: &'a KeyId,
    pub(super) batch: &'a dyn Batch,
    pub(super) documents: &'a [Published],
    /// Whether each document has a proof.
    pub(super) has_proofs: bool,
}

/// Something that was published before and is no longer in the document.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Gone {
    /// What it was about; foreign text.
    pub id: String,
    /// Its files.
    pub names: Vec<String>,
}

#[derive(Deserialize)]
struct Earlier {
    documents: Vec<EarlierDocument>,
}

#[derive(Deserialize)]
struct EarlierDocument {
    id: String,
    status: String,
}

impl Index<'_> {
    /// What the index of the folder lists, the batch does not have, and still stands there. Files are named by what they
    /// are about, never by what the index says.
    pub(super) fn gone(folder: &Path, batch: &dyn Batch) -> Vec<Gone> {
        let earlier = disk::read(&folder.join(NAME), BYTES_MAX).ok();
        let earlier: Option<Earlier> = earlier.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let mut here: Vec<&str> = batch.members().iter().map(|member| member.id.as_str()).collect();
        here.sort_unstable();
        let listed = earlier.into_iter().flat_map(|index| index.documents);
        let listed = listed.filter(|document| document.status != UNSIGNED).map(|document| document.id);
        let mut gone: Vec<Gone> = listed
            .filter(|id| here.binary_search(&id.as_str()).is_err())
            .map(|id| Gone { names: batch.names(&id), id })
            .filter(|gone| gone.names.iter().any(|name| disk::exists(&folder.join(name))))
            .collect();
        gone.sort_by(|one, other| one.id.cmp(&other.id));
        gone.dedup();
        gone
    }

    /// Writes the index, unless it stands there already. One line for each document, sorted by what it is about: the same
    /// documents make the same bytes.
    pub(super) fn write(&self, folder: &Path, gone: &[Gone]) -> Result<bool, Fault> {
        let published = self.documents.iter().enumerate().map(|(at, document)| {
            let (sha256, size) = document.file.unzip();
            let mut line = json!({
                "id": document.id,
                "names": document.names,
                "media_type": self.batch.media_type(at),
                "status": "published",
                "sha256": sha256.map(|digest| digest.to_string()),
                "size": size,
                "valid_until": document.valid_until.map(|until| until.to_string()),
                "content": document.content.to_string(),
            });
            if let (true, Some(sha256), Some(members)) = (self.has_proofs, sha256, line.as_object_mut()) {
                members.insert("proof".into(), proofs::name(&sha256).into());
            }
            (&document.id, line.to_string())
        });
        let gone = gone.iter().map(|gone| {
            let line = json!({"id": gone.id, "names": gone.names, "status": "gone"});
            (&gone.id, line.to_string())
        });
        let beside: Vec<(String, String)> = self.batch.beside().iter().map(unsigned).collect();
        let beside = beside.iter().map(|(name, line)| (name, line.clone()));
        let mut lines: Vec<(&String, String)> = published.chain(gone).chain(beside).collect();
        lines.sort_unstable();
        let lines: Vec<String> = lines.into_iter().map(|(_, line)| line).collect();
        let key = json!(self.key.to_string());
        let head = format!("{{\"version\":1,\"key\":{key},\"documents\":[\n");
        let text = format!("{head}{}\n]}}\n", lines.join(",\n"));
        write(&folder.join(NAME), text.as_bytes())
    }
}

/// The line of a file that is not signed.
fn unsigned((name, media_type, bytes): &(&str, &str, &[u8])) -> (String, String) {
    let line = json!({
        "id": name,
        "names": [name],
        "media_type": media_type,
        "status": UNSIGNED,
        "sha256": Digest::of(bytes).to_string(),
        "size": bytes.len(),
    });
    ((*name).to_owned(), line.to_string())
}

/// Writes a file, unless it stands there already. Yields whether it did not.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<bool, Fault> {
    if disk::read(path, bytes.len() as u64).is_ok_and(|found| found == bytes) {
        return Ok(false);
    }
    if let Some(folder) = path.parent() {
        disk::create_folder(folder)?;
    }
    disk::replace(path, bytes)?;
    Ok(true)
}
