"""signxml as a peer of the tests: many documents in one start.

`verify`: lines DOCUMENT <tab> CERTIFICATE-PEM. `sign`: lines DOCUMENT <tab> KEY-PEM <tab> CERTIFICATE-PEM <tab>
SIGNATURE-URI <tab> DIGEST-URI <tab> OUTPUT. Answers `ok`, or `no REASON`.
"""

import sys

from lxml import etree
from signxml import CanonicalizationMethod, SignatureConfiguration, XMLSigner, XMLVerifier

EXCLUSIVE = CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0
DS = "http://www.w3.org/2000/09/xmldsig#"


def read(path):
    with open(path, "rb") as file:
        return file.read()


def verify(document, certificate):
    root = etree.fromstring(read(document))
    config = SignatureConfiguration(location="./", expect_references=1)
    found = XMLVerifier().verify(
        root, x509_cert=read(certificate).decode(), id_attribute="ID", expect_config=config
    )
    if found.signed_xml.tag != root.tag or found.signed_xml.get("ID") != root.get("ID"):
        raise ValueError("something else than the root is signed")


def sign(document, key, certificate, method, digest, output):
    root = etree.fromstring(read(document))
    # the place of the signature: the first child
    root.insert(0, etree.Element(f"{{{DS}}}Signature", Id="placeholder", nsmap={"ds": DS}))
    signer = XMLSigner(signature_algorithm=method, digest_algorithm=digest, c14n_algorithm=EXCLUSIVE)
    signed = signer.sign(
        root,
        key=read(key),
        cert=read(certificate).decode(),
        reference_uri="#" + root.get("ID"),
        id_attribute="ID",
    )
    with open(output, "wb") as file:
        file.write(etree.tostring(signed, xml_declaration=True, encoding="UTF-8"))


for line in sys.stdin:
    try:
        {"verify": verify, "sign": sign}[sys.argv[1]](*line.rstrip("\n").split("\t"))
        print("ok")
    except Exception as problem:
        print("no", " ".join(f"{type(problem).__name__}: {problem}".split()))
