//! What could be hidden from the review of metadata: entities where only some consumers look, what groups say of them, and
//! what stands outside them. All of it is refused, or compared and told.

use fedroot::artefact::{Verified, kind};
use fedroot::base::disk::Document;
use fedroot::key::PrivateKey;
use fedroot::policy::{Difference, Examined, Facts, Last};

use crate::rules::{
    AGGREGATE, PROFILE, entity, examined, examined_split, read_key, rules_of, service, signed, with_prepared,
};

const MISPLACED: &str = "saml.entity.misplaced";
const MD: &str = "xmlns='urn:oasis:names:tc:SAML:2.0:metadata'";
const NAMESPACES: &str = "xmlns:ds='http://www.w3.org/2000/09/xmldsig#' xmlns:dsig11='http://www.w3.org/2009/xmldsig11#' xmlns:mdrpi='urn:oasis:names:tc:SAML:metadata:rpi' xmlns:mdattr='urn:oasis:names:tc:SAML:metadata:attribute' xmlns:saml='urn:oasis:names:tc:SAML:2.0:assertion' xmlns:shibmd='urn:mace:shibboleth:metadata:1.0' xmlns:x='urn:x'";
const CATEGORY: &str = "https://example.org/category";

pub(crate) fn aggregate(content: &str) -> String {
    AGGREGATE.replace('@', content).replacen("ID=", &format!("{NAMESPACES} ID="), 1)
}

pub(crate) fn extensions(content: &str) -> String {
    format!("<Extensions>{content}</Extensions>")
}

pub(crate) fn group(name: &str, content: &str) -> String {
    format!("<EntitiesDescriptor Name='{name}'>{content}</EntitiesDescriptor>")
}

pub(crate) fn attributes(value: &str) -> String {
    format!(
        "<mdattr:EntityAttributes><saml:Attribute Name='http://macedir.org/entity-category'><saml:AttributeValue>{value}</saml:AttributeValue></saml:Attribute></mdattr:EntityAttributes>"
    )
}

pub(crate) fn authority(key: &str) -> String {
    format!("<shibmd:KeyAuthority><ds:KeyInfo>{key}</ds:KeyInfo></shibmd:KeyAuthority>")
}

/// An identity provider whose `ds:KeyInfo` says this.
pub(crate) fn provider(id: &str, key: &str) -> String {
    entity(
        id,
        &format!(
            "<IDPSSODescriptor protocolSupportEnumeration='urn:oasis:names:tc:SAML:2.0:protocol'><KeyDescriptor use='signing'><ds:KeyInfo>{key}</ds:KeyInfo></KeyDescriptor><SingleSignOnService Binding='urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect' Location='{id}sso'/></IDPSSODescriptor>"
        ),
    )
}

/// The key of everything here; how a certificate reads depends on nobody who signs.
pub(crate) struct World {
    pub(crate) signer: Box<dyn PrivateKey>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self { signer: read_key("p384") }
    }

    fn last(&self, text: &str) -> Last {
        signed(text, self.signer.as_ref(), PROFILE)
    }

    pub(crate) fn examined(&self, text: &str) -> Examined {
        examined(text, self.signer.as_ref(), PROFILE, None)
    }

    pub(crate) fn difference(&self, before: &str, after: &str) -> Difference {
        let last = self.last(before);
        examined(after, self.signer.as_ref(), PROFILE, Some(&last)).difference.unwrap().as_ref().clone()
    }

    /// A document, signed.
    pub(crate) fn finished(&self, text: &str) -> String {
        let mut out = Vec::new();
        with_prepared(text, (self.signer.as_ref(), PROFILE, None), None, |prepared| {
            let octets = prepared.octets().concat();
            let signature =
                self.signer.sign(prepared.scheme(), &octets, &mut fedroot::base::random::system()).unwrap();
            prepared.finish(&signature, &mut out).unwrap();
        });
        String::from_utf8(out).unwrap()
    }

    pub(crate) fn verified(&self, text: &str) -> Verified {
        let trust = [self.signer.public().unwrap()];
        let document = Document::from_bytes("signed", text.as_bytes().to_vec());
        kind("saml").unwrap().verify(&document, &trust).unwrap()
    }

    fn facts(&self, text: &str) -> Facts {
        with_prepared(text, (self.signer.as_ref(), PROFILE, None), None, |prepared| prepared.facts().clone())
    }

    /// The parts in which entities differ, and how many do.
    pub(crate) fn parts(&self, before: &str, after: &str) -> Vec<(&'static str, usize)> {
        self.difference(before, after).parts.into_iter().collect()
    }
}

