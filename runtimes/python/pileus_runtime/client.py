"""The Runtime API, spoken over one kept-alive socket."""

import _socket
import sys

API = "/2018-06-01/runtime/"


class Api:
    """HTTP/1.1 over one socket. An answer and the wait for the next event go out together."""

    def __init__(self, address):
        host, _, port = address.rpartition(":")
        self.host = host or address
        self.address = (self.host, int(port or 80))
        self.socket = None
        self.rest = b""  # received and not used yet
        agent = "pileus-python/%d.%d" % sys.version_info[:2]
        self.tail = ("Host: %s\r\nUser-Agent: %s\r\n" % (address, agent))
        self.next_request = ("GET %sinvocation/next HTTP/1.1\r\n%s\r\n" % (API, self.tail)).encode()

    def connect(self):
        self.close()
        family = _socket.AF_INET6 if ":" in self.host else _socket.AF_INET
        connection = _socket.socket(family, _socket.SOCK_STREAM)
        connection.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        host = self.host.strip("[]")
        try:
            connection.connect((host, self.address[1]))
        except OSError:
            if host.replace(".", "").isdigit():
                raise
            found = _socket.getaddrinfo(host, self.address[1], 0, _socket.SOCK_STREAM)[0]
            connection = _socket.socket(found[0], found[1], found[2])
            connection.connect(found[4])
        self.socket = connection

    def close(self):
        if self.socket is not None:
            self.socket.close()
        self.socket = None
        self.rest = b""

    def send(self, data):
        if self.socket is None:
            self.connect()
        self.socket.sendall(data)

    def more(self):
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionResetError("the Runtime API closed the connection")
        return data

    def response(self):
        """One response: (status, headers by lower-case name, body)."""
        buffer = self.rest
        end = buffer.find(b"\r\n\r\n")
        while end < 0:
            seen = max(0, len(buffer) - 3)
            buffer += self.more()
            end = buffer.find(b"\r\n\r\n", seen)
        lines = buffer[:end].decode("latin-1").split("\r\n")
        status = int(lines[0].split(" ", 2)[1])
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        self.rest = buffer[end + 4:]
        if status == 100:
            return self.response()
        if "chunked" in headers.get("transfer-encoding", ""):
            body = self.chunks()
        else:
            length = headers.get("content-length")
            body = self.exactly(int(length)) if length else b""
        if headers.get("connection", "").lower() == "close":
            self.close()
        return status, headers, body

    def exactly(self, length):
        if len(self.rest) < length:
            pieces = [self.rest]
            missing = length - len(self.rest)
            while missing > 0:
                data = self.more()
                pieces.append(data)
                missing -= len(data)
            self.rest = b"".join(pieces)
        body, self.rest = self.rest[:length], self.rest[length:]
        return body

    def line(self):
        while b"\r\n" not in self.rest:
            self.rest += self.more()
        line, _, self.rest = self.rest.partition(b"\r\n")
        return line

    def chunks(self):
        body = []
        while True:
            size = int(self.line().split(b";")[0], 16)
            if size == 0:
                while self.line():
                    pass  # trailers
                return b"".join(body)
            body.append(self.exactly(size))
            self.exactly(2)

    def post_request(self, path, body, extra):
        head = "POST %s%s HTTP/1.1\r\n%s%sContent-Length: %d\r\n\r\n" % (
            API, path, self.tail, extra, len(body))
        return head.encode("latin-1") + body

    def post(self, path, body, extra=""):
        """Posts and waits for the answer."""
        self.send(self.post_request(path, body, extra))
        return self.response()[0]

    def next(self, answer=None):
        """Gives `answer` (a request made by post_request), then waits for the next event."""
        if answer is not None:
            try:
                self.send(answer + self.next_request if len(answer) < 131072 else answer)
                if len(answer) >= 131072:
                    self.send(self.next_request)
                status, _, body = self.response()
            except OSError:
                # Whether it arrived is unknown; the platform refuses a second answer.
                self.connect()
                self.send(answer)
                status, _, body = self.response()
                if self.socket is not None:
                    self.send(self.next_request)
            if status >= 300:
                sys.stderr.write("The Runtime API refused the answer: %d %s\n" % (
                    status, body.decode("utf-8", "replace")))
                if status == 403 or status >= 500:
                    sys.exit(1)
        attempts = 0
        waiting = answer is not None and self.socket is not None
        while True:
            try:
                if not waiting:
                    self.send(self.next_request)
                status, headers, body = self.response()
                break
            except OSError:
                attempts += 1
                if attempts > 3:
                    raise
                waiting = False
                self.connect()
        if status != 200:
            sys.stderr.write("The Runtime API gave no event: %d %s\n" % (
                status, body.decode("utf-8", "replace")))
            sys.exit(1)
        return headers, body
