"""A client that means no good, as a process of its own: `hostile.py WHAT SOCKET`. Goes on until it is killed.

Prints a line when it has begun.
"""
import random
import resource
import socket
import sys
import time

REQUEST = b"GET /v1/links HTTP/1.1\r\nHost: x\r\n\r\n"


def connect():
    client = socket.socket(socket.AF_UNIX)
    client.connect(sys.argv[2])
    return client


def say_begun():
    print("begun", flush=True)


def idle_connections():
    clients = [connect() for _ in range(2000)]
    say_begun()
    while True:
        time.sleep(1)
        clients = clients[100:] + [connect() for _ in range(100)]


def half_requests():
    clients = [connect() for _ in range(300)]
    say_begun()
    while True:
        for number, client in enumerate(clients):
            try:
                client.send(REQUEST[:1])
            except OSError:
                clients[number] = connect()
        time.sleep(0.05)


def garbage():
    source = random.Random(1)
    say_begun()
    while True:
        client = connect()
        try:
            for _ in range(source.randrange(1, 5)):
                client.sendall(source.randbytes(source.randrange(1, 100000)))
        except OSError:
            pass
        client.close()


def never_reading():
    """Asks on and on, and takes no answer."""
    clients = [connect() for _ in range(20)]
    for client in clients:
        client.setblocking(False)
    say_begun()
    while True:
        for number, client in enumerate(clients):
            try:
                client.send(REQUEST * 100)
            except BlockingIOError:
                pass
            except OSError:
                clients[number] = connect()
                clients[number].setblocking(False)
        time.sleep(0.01)


def hanging_up():
    """Asks and is gone before the answer."""
    say_begun()
    while True:
        client = connect()
        client.send(REQUEST)
        client.close()


if __name__ == "__main__":
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    globals()[sys.argv[1]]()
