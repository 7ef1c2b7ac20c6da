//! What could be hidden in a value or by a place: values that readers cut differently, instructions, the group of an entity,
//! another certificate for the same key, a registrar where nobody looks.

use crate::hidden::{World, aggregate, attributes, extensions, group, provider};
use crate::hidden_keys::{certificate, certificates};
use crate::rules::{PROFILE, entity, examined, examined_split, rules_of};

const MIXED: &str = "saml.text.mixed";

fn registered(by: &str) -> String {
    format!("<mdrpi:RegistrationInfo registrationAuthority='{by}'/>")
}

#[test]
fn a_value_that_readers_cut_differently_is_refused() {
    let world = World::new();
    let judged = |value: &str| {
        let text = aggregate(&entity("https://a.example/", &extensions(&attributes(value))));
        rules_of(&world.examined(&text)).contains(MIXED)
    };
    for value in [
        "https://c.example/<?cut?>.",
        "https://c.example/<x:y/>.",
        "https://c.example/<x:y>.</x:y>",
        "<x:y>https://c.example/</x:y>",
        "https://c.example/<x:y/><!-- c -->.",
        "https://c.example/<![CDATA[.]]>",
        "<![CDATA[https://c.example/]]>.",
        "<![CDATA[https://c.example/]]><![CDATA[.]]>",
        "<![CDATA[]]>https://c.example/",
        "<mdattr:EntityAttributes/>",
    ] {
        assert!(judged(value), "{value}");
    }
    for value in [
        "https://c.example/",
        "<![CDATA[https://c.example/]]>",
        " <![CDATA[a]b\r\n]]>\n ",
        "a&amp;b&#65;c",
        "",
    ] {
        assert!(!judged(value), "{value}");
    }
    let scope = |value: &str| {
        let scope = extensions(&format!("<shibmd:Scope>{value}</shibmd:Scope>"));
        let role = format!(
            "<IDPSSODescriptor protocolSupportEnumeration='urn:oasis:names:tc:SAML:2.0:protocol'>{scope}</IDPSSODescriptor>"
        );
        rules_of(&world.examined(&aggregate(&entity("https://a.example/", &role)))).contains(MIXED)
    };
    assert!(scope("victim.example<x:y>.a.example</x:y>") && !scope("a.example"));
}

#[test]
fn what_cuts_a_value_after_it_was_signed_is_reported() {
    let world = World::new();
    let scope = "<shibmd:Scope>victim.example.org</shibmd:Scope>";
    let signed = world.finished(&aggregate(&entity("https://a.example/", &extensions(scope))));
    for (value, comments, sections) in [
        ("victim.example.org", 0, 0),
        ("<![CDATA[victim.example.org]]>", 0, 0),
        ("<![CDATA[victim.ex]]>ample.org", 0, 1),
        ("victim.ex<![CDATA[ample.org]]>", 0, 1),
        ("<![CDATA[victim.ex]]><![CDATA[ample.org]]>", 0, 1),
        ("victim.ex<!-- -->ample.org", 1, 0),
        ("victim.ex<!-- --><![CDATA[ample.org]]>", 1, 1),
    ] {
        let cut = signed.replacen("victim.example.org", value, 1);
        let coverage = world.verified(&cut).coverage;
        for (name, count) in [("comments_in_values", comments), ("sections_in_values", sections)] {
            assert!(coverage.contains(&(name, count.into())), "{value}: {coverage:?}");
        }
    }
}

