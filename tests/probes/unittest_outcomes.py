"""Run the unittest modules that are named and write each test's outcome to a file: python … FILE MODULE…"""

import json
import sys
import unittest


class Outcomes(unittest.TextTestResult):
    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.found = {}

    def _note(self, test, outcome):
        # Several subtests can fail; the worst is kept.
        key = test.id()
        if self.found.get(key) not in ("failed", "error"):
            self.found[key] = outcome

    def addSuccess(self, test):
        super().addSuccess(test)
        self._note(test, "passed")

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._note(test, "failed")

    def addError(self, test, err):
        super().addError(test, err)
        self._note(test, "error")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._note(test, "skipped")

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self._note(test, "passed")

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self._note(test, "failed")

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._note(test, "failed")


if __name__ == "__main__":
    target, *modules = sys.argv[1:]
    tests = unittest.defaultTestLoader.loadTestsFromNames(modules)
    result = unittest.TextTestRunner(resultclass=Outcomes, verbosity=0).run(tests)
    with open(target, "w", encoding="utf-8") as file:
        json.dump(result.found, file, indent=1, sort_keys=True)
