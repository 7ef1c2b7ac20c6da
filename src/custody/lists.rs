//! Lists beside the ledger: what is too long for one of its lines stands in a file, under the digest of its bytes, and the line
//! names that.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};

use super::journal::{Document, Kept, Noted, What};
use super::{JOURNAL, NEVER};
use crate::base::bytes::{Digest, Hashing, digest_of_list, hex, list_of};
use crate::base::disk;
use crate::base::fault::Fault;

/// The names of all key lines that one signature may carry keys of: so long, with two quotes and a comma for each, they fit
/// into an entry.
pub const LINES_BYTES_MAX: usize = 24 * 1024;
/// Documents that are longer than this, as lines of JSON, stand in a list.
const DOCUMENTS_BYTES_MAX: usize = 12 * 1024;
/// So many digests of a list are written together.
const DIGESTS: usize = 1_000;
/// So many different ends of a batch's documents stand in a line.
const ENDS_MAX: usize = 256;

fn path(ledger: &Path, list: &Digest, ending: &str) -> PathBuf {
    ledger.join("batches").join(format!("{}.{ending}", hex(list.as_bytes())))
}

/// Keeps a list under its digest, durably, written piece by piece. The same one may be there already.
fn keep(
    ledger: &Path,
    digest: Digest,
    pieces: impl Iterator<Item = String>,
    ending: &str,
) -> Result<Digest, Fault> {
    let path = path(ledger, &digest, ending);
    if let Some(folder) = path.parent() {
        disk::create_folder(folder)?;
    }
    let mut pending = disk::Pending::in_place_of(&path)?;
    for piece in pieces {
        pending.write_all(piece.as_bytes()).map_err(|e| disk::fault("write", &path, &e))?;
    }
    pending.replace().map(|()| digest)
}

/// Keeps the list of a batch's digests.
pub(super) fn keep_digests(ledger: &Path, digests: &[Digest]) -> Result<Digest, Fault> {
    keep(ledger, digest_of_list(digests), digests.chunks(DIGESTS).map(list_of), "list")
}

/// Takes out of these digests those that stand in a list.
pub(super) fn subtract(ledger: &Path, list: &Digest, from: &mut HashSet<Digest>) -> Result<(), Fault> {
    read(&path(ledger, list, "list"), list, &mut |line| {
        from.remove(&format!("sha256:{line}").parse()?);
        Ok(())
    })
}

/// Whether a list has this digest.
pub(super) fn contains(ledger: &Path, list: &Digest, digest: &Digest) -> Result<bool, Fault> {
    let mut left = HashSet::from([*digest]);
    subtract(ledger, list, &mut left).map(|()| left.is_empty())
}

/// What happened, so that it fits into a line: documents that are too many stand in a list of their own.
pub(super) fn fit(mut what: What, ledger: &Path) -> Result<What, Fault> {
    let What::Signed { documents, ends, kept, .. } = &mut what else { return Ok(what) };
    *ends = few(std::mem::take(ends));
    let lines = documents.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>();
    let text = lines.map_err(|e| JOURNAL.fault(e.to_string()))?.join("\n") + "\n";
    if text.len() > DOCUMENTS_BYTES_MAX {
        let carries = documents.iter().flat_map(|document| &document.carries);
        let carries = carries.map(|carries| carries.line.clone()).collect();
        *kept = Some(Kept {
            documents: keep(ledger, Digest::of(text.as_bytes()), std::iter::once(text), "documents")?
                .to_string(),
            carries,
        });
        documents.clear();
    }
    Ok(what)
}

/// At most [`ENDS_MAX`] ends: neighbours end when the last of them does.
fn few(mut ends: BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let never = ends.remove_entry(NEVER);
    let together = ends.len().div_ceil(ENDS_MAX - 1).max(1);
    let all: Vec<_> = ends.into_iter().collect();
    let groups = all.chunks(together).filter_map(|group| {
        let (last, _) = group.last()?;
        Some((last.clone(), group.iter().map(|(_, count)| count).sum()))
    });
    groups.chain(never).collect()
}

/// A line of the journal with the documents that stand in its list.
///
/// # Errors
/// [`JOURNAL`]: the list is gone, or another one.
pub(super) fn whole<'a>(noted: &'a Noted, ledger: &Path) -> Result<Cow<'a, Noted>, Fault> {
    let What::Signed { kept: Some(kept), .. } = &noted.what else { return Ok(Cow::Borrowed(noted)) };
    let list = kept.documents.parse()?;
    let path = path(ledger, &list, "documents");
    let mut found: Vec<Document> = Vec::new();
    read(&path, &list, &mut |line| {
        found.push(serde_json::from_str(line).map_err(|e| JOURNAL.fault(e.to_string()))?);
        Ok(())
    })?;
    let mut noted = noted.clone();
    if let What::Signed { documents, .. } = &mut noted.what {
        documents.append(&mut found);
    }
    Ok(Cow::Owned(noted))
}

/// Reads a list line by line, and refuses another one than the digest is of.
fn read(path: &Path, list: &Digest, visit: &mut dyn FnMut(&str) -> Result<(), Fault>) -> Result<(), Fault> {
    let wrong = |why: &str| {
        JOURNAL.fault(why.to_owned()).at(path.display()).hint("put it back from a copy of the vault")
    };
    if !disk::exists(path) {
        return Err(wrong("it is gone, and a line of the journal names it"));
    }
    let document = disk::Document::open_private(path)?;
    let mut reader = BufReader::new(Hashing::new(document.reader()));
    let mut line = String::new();
    while reader.read_line(&mut line).map_err(|e| disk::fault("read", path, &e))? > 0 {
        visit(line.trim_end_matches('\n')).map_err(|fault| wrong(fault.message()))?;
        line.clear();
    }
    if reader.into_inner().finish().0 == *list {
        return Ok(());
    }
    Err(wrong("it is not the list that a line of the journal names"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_ends_become_few_and_none_becomes_earlier() {
        let end = |n: u64| format!("2027-01-01T{:02}:{:02}:{:02}Z", n / 3600, n / 60 % 60, n % 60);
        let many: BTreeMap<String, u64> =
            (0..10_000).map(|n| (end(n), 2)).chain([(NEVER.to_owned(), 3)]).collect();
        let few_of = few(many.clone());
        assert!(few_of.len() <= ENDS_MAX, "{}", few_of.len());
        assert_eq!(few_of.values().sum::<u64>(), 20_003);
        assert_eq!(few_of[NEVER], 3);
        assert_eq!(few_of.keys().rev().nth(1), many.keys().rev().nth(1), "the last of all is what it was");
        for (at, end) in many.keys().filter(|end| *end != NEVER).enumerate() {
            let later: u64 =
                few_of.range(end.clone()..).filter(|(end, _)| *end != NEVER).map(|(_, n)| n).sum();
            assert!(later >= 2 * (10_000 - at as u64), "none ends earlier: {end}");
        }
        let small: BTreeMap<String, u64> = (0..200).map(|n| (end(n), 1)).collect();
        assert_eq!(few(small.clone()), small);
    }
}
