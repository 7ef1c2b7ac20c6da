//! The reader: what is well-formed, what is refused and where.

use super::*;

#[track_caller]
fn malformed(input: &str, part: &str) {
    refused(read(input.as_bytes(), Limits::default()), &MALFORMED, part);
}

#[track_caller]
fn wrong_namespace(input: &str, part: &str) {
    refused(read(input.as_bytes(), Limits::default()), &NAMESPACE, part);
}

fn start<T>(input: &str, look: impl Fn(StartTag<'_>) -> T) -> T {
    let mut reader = Reader::new(input.as_bytes(), Limits::default());
    loop {
        if let Event::Start(tag) = reader.next().unwrap().expect("a start tag") {
            return look(tag);
        }
    }
}

#[test]
fn documents_without_one_whole_root_are_refused() {
    malformed("", "line 1, column 1: there is no root element");
    malformed("\u{FEFF}", "no root element");
    malformed(" \n", "line 2, column 1: there is no root element");
    malformed("<!-- a -->", "no root element");
    malformed("<a>", "the document ends inside <a>");
    malformed("<a><b></b>", "the document ends inside <a>");
    malformed("<a", "ends inside markup");
    malformed("<a b='", "ends inside markup");
    malformed("<a></a", "ends inside markup");
    malformed("<a>&am", "ends inside markup");
    malformed("<a><![CDATA[x]]", "ends inside");
    malformed("<a/><!-- ", "ends inside markup");
    malformed("<a/><b/>", "line 1, column 5: a second root element");
    malformed("<a/>x", "text outside the root");
    malformed("x<a/>", "text outside the root");
    malformed("<a/>&#32;", "text outside the root");
    malformed("<![CDATA[ ]]><a/>", "'<!'");
    malformed("</a>", "end tag </a> where nothing is open");
}

#[test]
fn tags_that_do_not_nest_are_refused() {
    malformed("<a>\n<b>\n  </a></b>", "line 3, column 3: end tag </a> where </b> was expected");
    malformed("<a></ab>", "end tag </ab> where </a> was expected");
    malformed("<ab></a>", "end tag </a> where </ab> was expected");
    malformed("<a></a b='1'>", "more than its name");
    malformed("<a></a/>", "more than its name");
    malformed("<a></ a>", "end tag </> where </a> was expected");
}

#[test]
fn malformed_tags_are_refused() {
    malformed("<>", "where a name was expected");
    malformed("< a/>", "where a name was expected");
    malformed("<1a/>", "'1a' where a name was expected");
    malformed("<a:/>", "where a name was expected");
    malformed("<:a/>", "where a name was expected");
    malformed("<a:b:c xmlns:a='urn:a'/>", "':' in the tag <a:b>");
    malformed("<a\u{2000}/>", "where a name was expected");
    malformed("<a b/>", "attribute 'b' has no quoted value");
    malformed("<a b=c/>", "attribute 'b' has no quoted value");
    malformed("<a b='1'c='2'/>", "'c' in the tag <a>");
    malformed("<a b='<'/>", "'<' in an attribute value");
    malformed("<a b='&'/>", "'&' that begins no reference");
    malformed("<a b='&amp'/>", "'&' that begins no reference");
    malformed("<a / >", "where a name was expected");
    malformed("<a b='1' b='2'/>", "attribute 'b' given twice");
    malformed("<a b='1' d='' c='' b='2'/>", "attribute 'b' given twice");
    malformed("<a xmlns:p='urn:a' xmlns:q='urn:a' p:b='' q:b=''/>", "attribute 'q:b' given twice");
    malformed("<a xmlns:p='urn:a' xmlns:p='urn:b'/>", "'p' declared twice");
    malformed("<a xmlns='urn:a' xmlns='urn:b'/>", "declared twice");
}

#[test]
fn malformed_content_is_refused() {
    malformed("<a>]]></a>", "line 1, column 4: ']]>' in text");
    malformed("<a>xy]]]></a>", "']]>' in text");
    malformed("<a>& </a>", "'&' that begins no reference");
    malformed("<a>&;</a>", "'&' that begins no reference");
    malformed("<a>&#;</a>", "no character");
    malformed("<a>&#x;</a>", "no character");
    malformed("<a>&#X41;</a>", "no character");
    malformed("<a>&#+65;</a>", "no character");
    malformed("<a>&#0;</a>", "'&#0;' is no character of XML");
    malformed("<a>&#xB;</a>", "no character");
    malformed("<a>&#xD800;</a>", "no character");
    malformed("<a>&#xFFFE;</a>", "no character");
    malformed("<a>&#x110000;</a>", "no character");
    malformed("<a>&#99999999999;</a>", "no character");
    malformed("<a>x\u{0}</a>", "line 1, column 5: a character that XML forbids");
    malformed("<a>\u{1F}</a>", "forbids");
    malformed("<a>\u{FFFF}</a>", "forbids");
    malformed("<a b='\u{8}'/>", "forbids");
    malformed("<a><!-- -- --></a>", "'--' in a comment");
    malformed("<a><!-- ---></a>", "'--' in a comment");
    malformed("<a><!- x --></a>", "'<!'");
    malformed("<a><!ELEMENT a ANY></a>", "'<!'");
    malformed("<a><![cdata[x]]></a>", "'<!'");
}

#[test]
fn malformed_instructions_and_declarations_are_refused() {
    malformed("<a><?xml version='1.0'?></a>", "cannot be named 'xml'");
    malformed(" <?xml version='1.0'?><a/>", "cannot be named 'xml'");
    malformed("<?XML a?><a/>", "cannot be named 'XML'");
    malformed("<? x?><a/>", "where a name was expected");
    malformed("<?a:b x?><a/>", "cannot be named 'a:b'");
    malformed("<?a+?><a/>", "target is not a name");
    malformed("<?a x", "ends inside markup");
    malformed("<?xml version='1.1'?><a/>", "does not declare XML 1.0");
    malformed("<?xml encoding='UTF-8'?><a/>", "does not declare");
    malformed("<?xml version='1.0' standalone='maybe'?><a/>", "does not declare");
    malformed("<?xml version='1.0' standalone='yes' encoding='UTF-8'?><a/>", "does not declare");
    malformed("<?xml version=\"1.0'?><a/>", "does not declare");
    malformed("<?xml version='1.0'encoding='UTF-8'?><a/>", "does not declare");
    malformed("<?xml version='1.0'", "the XML declaration has no end");
}

#[test]
fn doctypes_and_foreign_entities_have_codes_of_their_own() {
    let limits = Limits::default();
    refused(read(b"<!DOCTYPE a><a/>", limits), &DOCTYPE, "line 1, column 1");
    refused(read(b"<a><!DOCTYPE a></a>", limits), &DOCTYPE, "");
    refused(read(b"<a>&nbsp;</a>", limits), &ENTITY, "'&nbsp;' is not declared");
    refused(read(b"<a b='&x;'/>", limits), &ENTITY, "line 1, column 7");
}

#[test]
fn encodings_other_than_utf_8_are_refused() {
    for bad in [
        &b"\xFF\xFE<\0a\0/\0>\0"[..],
        b"\xFE\xFF\0<\0a\0/\0>",
        b"<a>\xE9</a>",
        b"<a>\xC0\xAF</a>",
        b"<a>\xED\xA0\x80</a>",
        b"<a>\xF4\x90\x80\x80</a>",
        b"<a/>\xE2\x82",
        b"<?xml version='1.0' encoding='ISO-8859-1'?><a/>",
        b"<?xml version='1.0' encoding='UTF-16'?><a/>",
        b"<?xml version='1.0' encoding=''?><a/>",
        b"<?xml version='1.0' encoding='us-ascii'?><a>\xC3\xA9</a>",
    ] {
        refused(read(bad, Limits::default()), &ENCODING, "line 1");
    }
    for good in [
        "<?xml version='1.0' encoding='utf-8' standalone='no' ?><a>é</a>",
        "<?xml version=\"1.0\" encoding='US-ASCII'?><a/>",
    ] {
        read(good.as_bytes(), Limits::default()).unwrap();
    }
}

#[test]
fn namespace_rules_are_kept() {
    wrong_namespace("<p:a/>", "line 1, column 2: the prefix 'p' is not declared");
    wrong_namespace("<a p:b=''/>", "line 1, column 4: the prefix 'p' is not declared");
    wrong_namespace("<a><b xmlns:p='urn:p'/><p:c/></a>", "the prefix 'p' is not declared");
    wrong_namespace("<a xmlns:p=''/>", "'p' is bound to nothing");
    wrong_namespace("<a xmlns:xmlns='urn:a'/>", "xmlns cannot be declared");
    wrong_namespace("<xmlns:a/>", "'xmlns' is not declared");
    wrong_namespace("<a xmlns:xml='urn:a'/>", "'xml' cannot be bound");
    wrong_namespace("<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>", "'p' cannot be bound");
    wrong_namespace("<a xmlns='http://www.w3.org/XML/1998/namespace'/>", "cannot be bound");
    wrong_namespace("<a xmlns='http://www.w3.org/2000/xmlns/'/>", "cannot be bound");
    wrong_namespace("<a xmlns='relative'/>", "the namespace name 'relative' is no absolute URI");
    wrong_namespace("<a xmlns:p='../b:c'/>", "no absolute URI");
    wrong_namespace("<a xmlns:p='urn:a b'/>", "no absolute URI");
    wrong_namespace("<a xmlns:p='urn:a&amp;b'/>", "no absolute URI");
    for bad in [
        "urn:a%s",
        "urn:a%4",
        "urn:a#b#c",
        "http://a:b/",
        "http://a:/",
        "http://[::1]/",
        "1:a",
        ":a",
        "http://a@b@c",
    ] {
        wrong_namespace(&format!("<a xmlns:p='{bad}'/>"), "no absolute URI");
    }
    for good in
        ["urn:a%4Fb?c/d#e?f", "http://u:p@a:80", "http:", "x+y-z.1:", "file:///a", "http://a/:@!$'()*+,;=~"]
    {
        read(format!("<a xmlns:p=\"{good}\"/>").as_bytes(), Limits::default()).unwrap();
    }
    read(b"<a xmlns='relative'/>", Limits { unsound_namespaces: true, ..Limits::default() }).unwrap();
}

#[test]
fn limits_hold() {
    let limits = Limits {
        depth: 3,
        attributes: 3,
        namespaces: 4,
        name_bytes: 8,
        token_bytes: 64,
        unsound_namespaces: false,
    };
    let long = "x".repeat(100);
    for (bad, part) in [
        ("<a><a><a><a/></a></a></a>".to_owned(), "nested deeper than 3"),
        ("<a b='' c='' d='' e=''/>".into(), "more than 3 attributes"),
        ("<a xmlns='urn:a'><b xmlns:p='urn:a'><c xmlns:q='urn:a'/></b></a>".into(), "more than 4 namespace"),
        ("<abcdefghi/>".into(), "name longer than 8"),
        ("<a abcdefghi=''/>".into(), "name longer than 8"),
        (format!("<{long}/>"), "name longer than 8"),
        (format!("<a b='{long}'/>"), "longer than 64"),
        (format!("<a><!--{long}--></a>"), "longer than 64"),
        (format!("<a><?p {long}?></a>"), "longer than 64"),
        (format!("<a{}/>", " ".repeat(100)), "longer than 64"),
        (format!("<a></a{}>", " ".repeat(100)), "longer than 64"),
    ] {
        refused(read(bad.as_bytes(), limits), &LIMIT, part);
    }
    read(format!("<a>{long}<b/>{long}<!--{}--></a>", "x".repeat(50)).as_bytes(), limits).unwrap();
    read(format!("<a>{long}<![CDATA[{long}]]></a>{}", " ".repeat(100)).as_bytes(), limits).unwrap();
}

#[test]
fn a_failing_source_is_the_environments_fault() {
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("unplugged"))
        }
    }
    refused(Reader::new(Broken, Limits::default()).next().map(|_| ()), &READ, "unplugged");
}

