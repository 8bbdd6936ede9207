#!/usr/bin/env python3
"""Makes adapters/ibkr/testdata/oauth-vectors.json, the signatures and tokens that our OAuth 1.0a must agree with.

    pip install 'ibind[oauth]==0.2.2'       (Python 3.11 or later; `openssl` 3 on PATH)
    python3 scripts/oauth-vectors.py            makes new keys and writes the file
    python3 scripts/oauth-vectors.py --check    computes the file again from its own keys and compares

Every value is computed by ibind 0.2.2 of PyPI, whose users log in to IBKR with it; what openssl can compute too (RSA, HMAC,
Diffie-Hellman, the decryption) is compared with it here. The keys are made for this file alone and open nothing. They are
kept as bare base64 of their DER, so that nobody and no scanner takes them for keys of somebody.
"""
import argparse
import base64
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from Crypto.PublicKey import RSA
from ibind.oauth import oauth1a

TARGET = Path(__file__).resolve().parent.parent / "adapters" / "ibkr" / "testdata" / "oauth-vectors.json"
BASE = "https://api.ibkr.com/v1/api"
CONSUMER, TOKEN, REALM = "TESTCONS", "a1b2c3d4e5f6a7b8c9d0", "test_realm"
NONCE, TIMESTAMP = "Zk3vT0aQ9xLw2mBf", "1714489460"
CALLS = [
    ("GET", "/iserver/accounts", {}),
    ("GET", "/iserver/marketdata/snapshot", {"fields": "31,84,86", "conids": "265598,8314"}),
    ("GET", "/iserver/secdef/search", {"symbol": "BRK B", "name": "true"}),
    ("GET", "/trsrv/stocks", {"symbols": "Ü'(*)!~+&="}),
    ("POST", "/iserver/account/DU1234567/orders", {}),
    ("DELETE", "/iserver/account/DU1234567/order/1171486724", {}),
]


def openssl(*arguments, stdin=None):
    done = subprocess.run(["openssl", *arguments], input=stdin, capture_output=True)
    if done.returncode != 0:
        sys.exit(f"openssl {arguments[0]} failed: {done.stderr.decode()}")
    return done.stdout


def text64(raw):
    return base64.b64encode(raw).decode()


def new_keys(folder):
    """Two RSA keys and DH parameters, as IBKR's own portal asks for them, and a secret encrypted for one of them."""
    secret = bytes.fromhex(openssl("rand", "-hex", "24").decode().strip())
    keys = {}
    for name in ("signature", "encryption"):
        keys[name] = openssl("rsa", "-traditional", "-outform", "DER", stdin=openssl("genrsa", "2048"))
    (folder / "enc.der").write_bytes(keys["encryption"])
    # Searching a safe prime takes a minute or two.
    parameters_der = openssl("dhparam", "-outform", "DER", "2048")
    encrypted = openssl("pkeyutl", "-encrypt", "-keyform", "DER", "-inkey", str(folder / "enc.der"), stdin=secret)
    return {
        "note": "TEST KEYS, made by scripts/oauth-vectors.py for this file alone. They open nothing.",
        "signatureKeyDer": text64(keys["signature"]),
        "encryptionKeyDer": text64(keys["encryption"]),
        "dhParamDer": text64(parameters_der),
        "accessTokenSecret": text64(encrypted),
    }


def numbers_of(text):
    """The hex numbers of `openssl … -text` by their names, without the zero digits before them."""
    found, name = {}, ""
    for line in text.splitlines():
        if re.fullmatch(r"\s+([0-9a-f]{2}:)*[0-9a-f]{2}:?", line):
            found[name] = found.get(name, "") + line.strip().replace(":", "")
        else:
            name = line.strip().rstrip(":").split(":")[0].removesuffix("-key")
    return {name: digits.lstrip("0") for name, digits in found.items()}


