"""Where distributions are looked for: the index options of the command line, else uv's settings, else pip's variables.

uv reads its own variables and configuration files by itself; pip's it does not read. Who has told pip by variables
(``PIP_INDEX_URL`` and its like) where the index is means it for this tool too, unless uv was told something else. pip's
configuration files are not read: they hold much that has no meaning here, and uv has such files of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from multisite.addresses import is_local
from multisite.uvconfig import configured_addresses, configured_places, credentials_variables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["IndexOptions"]

_UV = ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_NO_INDEX")
_FALSE = frozenset({"", "0", "false", "no", "off"})


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexOptions:
    """Index options as pip and uv know them; addresses may carry credentials."""

    index_url: str | None = None
    extra_index_urls: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    no_index: bool = False

    @classmethod
    def from_pip(cls, environ: Mapping[str, str]) -> IndexOptions:
        """Read pip's variables; several values stand with spaces between them."""
        return cls(
            index_url=environ.get("PIP_INDEX_URL") or None,
            extra_index_urls=tuple(environ.get("PIP_EXTRA_INDEX_URL", "").split()),
            find_links=tuple(environ.get("PIP_FIND_LINKS", "").split()),
            no_index=environ.get("PIP_NO_INDEX", "").lower() not in _FALSE,
        )

    def effective(self, environ: Mapping[str, str]) -> IndexOptions:
        """Return what uv must be told: these options, else pip's variables unless uv has its own."""
        if self != IndexOptions() or any(environ.get(name) for name in _UV):
            return self
        return self.from_pip(environ)

    def arguments(self) -> list[str]:
        """Return the options as ``uv pip compile`` and ``uv build`` take them."""
        arguments = [] if self.index_url is None else ["--index-url", self.index_url]
        for address in self.extra_index_urls:
            arguments += ["--extra-index-url", address]
        for place in self.find_links:
            arguments += ["--find-links", place]
        return [*arguments, "--no-index"] if self.no_index else arguments

    def addresses(self, environ: Mapping[str, str], folder: Path | None = None) -> tuple[str, ...]:
        """Return every address that may carry credentials, those that uv reads itself included.

        With *folder* also those in the configuration files that it reads there. What counts most stands last.
        """
        own = (self.index_url, *self.extra_index_urls, *self.find_links)
        by_uv = [address for word in _words(environ) for address in _addresses(word, environ)]
        configured = () if folder is None else configured_addresses(environ, folder)
        return tuple(address for address in (*configured, *by_uv, *own) if address and "://" in address)

    def has_local(self, environ: Mapping[str, str], folder: Path) -> bool:
        """Tell whether distributions are looked for on this machine as well: in a folder, or by a ``file:`` address."""
        own = (self.index_url, *self.extra_index_urls, *self.find_links)
        by_uv = [address for word in _words(environ) for address in _addresses(word, environ)]
        places = [place for place in (*configured_places(environ, folder), *by_uv, *own) if place]
        return any(map(is_local, places))


def _addresses(word: str, environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the address of a word of uv's variables, which may begin with a name: ``corp=https://…``."""
    name, separator, address = word.partition("=")
    if separator and "://" not in name:
        yield address
        yield from credentials_variables(name, address, environ)
    else:
        yield word


def _words(environ: Mapping[str, str]) -> list[str]:
    return [word for name in _UV for word in environ.get(name, "").replace(",", " ").split()]
