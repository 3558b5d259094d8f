import pytest

from cloud import Cloud, Functions


@pytest.fixture(scope="session")
def cloud():
    server = Cloud().start()
    yield server
    server.close()


@pytest.fixture
def fresh():
    """A server of the test's own, for tests that kill it or move its clock: fresh(*options)."""
    servers = []

    def make(*options, **settings):
        servers.append(Cloud(*options, **settings))
        return servers[-1].start()

    yield make
    for server in servers:
        server.close()


@pytest.fixture(scope="session")
def functions(cloud):
    return Functions(cloud)
