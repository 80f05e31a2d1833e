"""Which fault each scenario is for: the fault, and how long the broker's operations take."""

SLOW, AT_ONCE = 2.0, 0.0
_AGAIN = "a repeated request begins another operation"
_MEMORY = "all is kept in memory"
_ALONE = "bindings are known by their id alone"
_BUSY = "a busy instance is a conflict"

PLANTED: dict[str, tuple[str, float]] = {
    "loses-the-answer-of-a-provision-and-repeats-it": ("a repeated request is a conflict", SLOW),
    "loses-the-answer-of-a-provision-and-deletes-the-orphan": ("what is not there yet is said to be gone", SLOW),
    "times-out-after-a-minute-and-deletes-the-orphan": ("what is deleted comes back", SLOW),
    "deletes-before-the-answer-comes": ("what is not there yet is said to be gone", SLOW),
    "loses-the-answer-of-a-bind-and-deletes-the-orphan": ("a repeated request is a conflict", SLOW),
    "loses-the-answer-of-a-deletion": ("an absent one is not found", AT_ONCE),
    "deletes-while-a-provision-runs": ("what is not there yet is said to be gone", SLOW),
    "deletes-while-a-bind-runs": ("what is not there yet is said to be gone", SLOW),
    "updates-while-updating": (_BUSY, SLOW),
    "deletes-while-updating": (_BUSY, SLOW),
    "binds-while-updating": (_BUSY, SLOW),
    "binds-while-provisioning": ("a bind stops the provision", SLOW),
    "binds-while-deleting": ("a bind asks nobody", SLOW),
    "provisions-again-while-deleting": ("what is being deleted is said to be there", SLOW),
    "fetches-while-provisioning": ("what is being made can be fetched", SLOW),
    "polls-after-the-end": ("an end is forgotten", SLOW),
    "polls-for-days": ("an end does not stay", SLOW),
    "polls-what-never-was": ("what never was has succeeded", SLOW),
    "races-two-provisions-of-one-id": ("the last one wins", AT_ONCE),
    "races-a-bind-with-its-unbind": ("what is not there yet is said to be deleted", SLOW),
    "races-two-deprovisions": (_AGAIN, SLOW),
    "races-a-bind-with-the-deprovision": ("bindings outlive their instance", AT_ONCE),
    "races-replicas": (_MEMORY, SLOW),
    "repeats-a-provision-while-it-runs": (_AGAIN, SLOW),
    "repeats-a-provision-after-its-end": ("a repeated request is done again", SLOW),
    "sends-a-provision-several-times-at-once": ("two at once do not see each other", AT_ONCE),
    "changes-its-mind-while-a-provision-runs": ("attributes are not compared", SLOW),
    "changes-its-mind-after-a-provision": ("attributes are not compared", SLOW),
    "repeats-a-bind": ("a repeated request is done again", AT_ONCE),
    "repeats-an-update": (_AGAIN, SLOW),
    "repeats-a-deprovision-while-it-runs": (_AGAIN, SLOW),
    "deletes-what-is-gone": ("an absent one is deleted", AT_ONCE),
    "sends-everything-twice": (_AGAIN, SLOW),
    "restarts-the-broker-between-any-two-calls": (_MEMORY, AT_ONCE),
    "restarts-the-broker-while-a-provision-runs": (_MEMORY, SLOW),
    "restarts-the-broker-while-a-deletion-runs": (_MEMORY, SLOW),
    "reuses-an-instance-id-after-its-deletion": ("ids are never free again", SLOW),
    "reuses-a-binding-id-on-another-instance": (_ALONE, AT_ONCE),
    "reuses-a-binding-id-after-its-deletion": ("ids are never free again", SLOW),
    "deletes-an-instance-with-bindings-left": ("bindings outlive their instance", AT_ONCE),
    "unbinds-under-another-instance": (_ALONE, AT_ONCE),
}
