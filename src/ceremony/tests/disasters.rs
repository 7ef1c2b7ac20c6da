//! What may happen to the folder of a vault: a crash within a move, old copies of some of its files.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;

/// Some files of a vault as they were.
pub(super) struct Kept(Vec<(PathBuf, Vec<u8>)>);

impl Kept {
    /// Everything but the ledger.
    pub(super) fn of(vault: &Path) -> Self {
        let mut files = Vec::new();
        let mut folders = vec![vault.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true if path.ends_with("ledger") => {}
                    true => folders.push(path),
                    false => files.push(path),
                }
            }
        }
        Self::these(files)
    }

    fn these(files: impl IntoIterator<Item = PathBuf>) -> Self {
        Self(files.into_iter().map(|path| (path.clone(), fs::read(&path).unwrap_or_default())).collect())
    }

    fn put_back(&self) {
        for (path, bytes) in &self.0 {
            use std::os::unix::fs::OpenOptionsExt as _;
            let mut options = fs::OpenOptions::new();
            let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(path).unwrap();
            std::io::Write::write_all(&mut file, bytes).unwrap();
        }
    }
}

impl Real {
    /// The move is cut short at one of its points, and then goes on or is made anew.
    pub(super) fn crash(&mut self, step: &Step, answers: &Answers, before: &[(u32, Stage)]) {
        let journal = self.path.join(crate::custody::JOURNAL_FILE);
        let [log, state] = ["ledger.jsonl", "state"].map(|name| self.path.join("ledger").join(name));
        let old_ledger = Kept::these([log, state.clone()]);
        let old_state = Kept::these([state]);
        let whole = Kept::of(&self.path);
        let old_journal = fs::read(&journal).unwrap();
        let taken = self.take(step, answers);
        assert!(taken.is_none(), "{}", taken.unwrap());
        let after = self.stages();
        self.disasters += 1;
        match self.disasters % 4 {
            // The journal has its line, whole or torn, and the ledger no entry: the move did not happen.
            number @ (0 | 1) if step.act != Move::Generate => {
                let new = fs::read(&journal).unwrap();
                let end = if number == 0 { new.len() } else { usize::midpoint(old_journal.len(), new.len()) };
                old_ledger.put_back();
                whole.put_back();
                fs::write(&journal, &new[..end]).unwrap();
                assert_eq!(self.stages(), before, "its entry never came");
                let taken = self.take(step, answers);
                assert!(taken.is_none(), "{}", taken.unwrap());
            }
            // The log has the entry, and the state file does not know it: the move happened.
            _ if step.act != Move::Generate => {
                old_state.put_back();
                assert_eq!(self.stages(), after, "its entry came");
                // Of a destroyed key, the sealed file may still be there.
                let sealed = format!("{}.key.age", step.version);
                whole.0.iter().filter(|(path, _)| path.ends_with(&sealed)).for_each(|(path, bytes)| {
                    if !path.exists() {
                        Kept(vec![(path.clone(), bytes.clone())]).put_back();
                    }
                });
                self.act(step.at, |_, _| Ok(())).unwrap();
            }
            _ => {}
        }
        assert_eq!(self.stages(), after);
    }

    /// Old copies come back, of the journal alone or of everything but the ledger: nothing goes by them.
    pub(super) fn put_back(&mut self, now: Instant, moves: usize) {
        let newest = Kept::of(&self.path);
        let stages = self.stages();
        let journal = self.path.join(crate::custody::JOURNAL_FILE);
        let old = self.copies.len().saturating_sub(1 + moves);
        let old = &self.copies[old].0;
        let is_journal = |path: &Path| path == journal;
        let is_old = old.iter().any(|(path, bytes)| is_journal(path) && *bytes != fs::read(path).unwrap());
        self.disasters += 1;
        let alone = self.disasters.is_multiple_of(2);
        let chosen = old.iter().filter(|(path, _)| !alone || is_journal(path));
        Kept(chosen.cloned().collect()).put_back();
        if is_old {
            let fault = self.act(now, |_, _| Ok(())).unwrap_err();
            assert_eq!(fault.code(), &JOURNAL, "{fault}");
            assert_eq!(self.catalogue().records(&line()).unwrap_err().code(), &JOURNAL);
            let identities = identities(&self.secret).unwrap();
            if alone {
                // An auditor makes it anew: byte for byte, but for lines that were void.
                assert!(rebuild(&mut self.catalogue(), &identities, false).unwrap().changed);
                assert_eq!(self.stages(), stages);
            }
        }
        // A sealed file of a destroyed key that an old folder brings back goes with the next act.
        newest.put_back();
        self.act(now, |_, _| Ok(())).unwrap();
        assert_eq!(self.stages(), stages);
        let compared = rebuild(&mut self.catalogue(), &identities(&self.secret).unwrap(), true);
        assert!(!compared.unwrap().changed);
    }
}
