//! What is not a ledger, or not this one, is refused by everybody.

use super::*;

#[test]
fn a_body_that_does_not_belong_to_its_line_is_shown_as_broken() {
    let room = Room::new();
    let ledger = room.create().unwrap();
    let state = State::newest(&fs::read(room.state()).unwrap()).unwrap();
    let (session, random) = (session::Session::begin([5; 32], &room.auditors()).unwrap(), [1; 16]);
    drop(ledger);
    let (line, _) =
        compose(&state, &session, &random, &Draft::new(EntryKind::Note, &json!({}), at(1))).unwrap();
    for field in ["c", "n", "x"] {
        let mut value: Value = serde_json::from_slice(&line).unwrap();
        let mut bytes = from_base64(value[field].as_str().unwrap()).unwrap();
        bytes[3] ^= 1;
        value[field] = base64(&bytes).into();
        let text = room.text() + &reseal(&value.to_string(), &state.seed);
        let entries: Vec<Entry> = read(text.as_bytes(), &room.identities()).map(Result::unwrap).collect();
        assert_eq!(entries[1].body, Body::Broken, "{field}");
    }
}

#[test]
fn every_changed_byte_is_refused() {
    let room = Room::begun();
    let good = room.text().into_bytes();
    for at in 0..good.len() {
        for change in [1, 0x20, 0x80] {
            let mut bad = good.clone();
            bad[at] ^= change;
            let fault = verify(bad.as_slice()).expect_err(&format!("byte {at} ^ {change}"));
            assert_eq!(fault.code().class, Class::Ledger, "byte {at} ^ {change}: {fault}");
        }
    }
}

#[test]
fn every_cut_is_refused_but_the_one_at_a_line() {
    let room = Room::begun();
    let good = room.text();
    let ends: Vec<usize> = good.match_indices('\n').map(|(at, _)| at + 1).collect();
    for length in 0..good.len() {
        let found = verify(&good.as_bytes()[..length]);
        assert_eq!(found.is_ok(), ends.contains(&length), "{length}");
        if let Err(fault) = found {
            assert_eq!(fault.code(), if length == 0 { &TRUNCATED } else { &TORN });
        }
    }
    assert_eq!(verify(&good.as_bytes()[..ends[2]]).unwrap().open, [2]);
}

#[test]
fn lines_cannot_be_moved() {
    let room = Room::begun();
    let lines = room.lines();
    let histories = [
        ("deleted", vec![0, 2, 3]),
        ("deleted first", vec![1, 2, 3]),
        ("swapped", vec![0, 2, 1, 3]),
        ("duplicated", vec![0, 1, 1, 2, 3]),
        ("duplicated last", vec![0, 1, 2, 3, 3]),
        ("begun again", vec![0, 1, 2, 3, 0]),
    ];
    for (harm, order) in histories {
        let text: String = order.into_iter().map(|at| lines[at].as_str()).collect();
        assert_eq!(verify(text.as_bytes()).expect_err(harm).code(), &CHAIN, "{harm}");
    }
    for (harm, text) in [
        ("empty line", lines.concat().replacen('\n', "\n\n", 1)),
        ("CRLF", lines.concat().replace('\n', "\r\n")),
        ("BOM", format!("\u{feff}{}", lines.concat())),
        ("long line", format!("{}{}\n", lines.concat(), " ".repeat(70_000))),
        ("zeros", format!("{}{}\n", lines.concat(), "\0".repeat(70))),
    ] {
        assert_eq!(verify(text.as_bytes()).expect_err(harm).code(), &DAMAGED, "{harm}");
    }
}

#[test]
fn a_forged_line_is_refused_by_everybody() {
    let room = Room::begun();
    let state = State::newest(&fs::read(room.state()).unwrap()).unwrap();
    let session = session::Session::begin([5; 32], &room.auditors()).unwrap();
    let forged = |state: &State, kind, re| {
        let body = json!({});
        let draft = Draft { re, ..Draft::new(kind, &body, at(9)) };
        String::from_utf8(compose(state, &session, &[1; 16], &draft).unwrap().0).unwrap()
    };
    let honest = room.text();
    let mut thief = State::new(ORIGIN_NAME, state.auditors, seal::Seed::new([9; 32]));
    thief.tip = state.tip.clone();
    thief.bytes = state.bytes;
    for (line, code) in [
        (forged(&thief, EntryKind::Note, None), &SEAL),
        (forged(&state, EntryKind::Outcome, Some(2)), &PAIR),
        (forged(&state, EntryKind::Outcome, Some(1)), &PAIR),
        (forged(&state, EntryKind::Denied, Some(0)), &PAIR),
    ] {
        let text = honest.clone() + &line;
        assert_eq!(code_of(verify(text.as_bytes())), code);
        write_private(&room.log(), text.as_bytes());
        room.refused(code);
    }
    // Sealed as it should be, and leading to a key that is not the next one: only the writer can know.
    let line = forged(&state, EntryKind::Note, None);
    let wrong = reseal(&line.replace(&base64(&state.seed.next().public()), &base64(&[1; 32])), &state.seed);
    write_private(&room.log(), (honest + &wrong).as_bytes());
    room.refused(&SEAL);
}

#[test]
fn a_session_ends_when_the_next_begins() {
    let room = Room::begun();
    room.open().unwrap().append(EntryKind::Note, None, &json!({}), at(9)).unwrap();
    let state = State::newest(&fs::read(room.state()).unwrap()).unwrap();
    let mut session = session::Session::begin([5; 32], &room.auditors()).unwrap();
    for (first, is_good) in [(0, false), (3, false), (4, true)] {
        session.first = Some(first);
        let (line, _) =
            compose(&state, &session, &[1; 16], &Draft::new(EntryKind::Note, &json!({}), at(9))).unwrap();
        let found = verify([room.text().into_bytes(), line].concat().as_slice());
        assert_eq!(found.is_ok(), is_good, "{first}");
    }
}

#[test]
fn foreign_bytes_never_panic() {
    proptest!(|(bytes in proptest::collection::vec(any::<u8>(), 0..400))| {
        prop_assert!(verify(bytes.as_slice()).is_err());
    });
    let room = Room::begun();
    let good = room.text().into_bytes();
    proptest!(|(place in 0..good.len(), cut in 0..9_usize, put in proptest::collection::vec(any::<u8>(), 0..9))| {
        let end = (place + cut).min(good.len());
        let bad = [&good[..place], &put, &good[end..]].concat();
        if bad != good && place < good.len() - 2 {
            prop_assert!(verify(bad.as_slice()).is_err());
        }
    });
}

#[test]
fn the_first_fault_ends_the_reading() {
    let room = Room::begun();
    let text = room.text().replacen(r#""t":"note""#, r#""t":"noto""#, 1);
    let identities = room.identities();
    let mut reader = read(text.as_bytes(), &identities);
    assert!(reader.next().unwrap().is_ok());
    assert_eq!(reader.summary().unwrap().entries, 1);
    assert_eq!(reader.next().unwrap().unwrap_err().code(), &DAMAGED);
    assert!(reader.next().is_none());
    assert_eq!(reader.summary().unwrap_err().code(), &DAMAGED);
}
