//! One line of the ledger: how its public part is written, and the strict reader of all of it. Bytes are what they are:
//! fixed order, no spaces, nothing optional but what the kind asks for; there is no second way to write a line.

use crate::base::bytes::{base64, from_base64};
use crate::base::clock::Instant;

use super::EntryKind;
use super::cursor::{Cursor, decoded_length};
use super::tree::Hash;

/// The most bytes of a line without its line feed (C2SP tlog-tiles, entry bundles).
pub(super) const LINE_MAX: usize = 65_535;

/// Whether a text may name a ledger: 1 to 255 letters, digits and `.`, `_`, `-`, `:`, `/`, which makes it a C2SP
/// checkpoint origin and a key name of a signed note.
pub(super) fn is_origin(text: &str) -> bool {
    (1..=255).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-:/".contains(&b))
}

/// The public part of a line, up to the salt.
pub(super) struct Head<'a> {
    pub(super) index: u64,
    pub(super) kind: EntryKind,
    pub(super) time: Instant,
    pub(super) prev: &'a Hash,
    /// The origin and the first seal key, on genesis.
    pub(super) genesis: Option<(&'a str, [u8; 32])>,
    pub(super) re: Option<u64>,
    /// The root over the digests of a batch, on its intent.
    pub(super) root: Option<Hash>,
    pub(super) repair: Repair,
    pub(super) session: u64,
    pub(super) envelope: Option<&'a [u8]>,
}

/// So many of something, and a hash over them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Measure {
    /// How many.
    pub count: u64,
    /// The hash.
    pub hash: [u8; 32],
}

impl Measure {
    fn text(&self) -> String {
        format!(r#"[{},"{}"]"#, self.count, base64(&self.hash))
    }
}

/// What a recovery and a reseal say to everybody.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Repair {
    /// On reseal: the key that seals it, and with which the seals begin anew.
    pub(super) key: Option<[u8; 32]>,
    /// On reseal: entries and root that the state file knew, where it could be read.
    pub(super) known: Option<Measure>,
    /// Bytes and SHA-256 of what stands before the line and is no entry.
    pub(super) junk: Option<Measure>,
}

