"""A scenario, and the list of all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from .stage import Aside, Stage

Act = Callable[[Stage], None]


#: What a plan has to have for a scenario.
Needs = Literal["bindings", "updates"]


@dataclass(frozen=True)
class Scenario:
    """Something that a platform does, and ought not to or cannot help doing.

    Attributes:
        name: Its name.
        act: Plays it.
        sentence: What the platform does, in a sentence or two.
        needs: What the plan has to have.
    """

    name: str
    act: Act
    sentence: str
    needs: tuple[Needs, ...] = ()

    def play(self, stage: Stage) -> None:
        """Play it.

        Raises:
            Aside: It does not apply.
            Over: There is no sense in going on.
        """
        if "bindings" in self.needs and not stage.subject.plan.bindable:
            raise Aside("the plan is not bindable")
        if "updates" in self.needs and not stage.subject.update_parameters and stage.subject.target is None:
            raise Aside("there is nothing to update: say what, with update_parameters or update_to")
        self.act(stage)


ALL: dict[str, Scenario] = {}


def scenario(*needs: Needs) -> Callable[[Act], Act]:
    """Put a function on the list, under its own name and with its docstring."""

    def listed(act: Act) -> Act:
        name = act.__name__.replace("_", "-")
        ALL[name] = Scenario(name, act, " ".join((act.__doc__ or "").split()), needs)
        return act

    return listed
