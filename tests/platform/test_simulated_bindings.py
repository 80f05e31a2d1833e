"""What the simulated platform does and leaves undone around bindings."""

from __future__ import annotations

from typing import Any

import pytest
from tests.platform.odd import IDS, Odd, answer, offering, state

from openbrokerapi.platform import (
    Conflict,
    Failed,
    NotAllowed,
    ServiceBinding,
    ServiceInstance,
)

EXPIRED, VALID = "1970-01-01T00:16:39.0Z", "1970-01-01T00:16:41.0Z"  # the test's clock stands at 00:16:40


@pytest.mark.rule("BIND-16", "BIND-26", "BIND-11", "CTX-07")
def test_a_bind_says_what_the_application_is(obliging: Odd, instance: ServiceInstance) -> None:
    obliging.answers("PUT binding", answer(201, {"credentials": {"a": 1}}))
    binding = instance.bind(app_guid="app", parameters={"role": "reader"}, bind_resource={"route": "a.example.com"})

    sent = obliging["PUT binding"]
    assert sent.json == {
        **IDS,
        "app_guid": "app",
        "bind_resource": {"app_guid": "app", "route": "a.example.com"},
        "parameters": {"role": "reader"},
        "context": {"platform": "openbrokerapi"},
    }
    assert binding.credentials == {"a": 1}
    assert obliging.requests("GET binding") == []


@pytest.mark.rule("LOB-01", "LOB-03", "LOB-05")
def test_credentials_of_a_binding_that_took_its_time_are_fetched(obliging: Odd, instance: ServiceInstance) -> None:
    obliging.answers("PUT binding", answer(202, {"operation": "task"}))
    obliging.answers("GET binding poll", state("in progress"), state("succeeded"))
    obliging.answers("GET binding", answer(200, {"credentials": {"a": 1}}))

    assert instance.bind().credentials == {"a": 1}

    assert obliging.requests("GET binding poll")[0].query == {**IDS, "operation": "task"}
    assert obliging["GET binding"].query == IDS


@pytest.mark.rule("GETB-08", "ORPH-07")
def test_a_binding_whose_credentials_cannot_be_had_is_remembered(obliging: Odd, instance: ServiceInstance) -> None:
    obliging.answers("PUT binding", answer(202))
    obliging.answers("GET binding", answer(500), answer(200, {"credentials": {"a": 1}}))
    with pytest.raises(Failed):
        instance.bind(binding_id="a")
    assert obliging.requests("DELETE binding") == []
    binding = instance.bindings["a"]
    assert isinstance(binding, ServiceBinding)
    assert (binding.credentials, binding.fetch().credentials, binding.credentials) == ({}, {"a": 1}, {"a": 1})


def test_a_binding_is_fetched_only_where_the_offering_says_so(obliging: Odd) -> None:
    one = offering(obliging, bindings_retrievable=False)
    obliging.answers("PUT binding", answer(202))
    binding = one.bind()
    assert binding.credentials == {}
    with pytest.raises(NotAllowed, match="cannot be fetched"):
        binding.fetch()
    assert obliging.requests("GET binding") == []


@pytest.mark.rule("BIND-01")
@pytest.mark.parametrize("changes", [{"bindable": False}, {"plan": {"bindable": False}}])
def test_a_plan_that_is_not_bindable_is_not_bound(obliging: Odd, changes: dict[str, Any]) -> None:
    with pytest.raises(NotAllowed, match="not bindable"):
        offering(obliging, **changes).bind()
    assert obliging.requests("PUT binding") == []


@pytest.mark.rule("BIND-41")
def test_a_rejected_binding_is_forgotten(obliging: Odd, instance: ServiceInstance) -> None:
    obliging.answers("PUT binding", answer(409))
    with pytest.raises(Conflict):
        instance.bind()
    assert instance.bindings == {}


@pytest.mark.rule("ROT-01", "ROT-02", "ROT-09", "BMD-07")
@pytest.mark.parametrize(
    ("rotatable", "expires_at", "allowed"),
    [(True, VALID, True), (True, None, True), (True, EXPIRED, False), (False, VALID, False), (None, VALID, False)],
)
def test_only_a_valid_binding_of_a_plan_that_allows_it_is_rotated(
    obliging: Odd, rotatable: bool | None, expires_at: str | None, allowed: bool
) -> None:
    one = offering(obliging, plan={"binding_rotatable": rotatable})
    obliging.answers("PUT binding", answer(201, {"metadata": {"expires_at": expires_at}}))
    binding = one.bind(binding_id="first")
    if not allowed:
        with pytest.raises(NotAllowed):
            binding.rotate()
        assert len(obliging.requests("PUT binding")) == 1
        return

    successor = binding.rotate()
    sent = obliging.requests("PUT binding")[-1]
    assert sent.path.endswith(successor.id)
    assert sent.json == {**IDS, "predecessor_binding_id": "first", "context": {"platform": "openbrokerapi"}}
    assert list(one.bindings) == ["first", successor.id]
    binding.delete()
    with pytest.raises(NotAllowed, match="deleted"):
        binding.rotate()
