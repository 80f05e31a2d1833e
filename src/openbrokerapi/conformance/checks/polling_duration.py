"""For how long an operation is polled."""

from __future__ import annotations

from openbrokerapi.conformance.check import check
from openbrokerapi.conformance.conversation import Conversation
from openbrokerapi.conformance.wire import Endpoint


@check("POL-04")
async def a_provision_ends_within_the_maximum_polling_duration_of_its_plan(talk: Conversation) -> None:
    subject = talk.subject(
        lambda each: each.plan.maximum_polling_duration is not None,
        "a plan that has maximum_polling_duration",
        asynchronous=Endpoint.PROVISION,
    )
    request = talk.ask.provision(subject)
    answer = await talk.send(request)
    if answer.status != 202:
        talk.undecided(f"the provision was answered with {answer.status}, not with 202")
    longest = subject.plan.maximum_polling_duration or 0.0
    poll = talk.poll_of(answer, talk.named_instance(request, subject, answer))
    last = (await talk.polled(poll, seconds=longest))[-1]
    over = last.fields.get("state") != "in progress"
    talk.expect("POL-04", over, f"an end within the {longest:g} s of the plan's maximum_polling_duration", answer, last)
