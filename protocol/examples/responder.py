"""A prover of pop.md without any of Holdfast's code, in nothing but Python's standard library.

    python3 responder.py check VECTORS      holds it against protocol/vectors/pop.json
    python3 responder.py live < session     opens a session's server-sent events and keeps them alive

A session is {"origin", "address", "cookies", "csrf", "stream", "jwk"}; `jwk` holds the private key,
which only an example can know. What the server says comes out, a line each. The curve is written out
below to be read: it takes its time from the key's bits, so it is not for production.
"""

import base64
import hashlib
import http.client
import json
import re
import secrets
import sys
import time

# P-256 (FIPS 186-5, SEC 2).
P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)


def add(one, other):
    if one is None or other is None:
        return one or other
    (x, y), (u, v) = one, other
    if x == u and (y + v) % P == 0:
        return None
    slope = (3 * x * x - 3) * pow(2 * y, -1, P) if x == u else (v - y) * pow(u - x, -1, P)
    third = (slope * slope - x - u) % P
    return third, (slope * (x - third) - y) % P


def times(factor, point):
    total = None
    while factor:
        total = add(total, point) if factor & 1 else total
        point, factor = add(point, point), factor >> 1
    return total


def digest(message):
    return int.from_bytes(hashlib.sha256(message.encode()).digest(), "big")


def sign(private, message):
    while True:
        k = secrets.randbelow(N - 1) + 1
        r = times(k, G)[0] % N
        s = pow(k, -1, N) * (digest(message) + r * private) % N
        if r and s:
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def verify(public, message, signature):
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    x, y = public
    on_curve = 0 <= x < P and 0 <= y < P and (y * y - x**3 + 3 * x - B) % P == 0
    if not on_curve or not 0 < r < N or not 0 < s < N:
        return False
    w = pow(s, -1, N)
    point = add(times(digest(message) * w % N, G), times(r * w % N, public))
    return point is not None and point[0] % N == r


