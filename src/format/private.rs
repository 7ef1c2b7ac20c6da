//! Private and symmetric keys in what comes in: whatever holds one is refused as a whole, before anything else is said of it.
//!
//! Every JSON text passes here when it is read, the header and the claims of every JWS among them, and so do the TOML that
//! operators write and the PEM that they name. No message repeats a value.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::jose::PRIVATE;
use crate::base::bytes::from_careless_base64;
use crate::base::fault::Fault;
use crate::base::text::holds_private_key;

/// The members of private and symmetric keys (RFC 7518, section 6; RFC 9964 for `priv`).
const SECRET: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];
/// Of these a key has two at least, whatever it leaves out (RFC 7517, section 4; RFC 7518, section 6).
const USUAL: [&str; 9] = ["kid", "alg", "use", "key_ops", "x", "y", "n", "e", "x5c"];
/// How a key without a `kty` of its own is known.
const USUAL_MIN: usize = 2;
/// What a symmetric key may have alone beside `k`.
const NAMES: [&str; 2] = ["kid", "alg"];
/// Texts within each other, such as a JWS in the claims of a JWS, that are looked into.
const TEXTS_MAX: usize = 8;
/// So often a text is read at most, counted in its own length, with all that stands within it: JSON that ends in an error is
/// read again from the next brace on.
const READINGS_MAX: usize = 32;
/// Shorter texts hold none: the shortest begins `{"kty":"oct"`.
const TEXT_MIN: usize = 12;
/// Shorter parts hold no key.
const ENCODED_MIN: usize = 16;
/// So many digits of base64 tell what they begin with.
const HEAD_DIGITS: usize = 40;

const PUBLISHED: &str = "take it out; if it was ever published, its owner has to replace the key";

/// Refuses a value that holds a private or symmetric key at any depth: as a JWK, in PEM, or in a text that holds JSON or base64
/// with one.
///
/// # Errors
///
/// `jwk.private`.
pub fn refuse(value: &Value) -> Result<(), Fault> {
    let found = Cell::default();
    // A value that is read already has no other errors.
    let _ = Seek { within: Within::Nothing, around: None, found: &found }.deserialize(value);
    found.take().map_or(Ok(()), Err)
}

/// Refuses a text that holds one: with lines around it, an age identity, as JSON anywhere in the text, or encoded as base64 as
/// in a JWS.
///
/// # Errors
///
/// `jwk.private`.
pub fn refuse_text(text: &str) -> Result<(), Fault> {
    if text.len() < TEXT_MIN {
        return Ok(());
    }
    Text { depth: 0, left: &Cell::new(text.len() * READINGS_MAX) }.refuse(text)
}

/// How a text stands in others, and how much may still be read for the outermost.
#[derive(Clone, Copy)]
struct Text<'a> {
    depth: usize,
    left: &'a Cell<usize>,
}

