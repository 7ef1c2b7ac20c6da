//! What a crash, a copy or a hand leaves in the folder.

use super::*;

#[test]
fn opening_refuses_a_log_that_is_shorter_other_or_gone() {
    let room = Room::begun();
    let lines = room.lines();
    let ends_with = |text: String, code: &'static Code| {
        write_private(&room.log(), text.as_bytes());
        room.refused(code)
    };
    ends_with(lines[..3].concat(), &TRUNCATED);
    assert_eq!(verify_folder(&room.folder).unwrap().1, Agreement::LogShorter(1));
    ends_with(String::new(), &TRUNCATED);
    let whole = lines.concat();
    ends_with(whole[..whole.len() - 1].to_owned(), &TRUNCATED);
    let mut other = whole.clone().into_bytes();
    let last = other.len() - 5;
    other[last] ^= 1;
    ends_with(String::from_utf8(other).unwrap(), &DAMAGED);
    ends_with(format!("{whole}{{\"v\":1"), &TORN);
    ends_with(format!("{whole}{}", "\0".repeat(700)), &TORN);
    ends_with(format!("{whole}{}", "\0".repeat(90_000)), &TORN);
    ends_with(format!("{whole}nonsense\n"), &DAMAGED);
    ends_with(format!("{whole}{}", lines[3]), &CHAIN);
    fs::remove_file(room.log()).unwrap();
    let fault = room.refused(&MISSING);
    assert!(fault.way_out().unwrap().contains("keep both files"));
    assert_eq!(room.create().err().unwrap().code(), &EXISTS);
    write_private(&room.log(), whole.as_bytes());
    assert_eq!(room.open().unwrap().len(), 4);
}

#[test]
fn opening_refuses_a_state_that_is_lost_damaged_or_old() {
    let room = Room::begun();
    let mut states = vec![fs::read(room.state()).unwrap()];
    for seconds in 4..7 {
        room.open().unwrap().append(EntryKind::Note, None, &json!({}), at(seconds)).unwrap();
        states.push(fs::read(room.state()).unwrap());
    }
    let known = states[3].clone();
    for old in &states[..2] {
        write_private(&room.state(), old);
        room.refused(&STATE);
        assert!(matches!(verify_folder(&room.folder).unwrap().1, Agreement::StateOlder(2..)));
    }
    let damaged = known.iter().map(|byte| byte ^ 1).collect();
    for wrong in [vec![], vec![0; 8192], damaged, known[..8191].to_vec()] {
        write_private(&room.state(), &wrong);
        let fault = room.refused(&STATE);
        assert!(fault.way_out().unwrap().contains("auditor"));
        assert_eq!(verify_folder(&room.folder).unwrap().1, Agreement::NotCompared);
    }
    fs::remove_file(room.state()).unwrap();
    room.refused(&STATE);
    assert_eq!(room.create().err().unwrap().code(), &EXISTS);
    // One line behind is what a crash leaves: that state is as good as the newest.
    write_private(&room.state(), &states[2]);
    assert_eq!(room.open().unwrap().adopted(), Some(6));
    assert_eq!(fs::read(room.state()).unwrap(), known);
}

#[test]
fn the_state_of_another_ledger_is_refused() {
    let (room, other) = (Room::begun(), Room::begun());
    write_private(&room.state(), &fs::read(other.state()).unwrap());
    assert_eq!(room.open().err().unwrap().code(), &AUDITORS);
    let opened = Ledger::open(&room.folder, &other.auditors(), Box::new(system()));
    assert_ne!(opened.err().unwrap().code(), &AUDITORS);
    assert!(matches!(verify_folder(&room.folder).unwrap().1, Agreement::Differs));
}

#[test]
fn a_line_that_a_crash_left_is_taken_up() {
    for kind in [EntryKind::Note, EntryKind::Intent, EntryKind::Outcome] {
        let room = Room::begun();
        let mut ledger = room.open().unwrap();
        let before = |_: &Ledger| fs::read(room.state()).unwrap();
        let state = match kind {
            EntryKind::Note => {
                let state = before(&ledger);
                ledger.append(kind, None, &json!({}), at(9)).unwrap();
                state
            }
            EntryKind::Intent => {
                let state = before(&ledger);
                std::mem::forget(ledger.intend("key", &Digest::of(b""), &json!({}), at(9)).unwrap());
                state
            }
            _ => {
                let permit = ledger.intend("key", &Digest::of(b""), &json!({}), at(9)).unwrap();
                let state = fs::read(room.state()).unwrap();
                permit.outcome(&json!({}), at(9)).unwrap();
                state
            }
        };
        let tip = (ledger.len(), ledger.head(), ledger.root());
        let newest = fs::read(room.state()).unwrap();
        drop(ledger);
        write_private(&room.state(), &state);
        assert_eq!(verify_folder(&room.folder).unwrap().1, Agreement::LogLonger(1));
        let mut ledger = room.open().unwrap();
        assert_eq!((ledger.len(), ledger.head(), ledger.root()), tip);
        assert_eq!((ledger.adopted(), ledger.last_time()), (Some(tip.0 - 1), at(9)));
        assert_eq!(ledger.open_intents().count(), usize::from(kind == EntryKind::Intent));
        assert_eq!(fs::read(room.state()).unwrap(), newest);
        ledger.append(EntryKind::Note, None, &json!({}), at(10)).unwrap();
        assert_eq!(room.verify().unwrap().entries, tip.0 + 1);
    }
}