#[test]
fn a_start_tag_tells_all_about_itself() {
    let input = "\u{FEFF}<?xml version='1.0'?>\n<!-- é --><p:a xmlns:p='urn:p'  xmlns='urn:d' b = \"x&#10;y\n\" p:c='1' ></p:a>";
    start(input, |tag| {
        assert_eq!((tag.name(), tag.prefix(), tag.local(), tag.namespace()), ("p:a", "p", "a", "urn:p"));
        assert!(tag.is("urn:p", "a") && !tag.is_empty() && tag.depth() == 0);
        assert_eq!(tag.declarations().collect::<Vec<_>>(), [("p", "urn:p"), ("", "urn:d")]);
        assert_eq!(
            [tag.in_scope("p"), tag.in_scope(""), tag.in_scope("q")],
            [Some("urn:p"), Some("urn:d"), None]
        );
        assert_eq!(tag.attribute("b"), Some("x\ny "));
        assert_eq!(tag.attribute("c"), None);
        assert_eq!(tag.attribute_ns("urn:p", "c"), Some("1"));
        let [b, c] = tag.attributes().collect::<Vec<_>>().try_into().unwrap();
        assert_eq!((&tag.raw()[b.range], &tag.raw()[b.value_range]), ("b = \"x&#10;y\n\"", "x&#10;y\n"));
        assert_eq!((&tag.raw()[c.range], c.namespace), ("p:c='1'", "urn:p"));
        let at = input.find("<p:a").unwrap() as u64;
        assert_eq!(tag.range(), at..at + tag.raw().len() as u64);
        assert_eq!(tag.position(), Position { line: 2, column: 11, offset: at });
    });
}

