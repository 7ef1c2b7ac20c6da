//! Metadata policies (OpenID Federation 1.0, section 6.1): the seven standard operators, how they combine, how a superior's
//! policy merges with its subordinate's, and what comes of a subject's metadata.
//!
//! Arrays are sets: their order says nothing, and is kept where it can be. Two strings are equal code point by code point.
//! `scope` is a string of words and counts as the set of them: it is one between reading and writing.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use super::{METADATA, POLICY};
use crate::base::fault::Fault;
use crate::format::json::{Map, Value};

/// The standard operators, in the order in which they are applied (section 6.1.3.1).
pub const OPERATORS: [&str; 7] =
    ["value", "add", "default", "one_of", "subset_of", "superset_of", "essential"];

/// The parameter that is a string of words with spaces between them and counts as an array (section 6.1.3.1).
const SCOPE: &str = "scope";

/// A policy: for each entity type, for each metadata parameter, operators that belong together.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct MetadataPolicy(BTreeMap<String, BTreeMap<String, Operators>>);

/// The operators of one parameter.
#[derive(Clone, Debug, Default)]
struct Operators {
    is_scope: bool,
    by_name: BTreeMap<usize, Value>,
}

impl MetadataPolicy {
    /// Reads the claim `metadata_policy`. Operators that the standard does not define are left out: nothing here
    /// understands one, so a critical one is refused before (`metadata_policy_crit`).
    ///
    /// # Errors
    ///
    /// `openid.policy`: not the shape of a policy, a wrong type of value, or operators that must not stand together.
    pub fn read(claim: &Value) -> Result<Self, Fault> {
        let mut policy = BTreeMap::new();
        for (entity_type, parameters) in members(claim, "metadata_policy")? {
            let mut own = BTreeMap::new();
            for (parameter, operators) in members(parameters, entity_type)? {
                let place = format!("{entity_type}.{parameter}");
                let operators = Operators::read(parameter, members(operators, &place)?);
                own.insert(parameter.clone(), operators.map_err(|fault| fault.at(place))?);
            }
            policy.insert(entity_type.clone(), own);
        }
        Ok(Self(policy))
    }

    /// What a superior's policy and its subordinate's come to together (section 6.1.3.1).
    ///
    /// # Errors
    ///
    /// `openid.policy` when they cannot both be kept.
    pub fn merge(&self, subordinate: &Self) -> Result<Self, Fault> {
        let mut merged = self.clone();
        for (entity_type, parameters) in &subordinate.0 {
            let own = merged.0.entry(entity_type.clone()).or_default();
            for (parameter, operators) in parameters {
                let both = match own.get(parameter) {
                    Some(superior) => superior
                        .merge(operators)
                        .map_err(|fault| fault.at(format!("{entity_type}.{parameter}")))?,
                    None => operators.clone(),
                };
                own.insert(parameter.clone(), both);
            }
        }
        Ok(merged)
    }

    /// Applies the policy to metadata: an object with an object for each entity type. A policy for a type that the
    /// metadata does not have says nothing.
    ///
    /// # Errors
    ///
    /// `openid.metadata` when the metadata does not keep the policy.
    pub fn apply(&self, metadata: &mut Map<String, Value>) -> Result<(), Fault> {
        for (entity_type, parameters) in &self.0 {
            let Some(own) = metadata.get_mut(entity_type) else { continue };
            let Value::Object(own) = own else {
                return Err(METADATA.fault(format!("the metadata of {entity_type} is not an object")));
            };
            let mut removed = HashSet::new();
            for (parameter, operators) in parameters {
                let place = || format!("{entity_type}.{parameter}");
                match operators.apply(own.get(parameter)).map_err(|fault| fault.at(place()))? {
                    Some(value) => drop(own.insert(parameter.clone(), value)),
                    None => drop(removed.insert(parameter.as_str())),
                }
            }
            own.retain(|parameter, _| !removed.contains(parameter.as_str()));
        }
        Ok(())
    }

