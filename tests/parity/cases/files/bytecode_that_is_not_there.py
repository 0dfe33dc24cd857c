# /// parity
# rows = [25]
# says = "bytecode in files(): pip compiles everything when it installs, here it appears when a module is first imported; from 3.12 on files() lists only what exists"
# python = ">=3.12"
# installer = "pip"
# state = "limit"
# reason = "compiling everything at once would cost the time that the shared store saves; RECORD lists it, as in a plain environment"
# differs = ['-[["__pycache__", "never.py"], true]', '+[["never.py"], true]']
# [wheels."never-1.0"]
# "never.py" = "who = 'never imported'"
# ///
found = metadata.distribution("never")
show(sorted(file.parts[0] for file in found.files if "dist-info" not in str(file)), "never.cpython" in found.read_text("RECORD"))