def dh_numbers(der):
    text = openssl("dhparam", "-inform", "DER", "-text", "-noout", stdin=der).decode()
    return numbers_of(text)["P"], int(text.split("G:")[1].split()[0])


def check(what, mine, theirs):
    if mine != theirs:
        sys.exit(f"{what}: ibind and openssl do not agree")


def check_key_exchange(der, folder):
    """Two keys that openssl makes: each is ibind's challenge of its number, and their secret is what ibind's formula gives."""
    prime, generator = dh_numbers(der)
    (folder / "dh.pem").write_bytes(openssl("dhparam", "-inform", "DER", stdin=der))
    made = [openssl("genpkey", "-paramfile", str(folder / "dh.pem")) for _ in range(2)]
    texts = [numbers_of(openssl("pkey", "-text", "-noout", stdin=key).decode()) for key in made]
    for text in texts:
        check("the challenge", oauth1a.generate_dh_challenge(prime, text["private"], generator), text["public"])
    (folder / "a.pem").write_bytes(made[0])
    (folder / "b.pem").write_bytes(openssl("pkey", "-pubout", stdin=made[1]))
    derived = openssl("pkeyutl", "-derive", "-inkey", str(folder / "a.pem"), "-peerkey", str(folder / "b.pem"))
    shared = pow(int(texts[1]["public"], 16), int(texts[0]["private"], 16), int(prime, 16))
    check("the shared secret", shared, int.from_bytes(derived, "big"))


def parameters(method, extra=None):
    return {
        "oauth_consumer_key": CONSUMER, "oauth_nonce": NONCE, "oauth_signature_method": method,
        "oauth_timestamp": TIMESTAMP, "oauth_token": TOKEN, **(extra or {}),
    }


def header(fields, signature):
    return oauth1a.generate_authorization_header_string({**fields, "oauth_signature": signature}, REALM)


def exchange(keys, folder, random):
    """The request for a live session token, with a Diffie-Hellman number of our own."""
    prime, generator = dh_numbers(base64.b64decode(keys["dhParamDer"]))
    encryption = RSA.import_key(base64.b64decode(keys["encryptionKeyDer"]))
    signing = RSA.import_key(base64.b64decode(keys["signatureKeyDer"]))
    prepend = oauth1a.calculate_live_session_token_prepend(keys["accessTokenSecret"], encryption)
    (folder / "enc.der").write_bytes(base64.b64decode(keys["encryptionKeyDer"]))
    plain = openssl("pkeyutl", "-decrypt", "-keyform", "DER", "-inkey", str(folder / "enc.der"),
                    stdin=base64.b64decode(keys["accessTokenSecret"]))
    check("the access token secret", prepend, plain.hex())
    challenge = oauth1a.generate_dh_challenge(prime, random, generator)
    fields = parameters("RSA-SHA256", {"diffie_hellman_challenge": challenge})
    url = f"{BASE}/oauth/live_session_token"
    base = oauth1a.generate_base_string("POST", url, fields, prepend=prepend)
    signature = oauth1a.generate_rsa_sha_256_signature(base, signing)
    (folder / "sig.der").write_bytes(base64.b64decode(keys["signatureKeyDer"]))
    raw = openssl("dgst", "-sha256", "-keyform", "DER", "-sign", str(folder / "sig.der"), stdin=base.encode())
    check("the RSA signature", oauth1a.parse.unquote(signature), text64(raw))
    return prepend, {
        "prime": prime, "generator": generator, "prepend": prepend, "random": random, "challenge": challenge,
        "url": url, "baseString": base, "signature": oauth1a.parse.unquote(signature), "header": header(fields, signature),
    }