    /// The policy as a claim.
    pub fn to_value(&self) -> Value {
        let written = |operators: &Operators| -> Value {
            let named = operators.by_name.iter().filter_map(|(at, value)| {
                Some(((*OPERATORS.get(*at)?).to_owned(), operators.told(*at, value)?))
            });
            Value::Object(named.collect())
        };
        let of_type = |parameters: &BTreeMap<String, Operators>| -> Value {
            Value::Object(parameters.iter().map(|(name, own)| (name.clone(), written(own))).collect())
        };
        Value::Object(self.0.iter().map(|(name, own)| (name.clone(), of_type(own))).collect())
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Arrays are sets.
impl PartialEq for Operators {
    fn eq(&self, other: &Self) -> bool {
        self.by_name.len() == other.by_name.len()
            && self
                .by_name
                .iter()
                .all(|(at, value)| other.by_name.get(at).is_some_and(|other| is_equal(value, other)))
    }
}

impl Eq for Operators {}

impl Operators {
    fn read(parameter: &str, given: &Map<String, Value>) -> Result<Self, Fault> {
        let mut operators = Self { is_scope: parameter == SCOPE, by_name: BTreeMap::new() };
        for (name, value) in given {
            let Some(at) = OPERATORS.iter().position(|own| own == name) else { continue };
            let value = operators.taken(name, value);
            operators.check_type(name, &value)?;
            operators.by_name.insert(at, value);
        }
        operators.check_combination()?;
        Ok(operators)
    }

    fn check_type(&self, name: &str, value: &Value) -> Result<(), Fault> {
        let is_right = match name {
            "essential" => value.is_boolean(),
            "value" if self.is_scope => value.is_null() || is_words(value),
            "one_of" if self.is_scope => value.as_array().is_some_and(|all| all.iter().all(is_words)),
            _ if self.is_scope => is_words(value),
            "value" => true,
            "default" => !value.is_null(),
            _ => value.is_array(),
        };
        let holds_null = value.as_array().is_some_and(|all| all.contains(&Value::Null));
        if is_right && !holds_null {
            return Ok(());
        }
        invalid(format!("the operator '{name}' has a value of the wrong type"))
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.by_name.get(&OPERATORS.iter().position(|own| *own == name)?)
    }

    fn is_essential(&self) -> bool {
        self.get("essential") == Some(&Value::Bool(true))
    }

    /// What an operator says, with scopes as sets of words.
    fn taken(&self, operator: &str, value: &Value) -> Value {
        match value {
            _ if !self.is_scope => value.clone(),
            Value::Array(all) if operator == "one_of" => all.iter().map(words).collect(),
            Value::String(all) if operator == "one_of" => {
                all.split(' ').map(|one| words(&one.into())).collect()
            }
            _ => words(value),
        }
    }

    /// The same as a claim has it.
    fn told(&self, operator: usize, value: &Value) -> Option<Value> {
        let is_one = |name: &&str| ["value", "default"].contains(name);
        match value.as_array() {
            Some(all) if self.is_scope && OPERATORS.get(operator)? == &"one_of" => {
                Some(all.iter().map(text_of).collect())
            }
            Some(_) if self.is_scope && OPERATORS.get(operator).is_some_and(is_one) => Some(text_of(value)),
            _ => Some(value.clone()),
        }
    }

    /// The set of an operator, where it is there.
    fn set_of(&self, name: &str) -> Option<Vec<Value>> {
        set(self.get(name)?)
    }

    /// Which operators may stand together, and when (section 6.1.3.1, table).
    fn check_combination(&self) -> Result<(), Fault> {
        let [add, subset, superset] = ["add", "subset_of", "superset_of"].map(|name| self.set_of(name));
        let one_of = self.set_of("one_of");
        if one_of.as_ref().is_some_and(Vec::is_empty) {
            return invalid("'one_of' is empty: nothing keeps it");
        }
        if one_of.is_some() {
            for (name, is_there) in
                [("add", add.is_some()), ("subset_of", subset.is_some()), ("superset_of", superset.is_some())]
            {
                if is_there {
                    return invalid(format!("'one_of' must not stand together with '{name}'"));
                }
            }
        }
        if let Some(value) = self.get("value") {
            let set = set(value);
            let within = |other: &Option<Vec<Value>>, fits: fn(&[Value], &[Value]) -> bool| {
                other.as_ref().is_none_or(|other| set.as_ref().is_some_and(|set| fits(set, other)))
            };
            let checks = [
                (within(&add, |set, add| is_subset(add, set)), "'add' is not part of 'value'"),
                (!(value.is_null() && self.get("default").is_some()), "'value' is null beside 'default'"),
                (one_of.is_none_or(|all| holds(&all, value)), "'value' is none of 'one_of'"),
                (within(&subset, is_subset), "'value' is not part of 'subset_of'"),
                (within(&superset, |set, all| is_subset(all, set)), "'value' lacks some of 'superset_of'"),
                (!(value.is_null() && self.is_essential()), "'value' is null and the parameter is essential"),
            ];
            if let Some((_, why)) = checks.iter().find(|(is_right, _)| !is_right) {
                return invalid(*why);
            }
        }
        if let Some(subset) = subset {
            if add.is_some_and(|add| !is_subset(&add, &subset)) {
                return invalid("'add' is not part of 'subset_of'");
            }
            if superset.is_some_and(|superset| !is_subset(&superset, &subset)) {
                return invalid("'superset_of' is not part of 'subset_of'");
            }
        }
        Ok(())
    }

    fn merge(&self, subordinate: &Self) -> Result<Self, Fault> {
        let mut merged = self.clone();
        for (at, theirs) in &subordinate.by_name {
            let name = OPERATORS.get(*at).copied().unwrap_or_default();
            let both = match self.by_name.get(at) {
                Some(ours) => merge_operator(name, ours, theirs)?,
                None => theirs.clone(),
            };
            merged.by_name.insert(*at, both);
        }
        merged.check_combination()?;
        Ok(merged)
    }

    /// What comes of a parameter's value.
    fn apply(&self, given: Option<&Value>) -> Result<Option<Value>, Fault> {
        let mut value = given.map(|given| if self.is_scope { words(given) } else { given.clone() });
        if let Some(assigned) = self.get("value") {
            value = Some(assigned.clone()).filter(|value| !value.is_null());
        }
        if let Some(add) = self.set_of("add") {
            let own = value.as_ref().map_or(Ok(vec![]), array)?;
            value = Some(Value::Array(union(&own, &add)));
        }
        value = value.or_else(|| self.get("default").cloned());
        if let (Some(all), Some(own)) = (self.set_of("one_of"), &value)
            && !holds(&all, own)
        {
            return breach("the value is none of 'one_of'");
        }
        if let (Some(all), Some(own)) = (self.set_of("subset_of"), &value) {
            value = Some(Value::Array(intersection(&array(own)?, &all)));
        }
        if let (Some(all), Some(own)) = (self.set_of("superset_of"), &value)
            && !is_subset(&all, &array(own)?)
        {
            return breach("the value lacks some of 'superset_of'");
        }
        if value.is_none() && self.is_essential() {
            return breach("the parameter is essential and absent");
        }
        Ok(value.map(|value| if self.is_scope { text_of(&value) } else { value }))
    }
}

fn merge_operator(name: &str, ours: &Value, theirs: &Value) -> Result<Value, Fault> {
    let sets = || (set(ours).unwrap_or_default(), set(theirs).unwrap_or_default());
    match name {
        "value" | "default" if is_equal(ours, theirs) => Ok(ours.clone()),
        "value" | "default" => invalid(format!("'{name}' is not what the superior says")),
        "essential" => Ok(Value::Bool(ours == &Value::Bool(true) || theirs == &Value::Bool(true))),
        "add" | "superset_of" => {
            let (ours, theirs) = sets();
            Ok(Value::Array(union(&ours, &theirs)))
        }
        _ => {
            let (ours, theirs) = sets();
            Ok(Value::Array(intersection(&ours, &theirs)))
        }
    }
}

fn array(value: &Value) -> Result<Vec<Value>, Fault> {
    set(value).ok_or_else(|| METADATA.fault("the value is not an array, as the policy wants it"))
}

/// The words of a scope, a string or an array of strings, each once; anything else as it is.
fn words(scope: &Value) -> Value {
    let texts: Option<Vec<&str>> = match scope {
        Value::String(text) => Some(vec![text]),
        Value::Array(all) => all.iter().map(Value::as_str).collect(),
        _ => None,
    };
    let Some(texts) = texts else { return scope.clone() };
    let words = texts.into_iter().flat_map(|text| text.split(' ')).filter(|word| !word.is_empty());
    Value::Array(union(&words.map(Value::from).collect::<Vec<_>>(), &[]))
}

fn is_words(value: &Value) -> bool {
    value.as_array().is_some_and(|all| all.iter().all(Value::is_string))
}

/// Words as the string that a scope is; anything else as it is.
fn text_of(words: &Value) -> Value {
    let texts: Option<Vec<&str>> = words.as_array().and_then(|all| all.iter().map(Value::as_str).collect());
    texts.map_or_else(|| words.clone(), |texts| texts.join(" ").into())
}

fn members<'a>(value: &'a Value, place: &str) -> Result<&'a Map<String, Value>, Fault> {
    value.as_object().ok_or_else(|| POLICY.fault(format!("{place} is not an object")))
}

