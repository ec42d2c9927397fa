"""How the workers of `pytest -n N --dist loadfile` share the tests: a file goes to one of them as a whole, because its tests share
what they start, but for the files named here. These come last, so that all workers end at about the same time."""
import pytest

# Each test plays everything, and starts nothing that another one uses.
SPREAD = {"test_defects.py"}


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.path.name in SPREAD)  # stable: a file stays as it is


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class ByFile(LoadFileScheduling):
        def _split_scope(self, nodeid):
            file = super()._split_scope(nodeid)
            return nodeid if file.rpartition("/")[2] in SPREAD else file

    return ByFile(config, log)
