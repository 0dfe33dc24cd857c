# /// parity
# rows = [10]
# says = "pytest with xdist, --import-mode=importlib, --doctest-modules and --pyargs on locked packages"
# requirements = ["pytest", "pytest-xdist", "tested==1.0"]
# cost = "index"
# timeout = 600
# expects = "3 passed"
# normalise = [
#   {pattern = ' in \d+\.\d+s', with = "", reason = "how long it took"},
#   {pattern = '\.+ +\[ *\d+%\]', with = "…", reason = "which worker of xdist is ready when"},
# ]
# [wheels."tested-1.0"]
# "tested/__init__.py" = '''
# def double(x):
#     """
#     >>> double(2)
#     4
#     """
#     return 2 * x
# '''
# "tested/tests/__init__.py" = ""
# "tested/tests/test_double.py" = """
# import tested
# def test_double(): assert tested.double(2) == 4
# def test_where(): assert tested.__file__ == __file__.replace('tests/test_double.py', '__init__.py')
# """
# ///
options="-p no:cacheprovider -q"
python -m pytest $options --pyargs tested
python -m pytest $options --pyargs tested --doctest-modules
python -m pytest $options --pyargs tested.tests.test_double -n 2 | grep -v "^bringing"
python -m pytest $options --pyargs tested --import-mode=importlib
python -m pytest $options --pyargs tested --import-mode=append --doctest-modules
python -m pytest $options --pyargs tested --collect-only
python -m pytest --version
python -m pytest --trace-config --collect-only --pyargs tested 2>/dev/null | grep "xdist" | sort
