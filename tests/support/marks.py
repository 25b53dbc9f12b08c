"""What a file of cases needs."""
import pytest

from support import engine


def needs_engine(*names):
    """A container engine; names of programs: of those alone."""
    reason = engine.why_not(*names)
    return [pytest.mark.real_root, pytest.mark.skipif(bool(reason), reason=reason)]
