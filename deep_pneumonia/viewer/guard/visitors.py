"""Whose request is being answered: for limits by address, and for files that belong to one visitor."""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class Visitor:
    """Who asks. address: one visitor's for limits, "" if unknown. token: the page's visitor, "" for programs."""

    address: str = ""
    token: str = ""


NOBODY = Visitor()
VISITOR: ContextVar[Visitor] = ContextVar("visitor", default=NOBODY)


def visitor() -> Visitor:
    """The visitor whose request this thread or task answers; NOBODY outside of a request."""
    return VISITOR.get()