#[test]
fn events_come_in_order_with_their_places() {
    let mut reader = Reader::new(&b"<a>x<b/>\r\n&amp;<![CDATA[<]]></a ><?p  q?>"[..], Limits::default());
    let (mut seen, mut text) = (Vec::new(), String::new());
    while let Some(event) = reader.next().unwrap() {
        match event {
            Event::Start(tag) => seen.push(format!("+{} {} {:?}", tag.name(), tag.depth(), tag.range())),
            Event::End(tag) => {
                seen.push(format!("-{} {} {:?} {:?}", tag.name(), tag.depth(), tag.range(), tag.raw()));
            }
            Event::Text { text: piece, .. } => text += piece,
            Event::Instruction { target, data } => seen.push(format!("?{target} {data}")),
            Event::Comment(_) => unreachable!(),
        }
    }
    assert_eq!(seen, ["+a 0 0..3", "+b 1 4..8", "-b 1 8..8 \"\"", "-a 0 28..33 \"</a >\"", "?p q"]);
    assert_eq!(text, "x\n&<");
    assert!(reader.into_inner().is_empty());
}

#[test]
fn ids_are_told_apart() {
    let mut ids = Ids::default();
    assert!(ids.insert("a") && ids.insert("b") && !ids.insert("a"));
}

