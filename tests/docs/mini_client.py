"""A client of Trivet's netdisk in nothing but Python's standard library, written from docs/protocol.md.

Usage: mini_client.py HOST PORT FINGERPRINT|plain

Makes the account "eve", logs in by password and by token, and tries the netdisk's methods. XXH3-128 is
not in the standard library: the digests here are the test values of the page.
"""

import base64
import hashlib
import hmac
import json
import os
import socket
import ssl
import struct
import sys
import zlib

HELLO, WELCOME, AUTH = 1, 2, 3
REQUEST, RESPONSE, ERROR, CANCEL = 16, 17, 18, 19
DATA, END = 32, 33
PING, PONG, BYE = 64, 65, 127

CONTENT = b"Trivet\n"
CONTENT_DIGEST = "e6fa686ff945e397ff53f8d3a696fbd6"
UPLOAD_DIGEST = "48a3e53681597e31af1b2396d6e45b26"
EMPTY_DIGEST = "99aa06d3014798d86001c324468d497f"


class Refused(Exception):
    def __init__(self, error):
        super().__init__(error["message"])
        self.code = error["code"]


def b64(data):
    return base64.b64encode(data).decode()


def hmac256(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class Connection:
    def __init__(self, host, port, fingerprint):
        self.sock = socket.create_connection((host, port), timeout=20)
        self.binding = None
        self.last_id = 0
        if fingerprint != "plain":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            self.sock = context.wrap_socket(self.sock)
            self.binding = hashlib.sha256(self.sock.getpeercert(binary_form=True)).digest()
            shown = "SHA256:" + b64(self.binding).rstrip("=")
            assert shown == fingerprint, f"the server shows {shown}, not {fingerprint}"
        self.control(HELLO, 0, {"version": 1, "service": "netdisk", "client": "mini/1"})
        self.welcome, _ = self.expect(WELCOME, 0)
        assert self.welcome["version"] == 1

    def read(self, count):
        data = b""
        while len(data) < count:
            part = self.sock.recv(count - len(data))
            if part == b"":
                raise EOFError("the connection ended")
            data += part
        return data

    def frame(self, kind, number, payload):
        self.sock.sendall(struct.pack(">IBBHI", len(payload), kind, 0, 0, number) + payload)

    def control(self, kind, number, head, body=b""):
        text = json.dumps(head).encode()
        self.frame(kind, number, struct.pack(">I", len(text)) + text + body)

    def receive(self):
        """The next frame but PING, which is answered, and those of types that may be skipped."""
        while True:
            length, kind, _flags, reserved, number = struct.unpack(">IBBHI", self.read(12))
            assert reserved == 0
            payload = self.read(length)
            if kind == PING:
                self.frame(PONG, 0, payload)
            elif kind < 128:
                return kind, number, payload

    def expect(self, kind, number):
        got, got_number, payload = self.receive()
        size = struct.unpack(">I", payload[:4])[0]
        head, body = json.loads(payload[4 : 4 + size]), payload[4 + size :]
        if got == ERROR:
            raise Refused(head)
        assert (got, got_number) == (kind, number), (got, got_number)
        return head, body

    def step(self, **head):
        self.control(AUTH, 0, head)
        return self.expect(AUTH, 0)[0]

    def begin(self, method, params, body=b""):
        self.last_id += 1
        self.control(REQUEST, self.last_id, {"method": method, "params": params}, body)
        return self.last_id

    def ask(self, method, params, body=b""):
        return self.expect(RESPONSE, self.begin(method, params, body))

    def data(self, number, offset, data, crc=None):
        crc = zlib.crc32(data) if crc is None else crc
        self.frame(DATA, number, struct.pack(">QI", offset, crc) + data)

    def bye(self):
        self.control(BYE, 0, {})
        self.sock.close()


def register(link, user, password):
    salt, rounds = os.urandom(16), 600000
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, rounds)
    stored = hashlib.sha256(hmac256(salted, "Client Key")).digest()
    server = hmac256(salted, "Server Key")
    verifier = f"SCRAM-SHA-256${rounds}:{b64(salt)}${b64(stored)}:{b64(server)}"
    answer = link.step(step="register", user=user, verifier=verifier)
    assert answer == {"step": "registered", "user": user}