impl Text<'_> {
    fn refuse(self, text: &str) -> Result<(), Fault> {
        if holds_private_key(text) {
            return Err(PRIVATE
                .fault("it holds a private key in PEM, or an age identity")
                .hint("`openssl pkey -pubout -in KEY` writes the public half; if it was published, its owner has to replace it"));
        }
        self.spend(text.len())?;
        self.seek_json(text)?;
        if let Some(plain) = plain(text) {
            self.within(&plain)?;
        }
        let is_between = |c: char| !is_digit(c) && !c.is_ascii_whitespace();
        text.split(is_between).try_for_each(|lines| self.seek_encoded(lines))
    }

    /// Refuses a text that stands in this one.
    fn within(self, text: &str) -> Result<(), Fault> {
        if text.len() < TEXT_MIN {
            return Ok(());
        }
        if self.depth == TEXTS_MAX {
            return Err(too_deep());
        }
        Self { depth: self.depth + 1, ..self }.refuse(text)
    }

    fn spend(self, bytes: usize) -> Result<(), Fault> {
        self.left.set(self.left.get().checked_sub(bytes).ok_or_else(too_deep)?);
        Ok(())
    }

    /// Looks at every object that begins in a text, whatever stands before and behind it, and at what is left of one that is
    /// cut off. What was read in one piece is not read again.
    fn seek_json(self, text: &str) -> Result<(), Fault> {
        let start = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        if start.starts_with('"')
            && let Ok(inner) = serde_json::from_str::<String>(start)
        {
            return self.within(&inner);
        }
        let mut rest = text;
        while let Some(from) = rest.find('{').and_then(|at| rest.get(at..)) {
            let found = Cell::default();
            let mut json = serde_json::Deserializer::from_str(from);
            let read =
                Seek { within: Within::Nothing, around: Some(self), found: &found }.deserialize(&mut json);
            if let Some(fault) = found.take() {
                return Err(fault);
            }
            let end = json.into_iter::<IgnoredAny>().byte_offset();
            self.spend(end)?;
            let end = match read.map_err(|e| (e.is_eof(), e.to_string())) {
                Ok(_) => end,
                Err((_, why)) if why.starts_with("recursion limit") => return Err(too_deep()),
                // cut off: all of it was seen, but for a text that does not end
                Err((true, why)) if !why.contains("string") => return Ok(()),
                Err(_) => 1,
            };
            rest = from.get(end..).unwrap_or_default();
        }
        Ok(())
    }

    /// Looks at parts in base64 or base64url with white space between them: at each, and at all from the first on that begins
    /// like a text, as these may be the lines of one.
    fn seek_encoded(self, lines: &str) -> Result<(), Fault> {
        let mut parts = lines.split_ascii_whitespace();
        let mut whole = None;
        while let Some(part) = parts.next() {
            if part.len() < ENCODED_MIN {
                continue;
            }
            let head = decoded(part.get(..HEAD_DIGITS).unwrap_or(part));
            if is_der(&head) {
                return Err(PRIVATE.fault("a private key in base64 stands there").hint(PUBLISHED));
            }
            let first = head.iter().find(|byte| !byte.is_ascii_whitespace());
            if first.is_some_and(|byte| b"{[\"-\xef".contains(byte)) {
                self.within(&String::from_utf8_lossy(&decoded(part)))?;
                if whole.is_none() && parts.clone().next().is_some() {
                    whole = Some(parts.clone().fold(part.to_owned(), |whole, part| whole + part));
                }
            }
        }
        whole.map_or(Ok(()), |whole| self.within(&String::from_utf8_lossy(&decoded(&whole))))
    }
}

const fn is_digit(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_')
}

fn decoded(digits: &str) -> Vec<u8> {
    from_careless_base64(digits).unwrap_or_default()
}

/// A text whose JSON has its quotation marks escaped, as in JSON, XML and URLs, or takes single ones: with ordinary ones.
fn plain(text: &str) -> Option<String> {
    const SPELLINGS: [(&str, &str); 9] = [
        ("\\\\", "\\"),
        ("\\\"", "\""),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#x22;", "\""),
        ("%22", "\""),
        ("%7B", "{"),
        ("%7b", "{"),
        ("'", "\""),
    ];
    let has_brace = ["{", "%7B", "%7b"].iter().any(|brace| text.contains(brace));
    let is_spelt = |(other, _): &&(&str, &str)| has_brace && text.contains(other);
    SPELLINGS.iter().find(is_spelt)?;
    Some(SPELLINGS.iter().fold(text.to_owned(), |text, (other, ordinary)| text.replace(other, ordinary)))
}

fn too_deep() -> Fault {
    PRIVATE
        .fault("JSON or texts stand within each other too deep to look for a private key there")
        .hint("say it with less JSON and base64 within each other")
}

/// Whether DER begins like a private key: a version, and what follows it in PKCS#8 (RFC 5958, section 2), in SEC 1 (RFC 5915)
/// and in PKCS#1 (RFC 8017, appendix A.1.2); or like a file of keys (PKCS#12: RFC 7292, section 4).
pub fn is_der(head: &[u8]) -> bool {
    let content = |length: &[u8]| match length {
        [short, ..] if *short < 0x80 => Some(1),
        [long, ..] if *long <= 0x84 => Some(1 + usize::from(long & 0x7f)),
        _ => None,
    };
    let Some([0x02, 0x01, version @ (0x00 | 0x01 | 0x03), inner @ ..]) =
        head.strip_prefix(b"\x30").and_then(|rest| rest.get(content(rest)?..))
    else {
        return false;
    };
    match inner {
        [0x30, length @ ..] => content(length).and_then(|at| length.get(at)) == Some(&0x06),
        _ if *version == 0x03 => false,
        [0x04, length, ..] => (20..0x80).contains(length),
        [0x02, length, ..] => *length >= 0x40,
        _ => false,
    }
}

