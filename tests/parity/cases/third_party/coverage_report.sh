# /// parity
# rows = [31]
# says = "coverage run without a source setting measures the project's files, and no distribution"
# state = "mended"
# reason = "coverage compares with the folders of sysconfig; when it is loaded, the folders of locked distributions are added to its list"
# requirements = ["coverage", "packaging"]
# cost = "index"
# expects = "main.py"
# files."main.py" = "import packaging.version, own; print(packaging.version.Version('1.0'), own.it())"
# files."own.py" = """
# def it():
#     return 1
# def never():
#     return 2
# """
# ///
coverage run main.py
coverage report
coverage report -m own.py
coverage json -q -o report.json
python -c "import json; print(sorted(json.load(open('report.json'))['files']))"