def login(link, user, password):
    gs2 = "n,," if link.binding is None else "p=tls-server-end-point,,"
    mechanism = "SCRAM-SHA-256" if link.binding is None else "SCRAM-SHA-256-PLUS"
    assert mechanism in link.welcome["mechanisms"]
    nonce = b64(os.urandom(18))
    bare = f"n={user},r={nonce}"
    answer = link.step(
        step="scram-first", mechanism=mechanism, message=gs2 + bare, session={"label": "mini"}
    )
    assert answer["step"] == "scram-challenge"
    challenge = answer["message"]
    fields = dict(field.split("=", 1) for field in challenge.split(","))
    assert fields["r"].startswith(nonce) and len(fields["r"]) > len(nonce)
    rounds = int(fields["i"])
    assert 600000 <= rounds <= 10000000
    salt = base64.b64decode(fields["s"])
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, rounds)
    client_key = hmac256(salted, "Client Key")
    without_proof = f"c={b64(gs2.encode() + (link.binding or b''))},r={fields['r']}"
    message = f"{bare},{challenge},{without_proof}"
    signature = hmac256(hashlib.sha256(client_key).digest(), message)
    proof = bytes(a ^ b for a, b in zip(client_key, signature))
    answer = link.step(step="scram-final", message=f"{without_proof},p={b64(proof)}")
    assert answer["step"] == "authenticated"
    expected = f"v={b64(hmac256(hmac256(salted, 'Server Key'), message))}"
    assert hmac.compare_digest(answer["message"], expected), "the server did not prove itself"
    return answer["token"]


def upload(link, path, content):
    request = {"path": path, "size": len(content), "overwrite": "fail", "resume": "auto"}
    head, journal = link.ask("put.open", request)
    assert (head["chunkBytes"], head["journalChunks"], journal) == (1048576, 0, b"")
    used = {"uploadId": head["uploadId"]}
    digest = bytes.fromhex(CONTENT_DIGEST)
    # First with a wrong checksum: the chunk is asked for again. Then in two frames.
    number = link.begin("put.data", used)
    link.data(number, 0, content, crc=zlib.crc32(content) ^ 1)
    link.control(END, number, {}, digest)
    assert link.expect(RESPONSE, number)[0]["badChunks"] == [0]
    number = link.begin("put.data", used)
    link.data(number, 0, content[:3])
    link.data(number, 3, content[3:])
    link.control(END, number, {}, digest)
    assert link.expect(RESPONSE, number)[0]["badChunks"] == []
    commit = {**used, "size": len(content), "digest": UPLOAD_DIGEST}
    stored, _ = link.ask("put.commit", commit)
    assert (stored["path"], stored["size"], stored["skipped"]) == (path, len(content), False)


def download(link, path):
    number = link.begin("get.open", {"path": path})
    head, _ = link.expect(RESPONSE, number)
    content = bytearray(head["entry"]["size"])
    while True:
        kind, got_number, payload = link.receive()
        assert got_number == number
        if kind == END:
            break
        assert kind == DATA
        offset, crc = struct.unpack(">QI", payload[:12])
        data = payload[12:]
        assert zlib.crc32(data) == crc, "a checksum is wrong"
        content[offset : offset + len(data)] = data
    size = struct.unpack(">I", payload[:4])[0]
    return bytes(content), payload[4 + size :].hex()


def refusal(link, method, params):
    try:
        link.ask(method, params)
    except Refused as refused:
        return refused.code
    return None


def main(host, port, fingerprint):
    link = Connection(host, int(port), fingerprint)
    register(link, "eve", "correct horse")
    token = login(link, "eve", "correct horse")
    link.bye()

    link = Connection(host, int(port), fingerprint)
    answer = link.step(step="token", token=token)
    assert answer == {"step": "authenticated", "user": "eve", "scope": "full"}
    assert link.ask("mkdir", {"path": ["a", "b"], "parents": True})[0] == {"created": True}
    small = {"overwrite": "fail", "mtimeMs": 1760000000000}
    link.ask("put.file", {"path": ["a", "empty"], "digest": EMPTY_DIGEST, **small})
    link.ask("put.file", {"path": ["a", "small"], "digest": CONTENT_DIGEST, **small}, CONTENT)
    upload(link, ["a", "uploaded"], CONTENT)

    page, _ = link.ask("ls", {"path": ["a"], "limit": 2})
    names = [(entry["name"], entry["type"], entry["size"]) for entry in page["entries"]]
    assert names == [("b", "folder", 0), ("empty", "file", 0)], names
    assert page["more"]
    page, _ = link.ask("ls", {"path": ["a"], "after": "empty"})
    assert [entry["name"] for entry in page["entries"]] == ["small", "uploaded"]
    assert not page["more"]

    assert download(link, ["a", "uploaded"]) == (CONTENT, CONTENT_DIGEST)
    assert download(link, ["a", "empty"]) == (b"", "")
    assert refusal(link, "stat", {"path": ["missing"]}) == "NOT_FOUND"
    assert refusal(link, "stat", {"path": [".."]}) == "PATH_DOT"
    assert refusal(link, "stat", {"path": [], "depth": 1}) == "INVALID_REQUEST"
    assert refusal(link, "nonsense", {}) == "UNKNOWN_METHOD"
    assert link.ask("whoami", {})[0]["usedBytes"] == 2 * len(CONTENT)
    assert link.ask("logout", {})[0] == {"revoked": True}
    link.bye()

    link = Connection(host, int(port), fingerprint)
    try:
        link.step(step="token", token=token)
    except Refused as refused:
        assert refused.code == "TOKEN_INVALID"
    else:
        raise AssertionError("the token still works")
    print("mini client: done")


main(*sys.argv[1:])
