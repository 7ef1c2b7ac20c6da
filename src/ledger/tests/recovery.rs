//! Going on after a break, and what everybody sees of it.

use serde_json::Map;

use super::*;

fn recover_with(room: &Room, acknowledge: bool) -> Result<Recovered, Fault> {
    recover_at(room, acknowledge, at(50))
}

pub(super) fn recover_at(room: &Room, acknowledge: bool, now: Instant) -> Result<Recovered, Fault> {
    let about = Map::from_iter([("act".into(), "recover".into())]);
    let (folder, auditors) = (&room.folder, &room.auditors());
    let recovery = Recovery {
        folder,
        origin: ORIGIN_NAME,
        auditors,
        about: &about,
        acknowledge,
        now,
        before: &|_| Ok(None),
    };
    recover(&recovery, Box::new(system()))
}

/// Recovers, which must only make the log longer, and leave a ledger that everybody accepts and that goes on.
fn mended(room: &Room, acknowledge: bool) -> (Recovered, Summary) {
    let before = fs::read(room.log()).unwrap();
    let done = recover_with(room, acknowledge).unwrap();
    assert!(fs::read(room.log()).unwrap().starts_with(&before), "the log only grows");
    let (summary, agreement) = verify_folder(&room.folder).unwrap();
    assert_eq!(agreement, Agreement::Same);
    assert_eq!(verify(fs::read(room.log()).unwrap().as_slice()).unwrap(), summary);
    assert_eq!(recover_with(room, acknowledge).unwrap(), Recovered::Nothing);
    sign(&mut room.open().unwrap(), 60).unwrap();
    assert_eq!(room.verify_bytes().unwrap().entries, summary.entries + 2);
    (done, summary)
}

impl Room {
    fn verify_bytes(&self) -> Result<Summary, Fault> {
        verify(fs::read(self.log()).unwrap().as_slice())
    }

    fn tail(&self, bytes: &[u8]) {
        let log = fs::read(self.log()).unwrap();
        write_private(&self.log(), &[&log, bytes].concat());
    }
}

type Harm = fn(&Room);

#[test]
fn a_torn_write_is_closed_off_and_named() {
    let next = {
        let room = Room::begun();
        room.open().unwrap().append(EntryKind::Note, None, &json!({}), at(9)).unwrap();
        room.lines()[4].clone().into_bytes()
    };
    let zeros = vec![0; 90_000];
    for tail in
        [&b"{"[..], &next[..100], &[0; 700], &zeros, b"nonsense\n", b"\n", b"\n\n", b"a\nb", b"a\nb\n"]
    {
        let room = Room::begun();
        room.tail(tail);
        assert!(room.open().is_err());
        room.verify_bytes().unwrap_err();
        let (done, summary) = mended(&room, false);
        let Recovered::ClosedOff { index: 4, junk } = done else { panic!("{done:?}") };
        assert_eq!(junk.count, tail.len() as u64 + u64::from(!tail.ends_with(b"\n")));
        assert_eq!((summary.recoveries, summary.reseals, summary.entries), (1, 0, 5));
        assert_eq!(summary.breaks[0].junk, Some(junk));
        let Body::Open(body) = &entries(&room)[4].body else { panic!() };
        assert_eq!(body["act"], "recover");
    }
}

pub(super) fn entries(room: &Room) -> Vec<Entry> {
    let log = fs::read(room.log()).unwrap();
    read(log.as_slice(), &room.identities()).collect::<Result<_, _>>().unwrap()
}

#[test]
fn a_line_that_lacks_only_its_end_is_taken_up() {
    let room = Room::begun();
    let state = fs::read(room.state()).unwrap();
    room.open().unwrap().append(EntryKind::Note, None, &json!({}), at(9)).unwrap();
    let log = fs::read(room.log()).unwrap();
    write_private(&room.state(), &state);
    write_private(&room.log(), &log[..log.len() - 1]);
    assert_eq!(room.open().err().unwrap().code(), &TORN);
    assert_eq!(mended(&room, false).0, Recovered::TakenUp(4));
    assert!(fs::read(room.log()).unwrap().starts_with(&log));
}