/// Where a value stands.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Within {
    Nothing,
    /// Directly in a member `keys`: that may be a key, or have keys as its members.
    Keys,
    /// In an array of a member `keys`: a key, whatever else it says.
    Set,
}

/// Looks at a value while it is read, so that of a member that stands twice both are seen.
#[derive(Clone, Copy)]
struct Seek<'f> {
    within: Within,
    /// The text that the value stands in, if it is not there already.
    around: Option<Text<'f>>,
    found: &'f Cell<Option<Fault>>,
}

impl Seek<'_> {
    fn look<E: serde::de::Error>(&self, text: &str) -> Result<(), E> {
        self.check(self.around.map_or_else(|| refuse_text(text), |around| around.within(text)))
    }

    fn check<E: serde::de::Error>(&self, looked: Result<(), Fault>) -> Result<(), E> {
        looked.map_err(|fault| {
            self.found.set(Some(fault));
            E::custom("a private key")
        })
    }
}

impl<'de> DeserializeSeed<'de> for Seek<'_> {
    type Value = Said;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Said, D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// What an object is asked about a value of its own.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Said {
    Text,
    Oct,
    Other,
}

impl<'de> Visitor<'de> for Seek<'_> {
    type Value = Said;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Said, E> {
        Ok(Said::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Said, E> {
        Ok(Said::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Said, E> {
        Ok(Said::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Said, E> {
        Ok(Said::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Said, E> {
        Ok(Said::Other)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Said, E> {
        self.look(text)?;
        Ok(if text.eq_ignore_ascii_case("oct") { Said::Oct } else { Said::Text })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Said, A::Error> {
        let within = if self.within == Within::Nothing { Within::Nothing } else { Within::Set };
        while access.next_element_seed(Seek { within, ..self })?.is_some() {}
        Ok(Said::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Said, A::Error> {
        let mut key = Key { within: Some(self.within), ..Key::default() };
        while let Some(name) = access.next_key::<String>()? {
            self.look(&name)?;
            let within = match (&*name, self.within) {
                ("keys", _) | (_, Within::Keys) => Within::Keys,
                _ => Within::Nothing,
            };
            let said = access.next_value_seed(Seek { within, ..self })?;
            self.check(key.has(&name, said))?;
        }
        Ok(Said::Other)
    }
}

/// What an object is seen to have of a key.
#[derive(Default)]
struct Key {
    within: Option<Within>,
    is_typed: bool,
    is_symmetric: bool,
    is_named: bool,
    usual: usize,
    secret: Option<&'static str>,
    secret_text: Option<&'static str>,
}

impl Key {
    /// Takes one more member. Members come in any order.
    fn has(&mut self, name: &str, said: Said) -> Result<(), Fault> {
        self.is_typed |= matches!(name, "kty" | "crv");
        self.is_symmetric |= name == "kty" && said == Said::Oct;
        self.is_named |= NAMES.contains(&name);
        self.usual += usize::from(USUAL.contains(&name));
        if let Some(secret) = SECRET.into_iter().find(|secret| *secret == name) {
            self.secret = Some(secret);
            self.secret_text = self.secret_text.or(Some(secret).filter(|_| said != Said::Other));
        }
        if self.is_symmetric {
            return Err(PRIVATE.fault("a symmetric key (kty oct) stands there").hint(PUBLISHED));
        }
        let is_key = self.is_typed || self.usual >= USUAL_MIN || self.within == Some(Within::Set);
        let secret = match self.secret_text {
            _ if is_key => self.secret,
            text @ Some("k") if self.is_named => text,
            text if self.within == Some(Within::Keys) => text,
            _ => None,
        };
        secret.map_or(Ok(()), |name| {
            Err(PRIVATE.fault(format!("a JSON Web Key has the private member '{name}'")).hint(PUBLISHED))
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::base::bytes::base64url;

    const PEM: &str = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";

    /// A SubjectPublicKeyInfo in base64.
    const PUBLIC: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEBHBqOBTFYFjdAySjYN8pNgebkKMaGD4cu7NudviIMROj4IobVbjqDGlvX3fgPEIKgfHk4kro8ei1Lo69KSUG3w==";

    fn jws(header: &Value, payload: &Value) -> String {
        let part = |value: &Value| base64url(value.to_string().as_bytes());
        format!("{}.{}.AAAA", part(header), part(payload))
    }

    fn lines(digits: &str) -> String {
        let lines = digits.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap());
        lines.map(|line| format!("{line}\r\n")).collect()
    }

    #[test]
    fn a_private_key_is_found_however_it_is_written() {
        let key = json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "d": "SECRET"});
        let public = json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"});
        let body = |pem: &str| pem.lines().filter(|line| !line.starts_with('-')).collect::<String>();
        let set = json!({"keys": [key]});
        let header = json!({"alg": "ES256", "jwk": key});
        let nested = jws(&json!({"alg": "ES256"}), &json!({"delegation": jws(&header, &json!({}))}));
        for bad in [
            key.clone(),
            json!({"keys": [{"kid": "a", "k": "SECRET"}]}),
            json!({"keys": [{"k": "SECRET"}]}),
            json!({"kid": "a", "alg": "HS256", "k": "SECRET"}),
            json!({"x": "AA", "y": "AA", "d": "SECRET"}),
            json!({"n": "AA", "e": "AQAB", "p": "SECRET"}),
            json!({"kty": "OCT", "kid": "a"}),
            json!({"jwks": set.to_string()}),
            json!({"jwks": json!(set.to_string()).to_string()}),
            json!({"name": format!("see\n{PEM}")}),
            json!({"name": PEM.replace("PRIVATE", "ENCRYPTED PRIVATE")}),
            json!({"name": "-----BEGIN PGP PRIVATE KEY BLOCK-----"}),
            json!({"name": "age-secret-key-1QQQ"}),
            json!({PEM: 1}),
            json!([jws(&header, &json!({}))]),
            json!([jws(&json!({"alg": "ES256"}), &set)]),
            json!([nested]),
            json!({"protected": base64url(header.to_string().as_bytes())}),
            json!({"note": format!("key: {key}")}),
            json!({"note": format!("{key} ;")}),
            json!({"note": format!("{public} {key}")}),
            json!({"note": format!("\u{feff}{key}")}),
            json!({"note": format!("{{\"a\":{key},\"a\":1}}")}),
            json!({"note": format!("{}{key}{}", "[".repeat(130), "]".repeat(130))}),
            json!({"note": format!("{}{key}", "{\"a\":".repeat(300))}),
            json!({"note": format!("\"{}\"", key.to_string().replace('"', "\\\""))}),
            json!({"note": key.to_string().trim_end_matches('}')}),
            json!({"note": format!("{}.e30.AAAA", base64url(format!("\n {header}").as_bytes()))}),
            json!({"note": format!("{}==", base64url(format!("{header} ").as_bytes()))}),
            json!({"note": base64url(PEM.as_bytes())}),
            json!({"note": body(include_str!("../../tests/keys/p384.pem"))}),
            json!({"note": body(include_str!("../../tests/keys/rsa4096.pem"))}),
            json!({"alg": "HS256", "k": "SECRET"}),
            json!({"k": "SECRET", "kid": "a"}),
            json!({"keys": {"kid": "a", "k": "SECRET"}}),
            json!({"keys": {"a": {"d": "SECRET"}}}),
            json!({"keys": [[{"k": "SECRET"}]]}),
            json!({"name": PEM.replace("PRIVATE KEY", "PRIVATE  KEY")}),
            json!({"name": PEM.replace("PRIVATE KEY", "PRIVATE\u{a0}KEY ")}),
            json!({"name": PEM.replace("-----", "----")}),
            json!({"name": PEM.to_lowercase()}),
            json!({"name": PEM.replace("BEGIN PRIVATE", "BEGIN\nEC PRIVATE")}),
            json!({"name": "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nSECRET"}),
            json!({"note": lines(&base64url(format!("{{\"kty\":\"EC\",\"crv\":\"P-256\",\"{}\":0,\"d\":\"SECRET\"}}", "a".repeat(90)).as_bytes()))}),
            json!({"note": format!("see {}", key.to_string().replace('"', "\\\""))}),
            json!({"note": format!("see {}", key.to_string().replace('"', "\\\\\\\""))}),
            json!({"note": key.to_string().replace('"', "&quot;")}),
            json!({"note": key.to_string().replace('"', "&#34;")}),
            json!({"note": key.to_string().replace('"', "%22").replace('{', "%7B")}),
            json!({"note": key.to_string().replace('"', "'")}),
            json!({"note": base64url(b"\x30\x82\x0a\x00\x02\x01\x03\x30\x82\x09\x00\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01SECRET")}),
            json!({"name": "PuTTY-User-Key-File-3: x\nPrivate-Lines: 1\nSECRET"}),
        ] {
            let fault = refuse(&bad).expect_err(&bad.to_string());
            assert_eq!(fault.code(), &PRIVATE, "{bad}");
            assert!(!format!("{fault:?}").contains("SECRET"), "{fault:?}");
        }
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "how long it takes is what is tested")]
    fn what_takes_long_to_read_does_not() {
        let texts = ["{", "{\"a\":", "{\"a\":[", "{\"a\":\"", "\"", "eyJ", "ey.", "{\"a\":[{},"];
        for text in texts.map(|part| part.repeat(200_000 / part.len())) {
            let start = std::time::Instant::now();
            let refused = refuse_text(&text).err();
            assert!(refused.is_none_or(|fault| fault.message().contains("too deep")), "{}", &text[..9]);
            assert!(start.elapsed().as_secs() < 20, "{}", &text[..9]);
        }
        // Each text ends in an error, so that its objects are read again, and each of them holds the next text.
        let mut text = "\"x\"".to_owned();
        for _ in 0..6 {
            text = format!("{}{}!", "{\"a\":".repeat(120), Value::from(text));
            let start = std::time::Instant::now();
            assert!(refuse_text(&text).unwrap_err().message().contains("too deep"));
            assert!(start.elapsed().as_secs() < 5, "{} bytes", text.len());
        }
        let braces = format!("{}x ", "{\"a\":".repeat(100)).repeat(400);
        assert!(refuse_text(&braces).unwrap_err().message().contains("too deep"));
        let mut text = "AAAA".to_owned();
        for _ in 0..20 {
            text = base64url(format!("{{\"a\":\"{text}\"}}").as_bytes());
        }
        assert!(refuse_text(&text).unwrap_err().message().contains("too deep"));
    }

    #[test]
    fn what_only_looks_like_one_is_left_alone() {
        let public = json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "d"});
        for good in [
            public.clone(),
            json!({"keys": {"d": public, "k": public}}),
            json!({"note": format!("see {public} and {{ this: \"d\" }} {{{{")}),
            json!({"note": format!("[{}]", vec![public.to_string(); 500].join(","))}),
            json!({"note": format!("it's {{ \\\"not\\\" }} a {{\"key\": 'd', }} {}", "function f(a) { return {'a': a}; }\n".repeat(500))}),
            json!({"k": "a text", "use": "sig", "d": "another"}),
            json!({"note": "Write -- never send your PRIVATE KEY --, at the END of PRIVATE talks ----"}),
            json!({"x5c": [PUBLIC]}),
            json!({"keys": ["d", 1, null]}),
            json!({"claims": {"k": 1, "d": "x", "p": null}}),
            json!({"text": "{\"d\":", "other": "e.e.e", "more": "PRIVATE KEY", "pem": "-----BEGIN PUBLIC KEY-----"}),
            json!([jws(&json!({"alg": "ES256", "jwk": public}), &json!({"keys": [public]}))]),
        ] {
            refuse(&good).unwrap();
        }
    }
}
