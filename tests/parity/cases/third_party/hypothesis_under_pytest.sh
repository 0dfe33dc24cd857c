# /// parity
# rows = [31, 10]
# says = "the same under pytest, which executes the modules of plugins by itself"
# state = "mended"
# reason = "pytest's loader of rewritten modules tells when it has executed one"
# requirements = ["hypothesis >=6.131", "pytest", "six"]
# python = ">=3.9"
# cost = "index"
# expects = "1 passed"
# normalise = [{pattern = "in [0-9.]+s", with = "in …s", reason = "how long the run took"}]
# files."test_own.py" = """
# import six, json
# from hypothesis.internal.scrutineer import ModuleLocation
# def test_it():
#     assert [int(ModuleLocation.from_path(file)) for file in (six.__file__, json.__file__, __file__)] == [1, 2, 0]
# """
# ///
python -m pytest -q -p no:cacheprovider test_own.py
