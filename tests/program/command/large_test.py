"""10,000 links. As root without a user namespace, where one transaction may be that large."""
import re

import pytest

from support.namespaces import is_real_root
from support.process import run
from support.ruleset import generation, nft

pytestmark = pytest.mark.real_root

IS_REAL_ROOT = is_real_root()  # else one transaction may be of what SO_SNDBUFFORCE needs no capability for


def configuration(count):
    lines = ["containers:", "  redis: {bridge: docker0, addresses: [10.0.0.2], expose: [6379/tcp]}"]
    lines += [f"  web{n}: {{bridge: docker0, addresses: [10.1.{n // 250}.{n % 250}], links: [redis:db]}}" for n in range(count)]
    return "\n".join(lines) + "\n"


def transactions_of_apply(place):
    before = generation()
    place.nftlink("apply")
    return generation() - before


def test_thousands_of_links_are_one_transaction_more_come_in_pieces_and_one_more_is_one_element_each_way(place):
    run("ip", "link", "add", "docker0", "type", "bridge")
    place.write(configuration(9900))  # a link is two elements, and one transaction has 20,000 at most
    transactions = transactions_of_apply(place)
    assert transactions == 1 if IS_REAL_ROOT else 1 <= transactions <= 10, transactions
    place.nftlink("clear")
    place.write(configuration(10000))
    transactions = transactions_of_apply(place)
    assert transactions == 2 if IS_REAL_ROOT else 1 <= transactions <= 10, transactions
    elements = re.findall(r'"/web\d+/db"', nft("list", "table", "inet", "nftlink"))
    assert len(set(elements)) == len(elements) == 10000

    done = place.nftlink("plan")
    assert done.stdout == "" and "nothing to do" in done.stderr, done

    place.write(configuration(10001))
    commands = place.nftlink("plan", status=2).stdout
    link, reply = sorted(commands.splitlines())
    assert link.startswith('add element inet nftlink links4 { "docker0" . 10.1.40.0 . 10.0.0.2 . tcp . 6379 '), link
    assert reply.startswith('add element inet nftlink replies4 { "docker0" . 10.0.0.2 . 10.1.40.0 . tcp . 6379 '), reply
    before = generation()
    assert place.nftlink("apply").stdout == commands
    assert generation() == before + 1

    place.write(configuration(0))
    transactions = transactions_of_apply(place)
    assert transactions == 2 if IS_REAL_ROOT else 1 <= transactions <= 10, transactions
    assert '"/web' not in nft("list", "table", "inet", "nftlink")
    place.nftlink("clear")
