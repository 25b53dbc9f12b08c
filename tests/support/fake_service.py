"""A stand-in for nftlinkd's control API: it says what a case wants, and remembers what it was asked."""
import contextlib
import http.server
import json
import os
import socket
import socketserver
import threading

CONFIGURATION = """
control: {socket: SOCKET}
containers:
  redis: {bridge: docker0, addresses: [172.17.0.2], expose: [6379]}
  web: {bridge: docker0, addresses: [172.17.0.3], links: [redis:db]}
"""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        size = int(self.headers.get("Content-Length", 0))
        assert size == 0 or self.headers["Content-Type"] == "application/json", self.headers
        self.server.asked.append((self.command, self.path, json.loads(self.rfile.read(size)) if size else None))
        status, record = self.server.answers.get((self.command, self.path), (404, {"code": "not_found", "message": "none", "path": ""}))
        if callable(record):
            record = record()
        text = record if isinstance(record, bytes) else json.dumps(record).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_PUT = do_POST = do_DELETE = answer

    def address_string(self):
        return "unix"

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 16


def socket_path(place):
    """Where the case's configuration says that the service is."""
    path = place.folder / "control.sock"
    place.write(CONFIGURATION.replace("SOCKET", str(path)))
    return path


@contextlib.contextmanager
def fake_service(place, answers):
    """Answers {(method, path): (status, record)}; a record may be a function that makes it, or bytes."""
    with Server(str(socket_path(place)), Handler) as server:
        server.answers, server.asked = answers, []
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
            os.unlink(server.server_address)


@contextlib.contextmanager
def raw_service(place, converse):
    """Something else at the socket: converse(connection) is called for each connection, which is closed afterwards."""
    with socket.socket(socket.AF_UNIX) as listener:
        path = socket_path(place)
        listener.bind(str(path))
        listener.listen()

        def answer(connection):
            with connection, contextlib.suppress(OSError):
                converse(connection)

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    threading.Thread(target=answer, args=listener.accept()[:1], daemon=True).start()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            os.unlink(path)


def event_stream(lines, goes_on, chunk_end=b"\r\n"):
    """A conversation: the lines in chunks as of GET /v1/events, then nothing until goes_on() returns."""
    def converse(connection):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n")
        for line in lines:
            text = line.encode()
            connection.sendall(b"%x\r\n%s%s" % (len(text), text, chunk_end))
        goes_on()
    return converse
