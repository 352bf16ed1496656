"""Who acts on a page or a route, and what they may do.

Where nobody signs in, the name is that of the person at this machine, or ``GAPWISE_AUTHOR``, or
what a browser's cookie says: a setting of the browser, made once. Where people sign in, it is the
address that they signed in by and nothing else, and their role is read anew at each write.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

import streamlit as st

from dashboards import books, passes, sign_in
from gapwise.errors import GapwiseError, UsageError
from gapwise.ledger import team
from gapwise.ledger.event import short
from gapwise.ledger.team import Role
from gapwise.workflows.author import author

COOKIE: Final = "gapwise_name"
LONGEST: Final = 64


@dataclass(frozen=True, kw_only=True)
class Person:
    """Who acts: the author of what they write, and their role; "" and None for nobody."""

    name: str
    role: Role | None

    def must(self, role: Role, doing: str) -> None:
        """Refuse what asks for another role.

        Raises:
            UsageError: it does; says who may give it.
        """
        if not team.holds(self.role, role):
            raise UsageError(
                f"{doing} is for the role {role}, and {self.name or 'nobody'} has "
                f"{self.role or 'none'}; on the server, "
                f"`gapwise team {self.name or 'ADDRESS'} {role}` gives it"
            )


def here() -> Person:
    """Return who looks at the page that is being made."""
    if not sign_in.current().is_asked:
        return Person(name=_by_cookies(st.context.cookies), role="lead")
    return _known(signed_in())


def asking(headers: Mapping[str, str], cookies: Mapping[str, str]) -> Person:
    """Return who sends a request to a route of ours."""
    way = sign_in.current()
    if way.by == "nobody":
        return Person(name=_by_cookies(cookies), role="lead")
    if way.by == "proxy":
        return _known(headers.get(way.header.lower(), ""))
    return _known(passes.holder(cookies.get(passes.COOKIE, ""), cookies, way.key) or "")


def signed_in() -> str:
    """Return the address that the page's person signed in by, "" for nobody."""
    facts = st.user.to_dict()
    if sign_in.current().by == "oidc" and not facts.get("is_logged_in"):
        return ""
    if facts.get("email_verified") is False:
        return ""
    return team.normal(str(facts.get("email") or ""))


def acting() -> str:
    """Return the author of what a page's own code writes; "" where the machine's person acts."""
    return signed_in() if sign_in.current().is_asked else ""


def may(role: Role) -> bool:
    """Return whether the page's person may do what asks for a role."""
    return team.holds(here().role, role)


def clean(name: str) -> str:
    """Return a name as it may stand in the ledger; "" for one that may not."""
    tidy = " ".join(name.split())[:LONGEST]
    try:
        return short(tidy, "a name")
    except GapwiseError:
        return ""


def cookie(name: str) -> str:
    """Return what a browser must keep to be called ``name``."""
    return f"{COOKIE}={quote(clean(name), safe='')}; Path=/; SameSite=Strict; Max-Age=31536000"


def _known(address: str) -> Person:
    name = team.normal(address)
    role = team.roles(books.ledger()).get(name)
    if role is None and name.rpartition("@")[2] in sign_in.current().domains:
        role = "viewer"
    return Person(name=name, role=role)


def _by_cookies(cookies: Mapping[str, str]) -> str:
    return clean(unquote(cookies.get(COOKIE, ""))) or author()