#[test]
fn an_entity_that_only_some_consumers_find_is_refused() {
    let world = World::new();
    let (a, b) = (entity("https://a.example/", ""), entity("https://b.example/", ""));
    let within = |id: &str, content: &str| entity(id, content);
    let object = format!("<ds:Signature><ds:KeyInfo><ds:Object>{a}</ds:Object></ds:KeyInfo></ds:Signature>");
    for (name, content, entities) in [
        ("in the extensions of an entity", within("https://o.example/", &extensions(&a)) + &b, "2"),
        (
            "deep in them",
            within("https://o.example/", &extensions(&format!("<x:w><x:w>{a}</x:w></x:w>"))),
            "1",
        ),
        ("in the extensions of the root", extensions(&a) + &b, "1"),
        ("in a foreign element", format!("<x:old>{a}</x:old>{b}"), "1"),
        ("in an entity", within("https://o.example/", &a), "1"),
        ("in a role", within("https://o.example/", &service("https://o.example/acs", &extensions(&a))), "1"),
        ("in a signature", within("https://o.example/", &object), "1"),
        ("in a group in extensions", extensions(&group("g", &a)) + &b, "1"),
        ("a group in an entity", within("https://o.example/", &extensions(&group("g", ""))), "1"),
        ("in a group's extensions", group("g", &(extensions(&a) + &b)), "1"),
        (
            "by another prefix",
            within(
                "https://o.example/",
                &extensions("<m:EntityDescriptor xmlns:m='urn:oasis:names:tc:SAML:2.0:metadata'/>"),
            ),
            "1",
        ),
    ] {
        let text = aggregate(&content);
        assert!(rules_of(&world.examined(&text)).contains(MISPLACED), "{name}");
        let split = examined_split(&text, world.signer.as_ref(), PROFILE);
        assert!(rules_of(&split).contains(MISPLACED), "{name}, split");
        assert_eq!(world.facts(&text).value("entities"), Some(entities), "{name}");
    }
    for (name, content) in [
        ("groups in groups", group("g", &group("h", &a)) + &b),
        ("an entity of another namespace", extensions("<x:EntityDescriptor/>") + &a),
        (
            "a text that speaks of one",
            within("https://a.example/", &extensions("<x:t>&lt;EntityDescriptor/></x:t>")),
        ),
    ] {
        assert!(!rules_of(&world.examined(&aggregate(&content))).contains(MISPLACED), "{name}");
    }
    // what belongs to a role, without one, or a role in an entity's extensions
    let role = "<IDPSSODescriptor protocolSupportEnumeration='urn:oasis:names:tc:SAML:2.0:protocol'/>";
    let key = "<KeyDescriptor use='signing'/>";
    let endpoint = "<SingleSignOnService Binding='b' Location='https://evil.example/sso'/>";
    for astray in [role, key, endpoint] {
        for content in [
            extensions(astray),
            extensions(&format!("<x:w>{astray}</x:w>")),
            service("https://o.example/acs", &extensions(astray)),
            service("https://o.example/acs", &format!("<x:w>{astray}</x:w>")),
        ] {
            let text = aggregate(&entity("https://o.example/", &content));
            assert!(rules_of(&world.examined(&text)).contains(MISPLACED), "{content}");
        }
        assert!(
            rules_of(&world.examined(&aggregate(&(extensions(astray) + &a)))).contains(MISPLACED),
            "{astray}"
        );
    }
    let root = entity("https://r.example/", &extensions(&a)).replacen(' ', &format!(" {MD} "), 1);
    assert!(rules_of(&world.examined(&root)).contains(MISPLACED), "in a root that is an entity");
}

