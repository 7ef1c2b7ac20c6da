//! The journal: what a crash leaves at its end, what no crash leaves, and what the state of the ledger knows of it.
#![expect(clippy::disallowed_methods, reason = "tests look at files")]

use std::fs;

use super::JOURNAL;
use super::journal::{NAME, Noted, What};
use super::journal_file::{Journal, Marked, consistent};
use crate::base::bytes::Digest;
use crate::base::disk;
use crate::base::fault::Fault;
use crate::ledger::{Bound, Newest};

const KEY: &str = "a.example/prod/b#1";

fn line(entry: u64, what: What) -> String {
    Noted { entry, time: "2026-11-22T05:07:00Z".into(), what }.to_line().unwrap()
}

fn moved(entry: u64) -> String {
    let act = "suspend".into();
    let what = What::Moved { key: KEY.into(), act, reason: None, cause: None, since: None, emergency: false };
    line(entry, what)
}

/// The entries of the lines that hold, and whether something else stood at the end, which is closed off.
fn entries(text: &str, marked: Marked) -> Result<(Vec<u64>, bool), Fault> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(NAME);
    disk::create(&path, text.as_bytes()).unwrap();
    let mut journal = Journal::read(folder.path(), marked)?;
    journal.settle()?;
    let settled = fs::read_to_string(&path).unwrap();
    let mut again = Journal::read(folder.path(), marked)?;
    again.settle()?;
    assert_eq!(
        (fs::read_to_string(&path).unwrap(), again.digest()),
        (settled.clone(), journal.digest()),
        "{text}"
    );
    Ok((again.lines().iter().map(|noted| noted.entry).collect(), settled != text))
}

#[test]
fn whatever_a_crash_leaves_at_the_end_is_closed_off_a_crash_while_doing_so_included() {
    let (whole, loose, void) = (moved(3) + &moved(5), moved(7), line(5, What::Void {}));
    let torn = &loose[..loose.len() / 2];
    for left in [
        String::new(),
        loose.clone(),
        torn.to_owned(),
        format!("{torn}\n"),
        format!("{loose}{}", &void[..9]),
        format!("{loose}{}\n", &void[..9]),
        format!("{torn}\n{}", &void[..9]),
        format!("{torn}\n{}\n{}", &void[..9], &void[..9]),
    ] {
        let found = entries(&format!("{whole}{left}"), Marked::Known(Some(5), None));
        assert_eq!(found.unwrap(), (vec![3, 5], !left.is_empty()), "{left}");
        let closed =
            format!("{whole}{left}{}{void}", if left.is_empty() || left.ends_with('\n') { "" } else { "\n" });
        if !left.is_empty() {
            let goes_on = entries(&(closed + &moved(7)), Marked::Known(Some(7), None));
            assert_eq!(goes_on.unwrap(), (vec![3, 5, 7], false), "{left}");
        }
    }
}

#[test]
fn what_no_crash_leaves_is_refused() {
    let whole = moved(3) + &moved(5);
    for (text, marked) in [
        (format!("{whole}{}{}", moved(7), moved(9)), Some(5)),
        (format!("{}x\n{}", moved(3), moved(5)), Some(5)),
        (format!("{}x\n", moved(3)), Some(5)),
        (moved(3), Some(5)),
        (whole.clone(), Some(3)),
        (whole.clone(), None),
    ] {
        let is_crash = (text == whole) && marked == Some(3);
        let found = entries(&text, Marked::Known(marked, None));
        assert_eq!(found.is_ok(), is_crash, "{text} {marked:?} {found:?}");
    }
}

#[test]
fn a_line_is_the_one_that_the_state_file_knows() {
    let text = moved(3) + &moved(5);
    let digest = |text: &str| Digest::of(text.as_bytes());
    let bound = |entry, text: &str| Some(Bound { entry, digest: digest(text) });
    let read = |text: &str, marked, bound| entries(text, Marked::Known(Some(marked), bound));
    assert_eq!(read(&text, 5, bound(5, &text)).unwrap(), (vec![3, 5], false));
    let forged = text.replace("suspend", "publish");
    assert_eq!(read(&forged, 5, bound(5, &text)).unwrap_err().code(), &JOURNAL);
    assert!(read(&forged, 5, None).is_ok(), "an older version kept no digest");
    // A line that a crash left in the log: the state file knows the journal before it.
    assert_eq!(read(&text, 5, bound(3, &moved(3))).unwrap(), (vec![3, 5], false));
    assert_eq!(read(&forged, 5, bound(3, &moved(3))).unwrap_err().code(), &JOURNAL);
    // A beginning anew that came to nothing has the number of an entry that is there after all.
    let resealed = text.clone() + &line(4, What::Resealed {});
    let read = entries(&resealed, Marked::Known(Some(5), bound(5, &text)));
    assert_eq!(read.unwrap(), (vec![3, 5], true));
}

#[test]
fn a_reader_that_others_overtake_reads_again() {
    let newest = |marked| Some(Newest { marked: Some(marked), bound: None });
    let mut states = [newest(3), newest(7), newest(9), newest(9)].into_iter();
    let mut reads = 0;
    let found = consistent(
        || states.next().unwrap(),
        |marked| {
            reads += 1;
            entries(&(moved(3) + &moved(5) + &moved(9)), marked)
        },
    );
    assert_eq!((found.unwrap(), reads), ((vec![3, 5, 9], false), 3));
    let mut reads = 0;
    let fault = consistent(
        || newest(3),
        |marked| {
            reads += 1;
            entries(&(moved(3) + &moved(5) + &moved(9)), marked)
        },
    );
    assert_eq!((fault.unwrap_err().code(), reads), (&JOURNAL, 1), "nobody acts: it is damage");
}
