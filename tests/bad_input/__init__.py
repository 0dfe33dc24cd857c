"""Whatever comes in from outside: requirements, lockfiles, wheels, servers, disks, interpreters."""
