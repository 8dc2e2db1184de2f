"""A client of the tutorials' netdisk in nothing but socket, struct and json.

Usage: classic_client.py HOST PORT FOLDER

Registers and logs in as "ada", lists, uploads FOLDER/big.bin, downloads it whole and from a place in the
middle, and says what it saw as one JSON document.
"""

import json
import os
import socket
import struct
import sys

PASSWORD = "correct horse battery staple"
BLOCK = 64 * 1024


class Client:
    def __init__(self, host, port):
        self.sock = socket.create_connection((host, port), timeout=120)

    def recv_exactly(self, count):
        data = b""
        while len(data) < count:
            part = self.sock.recv(min(BLOCK, count - len(data)))
            if not part:
                raise EOFError("the server hung up")
            data += part
        return data

    def recv_length(self):
        return struct.unpack("<i", self.recv_exactly(4))[0]

    def say(self, text):
        data = text.encode("utf-8")
        self.sock.sendall(struct.pack("<i", len(data)) + data)
        return json.loads(self.recv_exactly(self.recv_length()).decode("utf-8"))

    def good(self, text):
        reply = self.say(text)
        assert reply["status"] is True, (text, reply)
        return reply["data"]

    def upload(self, path, remote):
        self.good("upload " + remote)
        self.sock.sendall(struct.pack("<i", os.path.getsize(path)))
        with open(path, "rb") as file:
            for block in iter(lambda: file.read(BLOCK), b""):
                self.sock.sendall(block)

    def download(self, remote, path, seek=None):
        self.good("download " + remote + ("" if seek is None else " %d" % seek))
        left = self.recv_length()
        with open(path, "wb") as file:
            while left > 0:
                part = self.sock.recv(min(BLOCK, left))
                if not part:
                    raise EOFError("the server hung up")
                file.write(part)
                left -= len(part)

    def quit(self):
        self.sock.sendall(struct.pack("<i", 1) + b"q")
        assert self.sock.recv(1) == b"", "the server says something behind q"


def main():
    host, port, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    path = lambda name: os.path.join(folder, name)
    seen = {}
    client = Client(host, port)
    seen["before_login"] = client.say("ls")["status"]
    client.good("register ada " + PASSWORD)
    seen["twice"] = client.say("register ada " + PASSWORD)["status"]
    seen["wrong"] = client.say("login ada wrong")["status"]
    client.good("login ada " + PASSWORD)
    seen["empty"] = client.good("ls")
    size = os.path.getsize(path("big.bin"))
    client.upload(path("big.bin"), "big.bin")
    seen["listed"] = client.good("ls")
    client.download("big.bin", path("whole.bin"))
    client.download("big.bin", path("rest.bin"), size // 2 + 1)
    seen["outside"] = client.say("download ../../trivet.db")["status"]
    seen["missing"] = client.say("download nothing")["error"]
    client.quit()
    print(json.dumps(seen))


main()
