//! The journal after a loss: made anew from what an auditor reads in the ledger, and gone on with where the ledger lost entries.

use std::path::Path;

use super::JOURNAL;
use super::journal::{NAME, Noted, What};
use super::journal_file::{Journal, Marked};
use crate::base::bytes::Digest;
use crate::base::clock::Instant;
use crate::base::disk;
use crate::base::fault::Fault;
use crate::ledger;

/// What came of making the journal anew.
#[derive(Clone, Copy, Debug)]
pub struct Rebuilt {
    /// How many lines it has.
    pub lines: usize,
    /// Whether it was another one before.
    pub changed: bool,
    /// The entry with which the ledger began anew after a loss, where the journal has no line of it: what the lost entries said
    /// nobody knows.
    pub lost: Option<u64>,
}

/// Replaces the journal with lines that an auditor read from the ledger, unless it says the same.
pub(super) fn replace(vault: &Path, lines: Vec<Noted>, compare: bool) -> Result<Rebuilt, Fault> {
    let (old, is_whole) = legible(vault);
    let (lines, lost) = with_what_was_lost(lines, &old);
    let rebuilt = Rebuilt { lines: lines.len(), changed: !is_whole || lines != old, lost };
    if !rebuilt.changed {
        return Ok(rebuilt);
    }
    if compare {
        return Err(JOURNAL
            .fault(format!("{} is not what the ledger says", vault.join(NAME).display()))
            .hint("without --compare, it is made anew"));
    }
    let text = lines.iter().map(Noted::to_line).collect::<Result<String, _>>()?;
    disk::replace(&vault.join(NAME), text.as_bytes())?;
    Ok(rebuilt)
}

/// The lines of a journal that hold, or else those up to the first that cannot be read, and whether that is all of it.
fn legible(vault: &Path) -> (Vec<Noted>, bool) {
    let whole = Journal::read(vault, known(vault)).map(|journal| (journal, Ok(())));
    let (journal, read) = whole.unwrap_or_else(|_| {
        let mut journal = Journal::of_vault(vault);
        let read = journal.load().and_then(|tail| journal.end(tail, Marked::Unknown));
        (journal, read)
    });
    let mut lines = Vec::new();
    let each = journal.each_line(None, &mut |noted| {
        lines.push(noted.clone());
        Ok(())
    });
    (lines, read.and(each).is_ok())
}

/// The lines that the ledger has, and those that only the journal still has: up to its own line of a beginning anew, it is the
/// record of what the ledger lost there. The entry of the last beginning of which it has no line comes with them.
fn with_what_was_lost(ledger: Vec<Noted>, journal: &[Noted]) -> (Vec<Noted>, Option<u64>) {
    let (mut merged, mut lost): (Vec<Noted>, _) = (Vec::new(), None);
    for line in ledger {
        let is_that = |it: &Noted| it.entry == line.entry && it.what == What::Resealed {};
        if !is_that(&line) {
            merged.push(line);
            continue;
        }
        let more = journal.strip_prefix(merged.as_slice());
        if let Some(more) = more.and_then(|more| more.get(..=more.iter().position(is_that)?)) {
            merged.extend_from_slice(more);
        } else {
            lost = Some(line.entry);
            merged.push(line);
        }
    }
    (merged, lost)
}

/// Writes the line of a beginning anew, before its entry: whatever the journal knows still holds. Nothing, where the journal
/// cannot be read: it has to be made anew.
pub(super) fn resealed(vault: &Path, entry: u64, now: Instant) -> Result<Option<Digest>, Fault> {
    let read = Journal::read(vault, known(vault)).or_else(|_| Journal::read(vault, Marked::Unknown));
    match read {
        Ok(mut journal) => journal.write(&Noted::resealed(entry, now)).map(Some),
        Err(fault) if fault.code() == &JOURNAL => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// What the state of the ledger knows of the journal.
fn known(vault: &Path) -> Marked {
    ledger::newest(&vault.join("ledger")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(entry: u64) -> Noted {
        let what = What::Unknown { intent: entry - 1 };
        Noted { entry, time: "2026-11-22T05:07:00Z".into(), what }
    }

    fn anew(entry: u64) -> Noted {
        Noted::resealed(entry, Instant::parse("2026-11-22T05:07:00Z").unwrap())
    }

    #[test]
    fn what_the_ledger_lost_stands_in_the_journal() {
        let ledger = vec![line(3), anew(5), line(7), anew(8), line(9)];
        let lost = [line(3), line(5), line(7), anew(5), line(7), line(8), anew(8)];
        for journal in [[&lost[..], &[line(9)]].concat(), lost.to_vec(), [&lost[..], &[line(11)]].concat()] {
            let (merged, unknown) = with_what_was_lost(ledger.clone(), &journal);
            assert_eq!((merged, unknown), ([&lost[..], &[line(9)]].concat(), None));
        }
        // A journal that is not the ledger's before that, or knows of no beginning anew, is no record of anything.
        for journal in [vec![], vec![line(1), line(5), anew(5)], vec![line(3), line(5)]] {
            assert_eq!(with_what_was_lost(ledger.clone(), &journal), (ledger.clone(), Some(8)));
        }
        let (merged, unknown) = with_what_was_lost(ledger.clone(), &lost[..4]);
        assert_eq!((merged, unknown), ([&lost[..4], &ledger[2..]].concat(), Some(8)));
        assert_eq!(with_what_was_lost(vec![line(3)], &[line(3), line(5)]), (vec![line(3)], None));
    }
}
