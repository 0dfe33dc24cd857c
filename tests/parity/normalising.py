"""What may differ between the two outputs: brought to one form, each for a written reason, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tests.parity.header import Rule

__all__ = ["RULES", "normalised"]

# In this order. {store} and so on are the folders of the environment that said it.
RULES = (
    Rule(
        pattern=r"{store}/(?:multi-site-packages/[^/\s]+/[^/\s]+/[^/\s]+|shared/[^/\s]+)/site-packages",
        replacement="<site>",
        reason="a folder of the store stands for the environment's site-packages: that is what multisite is",
    ),
    Rule(pattern="{site}", replacement="<site>", reason="the environments lie in two places"),
    Rule(pattern="{venv}", replacement="<venv>", reason="the environments lie in two places"),
    Rule(pattern="{run}", replacement="<run>", reason="the probe is written beside each environment"),
    Rule(
        pattern=r"""((["'])<site>/[^"']*\2)(?:, \1)+""",
        replacement=r"\1",
        reason="over several entries a namespace package has several folders where a plain environment has one",
    ),
    Rule(pattern=r"\b0x[0-9a-f]{{6,16}}\b", replacement="0x…", reason="where an object lies in memory is random"),
)


def normalised(text: str, folders: Mapping[str, str], own: Sequence[Rule] = ()) -> str:
    """Bring *text* to the form in which the two outputs are compared; *own* are the case's own rules."""
    escaped = {name: re.escape(folder) for name, folder in folders.items()}
    for rule in RULES:
        text = re.sub(rule.pattern.format_map(escaped), rule.replacement, text)
    for rule in own:
        text = re.sub(rule.pattern, rule.replacement, text)
    return text
