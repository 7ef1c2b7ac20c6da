// The JDK's XML signatures (javax.xml.crypto.dsig) as a peer of the tests: many documents in one start.
//
// `java Jdk.java verify`, with a line DOCUMENT <tab> PUBLIC-KEY-PEM for each document, prints `ok` or `no REASON` for each.
// `java Jdk.java sign`, with a line DOCUMENT <tab> PKCS8-PEM <tab> SIGNATURE-URI <tab> DIGEST-URI <tab> OUTPUT for each.
// Secure validation is off, so that old algorithms are judged too; nothing outside the document is ever fetched.

import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.spec.KeySpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import javax.xml.crypto.KeySelector;
import javax.xml.crypto.URIDereferencer;
import javax.xml.crypto.URIReferenceException;
import javax.xml.crypto.dom.DOMCryptoContext;
import javax.xml.crypto.dsig.CanonicalizationMethod;
import javax.xml.crypto.dsig.Transform;
import javax.xml.crypto.dsig.XMLSignature;
import javax.xml.crypto.dsig.XMLSignatureFactory;
import javax.xml.crypto.dsig.dom.DOMSignContext;
import javax.xml.crypto.dsig.dom.DOMValidateContext;
import javax.xml.crypto.dsig.spec.C14NMethodParameterSpec;
import javax.xml.crypto.dsig.spec.TransformParameterSpec;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.transform.TransformerFactory;
import javax.xml.transform.dom.DOMSource;
import javax.xml.transform.stream.StreamResult;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;

public class Jdk {
    static final XMLSignatureFactory FACTORY = XMLSignatureFactory.getInstance("DOM");

    public static void main(String[] arguments) throws Exception {
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            String[] fields = line.split("\t");
            String verdict;
            try {
                verdict = arguments[0].equals("sign") ? sign(fields) : verify(fields[0], fields[1]);
            } catch (Exception | StackOverflowError problem) {
                verdict = "no " + String.valueOf(problem.getMessage()).replaceAll("\\s+", " ");
            }
            System.out.println(verdict);
        }
    }

    static String verify(String document, String key) throws Exception {
        Document parsed = parse(document);
        Element signature = signature(parsed);
        if (signature == null) {
            return "no signature";
        }
        DOMValidateContext context = new DOMValidateContext(KeySelector.singletonKeySelector(publicKey(key)), signature);
        context.setProperty("org.jcp.xml.dsig.secureValidation", Boolean.FALSE);
        stayInside(context, parsed);
        return FACTORY.unmarshalXMLSignature(context).validate(context) ? "ok" : "no value or digest";
    }

    static String sign(String[] fields) throws Exception {
        Document document = parse(fields[0]);
        Element root = document.getDocumentElement();
        DOMSignContext context = new DOMSignContext(privateKey(fields[1]), root, root.getFirstChild());
        context.setDefaultNamespacePrefix("ds");
        stayInside(context, document);
        List<Transform> transforms = List.of(
                FACTORY.newTransform(Transform.ENVELOPED, (TransformParameterSpec) null),
                FACTORY.newTransform(CanonicalizationMethod.EXCLUSIVE, (TransformParameterSpec) null));
        var digest = FACTORY.newDigestMethod(fields[3], null);
        var reference = FACTORY.newReference("#" + root.getAttribute("ID"), digest, transforms, null, null);
        var canonical =
                FACTORY.newCanonicalizationMethod(CanonicalizationMethod.EXCLUSIVE, (C14NMethodParameterSpec) null);
        var method = FACTORY.newSignatureMethod(fields[2], null);
        FACTORY.newXMLSignature(FACTORY.newSignedInfo(canonical, method, List.of(reference)), null).sign(context);
        TransformerFactory.newInstance().newTransformer().transform(
                new DOMSource(document), new StreamResult(new File(fields[4])));
        return "ok";
    }

    static Document parse(String path) throws Exception {
        DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
        factory.setNamespaceAware(true);
        factory.setFeature("http://xml.org/sax/features/external-general-entities", false);
        factory.setFeature("http://xml.org/sax/features/external-parameter-entities", false);
        factory.setFeature("http://apache.org/xml/features/nonvalidating/load-external-dtd", false);
        var builder = factory.newDocumentBuilder();
        builder.setErrorHandler(null);
        return builder.parse(new File(path));
    }

    /// The root's own signature, or else the first of the document.
    static Element signature(Document document) {
        for (Node child = document.getDocumentElement().getFirstChild(); child != null; child = child.getNextSibling()) {
            if (XMLSignature.XMLNS.equals(child.getNamespaceURI()) && "Signature".equals(child.getLocalName())) {
                return (Element) child;
            }
        }
        return (Element) document.getElementsByTagNameNS(XMLSignature.XMLNS, "Signature").item(0);
    }

    /// Makes every attribute that is an ID by name one, and refuses references to the outside.
    static void stayInside(DOMCryptoContext context, Document document) {
        NodeList elements = document.getElementsByTagName("*");
        for (int at = 0; at < elements.getLength(); at++) {
            Element element = (Element) elements.item(at);
            for (String name : List.of("ID", "Id", "id", "AssertionID")) {
                if (element.hasAttributeNS(null, name)) {
                    context.setIdAttributeNS(element, null, name);
                }
            }
        }
        URIDereferencer inside = FACTORY.getURIDereferencer();
        context.setURIDereferencer((reference, uses) -> {
            if (reference.getURI() == null || !(reference.getURI().isEmpty() || reference.getURI().startsWith("#"))) {
                throw new URIReferenceException("a reference to the outside: " + reference.getURI());
            }
            return inside.dereference(reference, uses);
        });
    }

    static PublicKey publicKey(String path) throws Exception {
        KeySpec spec = new X509EncodedKeySpec(der(path));
        Exception last = null;
        for (String kind : List.of("RSA", "EC", "DSA")) {
            try {
                return KeyFactory.getInstance(kind).generatePublic(spec);
            } catch (Exception problem) {
                last = problem;
            }
        }
        throw last;
    }

    static PrivateKey privateKey(String path) throws Exception {
        KeySpec spec = new PKCS8EncodedKeySpec(der(path));
        try {
            return KeyFactory.getInstance("RSA").generatePrivate(spec);
        } catch (Exception other) {
            return KeyFactory.getInstance("EC").generatePrivate(spec);
        }
    }

    static byte[] der(String path) throws Exception {
        String text = Files.readString(Path.of(path)).replaceAll("-----[A-Z ]+-----|\\s", "");
        return Base64.getDecoder().decode(text);
    }
}