#[test]
fn an_entity_that_hides_behind_a_copy_of_itself_differs_and_one_that_is_moved_away_is_gone() {
    let world = World::new();
    let (old, b) =
        (provider("https://a.example/", "<ds:KeyName>old</ds:KeyName>"), entity("https://b.example/", ""));
    let outer = |key: &str| {
        let whole = provider("https://a.example/", key);
        whole.replacen('>', &format!(">{}", extensions(&format!("<x:w>{old}</x:w>"))), 1)
    };
    let (before, after) = (
        aggregate(&(outer("<ds:KeyName>old</ds:KeyName>") + &b)),
        aggregate(&(outer("<ds:KeyName>evil</ds:KeyName>") + &b)),
    );
    assert_eq!(world.parts(&before, &after), [("keys", 1)]);
    let difference = world.difference(&aggregate(&(old.clone() + &b)), &aggregate(&(extensions(&old) + &b)));
    assert_eq!((difference.before, difference.removed), (2, 1));
}

#[test]
fn verification_reports_an_entity_that_is_misplaced() {
    let world = World::new();
    let nested = entity("https://o.example/", &extensions(&entity("https://i.example/", "")));
    for (content, misplaced) in [(nested, 1), (entity("https://o.example/", ""), 0)] {
        let verified = world.verified(&world.finished(&aggregate(&content)));
        assert!(
            verified.coverage.contains(&("misplaced_entities", misplaced.into())),
            "{:?}",
            verified.coverage
        );
        assert_eq!(verified.facts.value("entities"), Some("1"));
    }
}

/// An aggregate with a group, and with something outside its entities.
fn with_groups() -> String {
    let published = "<mdrpi:PublicationInfo publisher='https://p.example' creationInstant='2026-11-22T11:00:00Z'></mdrpi:PublicationInfo>";
    aggregate(&(extensions(published) + &group("g", &entity("https://a.example/", ""))))
}

fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1)
}

#[test]
fn what_stands_outside_entities_is_compared_and_told() {
    let world = World::new();
    let before = with_groups();
    let changed = |from: &str, to: &str| replaced(&before, from, to);
    for (name, after, told) in [
        (
            "an attribute of the root",
            changed(" ID=", " x:y='new' ID="),
            "attribute y of EntitiesDescriptor in the root: new (",
        ),
        (
            "a foreign element",
            changed("</Extensions>", "<x:y z='1'>new</x:y></Extensions>"),
            "y in the root: z=1 new (",
        ),
        ("text", changed("</Extensions>", "</Extensions>new text"), "text in the root: new text ("),
        ("text in extensions", changed("</Extensions>", "new</Extensions>"), "text in the root: new ("),
        (
            "an attribute of extensions",
            changed("<Extensions>", "<Extensions y='new'>"),
            "attribute y of Extensions in the root: new (",
        ),
        ("an element of the root", changed("</Extensions>", "</Extensions><x:y/>"), "y in the root:"),
        (
            "a policy",
            changed("></mdrpi", "><mdrpi:UsagePolicy xml:lang='en'>new</mdrpi:UsagePolicy></mdrpi"),
            "PublicationInfo in the root: UsagePolicy lang=en new (",
        ),
        (
            "a group's name",
            changed("Name='g'", "Name='new'"),
            "attribute Name of EntitiesDescriptor in the group 'new': new (",
        ),
        (
            "a group's end",
            changed("Name='g'", "Name='g' validUntil='2026-11-30T00:00:00Z'"),
            "attribute validUntil of EntitiesDescriptor in the group 'g': 2026-11-30T00:00:00Z (",
        ),
        (
            "in a group",
            changed("Name='g'>", "Name='g'><Extensions><x:y/></Extensions>"),
            "y in the group 'g':",
        ),
        (
            "behind the entities",
            changed("</EntityDescriptor>", "</EntityDescriptor><x:y/>"),
            "y in the group 'g':",
        ),
        (
            "a key",
            changed("</Extensions>", &format!("{}</Extensions>", authority("<ds:KeyName>new</ds:KeyName>"))),
            "KeyAuthority in the root: KeyInfo KeyName new (",
        ),
    ] {
        let difference = world.difference(&before, &after);
        let added: Vec<_> = difference
            .facts
            .iter()
            .filter(|change| change.path == "outside entities")
            .flat_map(|change| &change.added)
            .collect();
        assert!(added.iter().any(|value| value.starts_with(told)), "{name}: {added:?}");
        let back = world.difference(&after, &before);
        assert!(
            back.facts.iter().any(|change| change.path == "outside entities" && !change.removed.is_empty()),
            "{name}"
        );
    }
}

