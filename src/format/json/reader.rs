//! The reader: UTF-8 without a byte order mark, one value and nothing behind it, no member twice at any depth, no half of
//! a surrogate pair, whole numbers of at most 2^53 - 1.

use std::cell::{Cell, RefCell};
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::{DUPLICATE, LIMIT, MALFORMED, NUMBER};
use crate::base::fault::{Code, Fault};
use crate::format::private;

/// The largest whole number that every reader holds exactly: 2^53 - 1 (RFC 8259, section 6).
pub const WHOLE_MAX: u64 = (1 << 53) - 1;
/// Longer names of members are not repeated in a message.
const NAME_CHARS_MAX: usize = 100;

/// Which numbers a text may hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Numbers {
    /// Whole numbers only, written without fraction and exponent.
    Whole,
    /// Fractions and exponents too: in documents of others, such as a NumericDate (RFC 7519, section 2).
    Any,
}

/// How much is read.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Octets of the text.
    pub bytes: usize,
    /// Objects and arrays within each other; more than 100 are never read.
    pub depth: usize,
    /// Values of any kind, at all depths together.
    pub values: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 4 << 20, depth: 32, values: 200_000 }
    }
}

/// Reads one JSON text. One that holds a private key is refused: only public keys come in.
///
/// # Errors
///
/// `json.malformed`, `json.duplicate`, `json.number`, `json.limit`, and `jwk.private`. Messages name members, never values.
pub fn read(text: &[u8], numbers: Numbers, limits: &Limits) -> Result<Value, Fault> {
    if text.len() > limits.bytes {
        return Err(LIMIT.fault(format!(
            "the JSON text has {} bytes, more than {}",
            text.len(),
            limits.bytes
        )));
    }
    if text.starts_with(b"\xef\xbb\xbf") {
        return Err(MALFORMED
            .fault("the JSON text begins with a byte order mark")
            .hint("save it without one"));
    }
    let text = std::str::from_utf8(text)
        .map_err(|e| MALFORMED.fault(format!("the JSON text is not UTF-8 after byte {}", e.valid_up_to())))?;
    let (values, code) = (Cell::new(limits.values), RefCell::new(&MALFORMED));
    let seed = Reading { numbers, depth: limits.depth.min(100), values: &values, code: &code };
    let mut json = serde_json::Deserializer::from_str(text);
    let read = seed.deserialize(&mut json).and_then(|value| json.end().map(|()| value));
    let value = read.map_err(|e| {
        let too_large = e.is_syntax() && e.to_string().starts_with("number out of range");
        let code = if too_large { &NUMBER } else { code.into_inner() };
        code.fault(format!("the JSON text cannot be read: {e}"))
    })?;
    private::refuse(&value)?;
    Ok(value)
}

/// Reads one JSON text that is an object.
///
/// # Errors
///
/// Those of [`read`], and `json.malformed` for any other value.
pub fn object(text: &[u8], numbers: Numbers, limits: &Limits) -> Result<Map<String, Value>, Fault> {
    match read(text, numbers, limits)? {
        Value::Object(members) => Ok(members),
        _ => Err(MALFORMED.fault("the JSON text is not an object")),
    }
}

/// Takes one value in. Copies go down with less depth left; what they count, they count together.
#[derive(Clone, Copy)]
struct Reading<'a> {
    numbers: Numbers,
    depth: usize,
    values: &'a Cell<usize>,
    code: &'a RefCell<&'static Code>,
}

impl Reading<'_> {
    fn refuse<T, E: de::Error>(self, code: &'static Code, why: impl fmt::Display) -> Result<T, E> {
        *self.code.borrow_mut() = code;
        Err(E::custom(why))
    }

    fn inner<E: de::Error>(self) -> Result<Self, E> {
        match self.depth.checked_sub(1) {
            Some(depth) => Ok(Self { depth, ..self }),
            None => self.refuse(&LIMIT, "too many objects and arrays within each other"),
        }
    }

    fn whole<E: de::Error>(self, magnitude: u64, number: impl Into<Number>) -> Result<Value, E> {
        if magnitude > WHOLE_MAX {
            return self.refuse(&NUMBER, "a whole number is above 2^53 - 1");
        }
        Ok(Value::Number(number.into()))
    }
}