#[test]
fn a_beginning_that_was_cut_short_can_be_made_again() {
    let room = Room::begun();
    let state = State::new(ORIGIN_NAME, [0; 32], seal::Seed::new([1; 32]));
    fs::remove_file(room.log()).unwrap();
    write_private(&room.state(), &[state.encode().as_slice(), &[0; SLOT]].concat());
    room.refused(&MISSING);
    assert_eq!(room.create().unwrap().len(), 1);
    assert_eq!(room.create().err().unwrap().code(), &EXISTS);
    assert_eq!(room.open().unwrap().adopted(), None);
}

#[test]
fn the_seed_before_the_last_entry_is_erased() {
    let room = Room::begun();
    let older = State::newest(&fs::read(room.state()).unwrap()).unwrap();
    let mut ledger = room.open().unwrap();
    ledger.append(EntryKind::Note, None, &json!({}), at(9)).unwrap();
    drop(ledger);
    let state = fs::read(room.state()).unwrap();
    let holds = |state: &[u8]| state.windows(32).any(|window| window == older.seed.expose());
    assert!(!holds(&state));
    // What a crash just before the erasing leaves.
    let both: Vec<u8> = state.iter().zip(older.encode().iter().cycle()).map(|(new, old)| new | old).collect();
    let mut left = state.clone();
    let slot = usize::from(older.is_second()) * SLOT;
    left[slot..slot + SLOT].copy_from_slice(&both[slot..slot + SLOT]);
    assert!(holds(&left));
    write_private(&room.state(), &left);
    assert_eq!(room.open().unwrap().len(), 5);
    assert_eq!(fs::read(room.state()).unwrap(), state);
}

#[test]
fn a_file_replaced_under_an_open_ledger_stops_it() {
    for (file, harm) in
        [(LOG, "replace"), (LOG, "delete"), (LOG, "append"), (STATE_FILE, "replace"), (STATE_FILE, "delete")]
    {
        let room = Room::begun();
        let mut ledger = room.open().unwrap();
        let path = room.folder.join(file);
        let bytes = fs::read(&path).unwrap();
        match harm {
            "replace" => write_private(&path, &bytes),
            "delete" => fs::remove_file(&path).unwrap(),
            _ => fs::OpenOptions::new()
                .append(true)
                .open(&path)
                .map(|mut f| std::io::Write::write_all(&mut f, b"x"))
                .unwrap()
                .unwrap(),
        }
        let fault = sign(&mut ledger, 9).unwrap_err();
        assert_eq!(fault.code(), &DAMAGED, "{file} {harm}");
        assert!(fault.message().ends_with("nothing was signed"), "{fault}");
        assert_eq!(sign(&mut ledger, 9).unwrap_err().code(), &POISONED);
        assert_eq!(ledger.append(EntryKind::Note, None, &json!({}), at(9)).unwrap_err().code(), &POISONED);
    }
}

#[test]
fn a_log_with_a_second_name_or_open_to_others_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    for file in [LOG, STATE_FILE] {
        let room = Room::begun();
        let path = room.folder.join(file);
        fs::hard_link(&path, room.folder.join("second")).unwrap();
        room.refused(&DAMAGED);
        fs::remove_file(room.folder.join("second")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        room.refused(&PERMISSIONS);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::rename(&path, room.folder.join("elsewhere")).unwrap();
        std::os::unix::fs::symlink(room.folder.join("elsewhere"), &path).unwrap();
        room.refused(&PERMISSIONS);
    }
    let room = Room::begun();
    fs::set_permissions(&room.folder, fs::Permissions::from_mode(0o755)).unwrap();
    room.refused(&PERMISSIONS);
}

#[test]
fn one_writer_at_a_time() {
    let room = Room::begun();
    let ledger = room.open().unwrap();
    assert_eq!(room.open().err().unwrap().code(), &BUSY);
    assert_eq!(room.create().err().unwrap().code(), &BUSY);
    drop(ledger);
    room.open().unwrap();
}

#[test]
fn a_folder_that_cannot_be_written_is_refused() {
    let room = Room::new();
    let folder = Path::new("/proc/self/ledger");
    let made = Ledger::create(folder, ORIGIN_NAME, &room.auditors(), &json!({}), at(0), Box::new(system()));
    assert_eq!(made.err().unwrap().code().class, Class::Environment);
    assert_eq!(room.open().err().unwrap().code(), &MISSING);
    if rustix::process::geteuid().is_root() {
        return; // who may write everywhere cannot be refused by a mode
    }
    let room = Room::begun();
    fs::remove_file(room.folder.join(LOCK)).unwrap();
    fs::set_permissions(&room.folder, std::os::unix::fs::PermissionsExt::from_mode(0o500)).unwrap();
    assert_eq!(room.open().err().unwrap().code().class, Class::Environment);
}
