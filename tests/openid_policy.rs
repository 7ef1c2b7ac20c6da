//! The metadata policy engine: every vector of the public set, our own cases, and the laws of merging.

use std::fs;

use fedroot::artefact::openid::{METADATA, MetadataPolicy, OPERATORS, POLICY};
use fedroot::base::fault::Fault;
use fedroot::format::json::{Map, Value};
use proptest::prelude::*;
use serde_json::json;

use crate::support::corpus;

fn policy(parameter: &Value) -> Result<MetadataPolicy, Fault> {
    MetadataPolicy::read(&json!({ "openid_provider": parameter }))
}

fn applied(policy: &MetadataPolicy, metadata: &Value) -> Result<Value, Fault> {
    let mut all = Map::from_iter([("openid_provider".to_owned(), metadata.clone())]);
    policy.apply(&mut all).map(|()| all["openid_provider"].clone())
}

/// JSON in which arrays are sets.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(all) => {
            let mut all: Vec<Value> = all.iter().map(sorted).collect();
            all.sort_by_key(Value::to_string);
            all.dedup();
            Value::Array(all)
        }
        Value::Object(all) => {
            let mut all: Vec<_> = all.iter().map(|(name, value)| (name.clone(), sorted(value))).collect();
            all.sort_by(|left, right| left.0.cmp(&right.0));
            Value::Object(all.into_iter().collect())
        }
        other => other.clone(),
    }
}

#[test]
fn every_vector_of_the_public_set_comes_out_as_it_says() {
    let Some(corpus) = corpus("2,019 metadata policy vectors") else { return };
    let name = "jose/oidf-policy/metadata-policy-test-vectors-2025-02-13.compact.json";
    let vectors: Vec<Value> = serde_json::from_slice(&fs::read(corpus.join(name)).unwrap()).unwrap();
    let (mut good, mut bad_policy, mut bad_metadata) = (0, 0, 0);
    for vector in &vectors {
        let both = policy(&vector["TA"]).and_then(|superior| superior.merge(&policy(&vector["INT"])?));
        let both = match both {
            Ok(both) => both,
            Err(fault) => {
                assert_eq!(
                    (fault.code(), vector["error"].as_str()),
                    (&POLICY, Some("invalid_policy")),
                    "{vector}"
                );
                bad_policy += 1;
                continue;
            }
        };
        assert_eq!(sorted(&both.to_value()["openid_provider"]), sorted(&vector["merged"]), "{vector}");
        match applied(&both, &vector["metadata"]) {
            Ok(resolved) => {
                assert_eq!(sorted(&resolved), sorted(&vector["resolved"]), "{vector}");
                good += 1;
            }
            Err(fault) => {
                assert_eq!(
                    (fault.code(), vector["error"].as_str()),
                    (&METADATA, Some("invalid_metadata")),
                    "{vector}"
                );
                bad_metadata += 1;
            }
        }
    }
    assert_eq!((vectors.len(), good, bad_policy, bad_metadata), (2019, 1253, 564, 202));
}