impl Repair {
    fn text(&self) -> String {
        let key = self.key.map(|key| format!(r#","pk0":"{}""#, base64(&key)));
        let known = self.known.map(|known| format!(r#","known":{}"#, known.text()));
        let junk = self.junk.map(|junk| format!(r#","junk":{}"#, junk.text()));
        [key, known, junk].into_iter().flatten().collect()
    }

    fn scan(cursor: &mut Cursor<'_>, kind: EntryKind) -> Option<Self> {
        let mut repair = Self::default();
        if kind == EntryKind::Reseal {
            cursor.literal(r#","pk0":"#)?;
            repair.key = array(cursor.bytes(32)?);
            if cursor.literal(r#","known":"#).is_some() {
                repair.known = Some(cursor.measure()?);
            }
        }
        if kind.is_repair() && cursor.literal(r#","junk":"#).is_some() {
            repair.junk = Some(cursor.measure()?);
        }
        (kind != EntryKind::Recovery || repair.junk.is_some()).then_some(repair)
    }
}

impl Head<'_> {
    /// The bytes that are sealed first and authenticated with the ciphertext.
    pub(super) fn text(&self) -> String {
        let (index, kind, time, prev) = (self.index, self.kind.name(), self.time.unix(), base64(self.prev));
        let genesis =
            self.genesis.map(|(origin, key)| format!(r#","origin":"{origin}","pk0":"{}""#, base64(&key)));
        let re = self.re.map(|re| format!(r#","re":{re}"#));
        let root = self.root.map(|root| format!(r#","root":"{}""#, base64(&root)));
        let repair = self.repair.text();
        let envelope = self.envelope.map(|bytes| format!(r#","env":"{}""#, base64(bytes)));
        let parts: String = [genesis, re, root].into_iter().flatten().collect();
        let envelope = envelope.unwrap_or_default();
        format!(
            r#"{{"v":1,"i":{index},"t":"{kind}","ts":{time},"prev":"{prev}"{parts}{repair},"s":{}{envelope}"#,
            self.session
        )
    }
}

/// A line taken apart. Everything in base64 is known to be canonical and of the right length.
pub(super) struct Line<'a> {
    pub(super) index: u64,
    pub(super) kind: EntryKind,
    pub(super) time: Instant,
    pub(super) prev: &'a str,
    /// The origin and the first seal key, on genesis.
    pub(super) genesis: Option<(&'a str, &'a str)>,
    pub(super) re: Option<u64>,
    pub(super) repair: Repair,
    pub(super) session: u64,
    pub(super) envelope: Option<&'a str>,
    pub(super) salt: &'a str,
    pub(super) commitment: &'a str,
    pub(super) ciphertext: &'a str,
    pub(super) next_key: &'a str,
    pub(super) seal: &'a str,
    /// All of it, without the line feed.
    pub(super) whole: &'a [u8],
    /// The bytes before the salt: authenticated with the ciphertext.
    pub(super) public: &'a [u8],
    /// The bytes before the seal: what it covers.
    pub(super) sealed: &'a [u8],
}

impl<'a> Line<'a> {
    /// Reads a line without its line feed. The error is the byte at which it stops being one.
    pub(super) fn parse(line: &'a [u8]) -> Result<Self, usize> {
        let mut cursor = Cursor::new(line);
        let read = if line.len() > LINE_MAX { None } else { Self::scan(&mut cursor) };
        read.filter(Self::agrees_with_itself).ok_or(cursor.at)
    }

    fn scan(cursor: &mut Cursor<'a>) -> Option<Self> {
        cursor.literal(r#"{"v":1,"i":"#)?;
        let index = cursor.number()?;
        cursor.literal(r#","t":"#)?;
        let kind = EntryKind::parse(cursor.quoted()?)?;
        cursor.literal(r#","ts":"#)?;
        let time = Instant::from_unix(i64::try_from(cursor.number()?).ok()?).ok()?;
        cursor.literal(r#","prev":"#)?;
        let prev = cursor.bytes(32)?;
        let genesis = if kind == EntryKind::Genesis {
            cursor.literal(r#","origin":"#)?;
            let origin = cursor.quoted().filter(|origin| is_origin(origin))?;
            cursor.literal(r#","pk0":"#)?;
            Some((origin, cursor.bytes(32)?))
        } else {
            None
        };
        let re = if cursor.literal(r#","re":"#).is_some() { Some(cursor.number()?) } else { None };
        if kind == EntryKind::Intent && cursor.literal(r#","root":"#).is_some() {
            cursor.bytes(32)?;
        }
        let repair = Repair::scan(cursor, kind)?;
        cursor.literal(r#","s":"#)?;
        let session = cursor.number()?;
        let envelope = if cursor.literal(r#","env":"#).is_some() { Some(cursor.base64()?) } else { None };
        let public = cursor.passed();
        cursor.literal(r#","n":"#)?;
        let salt = cursor.bytes(16)?;
        cursor.literal(r#","c":"#)?;
        let commitment = cursor.bytes(32)?;
        cursor.literal(r#","x":"#)?;
        let ciphertext = cursor.base64()?;
        cursor.literal(r#","pk":"#)?;
        let next_key = cursor.bytes(32)?;
        let sealed = cursor.passed();
        cursor.literal(r#","sig":"#)?;
        let seal = cursor.bytes(64)?;
        cursor.literal("}")?;
        cursor.end()?;
        Some(Self {
            index,
            kind,
            time,
            prev,
            genesis,
            re,
            repair,
            session,
            envelope,
            salt,
            commitment,
            ciphertext,
            next_key,
            seal,
            whole: cursor.passed(),
            public,
            sealed,
        })
    }

    /// What a line must hold whatever stands around it.
    fn agrees_with_itself(&self) -> bool {
        (self.kind == EntryKind::Genesis) == (self.index == 0)
            && self.session <= self.index
            && self.envelope.is_some() == (self.session == self.index)
            && self.re.map_or(!self.kind.must_close(), |re| self.kind.may_close() && re < self.index)
            && decoded_length(self.ciphertext)
                .checked_sub(16)
                .is_some_and(|length| length > 0 && length % 256 == 0)
    }
}

/// The bytes that a base64 text of ours stands for; `None` when they are not that many.
pub(super) fn array<const N: usize>(text: &str) -> Option<[u8; N]> {
    from_base64(text)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(kind: &str, index: &str, extra: &str, session: &str) -> String {
        let (b16, b32, b64) = (base64(&[1; 16]), base64(&[2; 32]), base64(&[3; 64]));
        let x = base64(&[4; 272]);
        format!(
            r#"{{"v":1,"i":{index},"t":"{kind}","ts":1795324020,"prev":"{b32}"{extra},"s":{session},"n":"{b16}","c":"{b32}","x":"{x}","pk":"{b32}","sig":"{b64}"}}"#
        )
    }

    fn good(text: &str) -> bool {
        Line::parse(text.as_bytes()).is_ok()
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let head = Head {
            index: 0,
            kind: EntryKind::Genesis,
            time: Instant::from_unix(1_795_324_020).unwrap(),
            prev: &[0; 32],
            genesis: Some(("fed.example.org/ledger", [9; 32])),
            re: None,
            root: None,
            repair: Repair::default(),
            session: 0,
            envelope: Some(b"age"),
        };
        let key = base64(&[9; 32]);
        let text = line("genesis", "0", &format!(r#","origin":"fed.example.org/ledger","pk0":"{key}""#), "0");
        let text =
            text.replace(r#","s":0"#, r#","s":0,"env":"YWdl""#).replace(&base64(&[2; 32]), &base64(&[0; 32]));
        assert!(text.starts_with(&head.text()), "{}", head.text());
        let read = Line::parse(text.as_bytes()).unwrap();
        assert_eq!(read.genesis, Some(("fed.example.org/ledger", key.as_str())));
        assert_eq!(read.envelope, Some("YWdl"));
        assert_eq!(read.public, head.text().as_bytes());
        assert!(text.as_bytes().strip_prefix(read.sealed).unwrap().starts_with(b",\"sig\":"));
    }

    #[test]
    fn the_root_of_a_batch_stands_in_its_intent() {
        let head = Head {
            index: 7,
            kind: EntryKind::Intent,
            time: Instant::from_unix(1_795_324_020).unwrap(),
            prev: &[2; 32],
            genesis: None,
            re: None,
            root: Some([5; 32]),
            repair: Repair::default(),
            session: 3,
            envelope: None,
        };
        let text = line("intent", "7", &format!(r#","root":"{}""#, base64(&[5; 32])), "3");
        assert!(text.starts_with(&head.text()), "{}", head.text());
        assert!(good(&text));
    }

    #[test]
    fn each_kind_has_one_name() {
        for kind in EntryKind::ALL {
            assert_eq!(EntryKind::parse(kind.name()), Some(kind));
        }
        for wrong in ["", "Genesis", "erase", "intent "] {
            assert_eq!(EntryKind::parse(wrong), None);
        }
    }

    #[test]
    fn kinds_hold_what_they_must_and_nothing_else() {
        let root = format!(r#","root":"{}""#, base64(&[5; 32]));
        assert!(good(&line("note", "7", "", "3")));
        assert!(good(&line("intent", "7", &root, "3")));
        assert!(good(&line("outcome", "7", r#","re":6"#, "3")));
        assert!(good(&line("denied", "7", r#","re":6"#, "3")));
        assert!(good(&line("denied", "7", "", "3")));
        let key = format!(r#","pk0":"{}""#, base64(&[5; 32]));
        let known = format!(r#","known":[9,"{}"]"#, base64(&[5; 32]));
        let junk = known.replace("known", "junk");
        let (origin, bare) = (format!(r#","origin":"o"{key}"#), String::new());
        for extra in [&key, &format!("{key}{known}"), &format!("{key}{junk}"), &format!("{key}{known}{junk}")]
        {
            assert!(good(&line("reseal", "7", extra, "3")), "{extra}");
        }
        assert!(good(&line("recovery", "7", &junk, "3")));
        for (kind, extra) in [
            ("reseal", &bare),
            ("reseal", &known),
            ("reseal", &format!("{key}{junk}{known}")),
            ("recovery", &bare),
            ("recovery", &known),
            ("recovery", &format!("{key}{junk}")),
            ("recovery", &junk.replace("[9", "[09")),
            ("recovery", &junk.replace("[9,", "[9, ")),
            ("note", &junk),
        ] {
            assert!(!good(&line(kind, "7", extra, "3")), "{kind} {extra}");
        }
        for (kind, index, extra, session) in [
            ("outcome", "7", "", "3"),
            ("outcome", "7", r#","re":7"#, "3"),
            ("outcome", "7", r#","re":06"#, "3"),
            ("outcome", "7", r#","re":-1"#, "3"),
            ("note", "7", r#","re":6"#, "3"),
            ("intent", "7", r#","re":6"#, "3"),
            ("note", "7", &root, "3"),
            ("note", "7", &origin, "3"),
            ("genesis", "7", &origin, "3"),
            ("genesis", "0", "", "0"),
            ("note", "7", "", "7"),
            ("note", "7", "", "8"),
            ("note", "07", "", "3"),
            ("note", "", "", "3"),
            ("note", "9007199254740992", "", "3"),
            ("note", "18446744073709551616", "", "3"),
            ("note", "7.0", "", "3"),
            ("note", "7e0", "", "3"),
            ("nota", "7", "", "3"),
            ("note", "7", r#","u":1"#, "3"),
        ] {
            assert!(!good(&line(kind, index, extra, session)), "{kind} {index} {extra} {session}");
        }
    }

    #[test]
    fn there_is_one_way_to_write_a_line() {
        let text = line("note", "7", "", "3");
        for (old, new) in [
            (r#"{"v":1"#, r#"{"v":2"#),
            (r#"{"v":1"#, r#"{ "v":1"#),
            (r#"{"v":1,"i":7"#, r#"{"i":7,"v":1"#),
            (r#","s":3"#, r#","s":3,"s":3"#),
            (r#","s":3"#, r#","s": 3"#),
            (r#","t":"note""#, r#","t":"n\u006fte""#),
            (r#","ts":1795324020"#, r#","ts":1795324020.0"#),
            (r#","ts":1795324020"#, r#","ts":9007199254740991"#),
            ("=\"", "\""),
            ("\"}", "\"} "),
            ("\"}", "\"}\r"),
            ("\"}", "\",\"y\":1}"),
            ("\"}", "\""),
        ] {
            assert!(text.contains(old), "{old}");
            assert!(!good(&text.replacen(old, new, 1)), "{old} → {new}");
        }
        for length in 0..text.len() {
            assert!(!good(&text[..length]), "{length}");
        }
    }

    #[test]
    fn base64_is_canonical_and_of_the_right_length() {
        let text = line("note", "7", "", "3");
        let salt = base64(&[1; 16]);
        for wrong in
            ["AQEBAQEBAQEBAQEBAQEBAR==", "AQEBAQEBAQEBAQEBAQEBAQ", "AQEBAQEBAQEBAQEBAQEB", "====", "", "AQ=="]
        {
            assert!(!good(&text.replacen(&salt, wrong, 1)), "{wrong}");
        }
        for length in [0, 15, 16, 17, 256, 271, 273] {
            assert!(!good(&text.replacen(&base64(&[4; 272]), &base64(&vec![4; length]), 1)), "{length}");
        }
    }

    #[test]
    fn origins_are_plain() {
        for good in ["o", "fed.example.org/ledger/prod-host_A:1"] {
            assert!(is_origin(good));
        }
        for wrong in ["", "a b", "a+b", "a\"b", "a\\b", "ä", "a\nb", &"a".repeat(256)] {
            assert!(!is_origin(wrong), "{wrong}");
        }
    }
}