#[test]
fn codes_are_distinct() {
    let names = CODES.iter().map(|code| code.name).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(names.len(), CODES.len());
}

/// A document that is long enough for its tags to be remembered.
fn long(rest: &str) -> String {
    format!("<r xmlns:p='urn:x:0'>{}{rest}</r>", "<filler/>\n".repeat(20_000))
}

#[test]
fn a_tag_that_is_written_again_means_what_its_prefixes_mean_there() {
    let tag = "<p:b p:k=\"v\"/>";
    let far = format!("urn:x:{}", "too long to be remembered".repeat(20).replace(' ', "-"));
    // the same bindings in another order are others, and so are the same ones inside of another
    let written = [
        ("urn:x:0", String::new()),
        ("urn:x:1", "xmlns:p='urn:x:1'".into()),
        ("urn:x:2", "xmlns:p='urn:x:2'".into()),
        ("urn:x:1", "xmlns:p='urn:x:1' xmlns:q='urn:x:2'".into()),
        ("urn:x:1", "xmlns:q='urn:x:2' xmlns:p='urn:x:1'".into()),
        ("urn:x:2", "xmlns:q='urn:x:1' xmlns:p='urn:x:2'".into()),
        (far.as_str(), format!("xmlns:p='{far}'")),
    ];
    let once: String = written
        .iter()
        .map(|(_, declarations)| {
            let inner = format!("<a {declarations}>{tag}</a>");
            format!("{inner}<a xmlns:z='urn:x:z'>{inner}</a>")
        })
        .collect();
    let input = long(&once.repeat(3));
    let mut reader = Reader::new(input.as_bytes(), Limits::default());
    let mut met = Vec::new();
    while let Some(event) = reader.next().unwrap() {
        if let Event::Start(tag) = event
            && tag.local() == "b"
        {
            let attribute = tag.attributes().next().unwrap();
            assert_eq!((attribute.value, attribute.namespace), ("v", tag.namespace()));
            assert!(tag.is_empty());
            met.push(tag.namespace().to_owned());
        }
    }
    let expected: Vec<&str> = written.iter().flat_map(|(namespace, _)| [*namespace; 2]).collect();
    assert_eq!(met, expected.repeat(3));
}

#[test]
fn a_tag_that_is_written_again_is_refused_where_it_is_wrong() {
    let good = "<a xmlns:q='urn:x:1'><q:bcdefghi k=\"v\"></q:bcdefghi></a>";
    let input = long(&format!("{good}{good}\n<q:bcdefghi k=\"v\"></q:bcdefghi>"));
    wrong_namespace(&input, "line 20002, column 2: the prefix 'q' is not declared");
    let input = long("<bcdefghi k=\"v>w\"></bcdefghi><bcdefghi k=\"v></bcdefghi>\"/>");
    malformed(&input, "'<' in an attribute value");
}

#[test]
fn tags_that_are_written_again_are_canonical_as_before() {
    let form = Form::default();
    for tag in ["<bcdefgh  z='1' a=\"&lt;\n\"></bcdefgh>", "<p:bcdefghi z=\"1\"/>", "<b x='\">\"'/>"] {
        let once = canonical(format!("<r xmlns:p='urn:x:0'>{tag}</r>").as_bytes(), &form).unwrap();
        let once = once.trim_start_matches("<r>").trim_end_matches("</r>").to_owned();
        let many = canonical(long(&tag.repeat(3)).as_bytes(), &form).unwrap();
        assert!(many.ends_with(&format!("{}</r>", once.repeat(3))), "{tag}");
    }
}