/// Each row: the superior's operators, the subordinate's, the value (null: absent), and what comes of it, or which fault.
#[test]
fn operators_do_what_the_table_says() {
    let none = Value::Null;
    for (superior, subordinate, given, expected) in [
        (json!({"value": "a"}), json!({}), json!("b"), Ok(json!("a"))),
        (json!({"value": "a"}), json!({}), none.clone(), Ok(json!("a"))),
        (json!({"value": null}), json!({}), json!("b"), Ok(none.clone())),
        (json!({"value": ["a", "b"]}), json!({"value": ["b", "a"]}), json!([]), Ok(json!(["a", "b"]))),
        (json!({"value": 1}), json!({"value": 2}), none.clone(), Err(&POLICY)),
        (json!({"add": ["a"]}), json!({"add": ["b"]}), none.clone(), Ok(json!(["a", "b"]))),
        (json!({"add": ["a"]}), json!({}), json!(["c", "a"]), Ok(json!(["c", "a"]))),
        (json!({"add": ["a"]}), json!({}), json!("c"), Err(&METADATA)),
        (json!({"default": "a"}), json!({}), none.clone(), Ok(json!("a"))),
        (json!({"default": "a"}), json!({}), json!("b"), Ok(json!("b"))),
        (json!({"default": "a"}), json!({"default": "b"}), none.clone(), Err(&POLICY)),
        (json!({"one_of": ["a", "b"]}), json!({"one_of": ["b", "c"]}), json!("b"), Ok(json!("b"))),
        (json!({"one_of": ["a", "b"]}), json!({"one_of": ["b", "c"]}), json!("a"), Err(&METADATA)),
        (json!({"one_of": ["a"]}), json!({}), none.clone(), Ok(none.clone())),
        (json!({"one_of": ["a"]}), json!({"one_of": ["b"]}), none.clone(), Err(&POLICY)),
        (json!({"subset_of": ["a", "b"]}), json!({}), json!(["b", "c"]), Ok(json!(["b"]))),
        (json!({"subset_of": ["a"]}), json!({"subset_of": ["b"]}), json!(["a"]), Ok(json!([]))),
        (
            json!({"superset_of": ["a"]}),
            json!({"superset_of": ["b"]}),
            json!(["b", "c", "a"]),
            Ok(json!(["b", "c", "a"])),
        ),
        (json!({"superset_of": ["a"]}), json!({"superset_of": ["b"]}), json!(["a"]), Err(&METADATA)),
        (json!({"superset_of": ["a"]}), json!({}), none.clone(), Ok(none.clone())),
        (json!({"essential": true}), json!({"essential": false}), none.clone(), Err(&METADATA)),
        (json!({"essential": false}), json!({"essential": true}), json!([]), Ok(json!([]))),
        (json!({"essential": true, "default": "x"}), json!({}), none.clone(), Ok(json!("x"))),
        (json!({"unheard_of": 5, "subset_of": ["a"]}), json!({}), json!(["a", "b"]), Ok(json!(["a"]))),
    ] {
        let case = format!("{superior} {subordinate} {given}");
        let given = if given.is_null() { json!({}) } else { json!({ "p": given }) };
        let result = policy(&json!({ "p": superior }))
            .and_then(|superior| superior.merge(&policy(&json!({ "p": subordinate }))?))
            .and_then(|both| applied(&both, &given))
            .map(|resolved| resolved["p"].clone());
        match (result, expected) {
            (Ok(value), Ok(expected)) => assert_eq!(value, expected, "{case}"),
            (Err(fault), Err(code)) => assert_eq!(fault.code(), code, "{case}"),
            (result, _) => panic!("{case}: {result:?}"),
        }
    }
}

#[test]
fn operators_that_must_not_stand_together_and_wrong_types_are_refused() {
    for bad in [
        json!({"value": ["a"], "add": ["b"]}),
        json!({"value": "a", "add": ["a"]}),
        json!({"value": null, "default": 1}),
        json!({"value": "a", "one_of": ["b"]}),
        json!({"value": ["a"], "subset_of": ["b"]}),
        json!({"value": ["a"], "superset_of": ["a", "b"]}),
        json!({"value": null, "essential": true}),
        json!({"value": null, "subset_of": ["a"]}),
        json!({"add": ["a"], "one_of": ["a"]}),
        json!({"add": ["a"], "subset_of": ["b"]}),
        json!({"one_of": ["a"], "subset_of": ["a"]}),
        json!({"one_of": ["a"], "superset_of": ["a"]}),
        json!({"one_of": []}),
        json!({"subset_of": ["a"], "superset_of": ["b"]}),
        json!({"add": "a"}),
        json!({"subset_of": "a"}),
        json!({"superset_of": {}}),
        json!({"one_of": "a"}),
        json!({"essential": "true"}),
        json!({"default": null}),
        json!({"add": [null]}),
        json!([]),
        json!("a"),
    ] {
        let fault = policy(&json!({ "p": bad })).expect_err(&bad.to_string());
        assert_eq!(fault.code(), &POLICY, "{bad}");
    }
    for bad in [json!([]), json!({"openid_provider": []}), json!(null)] {
        assert_eq!(MetadataPolicy::read(&bad).unwrap_err().code(), &POLICY, "{bad}");
    }
    for good in [
        json!({"value": null, "essential": false}),
        json!({"value": ["a", "b"], "add": ["a"], "subset_of": ["a", "b", "c"], "superset_of": ["b"], "default": ["x"]}),
        json!({"one_of": ["a"], "value": "a", "default": "a", "essential": true}),
        json!({}),
    ] {
        assert!(policy(&json!({ "p": good })).is_ok(), "{good}");
    }
    // Together they must not contradict each other either.
    let merged = policy(&json!({"p": {"subset_of": ["a"]}}))
        .unwrap()
        .merge(&policy(&json!({"p": {"add": ["b"]}})).unwrap());
    assert_eq!(merged.unwrap_err().code(), &POLICY);
}

