"""Whatever comes in from outside: requirements, lockfiles, wheels, servers, disks, interpreters."""

import pytest

pytest.register_assert_rewrite("tests.bad_input.case")
