"""Nothing is accepted and ignored: every input member of every operation spoken is seen to act, or is refused by name.

How: members.py. What: members_<service>.py."""

import concurrent.futures

import pytest

import members

RECIPES = members.load_recipes()
CONTRACTS = members.contracts()
PENDING = members.load_pending()
EACH = [(service, operation) for service, contract in CONTRACTS.items() for operation in contract.operations]


@pytest.fixture(scope="module")
def proofs(cloud, request):
    """All the selected operations' proofs at once, each in accounts of its own."""
    clients = members.Clients(cloud.url, list(CONTRACTS))
    chosen = [item.callspec.params for item in request.session.items if item.fspath == request.path and hasattr(item, "callspec")]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        yield {(p["service"], p["operation"]): pool.submit(members.Proof(clients, CONTRACTS[p["service"]], RECIPES[p["service"]][p["operation"]]).run)
               for p in chosen if p.get("operation") in RECIPES.get(p.get("service"), {})}


@pytest.mark.parametrize("service, operation", EACH, ids=[".".join(e) for e in EACH])
def test_every_member_acts_or_is_refused(proofs, service, operation):
    if operation in PENDING.get(service, ()):
        pytest.skip("no recipe yet")
    assert operation in RECIPES.get(service, {}), f"no recipe: say in tests/e2e/members_{service}.py how {operation} is seen to act"
    wrong = proofs[service, operation].result()
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("service", CONTRACTS)
def test_every_member_has_a_recipe(service):
    strangers = [o for o in RECIPES.get(service, {}) if o not in CONTRACTS[service].operations]
    assert not strangers, f"recipes of operations that are not spoken: {strangers}"
    for operation, recipe in RECIPES[service].items():
        lacking, unknown = members.Proof(None, CONTRACTS[service], recipe).missing()
        assert not lacking, f"members_{service}.py does not say how these act: {operation}: {lacking}"
        assert not unknown, f"members_{service}.py names members that are not there: {operation}: {unknown}"


def test_what_is_pending_is_spoken_and_has_no_recipe():
    strangers = sorted(set(PENDING) - set(CONTRACTS))
    assert not strangers, f"members_pending.json: no such services: {strangers}"
    for service, operations in PENDING.items():
        assert operations == sorted(set(operations)), f"members_pending.json: {service}: not sorted, or twice"
        silent = [o for o in operations if o not in CONTRACTS[service].operations]
        assert not silent, f"members_pending.json: {service}: not spoken: {silent}"
        proved = [o for o in operations if o in RECIPES.get(service, {})]
        assert not proved, f"members_pending.json: {service}: these have recipes, take them out: {proved}"