def token(prime, generator, prepend, random, theirs):
    """What both sides make of their numbers; `theirs` is the secret number of the other side."""
    response = oauth1a.generate_dh_challenge(prime, theirs, generator)
    live = oauth1a.calculate_live_session_token(prime, random, response, prepend)
    shared = pow(int(response, 16), int(random, 16), int(prime, 16))
    raw = shared.to_bytes(shared.bit_length() // 8 + 1, "big")
    mac = openssl("dgst", "-sha1", "-mac", "HMAC", "-macopt", f"hexkey:{raw.hex()}", "-binary", stdin=bytes.fromhex(prepend))
    check("the live session token", live, text64(mac))
    key = base64.b64decode(live).hex()
    signature = openssl("dgst", "-sha1", "-mac", "HMAC", "-macopt", f"hexkey:{key}", "-binary", stdin=CONSUMER.encode()).hex()
    if not oauth1a.validate_live_session_token(live, signature, CONSUMER):
        sys.exit("the signature of the live session token: ibind refuses what openssl computed")
    return {"bits": shared.bit_length(), "response": response, "liveSessionToken": live, "signature": signature}


def tokens(exchanged, prepend):
    """Shared secrets of each length that is written differently: with and without a sign byte, and shorter than the prime."""
    wanted = {"sign byte": lambda bits: bits == 2048, "none": lambda bits: 2040 < bits < 2048, "short": lambda bits: bits <= 2040}
    found, number = {}, 1
    prime, generator, random = exchanged["prime"], exchanged["generator"], exchanged["random"]
    while len(found) < len(wanted):
        theirs = format((1 << 255) + number, "x")
        response = pow(generator, int(theirs, 16), int(prime, 16))
        bits = pow(response, int(random, 16), int(prime, 16)).bit_length()
        for name, fits in wanted.items():
            if name not in found and fits(bits):
                found[name] = token(prime, generator, prepend, random, theirs)
        number += 1
    return [{"name": name, **found[name]} for name in wanted]


def calls(live):
    result = []
    for method, path, query in CALLS:
        fields = parameters("HMAC-SHA256")
        base = oauth1a.generate_base_string(method, BASE + path, fields, request_params=query)
        # ibind writes a space as a plus; RFC 5849 and ours say %20, which means the same to who decodes it once.
        base = base.replace("+", "%20")
        signature = oauth1a.generate_hmac_sha_256_signature(base, live)
        key = base64.b64decode(live).hex()
        mac = openssl("dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{key}", "-binary", stdin=base.encode())
        check("the HMAC", oauth1a.parse.unquote(signature), text64(mac))
        result.append({
            "method": method, "url": BASE + path, "query": query, "baseString": base,
            "signature": oauth1a.parse.unquote(signature), "header": header(fields, signature),
        })
    return result


def compute(keys, folder):
    check_key_exchange(base64.b64decode(keys["dhParamDer"]), folder)
    # A number whose challenge begins with a zero digit, which is not written.
    number = (1 << 255) + 12345
    prime, generator = dh_numbers(base64.b64decode(keys["dhParamDer"]))
    while pow(generator, number, int(prime, 16)).bit_length() > 2044:
        number += 1
    prepend, exchanged = exchange(keys, folder, format(number, "x"))
    made = tokens(exchanged, prepend)
    return {
        "testOnlyKeys": keys,
        "consumerKey": CONSUMER, "accessToken": TOKEN, "realm": REALM, "nonce": NONCE, "timestamp": TIMESTAMP,
        "exchange": exchanged, "tokens": made, "calls": calls(made[0]["liveSessionToken"]),
    }


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--check", action="store_true", help="compare with the file instead of writing it")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.parse_args().check:
            old = json.loads(TARGET.read_text())
            if compute(old["testOnlyKeys"], folder) != old:
                sys.exit(f"{TARGET.name} is not what ibind and openssl compute from its keys")
            print(f"{TARGET.name} agrees with ibind and openssl")
            return
        text = json.dumps(compute(new_keys(folder), folder), indent=2, ensure_ascii=False)
        TARGET.write_text(f"{text}\n")
        print(f"wrote {TARGET.name}")


if __name__ == "__main__":
    main()
