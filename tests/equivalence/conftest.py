"""What the quick form leaves out."""
import rules


def pytest_addoption(parser):
    groups = dict.fromkeys(variant.group for variant in rules.VARIANTS)
    parser.addoption("--group", choices=groups, help="of policies, that alone")
    parser.addoption("--topologies", type=int, default=5, help="for each group of policies")
