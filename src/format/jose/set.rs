//! Sets of JSON Web Keys (RFC 7517, section 5).

use std::collections::HashSet;

use serde_json::{Value, json};

use super::{JWK, Jwk, KIDS, UNSUPPORTED};
use crate::base::fault::Fault;

/// The keys of a set.
#[derive(Clone, Debug, Default)]
pub struct JwkSet {
    /// Those that can be used, in order.
    pub keys: Vec<Jwk>,
    /// Those of kinds that are not used here: RFC 7517 has them ignored, and they count for nothing but their `kid`.
    pub unused: Vec<Unused>,
}

/// A key that is not used here.
#[derive(Clone, Debug)]
pub struct Unused {
    /// Its name.
    pub kid: Option<String>,
    /// Why it is not used.
    pub why: Fault,
}

impl JwkSet {
    /// Reads `{"keys": […]}`. Other members are ignored.
    ///
    /// # Errors
    ///
    /// `jwk.malformed` when it is none, `jwk.duplicate-kid`, and those of [`Jwk::read`] but `jwk.unsupported`.
    pub fn read(value: &Value) -> Result<Self, Fault> {
        let keys = value.get("keys").and_then(Value::as_array);
        Self::read_keys(keys.ok_or_else(|| JWK.fault("a JWK set has no array 'keys'"))?)
    }

    /// Reads the array of keys itself.
    pub fn read_keys(keys: &[Value]) -> Result<Self, Fault> {
        let (mut set, mut kids) = (Self::default(), HashSet::new());
        for (n, value) in keys.iter().enumerate() {
            let kid = value.get("kid").and_then(Value::as_str);
            if let Some(kid) = kid.filter(|kid| !kids.insert(*kid)) {
                return Err(KIDS.fault(format!("two keys of a set have the kid '{kid}'")));
            }
            match Jwk::read(value) {
                Ok(jwk) => set.keys.push(jwk),
                Err(why) if why.code() == &UNSUPPORTED => {
                    set.unused.push(Unused { kid: kid.map(str::to_owned), why });
                }
                Err(fault) => return Err(fault.at(format!("key {}", n + 1))),
            }
        }
        Ok(set)
    }

    /// The key of this name.
    pub fn find(&self, kid: &str) -> Option<&Jwk> {
        self.keys.iter().find(|jwk| jwk.kid() == Some(kid))
    }

    /// The names of all keys, used or not.
    pub fn kids(&self) -> impl Iterator<Item = &str> {
        let used = self.keys.iter().filter_map(Jwk::kid);
        used.chain(self.unused.iter().filter_map(|unused| unused.kid.as_deref()))
    }

    /// A set as it is written.
    pub fn written(keys: &[Value]) -> Value {
        json!({ "keys": keys })
    }
}
