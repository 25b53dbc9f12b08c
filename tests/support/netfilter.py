"""Changes of the ruleset that cost their maker little: netlink without nft.

As a program: `netfilter.py SECONDS INTERVAL` flushes the ruleset every INTERVAL for that long, and prints how often.
"""
import socket
import struct
import sys
import time

NETLINK_NETFILTER = 12
NLM_F_REQUEST, NLM_F_ACK = 1, 4
BATCH_BEGIN, BATCH_END = 16, 17
DELTABLE, GETGEN = 10 << 8 | 2, 10 << 8 | 16
NFNL_SUBSYS_NFTABLES = 10


def message(kind, flags, subsystem=0):
    """A message without attributes: the header, then nfgenmsg."""
    return struct.pack("=IHHIIBBH", 20, kind, NLM_F_REQUEST | flags, 1, 0, 0, 0, socket.htons(subsystem))


# A table to delete without family and name is each of them.
FLUSH = (message(BATCH_BEGIN, 0, NFNL_SUBSYS_NFTABLES) + message(DELTABLE, NLM_F_ACK) +
         message(BATCH_END, 0, NFNL_SUBSYS_NFTABLES))


class Netfilter:
    def __init__(self):
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
        self.socket.settimeout(10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def flush(self):
        """`nft flush ruleset`; back when it is done."""
        self.socket.send(FLUSH)
        error = struct.unpack_from("=i", self.socket.recv(4096), 16)[0]
        if error != 0:
            raise OSError(-error, "flush ruleset")

    def generation(self):
        self.socket.send(message(GETGEN, 0))
        return struct.unpack_from(">I", self.socket.recv(4096), 24)[0]


def flush_repeatedly(seconds, interval):
    count, begin = 0, time.monotonic()
    with Netfilter() as netfilter:
        while time.monotonic() < begin + seconds:
            netfilter.flush()
            count += 1
            time.sleep(max(0, begin + count * interval - time.monotonic()))
    return count


if __name__ == "__main__":
    print(flush_repeatedly(float(sys.argv[1]), float(sys.argv[2])))
