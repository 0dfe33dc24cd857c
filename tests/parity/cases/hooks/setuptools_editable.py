# /// parity
# rows = [9, 6]
# says = "projects that pip installs editable, with setuptools' own finders, beside locked distributions"
# requirements = ["setuptools", "wheel", "pip", "regular==1.0"]
# cost = "index"
# private = true
# run = [
#   "python -m pip install --quiet --no-build-isolation --no-deps -e project",
#   "python -m pip install --quiet --no-build-isolation --no-deps -e portion --config-settings editable_mode=compat",
#   "python {program}",
# ]
# normalise = [{pattern = "__editable___[a-z_0-9]*", with = "__editable___", reason = "the finder's name"}]
# [files]
# "project/pyproject.toml" = """
# [build-system]
# requires = ["setuptools"]
# build-backend = "setuptools.build_meta"
# [project]
# name = "project"
# version = "1.0"
# [tool.setuptools]
# packages = ["edited", "spreading.edited"]
# """
# "project/edited/__init__.py" = "import regular; who = regular.who"
# "project/spreading/edited/__init__.py" = "who = 'spreading'"
# "portion/pyproject.toml" = """
# [build-system]
# requires = ["setuptools"]
# build-backend = "setuptools.build_meta"
# [project]
# name = "portion"
# version = "1.0"
# [tool.setuptools]
# py-modules = ["portion"]
# """
# "portion/portion.py" = "import regular.sub"
# ///
import edited, portion, spreading.edited

show(edited.who, where("edited"), where("portion"), spreading.edited.who, where("regular"))
show(sorted((found.metadata["Name"], found.version) for found in metadata.distributions() if found.metadata["Name"] in ("project", "portion", "regular")))