#[test]
fn scope_is_a_set_of_words() {
    let scope =
        policy(&json!({"scope": {"subset_of": ["openid", "email"], "superset_of": ["openid"]}})).unwrap();
    assert_eq!(
        applied(&scope, &json!({"scope": "profile email openid"})).unwrap(),
        json!({"scope": "email openid"})
    );
    assert_eq!(applied(&scope, &json!({"scope": "email"})).unwrap_err().code(), &METADATA);
    let value =
        policy(&json!({"scope": {"value": "openid email", "subset_of": ["email", "openid", "x"]}})).unwrap();
    assert_eq!(applied(&value, &json!({})).unwrap(), json!({"scope": "openid email"}));
    assert!(policy(&json!({"scope": {"value": "openid phone", "subset_of": ["openid"]}})).is_err());
    let add = policy(&json!({"scope": {"add": ["offline_access"]}})).unwrap();
    assert_eq!(
        applied(&add, &json!({"scope": "openid"})).unwrap(),
        json!({"scope": "openid offline_access"})
    );
}

/// Whether a scope is written as a string or as an array, and in which order, says nothing; what comes out is a string.
#[test]
fn scope_comes_out_as_a_string_whatever_the_policy_writes() {
    let none = Value::Null;
    for (superior, subordinate, given, expected) in [
        (json!({"value": ["openid", "email"]}), json!({}), json!("x"), Ok(json!("openid email"))),
        (json!({"default": ["openid", "email"]}), json!({}), none.clone(), Ok(json!("openid email"))),
        (json!({"default": "openid"}), json!({}), json!("email  openid"), Ok(json!("email openid"))),
        (json!({"value": "a b"}), json!({"value": "b a"}), none.clone(), Ok(json!("a b"))),
        (json!({"value": "a b"}), json!({"value": ["b", "a"]}), none.clone(), Ok(json!("a b"))),
        (json!({"default": "a b"}), json!({"default": "b"}), none.clone(), Err(&POLICY)),
        (
            json!({"one_of": ["email openid", "x"]}),
            json!({}),
            json!("openid email"),
            Ok(json!("openid email")),
        ),
        (json!({"one_of": ["a b", "c"]}), json!({"one_of": ["b a"]}), json!("a b"), Ok(json!("a b"))),
        (json!({"one_of": ["a b", "c"]}), json!({"one_of": ["b a"]}), json!("c"), Err(&METADATA)),
        (json!({"one_of": ["a b", "c"], "value": "b a"}), json!({}), none.clone(), Ok(json!("b a"))),
        (json!({"one_of": ["a b"]}), json!({}), json!("a"), Err(&METADATA)),
        (json!({"subset_of": "openid email"}), json!({}), json!("x openid"), Ok(json!("openid"))),
        (json!({"superset_of": ["a b"]}), json!({}), json!("b a c"), Ok(json!("b a c"))),
        (json!({"add": ["b"]}), json!({}), json!(["a", "b"]), Ok(json!("a b"))),
        (json!({"value": null}), json!({}), json!("a"), Ok(none.clone())),
        (json!({"essential": true}), json!({}), json!("a a"), Ok(json!("a"))),
        (json!({"value": 5}), json!({}), none.clone(), Err(&POLICY)),
        (json!({"value": ["a", 5]}), json!({}), none.clone(), Err(&POLICY)),
        (json!({"one_of": [5]}), json!({}), none.clone(), Err(&POLICY)),
        (json!({"default": null}), json!({}), none.clone(), Err(&POLICY)),
        (json!({"subset_of": ["a"]}), json!({}), json!(5), Err(&METADATA)),
    ] {
        let case = format!("{superior} {subordinate} {given}");
        let given = if given.is_null() { json!({}) } else { json!({ "scope": given }) };
        let result = policy(&json!({ "scope": superior }))
            .and_then(|superior| superior.merge(&policy(&json!({ "scope": subordinate }))?))
            .and_then(|both| applied(&both, &given))
            .map(|resolved| resolved["scope"].clone());
        match (result, expected) {
            (Ok(value), Ok(expected)) => assert_eq!(value, expected, "{case}"),
            (Err(fault), Err(code)) => assert_eq!(fault.code(), code, "{case}"),
            (result, _) => panic!("{case}: {result:?}"),
        }
    }
    let told = policy(&json!({"scope": {"value": ["a", "b"], "one_of": ["b a"]}})).unwrap().to_value();
    assert_eq!(told, json!({"openid_provider": {"scope": {"value": "a b", "one_of": ["b a"]}}}));
}