#[test]
fn a_crash_at_any_byte_of_a_recovery_can_be_recovered() {
    let room = Room::begun();
    room.tail(b"{\"v\":1,");
    let (state, torn) = (fs::read(room.state()).unwrap(), fs::read(room.log()).unwrap());
    recover_with(&room, false).unwrap();
    let whole = fs::read(room.log()).unwrap();
    for length in (torn.len()..=whole.len()).step_by(41).chain([whole.len() - 1, whole.len()]) {
        write_private(&room.log(), &whole[..length]);
        write_private(&room.state(), &state);
        let done = recover_with(&room, false).unwrap();
        assert_eq!(done == Recovered::TakenUp(4), length >= whole.len() - 1, "{length}: {done:?}");
        assert_eq!(room.verify_bytes().unwrap().recoveries, 1, "{length}");
    }
}

#[test]
fn lost_or_changed_entries_stop_everything_until_they_are_acknowledged() {
    let harms: [(&str, Harm, u64); 7] = [
        ("shorter", |room| write_private(&room.log(), room.lines()[..3].concat().as_bytes()), 3),
        (
            "cut in a line",
            |room| write_private(&room.log(), &room.text().as_bytes()[..room.text().len() - 9]),
            3,
        ),
        (
            "another last line",
            |room| write_private(&room.log(), room.text().replacen("outcome", "outcomf", 1).as_bytes()),
            3,
        ),
        (
            "a changed line",
            |room| write_private(&room.log(), room.text().replacen("note", "nota", 1).as_bytes()),
            1,
        ),
        ("state lost", |room| fs::remove_file(room.state()).unwrap(), 4),
        ("state damaged", |room| write_private(&room.state(), &[7; 8192]), 4),
        ("twice the last line", |room| room.tail(room.lines()[3].as_bytes()), 4),
    ];
    for (harm, act, found) in harms {
        let room = Room::begun();
        let before = room.verify().unwrap();
        act(&room);
        let refused = recover_with(&room, false).expect_err(harm);
        assert_eq!(refused.code().class, Class::Ledger, "{harm}");
        assert!(refused.way_out().unwrap().contains("--acknowledge"), "{harm}");
        let (done, summary) = mended(&room, true);
        let Recovered::Resealed { index, known: told, .. } = done else { panic!("{harm}: {done:?}") };
        assert_eq!((index, summary.reseals), (found, 1), "{harm}");
        if !harm.starts_with("state") {
            assert_eq!(told, Some(Measure { count: before.entries, hash: before.root }), "{harm}");
        }
        assert!(entries(&room).iter().all(|entry| matches!(entry.body, Body::Open(_))), "{harm}");
    }
}

#[test]
fn an_old_state_is_not_adopted_silently() {
    let room = Room::begun();
    let old = fs::read(room.state()).unwrap();
    for seconds in 4..7 {
        room.open().unwrap().append(EntryKind::Note, None, &json!({}), at(seconds)).unwrap();
    }
    write_private(&room.state(), &old);
    assert_eq!(recover_with(&room, false).unwrap_err().code(), &STATE);
    let (done, _) = mended(&room, true);
    assert!(matches!(done, Recovered::Resealed { index: 7, junk: None, .. }), "{done:?}");
}

#[test]
fn what_cannot_be_gone_on_from_is_refused() {
    let room = Room::begun();
    let log = fs::read(room.log()).unwrap();
    fs::remove_file(room.log()).unwrap();
    assert_eq!(recover_with(&room, true).unwrap_err().code(), &MISSING);
    write_private(&room.log(), b"");
    assert_eq!(recover_with(&room, true).unwrap_err().code(), &TRUNCATED);
    write_private(&room.log(), b"nonsense\n");
    assert!(recover_with(&room, true).is_err());
    write_private(&room.log(), &log);
    let ledger = room.open().unwrap();
    assert_eq!(recover_with(&room, true).unwrap_err().code(), &BUSY);
    drop(ledger);
    assert_eq!(recover_with(&room, true).unwrap(), Recovered::Nothing);
}

