"""Commands of other tools, pointed at an environment from inside and outside, as root and as the store's owner.

``table.py`` and ``tools.py`` list them; ``running.py`` runs one in a plain environment and in multisite's, which hold
the same distributions, and says what differs: what the tool printed, what the environment is afterwards, what doctor
says of it, what ``sync`` makes of it. The store is looked at before and after: nothing in it may have changed.
"""