def to_text(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def to_bytes(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def thumbprint(x, y):
    return to_text(hashlib.sha256(f'{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}'.encode()).digest())


NUMBER = r"(?:0|[1-9][0-9]{0,15})"
GROUP = "[0-9a-hjkmnp-tv-z]{4}"
REFUSALS = "relayed|stale|no-key"
GRAMMAR = [
    rf"challenge con_{GROUP}(?:-{GROUP}){{3}} {NUMBER} [!-~]{{1,128}} {NUMBER}",
    # 64 bytes: the last of 86 symbols has four bits that belong to no byte, and they are zero.
    rf"answer {NUMBER} [A-Za-z0-9_-]{{85}}[AQgw]",
    rf"refuse {NUMBER} (?:{REFUSALS})",
    r"ask",
    rf"proven {NUMBER} {NUMBER}",
    rf"held {NUMBER} (?:late|wrong|{REFUSALS})",
    rf"end {NUMBER}",
]
# The greatest that the numbers of a message may be.
MOST = {"proven": [2**53 - 1, 2**32 - 1], "end": [2**16 - 1]}


def parse(text):
    """The words of a control message, or None."""
    if len(text) > 256 or not any(re.fullmatch(form, text) for form in GRAMMAR):
        return None
    words = text.split(" ")
    numbers = [int(word) for word in words[1:] if re.fullmatch(NUMBER, word)]
    most = MOST.get(words[0], [2**53 - 1] * len(numbers))
    return words if all(number <= limit for number, limit in zip(numbers, most)) else None


def transcript(origin, connection, client_nonce, jkt, challenge):
    sequence, nonce, expiry = challenge[2:]
    return "\n".join(["holdfast-pop/1", origin, connection, client_nonce, sequence, nonce, expiry, jkt])


def check(path):
    def only(case, *names):
        assert sorted(case) == sorted(names), f"unknown: {sorted(set(case) ^ set(names))}"

    with open(path, encoding="utf-8") as file:
        vectors = json.load(file)
    only(vectors, "about", "transcripts", "messages", "not_messages")
    for case in vectors["transcripts"]:
        only(case, "origin", "client_nonce", "challenge", "jwk_x", "jwk_y", "thumbprint", "transcript",
             "signature", "verifies")
        x, y, jkt = case["jwk_x"], case["jwk_y"], case["thumbprint"]
        assert thumbprint(x, y) == jkt, jkt
        words = parse(case["challenge"])
        text = transcript(case["origin"], words[1], case["client_nonce"], jkt, words)
        assert text == case["transcript"], text
        public = tuple(int.from_bytes(to_bytes(half), "big") for half in (x, y))
        assert verify(public, text, to_bytes(case["signature"])) == case["verifies"], case["signature"]
    for case in vectors["messages"]:
        only(case, "text")
        assert parse(case["text"]), case["text"]
    for case in vectors["not_messages"]:
        only(case, "text", "why")
        assert parse(case["text"]) is None, case["why"]


def live(session):
    origin, jwk = session["origin"], session["jwk"]
    private = int.from_bytes(to_bytes(jwk["d"]), "big")
    host = session.get("address", origin.split("//")[1])
    headers = {"Cookie": session["cookies"], "Sec-Fetch-Site": "same-origin"}
    writing = headers | {"Origin": origin, "X-CSRF-Token": session["csrf"]}
    client_nonce, nonce = to_text(secrets.token_bytes(32)), None

    def post(path, kind, body, more=None):
        nonlocal nonce
        wire = http.client.HTTPConnection(host)
        wire.request("POST", path, body, writing | {"Content-Type": kind} | (more or {}))
        answer = wire.getresponse()
        nonce = answer.headers.get("DPoP-Nonce", nonce)
        return answer.status, answer.read().decode()

    def proof(path):
        public = {"kty": "EC", "crv": "P-256", "x": jwk["x"], "y": jwk["y"]}
        head = {"typ": "dpop+jwt", "alg": "ES256", "jwk": public}
        claims = {"jti": secrets.token_urlsafe(18), "htm": "POST", "htu": origin + path, "iat": int(time.time())}
        claims |= {"nonce": nonce} if nonce else {}
        signed = ".".join(to_text(json.dumps(part).encode()) for part in (head, claims))
        return {"DPoP": f"{signed}.{to_text(sign(private, signed))}"}

    def post_proven(path, kind, body):
        status, said = post(path, kind, body, proof(path))
        # No nonce of the server, or one that is old by now: once more, with the one that came.
        return post(path, kind, body, proof(path)) if status == 401 else (status, said)

    wish = json.dumps({"stream": session["stream"], "client_nonce": client_nonce})
    status, said = post_proven("/v1/connections/tickets", "application/json", wish)
    assert status == 200, (status, said)
    ticket = json.loads(said)
    connection, last, jkt = ticket["connection"], 0, thumbprint(jwk["x"], jwk["y"])

    stream = http.client.HTTPConnection(host)
    address = f"{session['stream']}?ticket={ticket['ticket']}"
    stream.request("GET", address, headers=headers | {"Accept": "text/event-stream"})
    event = None
    for line in stream.getresponse():
        name, _, value = line.decode().rstrip("\n").partition(": ")
        event = value if name == "event" else event if name else None
        if name != "data" or event != "pop":
            continue
        words = parse(value)
        # After any other end a browser comes back, with a new ticket.
        over = words in (["end", "4400"], ["end", "4403"], ["end", "4404"])
        print(" ".join((words or ["no message"]) + (["for good"] if over else [])), flush=True)
        if not words or words[0] != "challenge":
            continue
        number = int(words[2])
        if words[1] != connection:
            answer = f"refuse {number} relayed"
        elif number <= last:
            answer = f"refuse {number} stale"
        else:
            last = number
            text = transcript(origin, connection, client_nonce, jkt, words)
            answer = f"answer {number} {to_text(sign(private, text))}"
        # The signature in an answer is its proof; a refusal has none.
        say = post if answer.startswith("answer") else post_proven
        status, said = say(f"/v1/connections/{connection}/answer", "text/plain", answer)
        assert status == 204, (status, said)


if __name__ == "__main__":
    if sys.argv[1] == "check":
        check(sys.argv[2])
    else:
        live(json.load(sys.stdin))