impl<'de> DeserializeSeed<'de> for Reading<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        match self.values.get().checked_sub(1) {
            Some(left) => self.values.set(left),
            None => return self.refuse(&LIMIT, "too many values"),
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reading<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        self.whole(value, value)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        self.whole(value.unsigned_abs(), value)
    }

    // serde_json gives whole numbers beyond 64 bits, and -0, as floats: refused with the fractions.
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        match (self.numbers, Number::from_f64(value)) {
            #[expect(clippy::cast_precision_loss, reason = "2^53 - 1 is held exactly")]
            (Numbers::Any, Some(number)) if value.abs() <= WHOLE_MAX as f64 => Ok(Value::Number(number)),
            (Numbers::Any, _) => self.refuse(&NUMBER, "a number is above 2^53 - 1"),
            (Numbers::Whole, _) => self.refuse(&NUMBER, "a number is not a whole one of at most 2^53 - 1"),
        }
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: de::Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let (inner, mut values) = (self.inner()?, Vec::new());
        while let Some(value) = access.next_element_seed(inner)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let (inner, mut members) = (self.inner()?, Map::new());
        while let Some(name) = access.next_key::<String>()? {
            if members.contains_key(&name) {
                let is_shown = private::refuse_text(&name).is_ok();
                let shown: String = name.chars().take(NAME_CHARS_MAX).filter(|_| is_shown).collect();
                return self.refuse(&DUPLICATE, format!("the member '{shown}' stands twice in one object"));
            }
            let value = access.next_value_seed(inner)?;
            members.insert(name, value);
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn whole(text: &str) -> Result<Value, Fault> {
        read(text.as_bytes(), Numbers::Whole, &Limits::default())
    }

    fn any(text: &str) -> Result<Value, Fault> {
        read(text.as_bytes(), Numbers::Any, &Limits::default())
    }

    #[track_caller]
    fn refused(text: &str, code: &Code) {
        for read in [whole, any] {
            assert_eq!(read(text).expect_err(text).code(), code, "{text}");
        }
    }

    #[test]
    fn members_keep_their_order_and_texts_are_unescaped() {
        let value = whole(r#" {"z":[1,-2,true,null,{}],"a":"\u00e9\ud83d\udd11","A":""} "#).unwrap();
        assert_eq!(value.to_string(), r#"{"z":[1,-2,true,null,{}],"a":"é🔑","A":""}"#);
    }

    #[test]
    fn a_member_that_stands_twice_is_refused_at_any_depth_however_it_is_written() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":1}"#,
            r#"[{"b":{"x":0,"c":[],"x":0}}]"#,
            r#"{"":1,"":2}"#,
            r#"{"\ud83d\udd11":1,"🔑":2}"#,
        ] {
            refused(text, &DUPLICATE);
        }
        // Code point by code point, without normalisation: these are two names.
        assert!(whole("{\"\u{e9}\":1,\"e\u{301}\":2}").is_ok());
    }

    #[test]
    fn texts_that_are_not_json_are_refused() {
        for text in [
            "",
            " ",
            "{",
            "[1,]",
            "{\"a\":1,}",
            "{a:1}",
            "{'a':1}",
            "[1 2]",
            "01",
            "+1",
            ".5",
            "1.",
            "0x1",
            "1e",
            "NaN",
            "Infinity",
            "-",
            "nul",
            "tru",
            "True",
            "\"a",
            "\"\n\"",
            "\"\t\"",
            "\"\\x41\"",
            "\"\\u12\"",
            "[]]",
            "{}{}",
            "1 1",
            "null,",
            "[]\0",
            "// a\n1",
            "[1]/**/",
            "\"\\ud800\"",
            "\"\\udc00\"",
            "\"\\ud800\\u0041\"",
            "\"\\udc00\\ud800\"",
            "{\"\\ud800\":1}",
            "\u{feff}{}",
            "\u{a0}1",
            "\"\u{0}\"",
        ] {
            refused(text, &MALFORMED);
        }
        for bytes in
            [&b"\"\xff\""[..], b"\"\xed\xa0\x80\"", b"\"\xc0\x80\"", b"\xff\xfe1\0", b"\"\xf4\x90\x80\x80\""]
        {
            let fault = read(bytes, Numbers::Any, &Limits::default()).unwrap_err();
            assert_eq!(fault.code(), &MALFORMED, "{bytes:?}");
        }
    }

    #[test]
    fn whole_numbers_are_exact_or_refused() {
        let text = "[0,1,-1,9007199254740991,-9007199254740991]";
        assert_eq!(whole(text).unwrap().to_string(), text);
        for text in [
            "9007199254740992",
            "-9007199254740992",
            "18446744073709551615",
            "18446744073709551616",
            "-9223372036854775809",
            "1e999",
            "-1e999",
            "1e300",
            "123456789012345678901234567890",
        ] {
            refused(text, &NUMBER);
        }
        for text in ["1.0", "1.5", "1e2", "1E2", "-0", "-0.0", "1752246223.7172408", "0e0"] {
            assert_eq!(whole(text).unwrap_err().code(), &NUMBER, "{text}");
            assert!(any(text).unwrap().is_f64(), "{text}");
        }
        assert_eq!(any("1752246223.7172408").unwrap(), json!(1_752_246_223.717_240_8));
        // the nearest number, and not the one beside it: what is written anew has to say the same
        for text in ["1191.111121011106640854", "0.1000000000000000055511151231257827", "9007199254740991.4"]
        {
            assert_eq!(any(text).unwrap().as_f64(), text.parse().ok(), "{text}");
        }
    }

    #[test]
    fn size_depth_and_number_of_values_are_bounded() {
        let limits = Limits { bytes: 40, depth: 3, values: 5 };
        let small = |text: &str| read(text.as_bytes(), Numbers::Whole, &limits);
        assert!(small("[[[]]]").is_ok() && small("{\"a\":[{}]}").is_ok() && small("[1,2,3,4]").is_ok());
        for text in ["[[[[]]]]", "{\"a\":[{\"b\":{}}]}", "[1,2,3,4,5]", "[[[1,2,3]]]", &" ".repeat(41)] {
            assert_eq!(small(text).unwrap_err().code(), &LIMIT, "{text}");
        }
        let deep = "[".repeat(100_000);
        refused(&deep, &LIMIT);
        let unbounded = Limits { depth: usize::MAX, ..Limits::default() };
        assert_eq!(read(deep.as_bytes(), Numbers::Any, &unbounded).unwrap_err().code(), &LIMIT);
    }

    #[test]
    fn messages_do_not_repeat_values() {
        for text in [
            r#"{"d":"SECRET","d":"SECRET"}"#,
            r#"{"kty":"EC","d":"SECRET"}"#,
            "{\"PRIVATE KEY-----\\nSECRET\":1,\"PRIVATE KEY-----\\nSECRET\":1}",
            r#"{"d":"SECRET" "SECRET"}"#,
            r#"["SECRET",1.5]"#,
            "\"SECRET",
        ] {
            assert!(!whole(text).unwrap_err().message().contains("SECRET"), "{text}");
        }
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any_bool(),
            (-9_007_199_254_740_991_i64..=9_007_199_254_740_991).prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec((".{0,3}", inner), 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    fn any_bool() -> impl Strategy<Value = Value> {
        prop::bool::ANY.prop_map(Value::from)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(value in values()) {
            prop_assert_eq!(whole(&value.to_string()).unwrap(), value.clone());
            prop_assert_eq!(whole(&format!("{value:#}")).unwrap(), value);
        }

        #[test]
        fn what_is_taken_is_what_a_lax_reader_takes(text in r#"[\[\]{}:,"\\ud0-9a-f.e+ -]{0,24}"#) {
            if let Ok(value) = any(&text) {
                prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
            }
        }

        #[test]
        fn no_bytes_are_a_panic(bytes in prop::collection::vec(prop::num::u8::ANY, 0..64)) {
            let _ = read(&bytes, Numbers::Any, &Limits::default());
        }
    }
}
