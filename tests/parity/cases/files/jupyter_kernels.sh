# /// parity
# rows = [18]
# says = "a kernel that a locked wheel brings is listed by jupyter, with the folder under the prefix"
# requirements = ["jupyter_client", "ipykernel"]
# cost = "index"
# expects = "<venv>/share/jupyter/kernels/python3"
# ///
python -W ignore -m jupyter_client.kernelspecapp list
jupyter-kernelspec list --json 2>/dev/null
