"""Files that are not what the lockfile names, or not to be had."""

# ruff: noqa: E501 -- sentences stand here as they are printed

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bad_input.case import Case, Cases, Decorator, Words, elsewhere, entry, locked, lockfile
from tests.index import Fault

if TYPE_CHECKING:
    from tests.machine import Machine

bad = Cases()


def another(what: str, found: str, expected: str) -> Decorator:
    sentence = (
        f"alpha-1.0-py3-none-any.whl: {what} is {found}, but the lockfile says {expected}; nothing of it was used"
    )
    return bad(1, sentence, "find out who changed the file; if it is meant to be so: multisite lock --upgrade")


def unfetched(url: str, reason: str, then: str) -> Decorator:
    return bad(3, f"alpha-1.0-py3-none-any.whl: could not be fetched from {url}: {reason}", then)


@another("sha256", "HASH", "HASH")
def another_file_of_the_same_size(machine: Machine) -> Words:
    wheel = machine.wheel("alpha")
    machine.index.fail(wheel.name, Fault(content=bytes(wheel.stat().st_size)))
    return ["sync", locked(machine, wheel)]


@another("size", "26 bytes", "1234 bytes")
def a_page_in_the_place_of_a_file(machine: Machine) -> Words:
    wheel = machine.wheel("alpha")
    machine.index.fail(wheel.name, Fault(content=b"<html>please log in</html>"))
    return ["sync", locked(machine, wheel, size=1234)]


@another("size", "more than 1234 bytes", "1234 bytes")
def a_file_that_never_ends(machine: Machine) -> Words:
    wheel = machine.wheel("alpha")
    machine.index.fail(wheel.name, Fault(content=bytes(1 << 20), unannounced=True))
    return ["sync", locked(machine, wheel, size=1234)]


@another("sha256", "HASH", "HASH")
def a_local_file_that_was_changed(machine: Machine) -> Words:
    (machine.work / "alpha-1.0-py3-none-any.whl").write_bytes(b"changed")
    facts = {"path": "alpha-1.0-py3-none-any.whl", "hashes": {"sha256": "0" * 64}}
    return ["sync", lockfile(machine, entry("alpha-1.0-py3-none-any.whl", **facts))]


@unfetched(
    "ROOT/work/gone/alpha-1.0-py3-none-any.whl",
    "No such file or directory",
    "put the file there, or lock anew: multisite lock --upgrade",
)
def a_local_file_that_is_gone(machine: Machine) -> Words:
    facts = {"path": "gone/alpha-1.0-py3-none-any.whl", "hashes": {"sha256": "0" * 64}}
    return ["sync", lockfile(machine, entry("alpha-1.0-py3-none-any.whl", **facts))]


@unfetched("INDEX/files/gone", "404 Not Found", "lock anew what the index has now: multisite lock --upgrade")
def a_file_that_the_server_lacks(machine: Machine) -> Words:
    return ["sync", lockfile(machine, elsewhere(f"{machine.index.origin}/files/gone"))]


@unfetched("INDEX/files/x", "401 Unauthorized", "give user and password in the index's address, or in ~/.netrc")
def a_server_that_wants_a_password(machine: Machine) -> Words:
    machine.index.credentials = "me:secret"
    return ["sync", lockfile(machine, elsewhere(f"{machine.index.origin}/files/x".replace("://", "://you:hidden@")))]


@unfetched(
    "INDEX/files/x", "500 Internal Server Error (tried 4 times)", "check the network, then run the same command again"
)
def a_server_that_is_out_of_order(machine: Machine) -> Words:
    machine.index.fail("x", Fault(status=500, content=b"oops"))
    return ["sync", lockfile(machine, elsewhere(f"{machine.index.origin}/files/x"))]


@unfetched(
    "INDEX/files/x", "the connection broke off (tried 4 times)", "check the network, then run the same command again"
)
def a_server_that_hangs_up(machine: Machine) -> Words:
    machine.index.fail("x", Fault(content=b"0123456789", break_after=3))
    return ["sync", lockfile(machine, elsewhere(f"{machine.index.origin}/files/x"))]


@unfetched(
    "INDEX/files/x",
    "a redirect: addresses of the kind 'file' are not fetched",
    "try again, or lock anew with another index",
)
def a_redirect_to_a_file_of_this_machine(machine: Machine) -> Words:
    machine.index.fail("x", Fault(status=302, content=b"", headers={"Location": "file:///etc/passwd"}))
    return ["sync", lockfile(machine, elsewhere(f"{machine.index.origin}/files/x"))]