#[test]
fn an_address_is_no_script_wherever_it_stands() {
    let world = World::new();
    let script = "saml.endpoint.script";
    let policy = |name: &str, address: &str| {
        let (around, inside) =
            if name == "UsagePolicy" { ("PublicationInfo", name) } else { ("RegistrationInfo", name) };
        extensions(&format!(
            "<mdrpi:{around}><mdrpi:{inside} xml:lang='en'>{address}</mdrpi:{inside}></mdrpi:{around}>"
        ))
    };
    let role = |inside: &str| {
        let ui = "xmlns:mdui='urn:oasis:names:tc:SAML:metadata:ui'";
        entity(
            "https://a.example/",
            &format!(
                "<IDPSSODescriptor protocolSupportEnumeration='urn:oasis:names:tc:SAML:2.0:protocol'><Extensions {ui}>{inside}</Extensions></IDPSSODescriptor>"
            ),
        )
    };
    let a = entity("https://a.example/", "");
    let logo = |logo: &str| role(&format!("<mdui:UIInfo><mdui:Logo>{logo}</mdui:Logo></mdui:UIInfo>"));
    let places: [&dyn Fn(&str) -> String; 5] = [
        &|address| policy("UsagePolicy", address) + &a,
        &|address| entity("https://a.example/", &policy("RegistrationPolicy", address)),
        &|address| policy("RegistrationPolicy", address) + &a,
        &|address| {
            entity(
                "https://a.example/",
                &format!(
                    "<AdditionalMetadataLocation namespace='urn:x'>{address}</AdditionalMetadataLocation>"
                ),
            )
        },
        &|address| {
            role(&format!(
                "<mdui:DiscoHints><mdui:GeolocationHint>{address}</mdui:GeolocationHint></mdui:DiscoHints>"
            ))
        },
    ];
    for place in places {
        for address in ["javascript:x", "\n   \n  JavaScript:x", "data:text/html,x", "<![CDATA[vbscript:x]]>"]
        {
            let text = aggregate(&place(address));
            assert!(rules_of(&world.examined(&text)).contains(script), "{text}");
        }
        for address in ["https://a.example/javascript:x", "geo:52.1,4.3", ""] {
            let text = aggregate(&place(address));
            assert!(!rules_of(&world.examined(&text)).contains(script), "{text}");
        }
    }
    let found = |body: &str| rules_of(&world.examined(&aggregate(&logo(body)))).contains(script);
    let long = format!("data:image/svg+xml;base64,{}", "A".repeat(70_000));
    assert!(found("data:image/svg+xml,%3Csvg onload=%22x%22/%3E") && found(&long));
    assert!(!found("data:image/svg+xml,%3Csvg/%3E") && !found("data:image/png;base64,AAAA"));
}

#[test]
fn instructions_are_signed_and_so_they_are_compared() {
    let world = World::new();
    let in_entity = |content: &str| aggregate(&entity("https://a.example/", content));
    assert_eq!(world.parts(&in_entity("<?p a?>"), &in_entity("<?p b?>")), [("other", 1)]);
    assert_eq!(world.parts(&in_entity(""), &in_entity("<?p?>")), [("other", 1)]);
    let outside = |content: &str| aggregate(&(content.to_owned() + &entity("https://a.example/", "")));
    let difference = world.difference(&outside(""), &outside("<?p a?>"));
    let told: Vec<_> = difference.facts.iter().flat_map(|change| &change.added).collect();
    assert!(told.iter().any(|told| told.starts_with("instruction in the root: p a (")), "{told:?}");
    assert!(!world.difference(&outside("<?p a?>"), &outside("<?p b?>")).is_none());
    assert!(world.difference(&outside("<?p a?>"), &outside("<?p a?>")).is_none());
}

#[test]
fn the_groups_of_an_entity_are_told_and_compared() {
    let world = World::new();
    let [a, b] = ["https://a.example/", "https://b.example/"].map(|id| entity(id, ""));
    let two = |one: &str, one_says: &str, two: &str, other: &str, other_says: &str| {
        aggregate(
            &(group(one, &(extensions(one_says) + two)) + &group("plain", &(extensions(other_says) + other))),
        )
    };
    let before = two("trusted", "", &a, &b, "");
    let swapped = world.difference(&before, &two("trusted", "", &b, &a, ""));
    assert_eq!(swapped.parts.iter().collect::<Vec<_>>(), [(&"attributes", &2)]);
    let now = &swapped.entities[0].now;
    assert!(now.iter().any(|said| said.what == "in the group"), "{now:?}");
    assert_eq!(world.parts(&before, &two("other", "", &a, &b, "")), [("attributes", 1)], "another name");
    // Groups of one name, told apart by what they say.
    let same = |first: &str, second: &str| two("plain", "<x:y>1</x:y>", first, second, "<x:y>2</x:y>");
    assert_eq!(world.parts(&same(&a, &b), &same(&b, &a)), [("other", 2)]);
    assert!(world.difference(&same(&a, &b), &same(&a, &b)).is_none());
    let deep = |says: &str| aggregate(&group("g", &(extensions(says) + &group("h", &a))));
    assert_eq!(world.parts(&deep("<x:y>1</x:y>"), &deep("<x:y>2</x:y>")), [("other", 1)]);
}

