# /// parity
# rows = [5]
# says = "a project that pip builds in isolation cannot import what is locked"
# seed = true
# run = ["python -m pip wheel --quiet --no-deps --wheel-dir built ./project", "python {program}"]
# expects = "cannot be imported"
# catches = ["before"]
# [files]
# "project/pyproject.toml" = """
# [build-system]
# requires = []
# build-backend = "backend"
# backend-path = ["."]
# """
# "project/backend.py" = """
# import importlib.metadata, os, zipfile
# def build_wheel(folder, settings=None, metadata=None):
#     said = []
#     try:
#         import regular
#         said.append('can be imported')
#     except ImportError:
#         said.append('cannot be imported')
#     said.append(sorted(found.metadata['Name'] for found in importlib.metadata.distributions()))
#     name = 'built-1.0-py3-none-any.whl'
#     with zipfile.ZipFile(os.path.join(folder, name), 'w') as wheel:
#         wheel.writestr('said.txt', repr(said))
#         wheel.writestr('built-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: built\\nVersion: 1.0\\n')
#         wheel.writestr('built-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
#         wheel.writestr('built-1.0.dist-info/RECORD', '')
#     return name
# """
# ///
import zipfile

print(zipfile.ZipFile("built/built-1.0-py3-none-any.whl").read("said.txt").decode())