#[test]
fn junk_that_nothing_names_is_the_fault_of_its_first_line() {
    let room = Room::begun();
    room.tail(b"torn");
    mended(&room, false);
    let good = fs::read(room.log()).unwrap();
    let place = room.lines()[..4].concat().len();
    assert_eq!(&good[place..place + 5], b"torn\n");
    for (harm, bad) in [
        ("other junk", [&good[..place], b"turn\n", &good[place + 5..]].concat()),
        ("more junk", [&good[..place], b"torn\n\n", &good[place + 5..]].concat()),
        ("less junk", [&good[..place], b"\n", &good[place + 5..]].concat()),
        ("no junk", [&good[..place], &good[place + 5..]].concat()),
        ("junk elsewhere", [&good[..place], &good[place + 5..], b"torn\n"].concat()),
    ] {
        assert_eq!(verify(bad.as_slice()).expect_err(harm).code(), &DAMAGED, "{harm}");
    }
}

#[test]
fn a_long_junk_line_hides_no_entry() {
    let room = Room::begun();
    let (last, first) = (room.lines()[3].clone(), room.lines()[..3].concat());
    // The reader takes 65,536 bytes at a time: what comes next is still the same line.
    let text = format!("{first}{}{last}", "x".repeat(65_536));
    assert_eq!(verify(text.as_bytes()).unwrap_err().code(), &DAMAGED);
    write_private(&room.log(), text.as_bytes());
    assert_eq!(mended(&room, true).1.entries, 4);
}

#[test]
fn all_cores_say_what_one_says() {
    let room = Room::begun();
    room.tail(b"torn");
    mended(&room, false);
    fs::remove_file(room.state()).unwrap();
    mended(&room, true);
    let good = fs::read(room.log()).unwrap();
    let same = |bytes: &[u8]| {
        let one = verify(bytes).map_err(|fault| fault.to_string());
        let document = crate::base::disk::Document::from_bytes("log", bytes.to_vec());
        assert_eq!(verify_document(&document).map_err(|fault| fault.to_string()), one);
        if let Ok(summary) = one {
            assert_eq!(verify_chain(bytes).unwrap(), summary);
        }
    };
    same(&good);
    for place in (0..good.len()).step_by(7) {
        let mut bad = good.clone();
        bad[place] ^= 1;
        same(&bad);
        same(&good[..place]);
    }
}

#[test]
fn checkpoints_that_a_ledger_goes_on_from_are_told_from_others() {
    let room = Room::begun();
    let mut ledger = room.open().unwrap();
    let note = ledger.checkpoint();
    ledger.append(EntryKind::Note, None, &json!({}), at(9)).unwrap();
    let log = crate::base::disk::Document::open(&room.log()).unwrap();
    let mut other = note.clone();
    other.checkpoint.root[0] ^= 1;
    assert_eq!(fitting(&log, vec![note.clone(), other]).unwrap(), [note]);
}

#[test]
fn a_clock_that_was_ahead_is_acknowledged_and_told() {
    let room = Room::begun();
    room.open().unwrap().append(EntryKind::Note, None, &json!({}), at(500_000_000)).unwrap();
    assert_eq!(sign(&mut room.open().unwrap(), 50).unwrap_err().code(), &CLOCK);
    assert_eq!(recover_with(&room, false).unwrap(), Recovered::Nothing);
    assert_eq!(sign(&mut room.open().unwrap(), 50).unwrap_err().code(), &CLOCK, "nobody acknowledged it");
    let (done, summary) = mended(&room, true);
    assert!(matches!(
        done,
        Recovered::Resealed { index: 5, known: Some(Measure { count: 5, .. }), junk: None }
    ));
    assert_eq!((summary.clock_steps_back, summary.last_step_back, summary.last), (1, Some(5), at(50)));
    assert_eq!(sign(&mut room.open().unwrap(), 49).unwrap_err().code(), &CLOCK);
}