fn invalid<T>(why: impl fmt::Display) -> Result<T, Fault> {
    Err(POLICY.fault(why.to_string()))
}

fn breach<T>(why: &str) -> Result<T, Fault> {
    Err(METADATA.fault(why))
}

/// A text that two values have in common when they are equal, and arrays are sets.
fn name(value: &Value) -> String {
    match value {
        Value::Array(all) => {
            let mut names: Vec<String> = all.iter().map(name).collect();
            names.sort_unstable();
            names.dedup();
            format!("[{}]", names.join(","))
        }
        Value::Object(_) => {
            let mut sorted = value.clone();
            sorted.sort_all_objects();
            sorted.to_string()
        }
        _ => value.to_string(),
    }
}

fn names(values: &[Value]) -> HashSet<String> {
    values.iter().map(name).collect()
}

fn is_equal(left: &Value, right: &Value) -> bool {
    name(left) == name(right)
}

/// An array as a set.
fn set(value: &Value) -> Option<Vec<Value>> {
    value.as_array().map(|all| union(all, &[]))
}

fn holds(set: &[Value], value: &Value) -> bool {
    set.iter().any(|own| is_equal(own, value))
}

fn is_subset(part: &[Value], whole: &[Value]) -> bool {
    let whole = names(whole);
    part.iter().all(|value| whole.contains(&name(value)))
}

fn intersection(ours: &[Value], theirs: &[Value]) -> Vec<Value> {
    let theirs = names(theirs);
    ours.iter().filter(|value| theirs.contains(&name(value))).cloned().collect()
}

fn union(ours: &[Value], theirs: &[Value]) -> Vec<Value> {
    let mut seen = HashSet::new();
    ours.iter().chain(theirs).filter(|value| seen.insert(name(value))).cloned().collect()
}
