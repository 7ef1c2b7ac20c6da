#!/usr/bin/env python3
"""Makes private keys that must not be used, from the fixed keys in tests/keys: one defect each.

Run in this folder: python3 make.py. Needs openssl. The results are committed; nothing runs this in the tests.
"""
import random
import re
import subprocess

random.seed(2026)


def der(tag, body):
    length = len(body)
    if length < 128:
        head = bytes([length])
    else:
        size = length.to_bytes((length.bit_length() + 7) // 8, "big")
        head = bytes([0x80 | len(size)]) + size
    return bytes([tag]) + head + body


def integer(n):
    return der(2, n.to_bytes(n.bit_length() // 8 + 1, "big"))


def sequence(*parts):
    return der(0x30, b"".join(parts))


def pkcs8(algorithm, key):
    return sequence(integer(0), algorithm, der(4, key))


RSA = sequence(bytes.fromhex("06092a864886f70d010101"), b"\x05\x00")
P384 = sequence(bytes.fromhex("06072a8648ce3d0201"), bytes.fromhex("06052b81040022"))
P256_OID = bytes.fromhex("06082a8648ce3d030107")
N384 = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973


def rsa(n, e, d, p, q, dp, dq, qi, version=0, more=b""):
    return pkcs8(RSA, sequence(*map(integer, (version, n, e, d, p, q, dp, dq, qi)), more))


def rsa_from(p, q, e=65537):
    d = pow(e, -1, (p - 1) * (q - 1))
    return [p * q, e, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p)]


def is_prime(n):
    if any(n % small == 0 for small in (3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)):
        return False
    return all(pow(base, n - 1, n) == 1 for base in (2, 3, 65537))


def prime(start):
    while not (is_prime(start) and (start - 1) % 65537):
        start += 2
    return start


def top(bits):
    return random.getrandbits(bits) | 3 << (bits - 2) | 1


text = subprocess.run(
    ["openssl", "rsa", "-in", "../../keys/rsa4096.pem", "-noout", "-text"], capture_output=True, text=True, check=True
).stdout
field = lambda name: int(re.sub(r"[\s:]", "", re.search(name + r":\s*\n((?:\s+[0-9a-f:]+\n)+)", text).group(1)), 16)
p, q = field("prime1"), field("prime2")
good = rsa_from(p, q)
cases = {}


def spoilt(name, place, value):
    numbers = list(good)
    numbers[place] = value
    cases[name] = rsa(*numbers)


spoilt("rsa-exponent-3", 1, 3)
spoilt("rsa-exponent-even", 1, 65536)
spoilt("rsa-modulus-other", 0, good[0] + 2)
spoilt("rsa-private-exponent-other", 2, good[2] + 2)
spoilt("rsa-private-exponent-small", 2, 65537)
spoilt("rsa-prime-swapped", 3, q)
spoilt("rsa-dp-wrong", 5, good[5] + 2)
spoilt("rsa-dq-wrong", 6, good[6] + 2)
spoilt("rsa-qinv-wrong", 7, good[7] + 1)
spoilt("rsa-qinv-zero", 7, 0)
cases["rsa-primes-equal"] = rsa(p * p, 65537, good[2], p, p, good[5], good[5], 1)
cases["rsa-primes-close"] = rsa(*rsa_from(*(lambda a: (prime(a + 2), a))(prime(top(2048)))))
third = prime(top(1024)) * prime(top(1024))
while third.bit_length() != 2048 or (third - 1) % 65537 == 0 or (third * q).bit_length() != 4096:
    third = prime(top(1024)) * prime(top(1024))
cases["rsa-prime-composite"] = rsa(*rsa_from(third, q))
cases["rsa-2048-bits"] = rsa(*rsa_from(prime(top(1024)), prime(top(1024))))
cases["rsa-4095-bits"] = rsa(*rsa_from(prime(top(2048)), prime(random.getrandbits(2047) | 1 << 2046 | 1)))
cases["rsa-primes-of-unequal-length"] = rsa(*rsa_from(prime(top(2560)), prime(top(1536))))
cases["rsa-trailing-bytes"] = cases["rsa-dp-wrong"] and rsa(*good) + b"\x00"
cases["rsa-three-primes"] = rsa(*good, version=1, more=sequence(sequence(integer(3), integer(3), integer(3))))
cases["rsa-good"] = rsa(*good)


def scalar(n, length=48):
    return pkcs8(P384, sequence(integer(1), der(4, n.to_bytes(length, "big"))))


cases["p384-scalar-0"] = scalar(0)
cases["p384-scalar-1"] = scalar(1)
cases["p384-scalar-n-minus-1"] = scalar(N384 - 1)
cases["p384-scalar-n"] = scalar(N384)
cases["p384-scalar-above-n"] = scalar(N384 + 5)
cases["p384-scalar-short"] = scalar(random.getrandbits(256), 32)
cases["p384-scalar-long"] = scalar(random.getrandbits(380), 49)
ours = subprocess.run(
    ["openssl", "pkcs8", "-topk8", "-nocrypt", "-in", "../../keys/p384.pem", "-outform", "DER"], capture_output=True, check=True
).stdout
other = subprocess.run(
    ["openssl", "pkcs8", "-topk8", "-nocrypt", "-in", "../../keys/p384-other.pem", "-outform", "DER"], capture_output=True, check=True
).stdout
cases["p384-good"] = ours
cases["p384-point-of-another-key"] = ours[:-96] + other[-96:]
cases["p384-point-off-the-curve"] = ours[:-1] + bytes([ours[-1] ^ 1])
private = random.getrandbits(383).to_bytes(48, "big")
inner = sequence(integer(1), der(4, private), der(0xA0, P256_OID))
cases["p384-inner-curve-other"] = pkcs8(P384, inner)
cases["p384-curve-missing"] = pkcs8(sequence(bytes.fromhex("06072a8648ce3d0201")), sequence(integer(1), der(4, private)))
cases["p384-trailing-bytes"] = ours + b"\x00"
cases["p384-indefinite-length"] = b"\x30\x80" + ours[3:] + b"\x00\x00"
cases["ed25519"] = bytes.fromhex("302e020100300506032b657004220420") + bytes(32)
cases["empty"] = b""
cases["not-der"] = b"this is no key"

for name, body in cases.items():
    with open(name + ".der", "wb") as file:
        file.write(body)
print(len(cases), "keys")
