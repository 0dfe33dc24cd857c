"""A build backend of the standard library alone (PEP 517, PEP 660). Each build is noted beside the project."""

import base64, csv, hashlib, io, os, re, zipfile

def _text(name):
    with open("pyproject.toml", encoding="utf-8") as file:
        return re.search(r'^%s = "([^"]*)"' % name, file.read(), re.MULTILINE)[1]

def _wheel(folder, files):
    if os.path.exists("broken"):
        raise SystemExit("the build is broken on purpose")
    with open("builds.log", "a") as file:
        file.write("built\n")
    name, version = _text("name").replace("-", "_"), _text("version")
    info = "%s-%s.dist-info" % (name, version)
    files = dict(files)
    files[info + "/METADATA"] = ("Metadata-Version: 2.1\nName: %s\nVersion: %s\n" % (_text("name"), version)).encode()
    files[info + "/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files[info + "/entry_points.txt"] = ("[console_scripts]\n%s = %s:main\n" % (_text("name"), name)).encode()
    out = io.StringIO(newline="")
    rows = csv.writer(out, lineterminator="\n")
    for path, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
        rows.writerow([path, "sha256=" + digest, len(data)])
    rows.writerow([info + "/RECORD", "", ""])
    files[info + "/RECORD"] = out.getvalue().encode()
    target = "%s-%s-py3-none-any.whl" % (name, version)
    with zipfile.ZipFile(os.path.join(folder, target), "w") as archive:
        for path, data in files.items():
            archive.writestr(zipfile.ZipInfo(path, (2024, 1, 1, 0, 0, 0)), data)
    return target

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    files = {}
    for root, _, names in os.walk("src"):
        for name in names:
            path = os.path.join(root, name)
            with open(path, "rb") as file:
                files[os.path.relpath(path, "src").replace(os.sep, "/")] = file.read()
    return _wheel(wheel_directory, files)

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    files = {"__editable__.%s.pth" % _text("name"): os.path.abspath("src").encode() + b"\n"}
    data = "%s-%s.data/data/" % (_text("name").replace("-", "_"), _text("version"))
    for root, _, names in os.walk("share"):
        for name in names:
            with open(os.path.join(root, name), "rb") as file:
                files[data + os.path.join(root, name).replace(os.sep, "/")] = file.read()
    return _wheel(wheel_directory, files)
