"""Open connections and exchanges of datagrams, to see whether they go on."""
import socket
import time

MOMENT = 0.2  # seconds, in which what passes has long come


def family_of(target):
    return socket.AF_INET6 if ":" in target[0] else socket.AF_INET


class Connection:
    """One of TCP. What it sends in vain comes later, by itself, when it passes again."""

    def __init__(self, place, guest, listener, target):
        self.client = guest.socket(family=family_of(target))
        self.client.connect(target)
        listener.settimeout(5)
        self.server, _ = listener.accept()
        place.endings.callback(self.server.close)
        self.missing = {self.client: 0, self.server: 0}

    def send(self, sender):
        sender.send(b"x")
        self.missing[self.server if sender is self.client else self.client] += 1

    def comes(self, sender, patience):
        receiver = self.server if sender is self.client else self.client
        receiver.settimeout(patience)
        try:
            while self.missing[receiver]:
                self.missing[receiver] -= len(receiver.recv(100))
            return True
        except TimeoutError:
            return False


class Datagrams:
    """Questions and answers by UDP, from and to the same ports."""

    def __init__(self, guest, listener, target, port=0):
        self.client, self.server = guest.socket(socket.SOCK_DGRAM, family_of(target)), listener
        self.client.bind(("", port))
        self.client.connect(target)
        address, port = self.client.getsockname()[:2]
        both = listener.family == socket.AF_INET6 and self.client.family == socket.AF_INET
        self.peer = ("::ffff:" + address if both else address, port)

    def send(self, sender):
        if sender is self.client:
            sender.send(b"x")
        else:
            sender.sendto(b"x", self.peer)

    def comes(self, sender, patience):
        receiver = self.server if sender is self.client else self.client
        receiver.settimeout(patience)
        try:
            return receiver.recv(100) == b"x"
        except TimeoutError:
            return False


def passes(flow, sender, patience):
    flow.send(sender)
    return flow.comes(sender, patience)


def goes_on(flows):
    return all(passes(flow, end, patience=10) for flow in flows for end in (flow.client, flow.server))


def is_cut(flows):
    ways = [(flow, end) for flow in flows for end in (flow.client, flow.server)]
    for flow, end in ways:
        flow.send(end)
    time.sleep(MOMENT)
    return not any(flow.comes(end, 0.001) for flow, end in ways)