#[test]
fn another_certificate_for_the_same_key_is_told() {
    let world = World::new();
    let [first, _] = certificates();
    let renewed = first.replacen("1FIg==", "1FJg==", 1);
    assert_ne!(first, renewed);
    let one = |body: &str| aggregate(&provider("https://a.example/", &certificate(body)));
    let difference = world.difference(&one(&first), &one(&renewed));
    assert_eq!(difference.parts.iter().collect::<Vec<_>>(), [(&"certificates", &1)], "the key is the same");
    let now = &difference.entities[0].now;
    assert!(now.iter().any(|said| said.part == "certificates" && said.what.contains("signing")), "{now:?}");
    let folded = first.replacen("MII", "MI\n  I", 1);
    assert!(world.difference(&one(&first), &one(&folded)).is_none(), "white space is no change");
}

#[test]
fn an_address_of_a_key_is_no_key() {
    let world = World::new();
    for address in ["<ds:RetrievalMethod URI='#k'/>", "<dsig11:KeyInfoReference URI='#k'/>"] {
        let text = aggregate(&provider("https://a.example/", address));
        assert!(rules_of(&world.examined(&text)).contains("saml.key.reference"), "{address}");
    }
}

#[test]
fn a_registrar_counts_where_consumers_look_for_it() {
    let world = World::new();
    let profile = format!("{PROFILE}registrars = [\"https://r.example\"]\n");
    let rules = |content: &str| {
        let found = examined(&aggregate(content), world.signer.as_ref(), &profile, None);
        let of_registrars = |rule: &&'static str| rule.starts_with("saml.registrar.");
        rules_of(&found).iter().copied().filter(of_registrars).collect::<Vec<_>>()
    };
    let (right, wrong) = (registered("https://r.example"), registered("https://other.example"));
    let [of_right, of_wrong] = [&right, &wrong].map(|by| extensions(by));
    let own = |content: &str| entity("https://a.example/", content);
    let missing = "saml.registrar.missing";
    assert!(rules(&own(&of_right)).iter().all(|rule| *rule != missing), "its own");
    assert!(rules(&(of_right.clone() + &own(""))).iter().all(|rule| *rule != missing), "that of the root");
    let nested = of_wrong.clone() + &group("g", &(of_right.clone() + &group("h", &own(""))));
    assert!(!rules(&nested).contains(&"saml.registrar.not-allowed"), "the innermost group counts");
    let overridden = of_right.clone() + &own(&of_wrong);
    assert!(rules(&overridden).contains(&"saml.registrar.not-allowed"), "its own counts before a group's");
    for elsewhere in [right.clone(), extensions(&format!("<x:y>{right}</x:y>"))] {
        assert!(rules(&own(&elsewhere)).contains(&missing), "{elsewhere}");
    }
    let in_group = of_right + &own("");
    let split = examined_split(&aggregate(&in_group), world.signer.as_ref(), PROFILE);
    assert!(rules_of(&split).contains("saml.split.group"));
    assert!(!rules_of(&split).contains("saml.split.extension"), "it is told once");
    let renamed = in_group.replacen("https://r.example", "https://s.example", 1);
    assert_eq!(world.parts(&aggregate(&in_group), &aggregate(&renamed)), [("registrar", 1)]);
}

