//! Canonical form: the vectors, and properties that hold for every document.

use proptest::prelude::*;

use super::*;

macro_rules! vector {
    ($case:literal, $file:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/c14n/", $case, "/", $file))
    };
}

macro_rules! vectors {
    ($form:expr, $($case:literal),* $(,)?) => {
        $({
            let ours = canonical(vector!($case, "input.xml").as_bytes(), &$form).unwrap();
            assert_eq!(ours, vector!($case, "expected.xml"), $case);
        })*
    };
}

fn with_prefixes(list: &str) -> Form {
    Form { prefixes: list.split_whitespace().map(str::to_owned).collect(), ..whole() }
}

#[test]
fn our_vectors() {
    vectors!(
        whole(),
        "astral",
        "attribute-normalisation",
        "attribute-order",
        "byte-order-mark",
        "cdata",
        "character-references",
        "comments",
        "crlf",
        "deep-alternation",
        "default-never-declared",
        "default-not-used",
        "default-undeclared",
        "empty-elements",
        "greater-than",
        "instructions",
        "names-outside-ascii",
        "namespace-order",
        "prefix-only-in-content",
        "sibling-declarations",
        "superfluous-declarations",
        "whitespace",
        "xml-attributes",
    );
}

#[test]
fn our_vectors_with_a_prefix_list() {
    vectors!(with_prefixes(vector!("prefix-list", "prefixes")), "prefix-list");
    vectors!(with_prefixes(vector!("prefix-list-default", "prefixes")), "prefix-list-default");
    vectors!(with_prefixes(vector!("prefix-list-unbound", "prefixes")), "prefix-list-unbound");
}

#[test]
fn signed_info_is_canonicalised_in_its_context() {
    let verified = super::dsig::verified(vector!("signed-info-in-context", "input.xml").as_bytes()).unwrap();
    assert_eq!(
        String::from_utf8(verified.signed_info).unwrap(),
        vector!("signed-info-in-context", "expected.xml")
    );
    assert_eq!(verified.digest, verified.signature.digest_value);
}

#[test]
fn an_element_alone_has_nothing_from_outside() {
    let input = b"<!-- a --><?p?>\n<r>x</r><?q?>";
    assert_eq!(canonical(input, &Form::default()).unwrap(), "<r>x</r>");
    assert_eq!(
        canonical(input, &Form { comments: true, ..whole() }).unwrap(),
        "<!-- a -->\n<?p?>\n<r>x</r>\n<?q?>"
    );
}

/// Documents with few names, so that declarations meet.
fn document() -> impl Strategy<Value = String> {
    let prefix = prop::sample::select(vec!["", "a:", "b:"]);
    let uri = prop::sample::select(vec!["urn:1", "urn:2"]);
    let text = prop::sample::select(vec![
        "",
        "x",
        "\r\n",
        "&#13;",
        "]]&gt;",
        "<![CDATA[&]]>",
        "<!-- c -->",
        "<?p  q?>",
        "é𐍈",
    ]);
    let leaf = text.prop_map(str::to_owned);
    let element = leaf.prop_recursive(6, 40, 4, move |inner| {
        let head = (prefix.clone(), prefix.clone(), prop::option::of((prefix.clone(), uri.clone())));
        (head, prop::collection::vec(inner, 0..4)).prop_map(|((name, attribute, declaration), inner)| {
            let declared =
                declaration.map_or(String::new(), |(prefix, uri)| match prefix.strip_suffix(':') {
                    Some(prefix) => format!(" xmlns:{prefix}='{uri}'"),
                    None => format!(" xmlns='{uri}'"),
                });
            format!("<{name}e {attribute}k='&lt;\n'{declared}  z=\"'\">{}</{name}e>", inner.concat())
        })
    });
    element.prop_map(|inner| format!("<?xml version='1.0'?><r xmlns:a='urn:1' xmlns:b='urn:0'>{inner}</r>"))
}

proptest! {
    #[test]
    fn the_canonical_form_of_a_canonical_form_is_itself(input in document()) {
        let once = canonical(input.as_bytes(), &whole()).unwrap();
        prop_assert_eq!(canonical(once.as_bytes(), &whole()).unwrap(), once);
    }

    #[test]
    fn nothing_makes_the_reader_panic(input in "[<>/!?a:='\"&#;\\[\\]\\- \r\nDé\u{FFFF}-]{0,60}") {
        let _ = canonical(input.as_bytes(), &whole());
    }

    #[test]
    fn no_damage_makes_the_reader_panic(input in document(), at in any::<prop::sample::Index>(), byte: u8) {
        let mut bytes = input.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = canonical(&bytes, &whole());
        let _ = super::dsig::verified(&bytes[..at]);
    }
}