@unfetched("INDEX/files/x", "more than 20 redirects", "try again, or lock anew with another index")
def redirects_in_a_circle(machine: Machine) -> Words:
    machine.index.fail("x", Fault(status=302, content=b"", headers={"Location": "x"}))
    return ["sync", lockfile(machine, elsewhere(f"{machine.index.origin}/files/x"))]


@unfetched(
    "http://127.0.0.1:1/x", "Connection refused (tried 4 times)", "check the network, then run the same command again"
)
def no_network(machine: Machine) -> Words:
    return ["sync", lockfile(machine, elsewhere("http://127.0.0.1:1/x"))]


@unfetched(
    "http://host.invalid/x",
    "the host is not known (tried 4 times)",
    "check the network, then run the same command again",
)
def a_host_that_does_not_exist(machine: Machine) -> Words:
    return ["sync", lockfile(machine, elsewhere("http://host.invalid/x"))]


@unfetched("https://h.test/x", "it is not here, and --offline is given", "run the command without --offline")
def no_network_wanted(machine: Machine) -> Words:
    return ["sync", "--offline", lockfile(machine, elsewhere("https://h.test/x"))]


@unfetched(
    "ftp://h.test/x", "addresses of the kind 'ftp' are not fetched", "try again, or lock anew with another index"
)
def a_kind_of_address_that_nobody_fetches(machine: Machine) -> Words:
    return ["sync", lockfile(machine, elsewhere("ftp://h.test/x"))]


@bad(
    3,
    """
    error: the resolver stopped:
    Failed to fetch: http://127.0.0.1:1/simple/alpha/
      cause: error sending request for url (http://127.0.0.1:1/simple/alpha/)
      cause: client error (Connect)
      cause: tcp connect error
      cause: Connection refused (os error 111)
    next: check the network and the index's address (--index-url URL), then try again
    """,
)
def no_network_for_the_index(machine: Machine) -> Words:
    return ["lock", "alpha", "--index-url", "http://127.0.0.1:1/simple"]


@bad(
    1,
    """
    error: no set of versions satisfies what was asked for:
    Because alpha was not found in the cache and you require alpha, we can conclude that your requirements are unsatisfiable.

    hint: Packages were unavailable because the network was disabled. When the network is disabled, registry packages may only be read from the cache.
    next: run the command without --offline
    """,
)
def no_network_wanted_for_the_index(machine: Machine) -> Words:
    return ["lock", "alpha", "--offline"]


@bad(
    3,
    """
    error: the resolver stopped:
    Failed to fetch: INDEX/simple/alpha/
      cause: HTTP status server error (500 Internal Server Error) for url (INDEX/simple/alpha/)
    next: check the network and the index's address (--index-url URL), then try again
    """,
)
def an_index_that_is_out_of_order(machine: Machine) -> Words:
    machine.index.fail("simple/alpha", Fault(status=500, content=b"oops"))
    return ["lock", "alpha"]


@bad(
    1,
    """
    error: no set of versions satisfies what was asked for:
    Because alpha was not found in the package registry and you require alpha, we can conclude that your requirements are unsatisfiable.

    hint: An index URL (INDEX/simple) could not be queried due to a lack of valid authentication credentials (401 Unauthorized)
    next: give user and password in the index's address, or in ~/.netrc
    """,
)
def an_index_that_wants_a_password(machine: Machine) -> Words:
    machine.index.credentials = "me:secret"
    return ["lock", "alpha", "--index-url", machine.index.url.replace("://", "://you:hidden@")]


@bad(
    3,
    """
    error: the resolver stopped:
    Received some unexpected JSON from `INDEX/simple/alpha/`
      cause: key must be a string at line 1 column 2
    next: check the index's address: --index-url URL
    """,
)
def an_index_that_answers_nonsense(machine: Machine) -> Words:
    garbage = Fault(content=b"{]", headers={"Content-Type": "application/vnd.pypi.simple.v1+json"})
    machine.index.fail("simple/alpha", garbage)
    return ["lock", "alpha"]


@another("sha256", "HASH", "HASH")
def an_index_whose_file_is_another_than_it_says(machine: Machine) -> Words:
    wheel = machine.wheel("alpha")
    machine.index.fail(wheel.name, Fault(content=bytes(wheel.stat().st_size)))
    return ["lock", "alpha"]


@unfetched(
    "INDEX/files/alpha-1.0-py3-none-any.whl",
    "404 Not Found",
    "lock anew what the index has now: multisite lock --upgrade",
)
def an_index_that_lists_a_file_that_it_lacks(machine: Machine) -> Words:
    machine.index.fail(machine.wheel("alpha").name, Fault(status=404, content=b""))
    return ["lock", "alpha"]


@bad.each
def test_bad_input_gets_a_sentence_and_does_no_damage(machine: Machine, case: Case, state: str) -> None:
    case.check(machine, state)