#[test]
fn an_extension_of_a_group_that_no_entity_keeps_is_told_where_entities_are_split() {
    let world = World::new();
    let a = entity("https://a.example/", &extensions("<x:own/>"));
    let lost = |content: &str| {
        let split = examined_split(&aggregate(content), world.signer.as_ref(), PROFILE);
        let found = split.findings.into_iter().find(|finding| finding.rule.id == "saml.split.extension");
        let breaches = found.map(|found| found.breaches).unwrap_or_default();
        let names = breaches.iter().map(|breach| breach.detail.split(' ').next().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    let policy = "<mdrpi:PublicationInfo><mdrpi:UsagePolicy xml:lang='en'>https://p.example</mdrpi:UsagePolicy></mdrpi:PublicationInfo>";
    for (name, content, told) in [
        ("of the root", extensions(policy) + &a, &["mdrpi:PublicationInfo"][..]),
        ("of a group", group("g", &(extensions("<x:y><x:z/></x:y>text<x:w/>") + &a)), &["x:y", "x:w"]),
        ("of an entity", a.clone(), &[]),
        ("an empty one", extensions(" ") + &a, &[]),
    ] {
        assert_eq!(lost(&content), told, "{name}");
    }
    let whole = world.examined(&aggregate(&(extensions(policy) + &a)));
    assert!(!rules_of(&whole).contains("saml.split.extension"), "nothing gets lost of the whole");
}

#[test]
fn endpoints_scopes_and_roles_are_told_by_all_that_they_are() {
    let world = World::new();
    let saml = "urn:oasis:names:tc:SAML:2.0:protocol";
    let role = |name: &str, more: &str, inside: &str| {
        format!("<{name} protocolSupportEnumeration='{saml}'{more}>{inside}</{name}>")
    };
    let acs = |first: &str, second: &str| {
        let one = |n: u8, default: &str| {
            format!(
                "<AssertionConsumerService Binding='b' Location='https://a.example/{n}' index='{n}'{default}/>"
            )
        };
        aggregate(&entity(
            "https://a.example/",
            &role("SPSSODescriptor", "", &(one(1, first) + &one(2, second))),
        ))
    };
    let default = " isDefault='true'";
    assert_eq!(world.parts(&acs(default, ""), &acs("", default)), [("endpoints", 1)], "another default");
    let ordered = |first: &str, second: &str| {
        let one = |name: &str| {
            format!("<AssertionConsumerService Binding='b' Location='https://a.example/{name}'/>")
        };
        aggregate(&entity("https://a.example/", &role("SPSSODescriptor", "", &(one(first) + &one(second)))))
    };
    assert_eq!(
        world.parts(&ordered("1", "2"), &ordered("2", "1")),
        [("endpoints", 1)],
        "the first is the default"
    );
    let logout = |location: &str| {
        format!("<SingleLogoutService Binding='b' Location='https://a.example/{location}'/>")
    };
    let both = |idp: &str, sp: &str| {
        let roles = role("IDPSSODescriptor", "", &logout(idp)) + &role("SPSSODescriptor", "", &logout(sp));
        aggregate(&entity("https://a.example/", &roles))
    };
    assert_eq!(world.parts(&both("1", "2"), &both("2", "1")), [("endpoints", 1)], "of another role");
    let scoped = |idp: &str, authority: &str| {
        let scope = |value: &str| extensions(&format!("<shibmd:Scope>{value}</shibmd:Scope>"));
        let roles = role("IDPSSODescriptor", "", &scope(idp))
            + &role("AttributeAuthorityDescriptor", "", &scope(authority));
        aggregate(&entity("https://a.example/", &roles))
    };
    assert_eq!(world.parts(&scoped("a", "b"), &scoped("b", "a")), [("scopes", 1)], "of another role");
    let kind = |kind: &str| {
        let more = format!(" xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:type='x:{kind}'");
        aggregate(&entity("https://a.example/", &role("RoleDescriptor", &more, "")))
    };
    assert_eq!(world.parts(&kind("one"), &kind("other")), [("roles", 1)]);
    let shown = world.difference(&both("1", "2"), &both("2", "1"));
    let what: Vec<_> =
        shown.entities[0].now.iter().map(|said| format!("{} {}", said.what, said.value)).collect();
    let logout = [
        "IDPSSODescriptor SingleLogoutService https://a.example/2",
        "SPSSODescriptor SingleLogoutService https://a.example/1",
    ];
    assert_eq!(what, logout, "the role is told");
}

fn service(settings: &str, inside: &str) -> String {
    let name = "<Organization><OrganizationName xml:lang='en'>Name</OrganizationName></Organization>";
    aggregate(&entity(
        "https://a.example/",
        &format!(
            "<SPSSODescriptor protocolSupportEnumeration='urn:oasis:names:tc:SAML:2.0:protocol'{settings}>{inside}</SPSSODescriptor>{name}"
        ),
    ))
}

/// The one part in which the entity differs, and what is shown of it: nothing but values of this part.
fn shown(before: &str, after: &str) -> (&'static str, Vec<String>) {
    let difference = World::new().difference(before, after);
    let parts: Vec<_> = difference.parts.into_iter().collect();
    let [(part, 1)] = parts.as_slice() else { panic!("{parts:?}: {after}") };
    let now = &difference.entities[0].now;
    assert!(now.iter().all(|said| said.part == *part), "{now:?}");
    (part, now.iter().map(|said| format!("{} {}", said.what, said.value)).collect())
}

#[test]
fn what_a_role_is_and_what_it_wants_is_told() {
    let affiliation = |member: &str| {
        let role = format!(
            "<AffiliationDescriptor affiliationOwnerID='o'><AffiliateMember>{member}</AffiliateMember></AffiliationDescriptor>"
        );
        aggregate(&entity("https://a.example/", &role))
    };
    let requested = |name: &str| {
        service(
            "",
            &format!(
                "<AttributeConsumingService><RequestedAttribute Name='{name}'/></AttributeConsumingService>"
            ),
        )
    };
    let formats = |names: &[&str]| {
        let formats = names.iter().map(|name| format!("<NameIDFormat>{name}</NameIDFormat>"));
        service("", &formats.collect::<String>())
    };
    let setting = "SPSSODescriptor WantAssertionsSigned false";
    for (before, after, told) in [
        (formats(&[]), formats(&["one"]), "SPSSODescriptor NameIDFormat one"),
        (formats(&["one"]), formats(&["other"]), "SPSSODescriptor NameIDFormat other"),
        (formats(&["one", "other"]), formats(&["other", "one"]), "SPSSODescriptor NameIDFormat other"),
        (affiliation("one"), affiliation("other"), "AffiliationDescriptor AffiliateMember other"),
        (service("", ""), service(" WantAssertionsSigned='false'", ""), setting),
        (requested("one"), requested("other"), "SPSSODescriptor RequestedAttribute other"),
    ] {
        let (part, values) = shown(&before, &after);
        assert!(part == "roles" && values.iter().any(|value| value == told), "{part}: {values:?}");
    }
}

#[test]
fn what_people_read_is_told_and_for_what_is_not_told_apart_nothing_is_shown() {
    let named = |name: &str| {
        let name = format!("<ServiceName xml:lang='en'>{name}</ServiceName>");
        service("", &format!("<AttributeConsumingService index='1'>{name}</AttributeConsumingService>"))
    };
    let (part, values) = shown(&named("one"), &named("other"));
    assert_eq!(
        (part, &values[..]),
        ("texts", &["ServiceName en other", "OrganizationName en Name"].map(String::from)[..])
    );
    let hint = |value: &str| service("", &extensions(&format!("<x:hint>{value}</x:hint>")));
    assert_eq!(shown(&hint("one"), &hint("other")), ("other", vec![]));
    let scopes = |first: &str, second: &str| {
        let scope = |value: &str| format!("<shibmd:Scope>{value}</shibmd:Scope>");
        service("", &extensions(&(scope(first) + &scope(second))))
    };
    assert_eq!(shown(&scopes("a", "b"), &scopes("b", "a")), ("other", vec![]), "scopes have no order");
}

#[test]
fn what_cannot_be_seen_is_flagged_wherever_it_stands() {
    let world = World::new();
    let hidden = '\u{202e}';
    let contact = |inside: &str| {
        entity(
            "https://a.example/",
            &format!("<ContactPerson contactType='support'>{inside}</ContactPerson>"),
        )
    };
    for content in [
        contact(&format!("<Company>a{hidden}b</Company>")),
        contact(&format!("<SurName>a{hidden}b</SurName>")),
        entity("https://a.example/", &extensions(&format!("<x:y>a{hidden}b</x:y>"))),
        entity("https://a.example/", &extensions(&format!("<x:y z='a{hidden}b'/>"))),
        entity("https://a.example/", &extensions(&attributes(&format!("a{hidden}b")))),
        group(&format!("a{hidden}b"), &entity("https://a.example/", "")),
        extensions(&format!("<x:y>a{hidden}b</x:y>")) + &entity("https://a.example/", ""),
    ] {
        let found = world.examined(&aggregate(&content));
        let finding = found.findings.iter().find(|finding| finding.rule.id == "saml.text.invisible");
        assert!(finding.is_some_and(|it| it.breaches[0].detail.contains("U+202E")), "{content}");
    }
}

/// What belongs to a role, before all roles: it is judged, compared and told like that of a role, and said to be misplaced.
#[test]
fn what_belongs_to_a_role_is_looked_at_before_all_roles_too() {
    const DISCOVERY: &str = "xmlns:d='urn:oasis:names:tc:SAML:profiles:SSO:idp-discovery-protocol' Binding='urn:oasis:names:tc:SAML:profiles:SSO:idp-discovery-protocol' index='1'";
    let world = World::new();
    let discovery =
        |location: &str| extensions(&format!("<d:DiscoveryResponse {DISCOVERY} Location='{location}'/>"));
    let initiator = |location: &str| {
        let namespace = "urn:oasis:names:tc:SAML:profiles:SSO:request-init";
        extensions(&format!(
            "<r:RequestInitiator xmlns:r='{namespace}' Binding='{namespace}' Location='{location}'/>"
        ))
    };
    let passive = |location: &str| {
        let address = format!(
            "<w:EndpointReference xmlns:w='http://www.w3.org/2005/08/addressing'><w:Address>{location}</w:Address></w:EndpointReference>"
        );
        let namespace = "http://docs.oasis-open.org/wsfed/federation/200706";
        extensions(&format!(
            "<f:PassiveRequestorEndpoint xmlns:f='{namespace}'>{address}</f:PassiveRequestorEndpoint>"
        ))
    };
    let logo = |location: &str| {
        let namespace = "urn:oasis:names:tc:SAML:metadata:ui";
        extensions(&format!(
            "<u:UIInfo xmlns:u='{namespace}'><u:Logo height='1' width='1'>{location}</u:Logo></u:UIInfo>"
        ))
    };
    let id = "https://b.example.org/";
    let before = |inside: &str| aggregate(&entity(id, &(inside.to_owned() + &crate::rules::service(id, ""))));
    let within = |inside: &str| aggregate(&entity(id, &crate::rules::service(id, inside)));
    let forms: [&dyn Fn(&str) -> String; 4] = [&discovery, &initiator, &passive, &logo];
    for form in forms {
        for (location, rule) in
            [("javascript:alert(1)", "saml.endpoint.script"), ("https://b.example.org/x", "")]
        {
            let found = rules_of(&world.examined(&before(&form(location))));
            assert_eq!(found.contains("saml.endpoint.script"), rule == "saml.endpoint.script", "{found:?}");
            assert!(found.contains("saml.extension.misplaced"), "{}", form(location));
        }
    }
    for form in [&forms[0], &forms[1]] {
        let found = rules_of(&world.examined(&within(&form("https://b.example.org/ds"))));
        assert!(!found.contains("saml.extension.misplaced"), "{found:?}");
    }
    let moved = world.difference(
        &before(&discovery("https://b.example.org/ds")),
        &before(&discovery("https://evil.example/ds")),
    );
    assert_eq!(moved.entities[0].parts, ["endpoints"]);
    assert!(moved.entities[0].now.iter().any(|said| said.value == "https://evil.example/ds"), "{moved:?}");
}