#[test]
fn what_changes_nothing_outside_entities_is_no_change() {
    let world = World::new();
    let before = with_groups();
    let changed = |from: &str, to: &str| replaced(&before, from, to);
    // what has facts of its own is told once; white space, comments, prefixes and an ID are no change
    for (name, after, paths) in [
        ("itself", before.clone(), vec![]),
        ("when", changed("T11:00:00Z", "T11:30:00Z"), vec!["creationInstant"]),
        (
            "its number",
            before.replacen("creationInstant", "publicationId='7' creationInstant", 1),
            vec!["publicationId"],
        ),
        ("a comment", changed("<Extensions>", "<Extensions><!-- c -->\n  "), vec![]),
        ("an ID", changed("Name='g'", "Name='g' ID='_g'"), vec![]),
    ] {
        let difference = world.difference(&before, &after);
        let told: Vec<_> = difference.facts.iter().map(|change| change.path.as_str()).collect();
        assert_eq!((told, difference.changed), (paths, 0), "{name}");
    }
}

#[test]
fn very_many_things_outside_entities_are_told_by_a_digest() {
    let world = World::new();
    let many = |last: &str| {
        let things: String = (0..1_000).map(|n| format!("<x:y>{n}</x:y>")).collect();
        aggregate(&(extensions(&format!("{things}<x:z>{last}</x:z>")) + &entity("https://a.example/", "")))
    };
    assert!(world.difference(&many("1"), &many("1")).is_none());
    assert!(!world.difference(&many("1"), &many("2")).is_none());
    assert!(world.facts(&many("1")).values("outside entities").count() < 300);
    let long = |end: &str| {
        aggregate(
            &(extensions(&format!("<x:y>{}{end}</x:y>", "long ".repeat(50_000)))
                + &entity("https://a.example/", "")),
        )
    };
    assert!(!world.difference(&long("1"), &long("2")).is_none());
    assert!(world.facts(&long("1")).values("outside entities").all(|value| value.len() < 500));
}

#[test]
fn attributes_that_a_group_gives_are_judged_like_those_of_its_entities() {
    let world = World::new();
    let reserved =
        format!("{PROFILE}reserved = [{{ value = \"{CATEGORY}\", registrars = [\"https://r.example\"] }}]\n");
    let by = |registrar: &str| {
        entity(
            "https://a.example/",
            &extensions(&format!("<mdrpi:RegistrationInfo registrationAuthority='{registrar}'/>")),
        )
    };
    let given = extensions(&attributes(CATEGORY));
    let judged = |content: &str| {
        let found = examined(&aggregate(content), world.signer.as_ref(), &reserved, None);
        let finding =
            found.findings.into_iter().find(|finding| finding.rule.id == "saml.attributes.not-allowed");
        finding.map_or(0, |finding| finding.count)
    };
    let (mine, theirs) = (by("https://r.example"), by("https://other.example"));
    assert_eq!(judged(&(given.clone() + &theirs)), 1, "by the root");
    assert_eq!(judged(&group("g", &(given.clone() + &theirs))), 1, "by a group");
    assert_eq!(judged(&(given.clone() + &group("g", &group("h", &theirs)))), 1, "by a group above");
    assert_eq!(judged(&(given.clone() + &mine)), 0, "by the right one");
    assert_eq!(judged(&(group("g", &given) + &theirs)), 0, "by a group beside");
    // an element of that name ends no list
    let own = |value: &str| {
        let inner =
            attributes(value).replacen("<saml:Attribute ", "<x:EntityAttributes/><saml:Attribute ", 1);
        theirs.replacen("</Extensions>", &format!("{inner}</Extensions>"), 1)
    };
    assert_eq!(judged(&own(CATEGORY)), 1);
    assert_eq!(judged(&own("https://example.org/other")), 0);
    // what is said behind the entities was not known when they were judged
    let late = rules_of(&world.examined(&aggregate(&(theirs.clone() + &given))));
    assert!(late.contains(MISPLACED));
    let (before, after) = (aggregate(&theirs), aggregate(&(given + &theirs)));
    assert_eq!(world.parts(&before, &after), [("attributes", 1)]);
}