/// A hostile statement with all the values that are read costs no more than so many.
#[test]
fn policies_over_long_arrays_take_no_longer_than_reading_them() {
    let many: Vec<String> = (0..40_000).map(|n| format!("v{n}")).collect();
    let start = std::time::Instant::now();
    for operators in [
        json!({"add": many}),
        json!({"superset_of": many}),
        json!({"subset_of": many}),
        json!({"value": many}),
    ] {
        let once = policy(&json!({ "p": operators })).unwrap();
        let both = once.merge(&once).unwrap();
        assert_eq!(applied(&both, &json!({ "p": many })).unwrap()["p"].as_array().unwrap().len(), 40_000);
    }
    let removed: Map<String, Value> =
        many.iter().map(|name| (name.clone(), json!({"value": null}))).collect();
    let given: Map<String, Value> = many.iter().map(|name| (name.clone(), json!(1))).collect();
    assert_eq!(applied(&policy(&removed.into()).unwrap(), &given.into()).unwrap(), json!({}));
    // It took minutes when each value was held against each other.
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}

#[test]
fn a_policy_for_a_type_that_is_not_there_says_nothing() {
    let policy = MetadataPolicy::read(&json!({"openid_relying_party": {"x": {"essential": true}}})).unwrap();
    assert_eq!(applied(&policy, &json!({"a": 1})).unwrap(), json!({"a": 1}));
}

fn words() -> impl Strategy<Value = Value> {
    prop::sample::subsequence(vec!["a", "b", "c"], 0..=3).prop_map(|words| json!(words))
}

fn operators() -> impl Strategy<Value = Value> {
    let value =
        || prop_oneof![words(), Just(json!("a")), Just(json!("b")), Just(json!(true)), Just(Value::Null)];
    let some = move |name: &'static str| match name {
        "value" | "default" => value().boxed(),
        "essential" => prop::bool::ANY.prop_map(Value::from).boxed(),
        _ => words().boxed(),
    };
    prop::sample::subsequence(OPERATORS.to_vec(), 0..=3).prop_flat_map(move |names| {
        let values: Vec<_> = names.iter().map(|name| some(name)).collect();
        values.prop_map(move |values| {
            names.iter().map(|name| (*name).to_owned()).zip(values).collect::<Value>()
        })
    })
}

fn policies() -> impl Strategy<Value = MetadataPolicy> {
    let parameter = prop::sample::select(vec!["p", "scope"]);
    (parameter, operators()).prop_filter_map("operators that may stand together", |(name, operators)| {
        policy(&json!({ name: operators })).ok()
    })
}

fn metadata() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!({})),
        words().prop_map(|words| json!({ "p": words, "scope": words })),
        Just(json!({"p": "a", "scope": "b a"}))
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// However a chain is grouped, it comes to the same policy, or to none.
    #[test]
    fn merging_is_associative((a, b, c) in (policies(), policies(), policies())) {
        let left = a.merge(&b).and_then(|ab| ab.merge(&c)).ok();
        let right = b.merge(&c).and_then(|bc| a.merge(&bc)).ok();
        prop_assert_eq!(left, right);
    }

    /// Saying the same twice changes nothing.
    #[test]
    fn merging_and_applying_are_idempotent((policy, metadata) in (policies(), metadata())) {
        prop_assert_eq!(policy.merge(&policy).unwrap(), policy.clone());
        prop_assert_eq!(policy.merge(&MetadataPolicy::default()).unwrap(), policy.clone());
        prop_assert_eq!(MetadataPolicy::default().merge(&policy).unwrap(), policy.clone());
        if let Ok(once) = applied(&policy, &metadata) {
            prop_assert_eq!(applied(&policy, &once).unwrap(), once);
        }
    }

    /// What is written is read again.
    #[test]
    fn a_policy_reads_as_it_is_written(policy in policies()) {
        prop_assert_eq!(MetadataPolicy::read(&policy.to_value()).unwrap(), policy);
    }
}
