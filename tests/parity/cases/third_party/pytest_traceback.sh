# /// parity
# rows = [31]
# says = "which frames pytest leaves out of tracebacks, in each style"
# requirements = ["pytest", "markupsafe"]
# cost = "index"
# fails = true
# expects = "1 failed"
# normalise = [{pattern = "in [0-9.]+s", with = "in …s", reason = "how long the run took"}, {pattern = "(?:\\.\\./)+[^ :]*site-packages", with = "<site>", reason = "paths are shown relative to the folder of the run"}, {pattern = "(?m)^(=+|_+) (.*?) (=+|_+)$", with = "\\2", reason = "lines are filled up"}]
# files."test_own.py" = """
# import markupsafe
# def test_it():
#     markupsafe.Markup("{x}").format()
# """
# ///
for style in auto short native line; do
    python -m pytest -q -p no:cacheprovider --tb=$style test_own.py && exit 7 || test $? = 1
done
python -m pytest -q -p no:cacheprovider --full-trace test_own.py | grep -c "site-packages" || true
exit 1
