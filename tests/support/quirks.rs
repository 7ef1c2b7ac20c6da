//! The habits of others: the same document, written in other ways.

/// The same aggregate as somebody with other habits would write it: entities differ in line ends, quotes,
/// order, references, CDATA, instructions, default namespaces, superfluous and hiding declarations.
pub(crate) fn with_quirks(aggregate: &str) -> String {
    let mut parts = aggregate.split_inclusive("</md:EntityDescriptor>");
    let mut out = String::new();
    for (n, entity) in parts.by_ref().enumerate() {
        out += &match n % 8 {
            0 => entity.replace('\n', "\r\n"),
            1 => entity.replace(" Binding=\"", "\n\t Binding = '").replace("HTTP-POST\"", "HTTP-POST'").replace(
                "HTTP-Redirect\"",
                "HTTP-Redirect'",
            ),
            2 => entity.replace("&amp;", "&#38;").replace('έ', "&#x3AD;").replace(">Service ", "><![CDATA[Ser]]>vice&#x20;"),
            3 => {
                let (head, rest) = entity.split_once("<md:EntityDescriptor").unwrap();
                let inner = rest.replace("<md:", "<").replace("</md:", "</");
                format!("{head}<EntityDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\"{inner}")
            }
            4 => entity.replace("<ds:KeyInfo>", "<ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" xmlns:xs=\"urn:x\">"),
            5 => entity.replace("<md:KeyDescriptor", "<?pi  a\tb ?><!-- - --><md:KeyDescriptor"),
            6 => entity.replace(
                "<ds:X509Data>",
                "<ds:X509Data xmlns:md=\"urn:other\" md:a=\"&#xD;&#xA;&#9;\n\" xml:lang='&quot;' z='&gt;'><md:x xmlns=''/>",
            ),
            _ => entity.replace("service", "sërvice🔑").replace("\">", "\"\n>"),
        };
    }
    format!("{out}\n<?end?><!-- of the aggregate -->\n")
}
