"""Large applications that are only imported, and asked for what they find beside themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.parity.header import Rule
from tests.programs.program import Program

if TYPE_CHECKING:
    from tests.programs.side import Side

USES = """\
import importlib, pkgutil, sys
from importlib import resources

for name in sys.argv[1:]:
    module = importlib.import_module(name)
    folder = resources.files(name)
    print(name, module.__file__, len(sorted(item.name for item in folder.iterdir() if item.name != "__pycache__")))
    print(sorted(info.name for info in pkgutil.iter_modules(module.__path__)))
print(sorted(name for name in sys.modules if not name.startswith("_multisite") and "multisite" not in name))
"""
PAGE = """\
import streamlit as st
from streamlit.testing.v1 import AppTest

if __name__ != "__main__":
    st.title("title")
else:
    test = AppTest.from_string("import streamlit as st\\nst.title('title')\\nst.slider('s', 0, 9, 3)")
    test.run(timeout=600)
    print([element.value for element in test.title], test.slider[0].value)
"""
INTERFACE = """\
import gradio
interface = gradio.Interface(lambda text: text.upper(), "text", "text")
print(interface.fn("text"), len(interface.get_config_file()["components"]) > 1)
"""


def drive(side: Side) -> None:
    side.write({"uses.py": USES, "page.py": PAGE, "interface.py": INTERFACE})
    environ = {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_OFFLINE": "1"}
    side.run("python", "uses.py", "streamlit", "gradio", "pandas", "pyarrow", variables=environ)
    side.run("python", "page.py", quiet=True)
    side.run("python", "interface.py", variables=environ)
    side.run("streamlit", "--version")
    side.run("streamlit", "config", "show")


PROGRAM = Program(
    does="streamlit and gradio: every module that is loaded, a page run by streamlit's own test tool, an interface",
    requirements=("streamlit", "gradio"),
    drive=drive,
    writes=("gradio/hash_seed.txt",),
    varying=(Rule(pattern=r"cookieSecret = .*", replacement="cookieSecret", reason="made at random"),),
)
